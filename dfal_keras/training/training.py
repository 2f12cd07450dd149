"""The paper's `training(H, L_k)`: restarts with early stopping."""

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    epoch_callbacks,
    epoch_loop,
    reinitialization,
    targets,
)
from dfal_keras.training import class_weights, splits


class Training:
    """Train a model several times and keep the best weights.

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

    To fine-tune a pretrained model, use `initial="keep"`. To unfreeze layers
    afterwards, set `trainable`, compile the model again and make a new `Training`.

    Reference:
        - Ducoffe & Precioso, 2018, Algorithm 1. The paper gives the optimizer and the
          batch size only; restarts and early stopping follow the first author's
          public code.

    Args:
        model: A Keras model, built, and compiled with a loss for integer labels, or
            with one of Keras's categorical losses, which gets one-hot labels. Layers
            with `trainable=False` keep their weights.
        initial: Initial weights of each restart. `"fresh"` draws new weights for all
            trainable layers, by their own initializers. `"keep"` begins with the
            weights that the model has now. Defaults to `"fresh"`.
        num_restarts: Number of restarts. Defaults to 5.
        validation_split: Fraction of the labeled set to use as validation set, between
            0 and 1. Defaults to 0.2.
        stratify: Whether to split each class in proportion, so that no class is
            missing from the training set, nor from the validation set if it has two
            samples and the sizes allow it. Defaults to `False`.
        group_split: Whether to keep the samples of a group, such as an image and its
            companions, on the same side of the split. Calls then need `groups`.
            Defaults to `False`.
        validation_data: `(x, y)` to use as validation set. The whole labeled set is
            then for training. Defaults to `None`, a split.
        num_repeats: Number of times that an epoch goes through the training set, all
            shuffled together. Defaults to 1.
        epochs: Maximum number of epochs of a restart. Defaults to 100.
        patience: Number of epochs without a lower validation loss after which a
            restart stops. Defaults to 5.
        batch_size: Number of samples per gradient step. Defaults to 32.
        min_batch_size: The last batch of an epoch is usually smaller than the others.
            Skip it below this size: a last batch of one or two samples can make the
            model of a small labeled set much worse. Every epoch is shuffled, so no
            sample is left out for good. A single batch is always used. Defaults to
            1, no batch is skipped, as in `model.fit`.
        class_weight: Dict from class indices to weights in the training loss, 1 for
            classes that are not in it, or `"balanced"` for weights that are inversely
            proportional to the class's number of samples in the labeled set. The
            validation loss has no weights. Defaults to `None`.
        callbacks: List of Keras callbacks. A restart calls `on_train_begin`,
            `on_epoch_begin`, `on_epoch_end` and `on_train_end`, and `on_test_begin` and
            `on_test_end` around each validation. It stops when `model.stop_training` is
            set. Methods for batches and predictions are not called. With callbacks,
            each epoch and each validation is a separate call of a graph; the results
            are the same. Defaults to `None`.
        verbose: 0 for no output, 1 for a progress bar over the epochs of all restarts,
            on stderr. Defaults to 0.

    Attributes:
        model: The model.
        history: Learning curves of the last call, a dict for each restart as in
            `keras.callbacks.History.history`: `"loss"`, `"val_loss"` and the model's
            metrics, with a value for each epoch.

    Raises:
        ValueError: If the model is not built and compiled, a layer has no initializer
            and can't be cloned, or an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, y), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> train = dfal.Training(model, num_restarts=1, epochs=2)
        >>> train(x[:100], y[:100], seed=0) is model
        True
        >>> sorted(train.history[0])
        ['loss', 'val_loss']

        Continue from these weights, with the convolutions frozen:

        >>> for layer in model.layers[:-6]:
        ...     layer.trainable = False
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> tune = dfal.Training(model, initial="keep", num_restarts=1, epochs=2)
        >>> tune(x[:200], y[:200], seed=0) is model
        True
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        initial: str = "fresh",
        num_restarts: int = 5,
        validation_split: float = 0.2,
        stratify: bool = False,
        group_split: bool = False,
        validation_data: tuple | None = None,
        num_repeats: int = 1,
        epochs: int = 100,
        patience: int = 5,
        batch_size: int = 32,
        min_batch_size: int = 1,
        class_weight: dict | str | None = None,
        callbacks: list | None = None,
        verbose: int = 0,
    ):
        _check_compiled(model)
        self.model = model
        self.history: list[dict[str, list]] = []
        self.initial = _validation.check_choice("initial", initial, ("fresh", "keep"))
        self.num_restarts = _validation.check_count("num_restarts", num_restarts)
        self.validation_split = _validation.check_number(
            "validation_split", validation_split, above=0, below=1
        )
        self.stratify = _validation.check_flag("stratify", stratify)
        self.group_split = _validation.check_flag("group_split", group_split)
        self.num_repeats = _validation.check_count("num_repeats", num_repeats)
        self.validation_data = validation_data
        if validation_data is not None:
            _validation.check_pair("validation_data", validation_data)
            _validation.check_images(
                "validation_data[0]",
                validation_data[0],
                sample_shape=classifier.sample_shape(model),
            )
        self.epochs = _validation.check_count("epochs", epochs)
        self.patience = _validation.check_count("patience", patience)
        self.batch_size = _validation.check_count("batch_size", batch_size)
        self.min_batch_size = _validation.check_count("min_batch_size", min_batch_size)
        if min_batch_size > batch_size:
            raise _validation.ArgumentError(
                "min_batch_size",
                "must be at most `batch_size`. "
                f"Received: min_batch_size={min_batch_size}, batch_size={batch_size}",
            )
        self.class_weight = class_weights.check(class_weight)
        self.callbacks = epoch_callbacks.check(callbacks)
        self.verbose = _validation.check_flag("verbose", verbose)
        self._initializer = reinitialization.Initializer(model, keep=initial == "keep")
        self._loop = epoch_loop.EpochLoop(
            model,
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            min_batch_size=self.min_batch_size,
        )
        self._num_outputs: int | None = None  # until the first call

    def __call__(self, x, y, *, seed: int, groups=None) -> keras.Model:
        """Train on a labeled set.

        Args:
            x: Images as the model takes them, of shape `(num_samples, ...)`.
            y: Integer class indices, of shape `(num_samples,)`.
            seed: Non-negative integer, the seed of initial weights, splits, shuffles
                and dropout. On a GPU, it determines the model only after
                `tf.config.experimental.enable_op_determinism()`.
            groups: Integers of shape `(num_samples,)`, the group of each sample, for
                `group_split=True`; unused otherwise. An `ActiveLearner` passes them.
                Defaults to `None`.

        Returns:
            The model given at construction.

        Raises:
            ValueError: If an argument is invalid, there are fewer than two samples,
                the loss does not accept the labels, the model was compiled again, or
                every restart ends with a validation loss or weights that are not
                finite.
        """
        _validation.check_images(
            "x", x, sample_shape=classifier.sample_shape(self.model)
        )
        _validation.check_count("seed", seed, minimum=0)
        y = self._check_labels(x, y)
        groups = self._check_groups(groups, len(y))
        num_held_out = self._num_held_out(len(y), groups)
        data = self._data(x, y)
        callbacks = list(self.callbacks)
        if self.verbose:
            callbacks += [epoch_callbacks.ProgressBar(self.num_restarts, self.epochs)]
        self.history = []
        best_loss, best_weights = np.inf, None
        for restart in range(self.num_restarts):
            rng = np.random.default_rng([seed, restart])
            self._initializer(rng)
            train, held_out = self._split(y, groups, num_held_out, rng)
            shuffle_seed = rng.integers(2**31, size=2, dtype=np.int32)
            split = data, train, held_out, shuffle_seed
            if callbacks:
                history, loss = self._loop.run_with(callbacks, *split)
            else:
                history, loss = self._loop.run(*split)
            self.history.append(history)
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

    def _check_labels(self, x, y):
        """Return `y` as an int64 array, after a check of the model's outputs."""
        if self._num_outputs is None:
            num_outputs = targets.num_outputs(self.model, x)
            zeros = np.zeros(len(x), np.int64)
            targets.check_loss(
                self.model, x, targets.as_targets(self.model, zeros, num_outputs)
            )
            self._num_outputs = num_outputs
        return _validation.check_labels(
            "y", y, num_samples=x.shape[0], num_classes=self._num_classes
        )

    @property
    def _num_classes(self):
        # A single output means two classes.
        return max(2, self._num_outputs)

    def _check_groups(self, groups, num_samples):
        """Return the groups to split by, `None` if single samples are split."""
        if not self.group_split or self.validation_data is not None:
            return None
        groups = None if groups is None else _validation.as_array("groups", groups)
        if (
            groups is None
            or groups.dtype.kind not in "iu"
            or groups.shape != (num_samples,)
        ):
            received = "None" if groups is None else f"{groups.dtype} {groups.shape}"
            raise _validation.ArgumentError(
                "groups",
                "must hold an integer for each of the "
                f"{num_samples} samples, as `group_split` is True. "
                f"Received: groups={received}",
            )
        return groups

    def _num_held_out(self, num_samples, groups):
        """Return the number of samples, or groups, to hold out for validation."""
        if self.validation_data is not None:
            return 0
        num, unit = num_samples, "samples"
        if groups is not None:
            num, unit = len(np.unique(groups)), "groups"
        num_held_out = max(1, round(num * self.validation_split))
        if num - num_held_out < 1:
            raise _validation.ArgumentError(
                "x" if groups is None else "groups",
                f"must hold enough {unit} for a training and a validation "
                f"set. Received: {num} {unit}",
            )
        return num_held_out

    def _data(self, x, y):
        """Return tensors of the labeled set, followed by the validation data."""
        x = np.asarray(x)
        weights = None
        if self.class_weight is not None:
            weights = class_weights.of_samples(
                self.class_weight, y, num_classes=self._num_classes
            )
        if self.validation_data is not None:
            x_held_out, y_held_out = self.validation_data
            y_held_out = _validation.check_labels(
                "validation_data[1]",
                y_held_out,
                num_samples=x_held_out.shape[0],
                num_classes=self._num_classes,
            )
            x = np.concatenate([x, np.asarray(x_held_out)])
            y = np.concatenate([y, y_held_out])
        x = x.astype("uint8" if x.dtype == np.uint8 else "float32", copy=False)
        arrays = [x, targets.as_targets(self.model, y, self._num_outputs)]
        if weights is not None:  # those of validation data are never used
            arrays.append(np.resize(weights, len(y)))
        return tuple(tf.constant(array) for array in arrays)

    def _split(self, y, groups, num_held_out, rng):
        """Return the rows of the data for training and for validation."""
        options = {"stratify": self.stratify, "rng": rng}
        if groups is None:
            train, held_out = splits.split(y, num_held_out, **options)
        else:
            train, held_out = splits.split_groups(y, groups, num_held_out, **options)
        if self.validation_data is not None:
            num_samples = len(self.validation_data[0])
            held_out = np.arange(len(y), len(y) + num_samples, dtype=np.int32)
        return np.tile(train, self.num_repeats), held_out


def _check_compiled(model):
    """Raise ValueError if a model can't be trained."""
    classifier.check_model(model)
    if getattr(model, "optimizer", None) is None:
        raise _validation.ArgumentError(
            "model",
            "must be compiled with an optimizer and a loss. "
            f"Received: {model!r}, which is not compiled",
        )
    if type(model).test_step is not keras.Model.test_step:
        raise _validation.ArgumentError(
            "model",
            "must be validated by its compiled loss. Received: the model "
            f"{model.name!r}, whose class defines `test_step`",
        )
    strategy = getattr(model, "distribute_strategy", None)
    if getattr(strategy, "num_replicas_in_sync", 1) > 1:
        raise _validation.ArgumentError(
            "model",
            "must be of one device: `Training` does not support "
            f"tf.distribute. Received: a model under {type(strategy).__name__}",
        )
    if not model.trainable_variables:
        raise _validation.ArgumentError(
            "model",
            "must have trainable weights. "
            f"Received: the model {model.name!r}, which has none",
        )
