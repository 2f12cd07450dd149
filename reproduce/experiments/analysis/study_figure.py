"""The figure of a study: learning curves, and the differences that are compared."""

import itertools
import math
import pathlib
import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from experiments.analysis import comparisons, learning_curves, plots
from experiments.analysis.study_results import StudyResults
from experiments.methods import Method

# Colors that no method of the paper has, then theirs, then all again, dashed.
_STYLES = tuple(
    itertools.product(("-", "--"), (*plots.OTHER_COLORS, *plots.COLORS.values()))
)
_WIDTH, _HEIGHT = 6.8, 3.4  # inches
_LABEL = 34  # characters in a line of a label
_MAX_BANDS = 6  # more hide the curves


def draw(results: StudyResults, title: str, path: pathlib.Path) -> None:
    """Draw and save the figure of a study on one problem.

    The mean accuracies, with the standard deviation if a panel has few curves, and the
    differences in area with their 95 % intervals. Open circles are means of too few
    trials for an interval.

    Args:
        results: The results of the study.
        title: Title of the figure.
        path: Where to write, without a suffix.
    """
    study, panels = results.study, results.study.panels
    num_shown = sum(len(found) > 0 for found in results.differences.values())
    low = 1.6 + 0.28 * num_shown
    if len(panels) > 1:
        figure = plt.figure(figsize=(_WIDTH * 1.2, _HEIGHT + low), layout="constrained")
        ratios = [_HEIGHT, low]
        above, below = figure.subfigures(2, 1, height_ratios=ratios, squeeze=False).flat
        axes = above.subplots(1, len(panels), sharey=True)
        differences = below.subplots()
        for panel, methods in zip(axes, panels, strict=True):
            shown = {each: results.curves[each] for each in methods}
            draw_curves(panel, shown, study.titles)
            if panel.lines:
                panel.legend(loc="lower right", fontsize=6.5)
            panel.label_outer()
    else:
        figure, (curves, differences) = plt.subplots(
            1, 2, figsize=(_WIDTH, max(_HEIGHT, low)), layout="constrained"
        )
        draw_curves(curves, results.curves, study.titles)
        figure.legend(
            *curves.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=3,
            fontsize=6.5,
        )
    figure.suptitle(textwrap.fill(title, 90), fontsize=9)
    draw_differences(differences, results.differences)
    plots.save(figure, path)


def draw_curves(
    panel,
    curves: Mapping[Method, pd.DataFrame],
    titles: Mapping[Method, str] | None = None,
) -> None:
    """Draw mean accuracies over trials, with bands if there are few curves.

    Args:
        panel: The Matplotlib axes.
        curves: Accuracies in percent by method, a row for each number of annotations
            and a column for each trial. Those without trials are left out.
        titles: Titles that differ from the methods' own. Defaults to `None`.
    """
    titles = titles or {}
    shown = {method: found for method, found in curves.items() if found.size}
    styles = _styles(shown)
    for method, accuracies in shown.items():
        linestyle, color = styles[method]
        title = titles.get(method, method.title)
        plots.mean_curve(
            panel,
            learning_curves.mean(accuracies),
            textwrap.fill(f"{title} (n={accuracies.shape[1]})", _LABEL),
            color=color,
            linestyle=linestyle,
            band=len(shown) <= _MAX_BANDS,
        )
    panel.set(xlabel="annotations", ylabel="test accuracy (%)")


def _styles(methods):
    """Return a line and a color for each; the paper's keep their colors of Figure 2."""
    own = {each: ("-", plots.COLORS[each]) for each in methods if each in plots.COLORS}
    free = itertools.cycle(style for style in _STYLES if style not in own.values())
    return {each: own.get(each) or next(free) for each in methods}


def draw_differences(panel, differences: Mapping[str, pd.DataFrame]) -> None:
    """Draw differences in mean accuracy: trials, their mean and 95 % interval.

    Args:
        panel: The Matplotlib axes.
        differences: Differences in points by title, a row for each trial, with a
            column "area". Those without trials are left out.
    """
    shown = {name: found for name, found in differences.items() if len(found)}
    panel.axvline(0, color="gray", lw=0.8)
    for place, found in enumerate(shown.values()):
        values = found["area"]
        low, high = comparisons.interval(values)
        panel.plot(values, [place] * len(values), ".", color="#BBBBBB", ms=4)
        panel.plot([low, high], [place, place], color="black", lw=1.2)
        is_open = math.isnan(low)  # too few trials for an interval
        face = "white" if is_open else "black"
        panel.plot(values.mean(), place, "o", color="black", mfc=face, ms=4)
    panel.set_yticks(
        range(len(shown)),
        [textwrap.fill(name, _LABEL, break_on_hyphens=False) for name in shown],
        fontsize=6,
    )
    panel.set_ylim(len(shown) - 0.5, -0.5)
    panel.set_xlabel("difference in mean accuracy (points)")
