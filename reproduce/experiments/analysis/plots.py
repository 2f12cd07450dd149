"""Learning curves as figures, with the paper's printed values."""

import math
import pathlib
import textwrap
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import ticker

from dfal_keras import _files
from experiments import paper
from experiments.analysis import learning_curves
from experiments.methods import (
    BALD,
    CEAL,
    CORE_SET,
    DFAL,
    EGL,
    PRINTED,
    RANDOM,
    UNCERTAINTY,
)
from experiments.problems import Problem

Place = tuple[Problem, Problem | None]  # a problem, and the source of labeled sets

COLUMN = 3.3  # inches, width of a column of the paper
HEIGHT = 4.6  # inches, two panels and a legend
LABEL = 28  # characters in a line of a legend: two entries fit in a column
TITLE = 46  # characters in a line of a title
ZOOM = (85, 100)  # percent, range of the lower panel

# Okabe & Ito's palette for color-blind readers, with a darker yellow.
COLORS = {
    DFAL: "#D55E00",
    CORE_SET: "#0072B2",
    BALD: "#CC79A7",
    CEAL: "#009E73",
    EGL: "#B8A100",
    UNCERTAINTY: "#56B4E9",
    RANDOM: "#000000",
}
OTHER_COLORS = ("#8C564B", "#7F3C8D", "#66A61E")  # methods that are not the paper's

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "lines.linewidth": 1.0,
        "savefig.dpi": 200,
        "savefig.bbox": "tight",
        "pdf.fonttype": 42,
    }
)


def figure(
    rows: pd.DataFrame,
    places: Mapping[str, Place],
    path: pathlib.Path | None,
) -> tuple[list[pd.DataFrame], list[str]]:
    """Draw and save a figure with one block for each problem that has rows.

    A block has a panel for all accuracies and one for those from 85 % on. No file is
    written if there are no rows.

    Args:
        rows: Rows of the run store.
        places: By title, the problem and the source of its labeled sets (`None` for its
            own).
        path: Where to write, without a suffix. `None` to write nothing.

    Returns:
        The curves drawn, a table for each, and the titles without rows.
    """
    shown = [title for title, place in places.items() if has_rows(rows, *place)]
    drawn = []
    if shown:
        num_columns = min(len(shown), 2)
        num_rows = math.ceil(len(shown) / num_columns)
        whole = plt.figure(
            figsize=(num_columns * COLUMN, num_rows * HEIGHT), layout="constrained"
        )
        blocks = whole.subfigures(num_rows, num_columns, squeeze=False).flat
        for block, title in zip(blocks, shown, strict=False):
            drawn += draw(block, rows, title, *places[title])
        if path is None:
            plt.close(whole)
        else:
            save(whole, path)
    return drawn, [title for title in places if title not in shown]


def has_rows(
    rows: pd.DataFrame, problem: Problem, source: Problem | None = None
) -> bool:
    """Return whether any method has a mean curve to draw."""
    return any(
        len(learning_curves.mean(learning_curves.select(rows, problem, each, source)))
        for each in learning_curves.shown_methods(rows)
    )


def draw(
    block,
    rows: pd.DataFrame,
    title: str,
    problem: Problem,
    source: Problem | None = None,
) -> list[pd.DataFrame]:
    """Draw one block: curves, printed values, full sets and a legend.

    Args:
        block: The Matplotlib figure or subfigure.
        rows: Rows of the run store.
        title: Title of the block.
        problem: The problem.
        source: The problem whose labeled sets are used. Defaults to `None`, its own.

    Returns:
        The curves drawn, a table for each.
    """
    upper, lower = block.subplots(2, 1, sharex=True)
    upper.set_title(textwrap.fill(title, TITLE))
    upper.set_ylabel("test accuracy (%)")
    lower.set(xlabel="annotations", ylabel="test accuracy (%)", ylim=ZOOM)
    lower.yaxis.set_major_locator(ticker.MultipleLocator(5))
    lower.yaxis.set_minor_locator(ticker.MultipleLocator(1))
    ours = learning_curves.full_set(rows, problem)
    for panel in (upper, lower):
        drawn = curves(panel, rows, problem, source)
        printed_values(panel, drawn, problem, source)
        if len(ours):
            baseline(panel, ours.mean(), f"full set, ours (n={len(ours)})")
        printed = paper.full_set(problem)
        if printed is not None:
            baseline(panel, printed, "full set, paper")
    lines, names = upper.get_legend_handles_labels()
    block.legend(
        lines, names, loc="outside lower center", ncols=2, fontsize=7, columnspacing=1
    )
    return drawn


def curves(
    panel, rows: pd.DataFrame, problem: Problem, source: Problem | None = None
) -> list[pd.DataFrame]:
    """Draw mean and standard deviation over trials of every method.

    Args:
        panel: The Matplotlib axes.
        rows: Rows of the run store.
        problem: The problem.
        source: The problem whose labeled sets are used. Defaults to `None`, its own.

    Returns:
        The curves drawn, a table for each.
    """
    drawn = []
    others = iter(OTHER_COLORS)
    for method in learning_curves.shown_methods(rows):
        accuracies = learning_curves.select(rows, problem, method, source)
        curve = learning_curves.mean(accuracies)
        if curve.empty:
            continue
        n = accuracies.shape[1]
        names = {"problem": problem.name, "source": source.name if source else None}
        drawn.append(curve.reset_index().assign(**names, strategy=method.label, n=n))
        color = COLORS.get(method) or next(others, "gray")
        label = textwrap.fill(f"{method.label} (n={n})", LABEL)
        mean_curve(panel, curve, label, color=color)
    return drawn


def mean_curve(
    panel,
    curve: pd.DataFrame,
    label: str,
    *,
    color: str,
    linestyle: str = "-",
    band: bool = True,
) -> None:
    """Draw a mean over trials, and a band of one standard deviation to each side.

    Args:
        panel: The Matplotlib axes.
        curve: "mean" and "std" by annotations, as `learning_curves.mean` returns them.
        label: Entry of the legend.
        color: Color of line and band.
        linestyle: Style of the line. Defaults to solid.
        band: Whether to draw the band. Defaults to `True`.
    """
    panel.plot(
        curve.index,
        curve["mean"],
        color=color,
        ls=linestyle,
        marker="." if len(curve) < 20 else None,
        label=label,
    )
    if band:
        low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
        panel.fill_between(curve.index, low, high, color=color, alpha=0.15, lw=0)


def printed_values(
    panel,
    drawn: list[pd.DataFrame],
    problem: Problem,
    source: Problem | None = None,
) -> None:
    """Mark the paper's accuracies for the curves drawn, up to their last budget.

    Args:
        panel: The Matplotlib axes.
        drawn: The curves, as `curves` returns them.
        problem: The problem.
        source: As for `curves`.
    """
    last = max(curve["num_annotations"].max() for curve in drawn)
    shown = {curve["strategy"].iloc[0] for curve in drawn}
    style = {"ls": "", "marker": "o", "ms": 4, "mfc": "none", "mew": 1.1}
    is_printed = False
    for place, method in enumerate(PRINTED):
        values = {
            budget: accuracy
            for budget, accuracy in paper.accuracies(problem, method, source).items()
            if budget <= last
        }
        if values and method.label in shown:
            # Shifted sideways, as many values are nearly the same.
            shift = (place - 3) * last / 200
            panel.plot(
                [budget + shift for budget in values],
                list(values.values()),
                color=COLORS[method],
                zorder=3,
                **style,
            )
            is_printed = True
    if is_printed:  # one entry of the legend, for all methods
        panel.plot([], [], color="gray", label="printed in the paper", **style)


def baseline(panel, accuracy: float, name: str) -> None:
    """Draw a horizontal line at the accuracy of the full training set.

    Args:
        panel: The Matplotlib axes.
        accuracy: In percent.
        name: The label. The line is dotted if it contains "paper", else dashed.
    """
    style = ":" if "paper" in name else "--"
    panel.axhline(accuracy, color="gray", ls=style, lw=0.9, label=name)


def save(figure, path: pathlib.Path) -> None:
    """Write a figure as PNG and PDF, and close it. Each write is atomic.

    Args:
        figure: The Matplotlib figure.
        path: Where to write, without a suffix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("png", "pdf"):
        # A PDF without a date is the same file each time.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        with _files.replacing(path.with_name(f"{path.name}.{suffix}")) as file:
            figure.savefig(file, format=suffix, metadata=metadata)
    plt.close(figure)
