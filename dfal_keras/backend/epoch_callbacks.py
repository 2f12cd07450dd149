"""Keras callbacks around the epochs of several restarts."""

from typing import Any

import keras
import numpy as np
import tqdm

from dfal_keras import _validation

CALLED = (
    *("on_train_begin", "on_epoch_begin", "on_test_begin"),
    *("on_test_end", "on_epoch_end", "on_train_end"),
)


def check(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Return callbacks as a list.

    Args:
        callbacks: List of Keras callbacks, or `None`.

    Raises:
        ValueError: If one is not a callback, has none of the methods that are called,
            or is `SwapEMAWeights(swap_on_epoch=True)`.
    """
    callbacks = [] if callbacks is None else callbacks
    if not isinstance(callbacks, list | tuple) or not all(
        isinstance(callback, keras.callbacks.Callback) for callback in callbacks
    ):
        raise _validation.ArgumentError(
            "callbacks",
            "must be a list of `keras.callbacks.Callback`. "
            f"Received: callbacks={callbacks!r}",
        )
    for callback in callbacks:
        if not any(_overrides(callback, method) for method in CALLED):
            raise _validation.ArgumentError(
                "callbacks",
                "must have callbacks with one of the methods "
                f"{', '.join(CALLED)}, because others are never called. "
                f"Received: {callback!r}",
            )
        # It puts the averages back only after the last of all epochs.
        if getattr(callback, "swap_on_epoch", False):
            raise _validation.ArgumentError(
                "callbacks",
                "must not swap averages of weights between epochs, because a restart "
                "that stops early would end without them. Received: "
                f"{type(callback).__name__} with swap_on_epoch=True",
            )
    return list(callbacks)


def _overrides(callback, method):
    """Return whether the class of a callback, or the object, overrides a method."""
    function = getattr(getattr(callback, method), "__func__", None)
    return function is not getattr(keras.callbacks.Callback, method)


class ProgressBar(keras.callbacks.Callback):
    """Show a progress bar over the epochs of all restarts, on stderr.

    Args:
        num_restarts: Number of restarts. Each begins with `on_train_begin`.
        epochs: Maximum number of epochs of a restart. Early stopping skips the rest.
    """

    def __init__(self, num_restarts: int, epochs: int):
        super().__init__()
        self._num_restarts, self._epochs = num_restarts, epochs
        self._restart = 0
        self._bar: Any = None

    def on_train_begin(self, logs=None):
        """Count a restart."""
        self._restart += 1
        if self._bar is None:
            total = self._num_restarts * self._epochs
            self._bar = tqdm.tqdm(desc="training", total=total, unit="epoch")

    def on_epoch_end(self, epoch, logs=None):
        """Show the results of an epoch."""
        results = {
            name: value for name, value in (logs or {}).items() if np.ndim(value) == 0
        }
        self._bar.set_postfix({"restart": self._restart, **results}, refresh=False)
        self._go_to((self._restart - 1) * self._epochs + epoch + 1)

    def on_train_end(self, logs=None):
        """End the bar after the last restart."""
        if self._restart == self._num_restarts:
            self._go_to(self._bar.total)
            self._bar.close()

    def _go_to(self, num_epochs):
        self._bar.update(num_epochs - self._bar.n)
