"""The table and the drawing of Figure 1."""

import numpy as np
import pandas as pd
from matplotlib import lines

from experiments.analysis import margins, plots
from experiments.methods import CEAL, CORE_SET, DFAL

NUM_CLOSEST, NUM_ARROWS = 10, 4
VIEW = ((-1.35, 2.35), (-0.95, 1.45))  # range of x, range of y
BLUE, RED, GREEN = (plots.COLORS[method] for method in (CORE_SET, DFAL, CEAL))
LEGEND = (
    *("labeled", "unlabeled", "to the target"),
    *("query", "query with its label", "adversarial example"),
)
PALE = ("#DCEAF4", "#FAE3D4")  # blue and red, mixed with white


def summarize(scenarios: margins.Scenarios) -> pd.DataFrame:
    """Return a row for each scenario. DeepFool's distances include its overshoot."""
    true = scenarios["true margin"][1]
    closest = true.argsort()[:NUM_CLOSEST]
    rows = []
    for name, (_, distances) in scenarios.items():
        query, ratios = distances.argmin(), distances / true
        medians = np.median(ratios), np.median(ratios[closest])
        rows.append((name, query, distances[query], true[query], *medians))
    names = ["scenario", "query", "its distance", "true distance"]
    names += ["median distance / true", f"of the {NUM_CLOSEST} closest"]
    return pd.DataFrame(rows, columns=names).set_index("scenario").round(3)


def draw(
    grid: tuple[np.ndarray, np.ndarray, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    scenarios: margins.Scenarios,
):
    """Return the Matplotlib figure, one panel for each scenario.

    Args:
        grid: As `margins.boundary` returns it.
        x: All points, the labeled ones first.
        y: Their classes.
        scenarios: As `toy_problem.choose` returns them.
    """
    figure, panels = plots.plt.subplots(
        *(2, 2), sharex=True, sharey=True, figsize=(plots.COLUMN, 2.9)
    )
    for letter, panel, name in zip("abcd", panels.flat, scenarios, strict=True):
        targets, distances = scenarios[name]
        draw_panel(panel, grid, x, y, targets, distances, is_dfal=name == "DFAL")
        title = f"({letter}) {name}: {distances.min():.2f}"
        panel.set_title(title, loc="left", size=7, pad=2)
    figure.subplots_adjust(0, 0.15, 1, 0.95, wspace=0.03, hspace=0.1)
    style = {"fontsize": 7, "handletextpad": 0.2, "columnspacing": 1}
    entries: dict = {}
    for panel in panels.flat[[0, -1]]:  # without arrows to all, and with a label
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    entries["to the target"] = lines.Line2D(
        [], [], ls="", marker=r"$\rightarrow$", color="0.3", ms=7
    )
    order = {each: entries[each] for each in LEGEND}
    figure.legend(order.values(), order, loc="lower center", ncols=3, **style)
    return figure


def draw_panel(
    panel,
    grid: tuple[np.ndarray, np.ndarray, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    targets: np.ndarray,
    distances: np.ndarray,
    *,
    is_dfal: bool,
) -> None:
    """Draw the points, the boundary, the query and arrows to the targets.

    Args:
        panel: The Matplotlib axes.
        grid: As `margins.boundary` returns it.
        x: All points, the labeled ones first.
        y: Their classes.
        targets: The target of each unlabeled point.
        distances: The distances to them.
        is_dfal: Whether to draw the query with its label and its adversarial example
            instead of the arrows of other points.
    """
    num_labeled = len(x) - len(distances)
    labeled, pool = np.split(x, [num_labeled])
    colors = np.where(y, RED, BLUE)
    ranked = distances.argsort(kind="stable")
    query = ranked[0]
    panel.contourf(*grid, [-np.inf, 0, np.inf], colors=PALE)
    panel.contour(*grid, [0], colors="k", linewidths=0.8)
    panel.scatter(*labeled.T, 11, colors[:num_labeled], label="labeled")
    panel.scatter(*pool.T, 7, "w", edgecolor="0.3", lw=0.5, label="unlabeled")
    for row in ranked[: 1 if is_dfal else NUM_ARROWS][::-1]:
        arrow = {"arrowstyle": "->", "mutation_scale": 5, "lw": 0.8, "shrinkB": 0}
        arrow["color"] = GREEN if row == query else "0.3"
        panel.annotate("", targets[row], pool[row], arrowprops=arrow)
    # DFAL's query and its adversarial example have one label; the fill shows it.
    mark = {"color": colors[num_labeled + query] if is_dfal else "w"}
    mark |= {"edgecolor": GREEN, "lw": 1.2, "zorder": 3}
    name = "query with its label" if is_dfal else "query"
    panel.scatter(*pool[query], 22, label=name, **mark)
    if is_dfal:
        label = "adversarial example"
        panel.scatter(*targets[query], 14, marker="D", label=label, **mark)
    panel.set(xlim=VIEW[0], ylim=VIEW[1], aspect="equal")
    panel.axis("off")
