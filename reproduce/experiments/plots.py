"""How the figures look: one size, one color for a strategy everywhere."""

import math
import pathlib
import textwrap

import matplotlib

matplotlib.use("Agg")  # files only, no screen

import matplotlib.pyplot as plt
from matplotlib import ticker

from dfal_keras import _files
from experiments import learning_curves, paper
from experiments.runs import FULL

COLUMN = 3.3  # inches, the width of a column of the paper
HEIGHT = 4.6  # of a block of two panels and a legend
LABEL = 28  # characters of a line of a legend, two of which fit in a column
ZOOM = (85, 100)  # percent, of the lower panel

# Okabe & Ito's colors, which the color-blind can tell apart; the yellow darker.
COLORS = {
    "dfal": "#D55E00",
    "core_set": "#0072B2",
    "bald": "#CC79A7",
    "ceal": "#009E73",
    "egl": "#B8A100",
    "uncertainty": "#56B4E9",
    "random": "#000000",
}

OTHER_COLORS = ("#8C564B", "#7F3C8D", "#66A61E")  # of strategies that are no paper's

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


def figure(rows, places: dict, path: pathlib.Path) -> tuple:
    """Draw and save a block for every place that there are rows of.

    A block has a panel for the whole range and below it one for accuracies from 85 %
    on, and is as wide as a column of the paper. Without any rows no file is written.

    Args:
        rows: Rows of the run store.
        places: By title, the problem and the source of its labeled sets, or `None`.
        path: Where to write, without a suffix.

    Returns:
        What is drawn, as tables of `curves`, and the titles left out.
    """
    shown = [title for title, place in places.items() if is_run(rows, *place)]
    drawn = []
    if shown:
        num_columns = min(len(shown), 2)
        num_rows = math.ceil(len(shown) / num_columns)
        whole = plt.figure(
            figsize=(num_columns * COLUMN, num_rows * HEIGHT), layout="constrained"
        )
        parts = whole.subfigures(num_rows, num_columns, squeeze=False).flat
        for part, title in zip(parts, shown, strict=False):
            drawn += draw(part, rows, title, *places[title])
        save(whole, path)
    return drawn, [title for title in places if title not in shown]


def is_run(rows, problem: str, source=None) -> bool:
    """Return whether any strategy has rows, by its own or another's labeled sets."""
    return any(
        len(
            learning_curves.mean(
                learning_curves.select(rows, problem, strategy, source)
            )
        )
        for strategy in learning_curves.strategies(rows)
    )


def draw(block, rows, title: str, problem: str, source=None) -> list:
    """Draw one block: curves, the paper's values, full sets and a legend."""
    upper, lower = block.subplots(2, 1, sharex=True)
    upper.set_title(title)
    upper.set_ylabel("test accuracy (%)")
    lower.set(xlabel="annotations", ylabel="test accuracy (%)", ylim=ZOOM)
    lower.yaxis.set_major_locator(ticker.MultipleLocator(5))
    lower.yaxis.set_minor_locator(ticker.MultipleLocator(1))
    everything = learning_curves.select(rows, problem, FULL)
    for panel in (upper, lower):
        drawn = curves(panel, rows, problem, source)
        printed_values(panel, drawn)
        if len(everything):
            shown = f"full set, ours (n={everything.shape[1]})"
            baseline(panel, everything.iloc[-1].mean(), shown)
        baseline(panel, paper.TABLE1_ALL[problem], "full set, paper")
    lines, names = upper.get_legend_handles_labels()
    block.legend(
        lines, names, loc="outside lower center", ncols=2, fontsize=7, columnspacing=1
    )
    return drawn


def curves(panel, rows, problem: str, source=None) -> list:
    """Draw mean and spread over trials for every strategy; return these as tables."""
    drawn = []
    names = learning_curves.strategies(rows)
    others = iter(OTHER_COLORS)
    for strategy, name in names.items():
        accuracies = learning_curves.select(rows, problem, strategy, source)
        curve = learning_curves.mean(accuracies)
        if curve.empty:
            continue
        n = accuracies.shape[1]
        place = {"problem": problem, "source": source, "strategy": name, "n": n}
        drawn.append(curve.reset_index().assign(**place))
        color = COLORS.get(strategy) or next(others, "gray")
        marker = "." if len(curve) < 20 else None
        panel.plot(
            curve.index,
            curve["mean"],
            marker=marker,
            color=color,
            label=textwrap.fill(f"{name} (n={n})", LABEL),
        )
        low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
        panel.fill_between(curve.index, low, high, color=color, alpha=0.15, lw=0)
    return drawn


def printed_values(panel, drawn: list):
    """Mark what the paper prints for the strategies drawn, as far as these go."""
    last = max(curve["num_annotations"].max() for curve in drawn)
    label = "printed in the paper"
    style = {"ls": "", "marker": "o", "ms": 4, "mfc": "none", "mew": 1.1}
    strategies = {name: strategy for strategy, name in paper.STRATEGY_NAMES.items()}
    for curve in drawn:
        problem, source, name = curve[["problem", "source", "strategy"]].iloc[0]
        strategy = strategies.get(name)
        values = {
            budget: accuracy
            for budget, accuracy in paper.accuracies(problem, strategy, source).items()
            if budget <= last
        }
        if values:
            # Side by side, as many are nearly the same.
            shift = (paper.STRATEGIES.index(strategy) - 3) * last / 200
            panel.plot(
                [budget + shift for budget in values],
                list(values.values()),
                color=COLORS[strategy],
                zorder=3,
                **style,
            )
            if label:  # one entry for all, in no strategy's color
                panel.plot([], [], color="gray", label=label, **style)
                label = None


def baseline(panel, accuracy: float, name: str):
    """Draw a dashed line at the accuracy of the full training set."""
    style = ":" if "paper" in name else "--"
    panel.axhline(accuracy, color="gray", ls=style, lw=0.9, label=name)


def save(figure, path: pathlib.Path):
    """Write a figure as PNG and as PDF, each whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("png", "pdf"):
        # Without a date the same figure is the same file.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        with _files.replacing(path.with_name(f"{path.name}.{suffix}")) as file:
            figure.savefig(file, format=suffix, metadata=metadata)
    plt.close(figure)
