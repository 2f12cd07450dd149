"""How the figures look: one size, one colour for a strategy everywhere."""

import pathlib

import matplotlib

matplotlib.use("Agg")  # files only, no screen

import curves
import matplotlib.pyplot as plt

from dfal_keras import _files

COLUMN = 3.3  # inches, the width of a column of the paper

# Okabe & Ito's colours, which the colour-blind can tell apart; the yellow darker.
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
        "lines.linewidth": 1.2,
        "savefig.dpi": 200,
        "savefig.bbox": "tight",
        "pdf.fonttype": 42,
    }
)


def learning_curves(panel, rows, problem: str, source=None) -> list:
    """Draw mean and spread over trials for every strategy; return these as tables."""
    drawn = []
    names = curves.strategies(rows)
    others = iter(OTHER_COLORS)
    for strategy, name in names.items():
        curve = curves.mean(curves.select(rows, problem, strategy, source))
        if curve.empty:
            continue
        place = {"problem": problem, "source": source, "strategy": name}
        drawn.append(curve.reset_index().assign(**place))
        color = COLORS.get(strategy) or next(others, "gray")
        marker = "o" if len(curve) == 1 else None
        panel.plot(curve.index, curve["mean"], marker=marker, color=color, label=name)
        low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
        panel.fill_between(curve.index, low, high, color=color, alpha=0.15, lw=0)
    return drawn


def baseline(panel, accuracy: float, name: str):
    """Draw a dashed line at the accuracy of the full training set."""
    style = ":" if "paper" in name else "--"
    panel.axhline(accuracy, color="gray", ls=style, lw=0.9, label=name)


def say(panel, text: str):
    """Write a few words in place of what was not run."""
    panel.text(0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes)
    panel.set(xticks=[], yticks=[])


def legend(figure, panels):
    """Put one legend for all panels below them."""
    lines = {}
    for panel in panels.flat:
        lines |= {
            name: line
            for line, name in zip(*panel.get_legend_handles_labels(), strict=True)
        }
    if lines:
        figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=5)


def save(figure, path: pathlib.Path):
    """Write a figure as PNG and as PDF, each whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("png", "pdf"):
        # Without a date the same figure is the same file.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        with _files.replacing(path.with_name(f"{path.name}.{suffix}")) as file:
            figure.savefig(file, format=suffix, metadata=metadata)
    plt.close(figure)
