"""Messages during a long training, so that the progress bar shows that it goes on."""

import contextlib
import time
from collections.abc import Callable, Iterator

import keras

import dfal_keras as dfal

LONG = 500_000  # parameters: LeNet5 has 0.2 million on MNIST, VGG8 6.6 million
_INTERVAL = 1.0  # seconds between two messages


class Ticks(keras.callbacks.Callback):
    """Reports the restart and the epoch of a training, at most once a second.

    Args:
        num_restarts: Number of restarts of a training.
        report: Function called with a dict, "restart", "num_restarts" and "epoch".
    """

    def __init__(self, num_restarts: int, report: Callable[[dict], object]):
        super().__init__()
        self._num_restarts, self._report = num_restarts, report
        self._num_begun, self._last = 0, -_INTERVAL

    def on_train_begin(self, logs=None):
        """Count the restart."""
        self._num_begun += 1

    def on_epoch_end(self, epoch, logs=None):
        """Report, if the last message was long enough ago."""
        now = time.monotonic()
        if now - self._last < _INTERVAL:
            return
        self._last = now
        self._report(
            {
                "restart": (self._num_begun - 1) % self._num_restarts + 1,
                "num_restarts": self._num_restarts,
                "epoch": epoch + 1,
            }
        )


@contextlib.contextmanager
def of_long_trainings(
    train: "dfal.Training", report: Callable[[dict], object], *, is_long: bool
) -> Iterator[None]:
    """Report during the trainings in the context, if they are long.

    Callbacks need a call of the graph for each epoch, which slows down short trainings.

    Args:
        train: The training.
        report: As for `Ticks`.
        is_long: Whether trainings are long for any network.
    """
    before = train.callbacks
    if is_long or train.model.count_params() > LONG:
        train.callbacks = [*before, Ticks(train.num_restarts, report)]
    try:
        yield
    finally:
        train.callbacks = before
