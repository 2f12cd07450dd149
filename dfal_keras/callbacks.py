"""Callbacks of `ActiveLearner.rounds` and `fit`, for logs of the rounds."""

import os

from dfal_keras import _validation
from dfal_keras.backend import summaries


class RoundCallback:
    """Base class of callbacks for `ActiveLearner.rounds` and `fit`.

    Services such as MLflow and Weights & Biases accept `logs` unchanged:
    `mlflow.log_metrics(logs, step=round)`, `run.log(logs, step=round)`.

    Example:
        >>> import dfal_keras as dfal
        >>> class Printer(dfal.callbacks.RoundCallback):
        ...     def on_round_end(self, round, logs):
        ...         print(round, logs["num_annotations"])
    """

    def on_round_end(self, round: int, logs: dict[str, float]) -> None:
        """Receive the results of a round.

        Args:
            round: k, from 0.
            logs: Numbers by name; see `dfal_keras.Round.logs`.
        """


class TensorBoard(RoundCallback):
    """Write the results of each round for TensorBoard, by number of annotations.

    Args:
        log_dir: Folder of the log files, created if needed.

    Example:
        >>> import dfal_keras as dfal
        >>> callback = dfal.callbacks.TensorBoard("logs")
        >>> callback.on_round_end(0, {"num_annotations": 10, "accuracy": 0.5})
    """

    def __init__(self, log_dir: str | os.PathLike):
        self._writer = summaries.Writer(log_dir)

    def on_round_end(self, round: int, logs: dict[str, float]) -> None:
        """See `RoundCallback.on_round_end`."""
        self._writer.write(logs, step=int(logs["num_annotations"]))


def check(callbacks) -> list:
    """Return callbacks as a list, or raise ValueError if one has no `on_round_end`."""
    listed = [] if callbacks is None else callbacks
    if not isinstance(listed, list | tuple) or not all(
        callable(getattr(callback, "on_round_end", None)) for callback in listed
    ):
        raise _validation.ArgumentError(
            "callbacks",
            "must be a list of objects with a method "
            f"on_round_end(round, logs). Received: callbacks={callbacks!r:.200}",
        )
    return list(listed)
