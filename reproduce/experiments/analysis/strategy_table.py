"""One table of all strategies: accuracy, time, and what a strategy needs."""

from collections.abc import Mapping

import pandas as pd

from experiments.analysis import comparisons, learning_curves
from experiments.methods import PRINTED
from experiments.problems import Problem
from experiments.studies.newer import NEWER, WITH_COPIES

BUDGETS = NEWER.budgets[0], NEWER.budgets[-1]
METHODS = tuple(dict.fromkeys((*PRINTED, *WITH_COPIES)))
NEEDS = {  # what a strategy needs, by its name
    "dfal": "gradients",
    "bald": "dropout",
    "ceal": "probabilities",
    "core_set": "features, labeled images",
    "egl": "gradients",
    "uncertainty": "probabilities",
    "random": "nothing",
    "badge": "features, probabilities",
    "margin": "probabilities",
    "typiclust": "features, labeled images",
    "prob_cover": "features, labeled images",
    "max_herding": "features, labeled images",
    "batch_bald": "dropout",
    "falcun": "probabilities",
}
NOTES = f"""
Test accuracy in percent, the mean over n trials. "mean": over the annotations from the
initial set to {BUDGETS[-1]}, with its 95 % interval by Student's t, from
{comparisons.MIN_TRIALS} trials on. "with copies": each queried image is added twice.
DFAL adds an adversarial example with each image instead. CORE-SET covers class
probabilities, as in Table 1. Seconds: of a query of 10 images at {BUDGETS[0]}
annotations, among 300 candidates; among the whole pool for CEAL and uncertainty
(`speed.py --section rounds`). Blank cells were not run.
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
    last = BUDGETS[-1]
    curves = {
        method: comparisons.curves(rows, problem, method, last)
        for method in (*METHODS, *WITH_COPIES.values())
    }
    table = {}
    means = pd.Series({m: comparisons.area(curves[m]).mean() for m in METHODS})
    for method in means.sort_values(ascending=False, kind="stable").index:  # nan last
        curve = curves[method]
        line = {"n": _count(curve)}
        for budget in BUDGETS:
            accuracies = learning_curves.at(curve, budget)
            line[f"at {budget}"] = f"{accuracies.mean():.1f}" if len(accuracies) else ""
        line["mean"] = _mean_accuracy(curve)
        copies = curves[WITH_COPIES[method]] if method in WITH_COPIES else curve[[]]
        line["with copies: n"] = _count(copies)
        line["with copies: mean"] = _mean_accuracy(copies)
        timed = method.name in seconds
        line["seconds"] = f"{seconds[method.name]:.2g}" if timed else ""
        line["needs"] = NEEDS[method.strategy]
        table[method.title] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def was_run(table: pd.DataFrame) -> pd.Series:
    """Return which strategies of a table have trials, as they are or with copies."""
    return (table[["n", "with copies: n"]] != "").any(axis=1)


def _count(curve):
    return str(curve.shape[1] or "")


def _mean_accuracy(curve):
    """Format the mean over annotations and trials with its interval."""
    areas = comparisons.area(curve)
    if areas.empty:
        return ""
    low, high = comparisons.interval(areas)
    text = f"{areas.mean():.1f}"
    has_interval = len(areas) >= comparisons.MIN_TRIALS
    return f"{text} [{low:.1f}, {high:.1f}]" if has_interval else text
