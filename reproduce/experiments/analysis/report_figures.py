"""Figures of the report: one function each, of tables that other modules make.

Every function draws on Matplotlib axes or returns a figure, and writes nothing.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.analysis import comparisons, learning_curves
from experiments.analysis.claims.table import NOT_RUN
from experiments.analysis.comparisons import FAILS, HOLDS, UNDECIDED
from experiments.methods import Method

MAX_GAP = 14  # points; larger differences from the paper are written at the edge
VERDICTS = (HOLDS, FAILS, UNDECIDED, NOT_RUN)
_VERDICT_COLORS = ("#009E73", "#D55E00", "#E8DDAA", "#EEEEEE")
_TEXT = {"textcoords": "offset points", "ha": "center", "fontsize": 7}
_READINGS = {"raw": ("o", "white"), "best so far": ("o", "black")}


def gaps_to_paper(
    curves: Mapping[str, pd.DataFrame], printed: Mapping[str, Mapping[int, float]]
):
    """Return a figure: our mean accuracies minus the paper's, by both readings.

    Args:
        curves: Accuracies in percent by title of the strategy: a row for each number of
            annotations, a column for each trial.
        printed: The paper's accuracies in percent, by the same titles and annotations.
    """
    budgets = list(next(iter(printed.values())))
    figure, panels = plt.subplots(
        1, len(budgets), figsize=(8.5, 2.7), sharey=True, layout="constrained"
    )
    for panel, budget in zip(panels, budgets, strict=True):
        panel.axvline(0, color="gray", lw=0.8)
        for place, (title, accuracies) in enumerate(curves.items()):
            for reading, (marker, face) in _READINGS.items():
                table = accuracies if reading == "raw" else accuracies.cummax()
                gap = learning_curves.at(table, budget).mean() - printed[title][budget]
                shown = float(np.clip(gap, -MAX_GAP, MAX_GAP))
                panel.plot(shown, place, marker, color="black", mfc=face, ms=5)
                if shown != gap:
                    shift = (0, 6) if reading == "raw" else (0, -11)
                    panel.annotate(f"{gap:+.0f}", (shown, place), shift, **_TEXT)
        panel.set(title=f"{budget} annotations", xlim=(-MAX_GAP - 1.5, MAX_GAP + 1.5))
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(curves)), curves)
    panels[0].invert_yaxis()
    figure.supxlabel("ours − paper (points)", fontsize=9)
    handles = [
        Line2D([], [], ls="", marker=marker, color="black", mfc=face, label=reading)
        for reading, (marker, face) in _READINGS.items()
    ]
    figure.legend(handles=handles, loc="outside right center", title="our reading")
    return figure


def heatmap(panel, matrix: pd.DataFrame, *, color: str = "Greens") -> None:
    """Draw the shares of a matrix as colored cells with their values.

    Args:
        panel: The Matplotlib axes.
        matrix: Values from 0 to 1.
        color: Name of a Matplotlib color map. Defaults to `"Greens"`.
    """
    values = matrix.to_numpy(float)
    panel.imshow(values, cmap=color, vmin=0, vmax=1.2, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        panel.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
    panel.set_xticks(range(matrix.shape[1]), matrix.columns, rotation=35, ha="right")
    panel.set_yticks(range(matrix.shape[0]), matrix.index)
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)


def companions(areas: Mapping[str, Mapping[str, pd.Series]]):
    """Return a figure: mean accuracies by what is added with each query.

    A panel for each strategy. Trials are gray, means black.

    Args:
        areas: Mean accuracies of trials, by title of the strategy and by what is added,
            such as "copies". Those without trials are left out.
    """
    figure, panels = plt.subplots(
        1, len(areas), figsize=(8, 2.9), sharey=True, layout="constrained"
    )
    for panel, (title, found) in zip(panels, areas.items(), strict=True):
        shown = {kind: values for kind, values in found.items() if len(values)}
        for place, values in enumerate(shown.values()):
            panel.plot([place] * len(values), values, ".", color="#BBBBBB", ms=5)
            panel.plot(place, values.mean(), "o", color="black", ms=5)
        labels = [f"{kind}\nn={len(values)}" for kind, values in shown.items()]
        panel.set_xticks(range(len(shown)), labels)
        panel.set(title=title, xlim=(-0.5, len(shown) - 0.5))
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("mean accuracy (%)")
    return figure


def forest(studies: Mapping[str, pd.DataFrame]):
    """Return a figure of all comparisons: differences with 95 % intervals.

    Filled circles are decided by the adjusted p, open ones are not. Comparisons short
    of their registered trials are gray.

    Args:
        studies: By name of the study, a row for each comparison (its title as index)
            with the columns "mean", "low", "high" (nan without an interval), "n",
            "is_shown" and "is_complete".
    """
    shown = {name: table for name, table in studies.items() if len(table)}
    num = sum(len(table) + 1 for table in shown.values())
    figure, panel = plt.subplots(figsize=(8, 0.2 * num + 0.6), layout="constrained")
    panel.axvline(0, color="gray", lw=0.8)
    ticks, place = {}, 0
    for name, table in shown.items():
        ticks[place] = name
        for title, line in table.iterrows():
            place += 1
            ticks[place] = title
            color = "black" if line["is_complete"] else "#AAAAAA"
            face = color if line["is_shown"] else "white"
            panel.plot([line["low"], line["high"]], [place] * 2, color=color, lw=1.2)
            panel.plot(line["mean"], place, "o", color=color, mfc=face, ms=4)
            across = panel.get_yaxis_transform()  # x in widths of the axes, y in data
            panel.text(
                *(1.01, place, f"n={line['n']}"),
                fontsize=6,
                va="center",
                transform=across,
            )
        place += 1
    panel.set_yticks(list(ticks), list(ticks.values()), fontsize=6.5)
    for label in panel.get_yticklabels():
        if label.get_text() in shown:
            label.set_fontweight("bold")
    panel.set_ylim(place, -1)
    panel.grid(axis="x", alpha=0.3)
    panel.set_xlabel("difference in mean accuracy (points)")
    return figure


def forest_lines(
    differences: Mapping[str, pd.DataFrame],
    adjusted: Mapping[str, float],
    registered: Mapping[str, int],
) -> pd.DataFrame:
    """Return the rows of `forest` for one study.

    Args:
        differences: Differences in points by title, with a column "area".
        adjusted: Adjusted p, by title.
        registered: Number of trials that each comparison was registered with.
    """
    table = {}
    for title, found in differences.items():
        if not len(found):
            continue
        low, high = comparisons.interval(found["area"])
        is_complete = len(found) >= registered[title]
        is_shown = bool(is_complete and adjusted[title] < comparisons.LEVEL)
        numbers = {"mean": found["area"].mean(), "low": low, "high": high}
        flags = {"n": len(found), "is_shown": is_shown, "is_complete": is_complete}
        table[title] = numbers | flags
    return pd.DataFrame(table).T


def norms(panel, measured: pd.DataFrame, methods: Sequence[Method]) -> None:
    """Draw mean DeepFool norms of test images over the annotations.

    Args:
        panel: The Matplotlib axes.
        measured: A row for each network: "strategy", "trial", "num_annotations" and
            "mean".
        methods: The methods, in the order of the legend.
    """
    for method in methods:
        chosen = measured[measured["strategy"] == method.name]
        if chosen.empty:
            continue
        table = chosen.pivot_table(
            index="num_annotations", columns="trial", values="mean"
        )
        panel.errorbar(
            table.index,
            table.mean(axis=1),
            table.std(axis=1),
            marker="o",
            ms=4,
            capsize=2,
            label=f"{method.title} (n={table.shape[1]})",
        )
    panel.set(xlabel="annotations", ylabel="mean DeepFool norm")
    panel.grid(alpha=0.3)
    if panel.lines:
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def claims_by_panel(verdicts: pd.DataFrame):
    """Return a figure: a row for each claim, a column for each panel.

    Args:
        verdicts: One of `VERDICTS`, or "" where a claim is not about a panel.
    """
    codes = verdicts.replace("", np.nan).map(
        lambda cell: np.nan if cell != cell else VERDICTS.index(cell)
    )
    figure, panel = plt.subplots(
        figsize=(8.5, 0.21 * len(verdicts) + 1.2), layout="constrained"
    )
    values = np.ma.masked_invalid(codes.to_numpy(float))
    panel.imshow(
        values, cmap=ListedColormap(_VERDICT_COLORS), vmin=-0.5, vmax=3.5, aspect="auto"
    )
    panel.set_xticks(range(verdicts.shape[1]), verdicts.columns, rotation=30)
    panel.xaxis.tick_top()
    plt.setp(panel.get_xticklabels(), ha="left")
    panel.set_yticks(range(len(verdicts)), verdicts.index, fontsize=7)
    panel.set_xticks(np.arange(0.5, verdicts.shape[1]), minor=True)
    panel.set_yticks(np.arange(0.5, len(verdicts)), minor=True)
    panel.grid(which="minor", color="white", lw=2)
    panel.tick_params(which="both", length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)
    handles = [
        Patch(color=color, label=verdict)
        for verdict, color in zip(VERDICTS, _VERDICT_COLORS, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(VERDICTS))
    return figure
