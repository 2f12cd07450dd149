"""Learning curves."""

import os
from collections.abc import Mapping

import numpy as np

from dfal_keras import _validation
from dfal_keras.learning.learner import ActiveLearner
from dfal_keras.learning.learner_file import SavedLearner
from dfal_keras.learning.rounds import Round
from dfal_keras.plots.figures import new_figure


def learning_curve(history, *, label: str | None = None, axes=None):
    """Draw test accuracy by number of annotations.

    Args:
        history: The list of `Round` that `ActiveLearner.fit` returns; or an
            `ActiveLearner`; or the file of a saved one. To compare several, a dict of
            these by label.
        label: Name of a single curve in the legend. Defaults to `None`, no legend.
        axes: Matplotlib axes to draw into. Defaults to `None`, those of a new figure.

    Returns:
        The Matplotlib axes.

    Raises:
        ValueError: If `history` is of another type, or has no round with a test
            accuracy.

    Example:
        >>> import dfal_keras as dfal
        >>> numbers = {"num_labeled": 10, "loss": 0.5, "fit_seconds": 1}
        >>> numbers |= {"evaluate_seconds": 1, "query_seconds": 1}
        >>> history = [
        ...     dfal.Round(k, 10 * (k + 1), accuracy=0.5 + 0.1 * k, **numbers)
        ...     for k in range(3)
        ... ]
        >>> axes = dfal.plots.learning_curve({"DFAL": history})
        >>> axes.lines[0].get_xdata()
        array([10, 20, 30])
    """
    named = history if isinstance(history, Mapping) else {label: history}
    curves = {
        name: _points(each, "history" if named is not history else f"history[{name!r}]")
        for name, each in named.items()
    }
    if not curves:
        raise _validation.ArgumentError(
            "history", f"must hold a learning curve. Received: history={history!r}"
        )
    if axes is None:
        axes = new_figure((6, 4)).add_subplot()
    elif not callable(getattr(axes, "plot", None)):
        raise _validation.ArgumentError(
            "axes", f"must be Matplotlib axes. Received: axes={axes!r:.80}"
        )
    for name, (annotations, accuracies) in curves.items():
        axes.plot(annotations, accuracies, marker="o", markersize=3, label=name)
    axes.set(xlabel="annotations", ylabel="test accuracy (%)")
    axes.grid(alpha=0.3)
    if any(name is not None for name in curves):
        axes.legend(loc="lower right")
    return axes


def _points(history, name):
    """Return the annotations and the accuracies in percent of a learning curve."""
    rounds = history
    if isinstance(history, ActiveLearner):
        rounds = history.history
    elif isinstance(history, str | os.PathLike):
        try:
            rounds = SavedLearner.read(history).history
        except ValueError as error:
            raise _validation.ArgumentError(
                name, f"must be the file of a learner. Received: {history!r} ({error})"
            ) from error
    is_list = isinstance(rounds, list | tuple)
    tested = [
        (row.num_annotations, 100 * row.accuracy)
        for row in (rounds if is_list else [])
        if isinstance(row, Round) and not np.isnan(row.accuracy)
    ]
    if not tested or not all(isinstance(row, Round) for row in rounds):
        raise _validation.ArgumentError(
            name,
            "must be a list of `Round`, an `ActiveLearner` or the file of one, with at "
            "least one test accuracy: pass `test_data` to `fit` or `rounds`. "
            f"Received: {name}={history!r:.200}",
        )
    annotations, accuracies = zip(*tested, strict=True)
    return np.array(annotations), np.array(accuracies)
