"""The paper's `training(H, L_k)`: restarts with early stopping."""

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import classifier, reinitialization


class Training:
    """Train a model from scratch several times and keep the best weights.

    A call trains on a labeled set L_k and returns the model. It repeats these steps
    `num_restarts` times:

    1. Draw initial weights, reset the optimizer, and split L_k at random into a
       training and a validation set.
    2. Train until the validation loss has not improved for `patience` epochs, or for
       `epochs` epochs.

    The model gets the final weights of the restart whose final validation loss is the
    lowest.

    The model is trained in place. Epochs loop over Keras's `model.train_step` inside
    one TensorFlow graph, traced once, so the model trains as with `model.fit`, without
    its overhead per epoch on small sets.

    Reference:
        - Ducoffe & Precioso, 2018, Algorithm 1. The paper gives the optimizer and the
          batch size only; restarts and early stopping follow the first author's
          public code.

    Args:
        model: A Keras model, built, and compiled with a loss for integer labels. Each
            restart draws new weights for its trainable layers. Layers with
            `trainable=False` keep their weights.
        num_restarts: Number of restarts. Defaults to 5.
        validation_split: Fraction of the labeled set to use as validation set, between
            0 and 1. Defaults to 0.2.
        epochs: Maximum number of epochs of a restart. Defaults to 100.
        patience: Number of epochs without a lower validation loss after which a
            restart stops. Defaults to 5.
        batch_size: Number of samples per gradient step. Defaults to 32.

    Raises:
        ValueError: If the model is not built and compiled, a layer has no initializer,
            or a number is out of range.

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
                f"Received: {model!r}, which is not compiled"
            )
        self.model = model
        self.num_restarts = _validation.check_count("num_restarts", num_restarts)
        self.validation_split = _validation.check_number(
            "validation_split", validation_split, above=0, below=1
        )
        self.epochs = _validation.check_count("epochs", epochs)
        self.patience = _validation.check_count("patience", patience)
        self.batch_size = _validation.check_count("batch_size", batch_size)
        self._initializer = reinitialization.Initializer(model)
        self._traced: dict = {}  # by dtype of the images

    def __call__(self, x, y, *, seed: int) -> keras.Model:
        """Train on a labeled set.

        Args:
            x: Images as the model takes them, of shape `(num_samples, ...)`.
            y: Integer class indices, of shape `(num_samples,)`.
            seed: Non-negative integer, the seed of initial weights, splits, shuffles
                and dropout.

        Returns:
            The model given at construction.

        Raises:
            ValueError: If an argument is invalid, there are fewer than two samples,
                the loss does not accept integer labels, or every restart ends with a
                validation loss or weights that are not finite.
        """
        _validation.check_images(
            "x", x, sample_shape=classifier.sample_shape(self.model)
        )
        _validation.check_count("seed", seed, minimum=0)
        num_samples = x.shape[0]
        # A single output means two classes. Subclassed models have no `outputs`.
        outputs = getattr(self.model, "outputs", None)
        num_classes = max(2, outputs[0].shape[-1]) if outputs else None
        y = _validation.check_labels(
            "y", y, num_samples=num_samples, num_classes=num_classes
        )
        num_held_out = max(1, round(num_samples * self.validation_split))
        if num_samples - num_held_out < 1:
            raise ValueError(
                "Argument `x` must hold enough samples for a training and a validation "
                f"set. Received: {num_samples} samples"
            )
        dtype = "uint8" if x.dtype == np.uint8 else "float32"
        x, y = tf.constant(np.asarray(x, dtype)), tf.constant(y, tf.int32)
        run_epochs = self._traced_epochs(tuple(x.shape[1:]), dtype)
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
                    "Argument `model` must be compiled with a loss that accepts its "
                    "outputs and integer labels. "
                    f"Received: loss={self.model.loss!r} ({reason})"
                ) from error
            # The loss may be finite for NaN weights, for example before a ReLU.
            weights = self.model.get_weights()
            if loss < best_loss and all(np.isfinite(w).all() for w in weights):
                best_loss, best_weights = loss, weights
        if best_weights is None:
            raise ValueError(
                "Training must reach a finite validation loss with finite weights: "
                "check the loss, the learning rate and the images. "
                f"Received: a loss of {loss} in the last restart"
            )
        self.model.set_weights(best_weights)
        return self.model

    def _traced_epochs(self, sample_shape, dtype):
        """Return `_run_epochs`, traced once per dtype for any number of samples."""
        if dtype not in self._traced:
            specs = [
                tf.TensorSpec((None, *sample_shape), dtype, name="x"),
                tf.TensorSpec((None,), tf.int32, name="y"),
                tf.TensorSpec((None,), tf.int32, name="train_rows"),
                tf.TensorSpec((None,), tf.int32, name="held_out_rows"),
                tf.TensorSpec((2,), tf.int32, name="seed"),
            ]
            self._traced[dtype] = tf.function(self._run_epochs, input_signature=specs)
        return self._traced[dtype]

    def _run_epochs(self, x, y, train_rows, held_out_rows, seed):
        """Train until early stopping, and return the last validation loss."""
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
        """Return the mean loss over `rows` in inference mode."""
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
    """Return a batch of float32 images and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32), tf.gather(y, rows)
