"""One table of all strategies: accuracy, time, and what a strategy needs."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from experiments.analysis import comparisons, learning_curves
from experiments.methods import DFAL, PRINTED, Method
from experiments.problems import Problem
from experiments.studies.controls import DFAL_COPIES
from experiments.studies.first import DFAL_ALONE
from experiments.studies.newer import NEWER, WITH_COPIES

BUDGETS = NEWER.budgets[0], NEWER.budgets[-1]
METHODS = tuple(dict.fromkeys((*PRINTED, *WITH_COPIES)))


class _Line(NamedTuple):
    """A line of the table.

    Attributes:
        title: Its title.
        timed: The method whose queries are timed.
        doubled: The same, which adds a companion with each queried image. `None` if
            there is none.
        alone: The same, which adds none. `None` if another line has it.
    """

    title: str
    timed: Method
    doubled: Method | None
    alone: Method | None


_LINES = (
    _Line(DFAL.title, DFAL, DFAL, DFAL_ALONE),
    _Line(DFAL_COPIES.title, DFAL_ALONE, DFAL_COPIES, None),
    *(
        _Line(alone.title, alone, copies, alone)
        for alone, copies in WITH_COPIES.items()
        if alone is not DFAL_ALONE
    ),
    *(
        _Line(method.title, method, None, method)
        for method in PRINTED
        if method not in (DFAL, *WITH_COPIES)
    ),
)
NEEDS = {  # what a strategy needs, by its name
    "dfal": "gradients",
    "bald": "dropout",
    "ceal": "probabilities",
    "core_set": "features, labeled images",
    "egl": "gradients",
    "uncertainty": "probabilities",
    "random": "nothing",
    "badge": "features, probabilities",
    "margin": "features, probabilities",
    "typiclust": "features, labeled images",
    "prob_cover": "features, labeled images",
    "max_herding": "features, labeled images",
    "batch_bald": "features, dropout",
    "falcun": "features, probabilities",
}
NOTES = f"""
Test accuracy in percent, the mean over n trials. With each queried image, DFAL adds its
adversarial example, and the others a copy. "alone": nothing is added, so that an epoch
has half as many steps; compare these columns with each other only. CEAL adds
pseudo-labels. "mean": over the annotations from the initial set to {BUDGETS[-1]}, with
its 95 % interval by Student's t, from {comparisons.MIN_TRIALS} trials on. CORE-SET
covers class probabilities, as in Table 1. Seconds: of a query of 10 images at
{BUDGETS[0]} annotations, among 300 candidates; among the whole pool for CEAL and
uncertainty (`speed.py --section rounds`). Blank cells were not run.
"""


def lay_out(
    rows: pd.DataFrame, problem: Problem, seconds: Mapping[str, float]
) -> pd.DataFrame:
    """Return a row for each strategy, the highest mean accuracy first.

    Args:
        rows: Rows of the run store.
        problem: The problem.
        seconds: Seconds of a query by name of the method.
    """
    table, means = {}, {}
    for line in _LINES:
        doubled, alone = (
            _curves(rows, problem, method) for method in (line.doubled, line.alone)
        )
        name = line.timed.name
        table[line.title] = {
            "n": _count(doubled),
            **{f"at {budget}": _accuracy(doubled, budget) for budget in BUDGETS},
            "mean": _mean_accuracy(doubled),
            "alone: n": _count(alone),
            "alone: mean": _mean_accuracy(alone),
            "seconds": f"{seconds[name]:.2g}" if name in seconds else "",
            "needs": NEEDS[line.timed.strategy],
        }
        means[line.title] = [comparisons.area(each).mean() for each in (doubled, alone)]
    order = pd.DataFrame(means).T.sort_values([0, 1], ascending=False, kind="stable")
    return pd.DataFrame(table).T.loc[order.index].rename_axis("strategy")


def was_run(table: pd.DataFrame) -> pd.Series:
    """Return which strategies of a table have trials, with a companion or alone."""
    return (table[["n", "alone: n"]] != "").any(axis=1)


def _curves(rows, problem, method):
    """Return the learning curves of a method, an empty table without one."""
    if method is None:
        return pd.DataFrame()
    return comparisons.curves(rows, problem, method, BUDGETS[-1])


def _count(curves):
    return str(curves.shape[1] or "")


def _accuracy(curves, budget):
    accuracies = learning_curves.at(curves, budget)
    return f"{accuracies.mean():.1f}" if len(accuracies) else ""


def _mean_accuracy(curves):
    """Format the mean over annotations and trials with its interval."""
    areas = comparisons.area(curves)
    if areas.empty:
        return ""
    low, high = comparisons.interval(areas)
    text = f"{areas.mean():.1f}"
    has_interval = len(areas) >= comparisons.MIN_TRIALS
    return f"{text} [{low:.1f}, {high:.1f}]" if has_interval else text
