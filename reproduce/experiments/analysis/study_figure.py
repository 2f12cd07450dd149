"""The figure of a study: learning curves, and the differences that are compared."""

import itertools
import math
import pathlib
import textwrap

import matplotlib.pyplot as plt

from experiments.analysis import comparisons, learning_curves, plots
from experiments.analysis.study_results import StudyResults

# All colors, then all again with dashed lines.
_STYLES = tuple(
    itertools.product(("-", "--"), (*plots.COLORS.values(), *plots.OTHER_COLORS))
)
_WIDTH, _HEIGHT = 6.8, 3.4  # inches
_LABEL = 34  # characters in a line of a label
_MAX_BANDS = 6  # more hide the curves


def draw(results: StudyResults, title: str, path: pathlib.Path) -> None:
    """Draw and save the figure of a study on one problem.

    Left, the mean accuracies, with the standard deviation if there are few curves;
    right, the differences in area with their 95 % intervals. Open circles are means of
    too few trials for an interval.

    Args:
        results: The results of the study.
        title: Title of the figure.
        path: Where to write, without a suffix.
    """
    curves = {name: curve for name, curve in results.curves.items() if curve.size}
    differences = {
        name: found for name, found in results.differences.items() if len(found)
    }
    height = max(_HEIGHT, 1.6 + 0.28 * len(differences))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(_WIDTH, height), layout="constrained"
    )
    figure.suptitle(textwrap.fill(title, 90), fontsize=9)
    _draw_curves(left, curves)
    _draw_differences(right, differences)
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        fontsize=6.5,
    )
    plots.save(figure, path)


def _draw_curves(panel, curves):
    styles = _styles(curves)
    for strategy, accuracies in curves.items():
        line, color = styles[strategy]
        curve = learning_curves.mean(accuracies)
        label = f"{learning_curves.title(strategy)} (n={accuracies.shape[1]})"
        panel.plot(
            curve.index,
            curve["mean"],
            color=color,
            ls=line,
            marker="." if len(curve) < 10 else None,
            label=label,
        )
        if len(curves) <= _MAX_BANDS:
            low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
            panel.fill_between(curve.index, low, high, color=color, alpha=0.12, lw=0)
    panel.set(xlabel="annotations", ylabel="test accuracy (%)")


def _styles(strategies):
    """Return a line and a color for each; the paper's keep their colors of Figure 2."""
    own = {
        name: ("-", plots.COLORS[name]) for name in strategies if name in plots.COLORS
    }
    free = itertools.cycle(style for style in _STYLES if style not in own.values())
    return {name: own.get(name) or next(free) for name in strategies}


def _draw_differences(panel, differences):
    panel.axvline(0, color="gray", lw=0.8)
    for place, found in enumerate(differences.values()):
        values = found["area"]
        low, high = comparisons.interval(values)
        panel.plot(values, [place] * len(values), ".", color="#BBBBBB", ms=4)
        panel.plot([low, high], [place, place], color="black", lw=1.2)
        is_open = math.isnan(low)  # too few trials for an interval
        face = "white" if is_open else "black"
        panel.plot(values.mean(), place, "o", color="black", mfc=face, ms=4)
    panel.set_yticks(
        range(len(differences)),
        [textwrap.fill(name, _LABEL, break_on_hyphens=False) for name in differences],
        fontsize=6,
    )
    panel.set_ylim(len(differences) - 0.5, -0.5)
    panel.set_xlabel("difference in mean accuracy (points)")
