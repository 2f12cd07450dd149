"""The learning curve of a session, as a picture."""

import math
import os
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfal_keras import _files
from dfal_keras.labeling.intervals import wilson
from dfal_keras.labeling.training_history import TrainingRecord


def write_curve(
    path: str | os.PathLike,
    trainings: Sequence[TrainingRecord],
    checked: tuple[int, int] | None = None,
) -> None:
    """Write the accuracy by the number of labels. The write is atomic.

    Args:
        path: A `.png` file.
        trainings: The trainings.
        checked: Number of images of the random sample that the latest model predicts
            right, and of all. Defaults to `None`.
    """
    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    rows = [row for row in trainings if not math.isnan(row.accuracy)]
    counts = [
        (round(row.accuracy * row.num_held_out), row.num_held_out) for row in rows
    ]
    _draw(axes, [row.num_labels for row in rows], counts, "held-out labels (hard ones)")
    if checked and checked[1]:
        _draw(axes, [trainings[-1].num_labels], [checked], "random sample")
    axes.set(xlabel="labels", ylabel="accuracy in %", ylim=(0, 102))
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    with _files.replacing(path) as file:
        figure.savefig(file, format="png")


def _draw(axes, labels, counts, name):
    """Draw accuracies with their 95 % intervals."""
    if not counts:
        return
    shares = [100 * right / size for right, size in counts]
    limits = [wilson(*each) for each in counts]
    below = [s - 100 * low for s, (low, _) in zip(shares, limits, strict=True)]
    above = [100 * high - s for s, (_, high) in zip(shares, limits, strict=True)]
    errors = [[max(0, e) for e in below], [max(0, e) for e in above]]
    axes.errorbar(labels, shares, errors, marker="o", capsize=3, label=name)
