"""Epochs of Keras's `train_step` with early stopping."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dfal_keras.backend import targets

History = dict[str, list]


class EpochLoop:
    """Train a model for some epochs, with early stopping.

    Epochs loop over Keras's `model.train_step` inside one TensorFlow graph, traced
    once, so the model trains as with `model.fit`, without its overhead per epoch on
    small sets. With callbacks, each epoch and each validation is a call of a graph.

    Data are a tuple of tensors with one row per sample: images, labels as the loss
    takes them and, optionally, weights of the samples in the training loss.

    Args:
        model: A built and compiled Keras model.
        epochs: Maximum number of epochs.
        patience: Number of epochs without a lower validation loss after which to stop.
        batch_size: Number of samples per gradient step.
        min_batch_size: Skip the last batch of an epoch below this size. A single batch
            is always used.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        epochs: int,
        patience: int,
        batch_size: int,
        min_batch_size: int,
    ):
        self._model = model
        self._epochs, self._patience = epochs, patience
        self._batch_size, self._min_batch_size = batch_size, min_batch_size
        self._traced: dict = {}

    def run(
        self,
        data: tuple,
        train_rows: np.ndarray,
        held_out_rows: np.ndarray,
        seed: np.ndarray,
    ) -> tuple[History, float]:
        """Train in one graph.

        Args:
            data: The data.
            train_rows: Rows of the training set, int32.
            held_out_rows: Rows of the validation set, int32.
            seed: Seed of the shuffles, int32, of shape `(2,)`.

        Returns:
            The loss, the metrics of the model and, with the prefix `val_`, those of
            the validation set, as lists with a value for each epoch; and the validation
            loss of the weights at the end.
        """
        run = self._function(self._run, data, _ROWS, _ROWS, _SEED)
        curves = self._call(run, data, train_rows, held_out_rows, seed)
        history = {name: values.numpy().tolist() for name, values in curves.items()}
        if not self._finish():
            return history, history["val_loss"][-1]
        return history, self._validation_loss(data, held_out_rows)

    def run_with(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        data: tuple,
        train_rows: np.ndarray,
        held_out_rows: np.ndarray,
        seed: np.ndarray,
    ) -> tuple[History, float]:
        """Train with callbacks between the epochs, and around each validation.

        Args:
            callbacks: Keras callbacks. Their methods `epoch_callbacks.CALLED` are
                called. They may set `model.stop_training`.
            data: As for `run`.
            train_rows: As for `run`.
            held_out_rows: As for `run`.
            seed: As for `run`.

        Returns:
            As `run`. `on_train_end` may change the weights at the end.
        """
        train_epoch = self._function(self._train_epoch, data, _ROWS, _SEED)
        evaluate = self._function(self._evaluate, data, _ROWS)
        hooks = keras.callbacks.CallbackList(
            list(callbacks), model=self._model, epochs=self._epochs, verbose=0
        )
        history: History = {}
        logs: dict = {}
        epoch, num_waited, best = 0, 0, np.inf
        self._model.stop_training = False
        hooks.on_train_begin()
        while (
            epoch < self._epochs
            and num_waited < self._patience
            and not self._model.stop_training
        ):
            hooks.on_epoch_begin(epoch)
            epoch_seed = seed + np.array([0, epoch], np.int32)
            logs = _as_numbers(self._call(train_epoch, data, train_rows, epoch_seed))
            hooks.on_test_begin()
            held_out = _as_numbers(self._call(evaluate, data, held_out_rows))
            hooks.on_test_end(held_out)
            logs = _with_held_out(logs, held_out)
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
            num_waited = 0 if logs["val_loss"] < best else num_waited + 1
            best = np.minimum(best, logs["val_loss"])  # NaN if one is, as in `run`
            hooks.on_epoch_end(epoch, logs)
            epoch += 1
        self._finish()
        hooks.on_train_end(logs)
        return history, self._validation_loss(data, held_out_rows)

    def _finish(self):
        """Replace the weights by their averages, as `fit` does at the end.

        Returns:
            Whether the optimizer keeps such averages.
        """
        optimizer = self._model.optimizer
        optimizer.finalize_variable_values(self._model.trainable_weights)
        inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a loss scale
        return bool(getattr(inner, "use_ema", False))

    def _validation_loss(self, data, rows):
        """Return the validation loss of the weights as they are."""
        evaluate = self._function(self._evaluate, data, _ROWS)
        return float(self._call(evaluate, data, rows)["loss"])

    def _function(self, function, data, *specs):
        """Return a method, traced once per dtype of images for any number of them."""
        key = function.__name__, data[0].dtype
        if key not in self._traced:
            of_data = tuple(
                tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in data
            )
            self._traced[key] = tf.function(function, input_signature=[of_data, *specs])
        return self._traced[key]

    def _call(self, function, *arguments):
        """Call a graph."""
        try:
            return function(*arguments)
        except _ERRORS as error:
            raise targets.failed(self._model, error) from error

    def _run(self, data, train_rows, held_out_rows, seed):
        """Train until early stopping, and return the results of each epoch."""
        epoch, num_waited = tf.constant(0), tf.constant(0)
        best = tf.constant(np.inf)
        curves = self._new_curves()
        while epoch < self._epochs and num_waited < self._patience:
            epoch_seed = seed + tf.stack([0, epoch])
            results = self._run_epoch(data, train_rows, held_out_rows, epoch_seed)
            loss = results["val_loss"]
            num_waited = tf.where(loss < best, 0, num_waited + 1)
            best = tf.minimum(best, loss)
            curves = _extended(curves, epoch, results)
            epoch += 1
        return {name: curve.stack() for name, curve in curves.items()}

    def _new_curves(self):
        """Return an empty array for each result of `_run_epoch`."""
        names = ["loss", "val_loss"]
        for name in self._model.get_metrics_result():
            if name != "loss":
                names += [name, f"val_{name}"]
        return {
            name: tf.TensorArray(tf.float32, size=0, dynamic_size=True)
            for name in names
        }

    def _run_epoch(self, data, train_rows, held_out_rows, seed):
        """Train for an epoch, and return the loss and metrics on both sets."""
        results = _with_held_out(
            self._train_epoch(data, train_rows, seed),
            self._evaluate(data, held_out_rows),
        )
        return {name: tf.cast(value, tf.float32) for name, value in results.items()}

    def _train_epoch(self, data, train_rows, seed):
        """Train for an epoch, and return the loss and metrics."""
        self._model.reset_metrics()
        shuffled = tf.random.experimental.stateless_shuffle(train_rows, seed)
        num_samples = tf.size(shuffled)
        rest = num_samples % self._batch_size
        is_skipped = (rest < self._min_batch_size) & (rest < num_samples)
        end = num_samples - tf.where(is_skipped, rest, 0)
        for start in tf.range(0, end, self._batch_size):
            batch = shuffled[start : start + self._batch_size]
            self._model.train_step(_rows(data, batch))
        return self._model.get_metrics_result()

    def _evaluate(self, data, rows):
        """Return the mean loss, and the metrics, over rows in inference mode."""
        has_metrics = len(self._model.metrics) > 1  # besides the loss
        if has_metrics:
            self._model.reset_metrics()
        total = 0.0
        for start in tf.range(0, tf.size(rows), _VALIDATION_BATCH_SIZE):
            batch = rows[start : start + _VALIDATION_BATCH_SIZE]
            images, labels = _rows(data[:2], batch)
            outputs = self._model(images, training=False)
            loss = self._model.compute_loss(images, labels, outputs, training=False)
            if has_metrics:
                self._model.compute_metrics(images, labels, outputs)
            total += tf.cast(loss, tf.float32) * tf.cast(tf.size(batch), tf.float32)
        loss = total / tf.cast(tf.size(rows), tf.float32)
        return {**self._model.get_metrics_result(), "loss": loss}


# Of tracing, also of steps and metrics of the user that can't be traced, such as with
# `run_eagerly=True`, and of running.
_ERRORS = (
    *(AttributeError, NotImplementedError, TypeError, ValueError),
    tf.errors.InvalidArgumentError,
)
_VALIDATION_BATCH_SIZE = 512
_ROWS = tf.TensorSpec((None,), tf.int32)
_SEED = tf.TensorSpec((2,), tf.int32)


def _with_held_out(results, held_out):
    """Return the results on both sets, with the names that Keras gives them."""
    return results | {f"val_{name}": value for name, value in held_out.items()}


def _as_numbers(results):
    """Return the results of an epoch as Python numbers."""
    return {
        name: tf.cast(value, tf.float32).numpy().tolist()
        for name, value in results.items()
    }


def _extended(curves, epoch, results):
    """Return the curves with the results of an epoch."""
    return {name: curve.write(epoch, results[name]) for name, curve in curves.items()}


def _rows(data, rows):
    """Return a batch: float32 images, labels and, if there are any, weights."""
    x, *others = (tf.gather(values, rows) for values in data)
    return tf.cast(x, tf.float32), *others
