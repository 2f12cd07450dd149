"""The learning curve of a session, as a picture."""

import math
import os
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfal_keras import Round, _files, plots
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
    rows = [row for row in trainings if not math.isnan(row.accuracy)]
    curves = {
        "held-out labels (hard ones)": [
            (row.num_labels, round(row.accuracy * row.num_held_out), row.num_held_out)
            for row in rows
        ]
    }
    if checked and checked[1]:
        curves["random sample"] = [(trainings[-1].num_labels, *checked)]
    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    # A matplotlibrc in the working folder, or of the user, may ask for LaTeX.
    with _files.replacing(path) as file, matplotlib.rc_context({"text.usetex": False}):
        axes = figure.add_subplot()
        draw(axes, {name: points for name, points in curves.items() if points})
        figure.savefig(file, format="png")


def draw(axes, curves: Mapping[str, Sequence[tuple[int, int, int]]]) -> None:
    """Draw accuracies with their 95 % intervals.

    Args:
        axes: Matplotlib axes.
        curves: For each label of the legend, the points: the number of labels, and how
            many of the tested images are predicted right, and of how many.
    """
    if curves:
        rounds = {name: _rounds(points) for name, points in curves.items()}
        plots.learning_curve(rounds, axes=axes)
    for points, line in zip(curves.values(), list(axes.lines), strict=True):
        labels, *counts = np.array(points).T
        limits = np.array([wilson(*each) for each in zip(*counts, strict=True)]).T
        axes.vlines(labels, *(100 * limits), colors=line.get_color())
    axes.set(xlabel="labels", ylabel="accuracy (%)", ylim=(0, 102))


def _rounds(points):
    """Return the points of a curve as rounds, of which only the accuracy is known."""
    unknown = {
        name: math.nan
        for name in ("loss", "fit_seconds", "evaluate_seconds", "query_seconds")
    }
    return [
        Round(number, labels, labels, accuracy=right / size, **unknown)
        for number, (labels, right, size) in enumerate(points)
    ]
