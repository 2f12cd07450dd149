"""The results of a study on one problem: curves, differences and their tables."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.analysis import comparisons, learning_curves
from experiments.studies import Study


@dataclasses.dataclass(frozen=True)
class StudyResults:
    """What the stored runs say about a study.

    Attributes:
        budgets: Numbers of annotations at which accuracies are shown.
        curves: Accuracies by strategy, as `comparisons.curves` returns them.
        seconds: Median seconds of a query, by strategy that has runs.
        differences: Differences by title, as `comparisons.differences` returns them.
    """

    budgets: Sequence[int]
    curves: dict[str, pd.DataFrame]
    seconds: dict[str, float]
    differences: dict[str, pd.DataFrame]


def collect(
    rows: pd.DataFrame, problem: str, study: Study, budgets: Sequence[int]
) -> StudyResults:
    """Return the results of a study on a problem.

    Args:
        rows: Rows of the run store.
        problem: Name of the problem.
        study: The study.
        budgets: Numbers of annotations to show. Runs that did not reach the last one
            are left out.
    """
    curves = {
        strategy: comparisons.curves(rows, problem, strategy, budgets[-1])
        for strategy in study.strategies
    }
    seconds = {
        strategy: _query_seconds(rows, problem, strategy, curve)
        for strategy, curve in curves.items()
        if curve.size
    }
    differences = {
        " − ".join(map(learning_curves.title, (one, other))): (
            comparisons.differences(curves[one], curves[other], budgets)
        )
        for one, other in study.pairs
    }
    return StudyResults(budgets, curves, seconds, differences)


def _query_seconds(rows, problem, strategy, curve):
    seconds = learning_curves.pivot(rows, "query_seconds", problem, strategy)
    # The last round of a run queries nothing.
    return float(np.median(seconds.loc[curve.index[:-1], curve.columns]))


def accuracy_table(results: StudyResults) -> pd.DataFrame:
    """Return a row for each strategy: accuracies in percent, and seconds of a query."""
    table = {}
    for strategy, curve in results.curves.items():
        line = {"n": str(curve.shape[1] or "")}
        for budget in results.budgets:
            line[str(budget)] = _without_n(learning_curves.at(curve, budget))
        line["mean"] = line["seconds of a query"] = ""
        if curve.size:
            line["mean"] = _without_n(comparisons.area(curve))
            line["seconds of a query"] = f"{results.seconds[strategy]:.2g}"
        table[learning_curves.title(strategy)] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def _without_n(values):
    return learning_curves.format_mean(values).partition(" (n=")[0]


def difference_table(results: StudyResults) -> pd.DataFrame:
    """Return a row for each comparison: differences in points, and what they show."""
    table = {}
    for title, found in results.differences.items():
        line = {"n": str(len(found) or "")}
        for column in ("area", *results.budgets):
            values = found.get(column, pd.Series(dtype=float))
            shown = "mean" if column == "area" else str(column)
            line[shown] = comparisons.format_difference(values)
        line["mean shows"] = comparisons.verdict(found["area"])
        table[title] = line
    return pd.DataFrame(table).T.rename_axis("comparison")
