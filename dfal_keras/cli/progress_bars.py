"""Progress bars of the commands."""

import contextlib
from collections.abc import Callable, Iterator

import keras
import tqdm


@contextlib.contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while images are read, on a terminal only.

    Yields:
        A function of the number of images read so far and of all.
    """
    with tqdm.tqdm(unit=" images", desc="reading", leave=False, disable=None) as bar:

        def progress(num_read, num_images):
            bar.total = num_images
            bar.update(num_read - bar.n)

        yield progress


@contextlib.contextmanager
def training(num_restarts: int, epochs: int) -> Iterator[keras.callbacks.Callback]:
    """Show a progress bar on stderr while a model is trained, on a terminal only.

    Args:
        num_restarts: Number of restarts.
        epochs: Maximum number of epochs of a restart. Early stopping skips the rest.

    Yields:
        A callback for `dfal_keras.Training`.
    """
    with tqdm.tqdm(unit=" epochs", desc="training", leave=False, disable=None) as bar:
        yield _Epochs(bar, num_restarts, epochs)


class _Epochs(keras.callbacks.Callback):
    """Show the epochs of all restarts in a progress bar."""

    def __init__(self, bar, num_restarts, epochs):
        super().__init__()
        self._bar, self._num_restarts, self._epochs = bar, num_restarts, epochs
        self._restart = 0

    def on_train_begin(self, logs=None):
        """Count a restart."""
        self._restart += 1
        # Not before: the arguments are checked by then.
        self._bar.total = self._num_restarts * self._epochs
        self._bar.set_postfix_str(f"restart {self._restart} of {self._num_restarts}")

    def on_epoch_end(self, epoch, logs=None):
        """Show an epoch."""
        done = (self._restart - 1) * self._epochs + epoch + 1
        self._bar.update(done - self._bar.n)
