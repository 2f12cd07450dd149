"""The paper's `training(H, L_k)`: restarts with early stopping, in one graph."""

import numbers

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import classifier, reinitialization


class Training:
    """Train a model from scratch, several times over, and keep the best.

    Calling the object trains on a labeled set L_k and returns the model:

    1. fresh weights, fresh optimizer, a fresh random split of L_k into a training and
       a validation part;
    2. epochs over the shuffled training part until the validation loss has not
       improved for `patience` epochs, or for `epochs` epochs;
    3. again, `num_restarts` times. The weights with which a restart ended are kept if
       its final validation loss is the lowest.

    It is always the same model object: compiled and traced once, its weights change
    in place. Epochs run inside one TensorFlow graph that loops Keras's own
    `model.train_step`, so the model trains as under `model.fit`, without what `fit`
    costs per epoch on a small set.

    Reference:
        - Ducoffe & Precioso, 2018, Algorithm 1; the recipe is the first author's
          public code's, since the paper gives optimizer and batch size only.

    Args:
        model: A Keras model, built, and compiled with a loss for integer labels. Its
            trainable layers start afresh at every restart; layers with
            `trainable=False` keep the weights that they have.
        num_restarts: How many times to train.
        validation_split: Share of the labeled set to hold out, in (0, 1).
        epochs: The most epochs for one restart.
        patience: Stop after this many epochs without a lower validation loss.
        batch_size: Samples per gradient step.

    Raises:
        ValueError: If the model is not compiled, or its weights can't be initialized
            again, or a number is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, y), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> train = dfal.Training(model, num_restarts=1, epochs=2)
        >>> train(x[:100], y[:100], seed=0) is model
        True
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        num_restarts: int = 5,
        validation_split: float = 0.2,
        epochs: int = 100,
        patience: int = 5,
        batch_size: int = 32,
    ):
        classifier.check_model(model)
        if getattr(model, "optimizer", None) is None:
            raise ValueError(
                "Argument `model` must be compiled with an optimizer and a loss. "
                f"Received: {model!r}, which is not"
            )
        is_number = isinstance(validation_split, numbers.Real)
        if not is_number or not 0 < validation_split < 1:
            raise ValueError(
                "Argument `validation_split` must lie between 0 and 1. "
                f"Received: validation_split={validation_split!r}"
            )
        self.model = model
        self.num_restarts = _validation.check_count("num_restarts", num_restarts)
        self.validation_split = validation_split
        self.epochs = _validation.check_count("epochs", epochs)
        self.patience = _validation.check_count("patience", patience)
        self.batch_size = _validation.check_count("batch_size", batch_size)
        self._initializer = reinitialization.Initializer(model)
        self._graphs: dict = {}  # one for float32 images, one for uint8

    def __call__(self, x, y, *, seed: int) -> keras.Model:
        """Train on a labeled set.

        Args:
            x: Images as the model takes them, of shape `(num_samples, ...)`.
            y: Integer class indices, of shape `(num_samples,)`.
            seed: Whole number that fixes initial weights, splits, shuffles and
                dropout.

        Returns:
            The model given at construction, trained, in place.

        Raises:
            ValueError: If there are fewer than two samples, the shapes do not fit, the
                loss takes no integer labels, or every restart ended with a validation
                loss or weights that are not finite.
        """
        _validation.check_images(
            "x", x, sample_shape=classifier.sample_shape(self.model)
        )
        _validation.check_count("seed", seed, minimum=0)
        num_samples = x.shape[0]
        # A single output stands for two classes; a subclassed model does not tell.
        outputs = getattr(self.model, "outputs", None)
        num_classes = max(2, outputs[0].shape[-1]) if outputs else None
        y = _validation.check_labels(
            "y", y, num_samples=num_samples, num_classes=num_classes
        )
        num_held_out = max(1, round(num_samples * self.validation_split))
        if num_samples - num_held_out < 1:
            raise ValueError(
                "Argument `x` must hold enough samples to train on some and validate "
                f"on others. Received: {num_samples} samples"
            )
        dtype = "uint8" if x.dtype == np.uint8 else "float32"
        x, y = tf.constant(np.asarray(x, dtype)), tf.constant(y, tf.int32)
        run_epochs = self._graph(tuple(x.shape[1:]), dtype)
        best_loss, best_weights = np.inf, None
        for restart in range(self.num_restarts):
            rng = np.random.default_rng([seed, restart])
            self._initializer(rng)
            rows = rng.permutation(num_samples).astype(np.int32)
            held_out, train = np.split(rows, [num_held_out])
            shuffle_seed = rng.integers(2**31, size=2, dtype=np.int32)
            try:
                loss = run_epochs(x, y, train, held_out, shuffle_seed).numpy()
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                reason = str(error).strip().split("\n")[0]
                raise ValueError(
                    "Argument `model` must be compiled with a loss for integer labels "
                    f"and its outputs. Received: loss={self.model.loss!r} ({reason})"
                ) from error
            # Where a layer swallows NaN, the loss may be finite though they are not.
            weights = self.model.get_weights()
            if loss < best_loss and all(np.isfinite(w).all() for w in weights):
                best_loss, best_weights = loss, weights
        if best_weights is None:
            raise ValueError(
                "Training must reach a finite validation loss by finite weights; check "
                "the loss, the learning rate and the images. "
                f"Received: a loss of {loss} at the last restart"
            )
        self.model.set_weights(best_weights)
        return self.model

    def _graph(self, sample_shape, dtype):
        """Compile `_run_epochs`, for any number of samples, once for each dtype."""
        if dtype not in self._graphs:
            specs = [
                tf.TensorSpec((None, *sample_shape), dtype, name="x"),
                tf.TensorSpec((None,), tf.int32, name="y"),
                tf.TensorSpec((None,), tf.int32, name="train_rows"),
                tf.TensorSpec((None,), tf.int32, name="held_out_rows"),
                tf.TensorSpec((2,), tf.int32, name="seed"),
            ]
            self._graphs[dtype] = tf.function(self._run_epochs, input_signature=specs)
        return self._graphs[dtype]

    def _run_epochs(self, x, y, train_rows, held_out_rows, seed):
        """Train until early stopping; return the last validation loss."""
        epoch, num_waited = tf.constant(0), tf.constant(0)
        best = loss = tf.constant(np.inf)
        while epoch < self.epochs and num_waited < self.patience:
            shuffled = tf.random.experimental.stateless_shuffle(
                train_rows, seed + tf.stack([0, epoch])
            )
            for start in tf.range(0, tf.size(shuffled), self.batch_size):
                batch = shuffled[start : start + self.batch_size]
                self.model.train_step(_rows(x, y, batch))
            loss = self._validation_loss(x, y, held_out_rows)
            num_waited = tf.where(loss < best, 0, num_waited + 1)
            best = tf.minimum(best, loss)
            epoch += 1
        return loss

    def _validation_loss(self, x, y, rows):
        """Mean loss over `rows` with dropout off, in batches that bound memory."""
        total = 0.0
        for start in tf.range(0, tf.size(rows), _VALIDATION_BATCH_SIZE):
            batch = rows[start : start + _VALIDATION_BATCH_SIZE]
            images, labels = _rows(x, y, batch)
            outputs = self.model(images, training=False)
            loss = self.model.compute_loss(images, labels, outputs, training=False)
            total += tf.cast(loss, tf.float32) * tf.cast(tf.size(batch), tf.float32)
        return total / tf.cast(tf.size(rows), tf.float32)


_VALIDATION_BATCH_SIZE = 512


def _rows(x, y, rows):
    """One batch, its images in float."""
    return tf.cast(tf.gather(x, rows), tf.float32), tf.gather(y, rows)
