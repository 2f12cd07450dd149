"""The results of a study on one problem: curves, differences and their tables."""

import dataclasses
import math
from collections.abc import Sequence

import pandas as pd

from experiments import studies
from experiments.analysis import comparisons, learning_curves
from experiments.methods import Method
from experiments.problems import Problem
from experiments.studies.study import Pair, Study


@dataclasses.dataclass(frozen=True)
class StudyResults:
    """What the stored runs say about a study.

    Attributes:
        study: The study.
        budgets: Numbers of annotations at which accuracies are shown.
        curves: Accuracies by method, as `comparisons.curves` returns them.
        seconds: Median seconds of a query, by method that has runs.
        differences: Differences by title, as `comparisons.differences` returns them.
        adjusted: p of each difference in area by title, adjusted over the family of the
            study's comparisons; nan with too few trials.
        verdicts: What each shows, by title.
    """

    study: Study
    budgets: Sequence[int]
    curves: dict[Method, pd.DataFrame]
    seconds: dict[Method, float]
    differences: dict[str, pd.DataFrame]
    adjusted: dict[str, float] = dataclasses.field(default_factory=dict)
    verdicts: dict[str, str] = dataclasses.field(default_factory=dict)


def collect(
    rows: pd.DataFrame, problem: Problem, study: Study, budgets: Sequence[int]
) -> StudyResults:
    """Return the results of a study on a problem.

    Args:
        rows: Rows of the run store, of all studies of the family.
        problem: The problem.
        study: The study.
        budgets: Numbers of annotations to show. Runs that did not reach the last one
            are left out.
    """
    curves = {
        method: comparisons.curves(rows, problem, method, budgets[-1])
        for method in study.methods
    }
    seconds = {
        method: float(
            learning_curves.query_seconds(rows, problem, method)
            .reindex(index=curve.index, columns=curve.columns)
            .stack()
            .median()
        )
        for method, curve in curves.items()
        if curve.size
    }
    found = {
        (one, other): comparisons.differences(curves[one], curves[other], budgets)
        for one, other in study.pairs
    }
    adjusted = adjusted_p(rows, problem, study, budgets)
    titles = {pair: study.pair_title(pair) for pair in study.pairs}
    return StudyResults(
        study,
        budgets,
        curves,
        seconds,
        {titles[pair]: table for pair, table in found.items()},
        {titles[pair]: p for pair, p in adjusted.items()},
        {
            titles[pair]: _verdict(
                study, problem, pair, found[pair]["area"], adjusted[pair]
            )
            for pair in study.pairs
        },
    )


def adjusted_p(
    rows: pd.DataFrame, problem: Problem, study: Study, budgets: Sequence[int]
) -> dict[Pair, float]:
    """Return p of a study's comparisons, adjusted over its family by Holm's method.

    Args:
        rows: As for `collect`.
        problem: The problem.
        study: The study.
        budgets: As for `collect`.
    """
    compared = [
        (each, pair, budgets[-1] if each is study else each.budgets[-1])
        for each in studies.family_of(study)
        for pair in each.pairs
    ]
    wanted = {(method, budget) for _, pair, budget in compared for method in pair}
    curves = {key: comparisons.curves(rows, problem, *key) for key in wanted}
    p_values = []
    for _, (one, other), budget in compared:
        found = comparisons.differences(curves[one, budget], curves[other, budget], ())
        p_values.append(comparisons.p_value(found["area"]))
    adjusted = comparisons.holm(p_values)
    return {
        pair: p
        for (each, pair, _), p in zip(compared, adjusted, strict=True)
        if each is study
    }


def _verdict(study, problem, pair, areas, adjusted):
    """Return what a comparison shows, as its study was registered to decide."""
    if study.decides == "interval":
        return comparisons.verdict(areas)
    registered = study.registered_trials(pair, problem)
    return comparisons.verdict_by_p(areas, adjusted, registered)


def accuracy_table(results: StudyResults) -> pd.DataFrame:
    """Return a row for each method: accuracies in percent, and seconds of a query."""
    table = {}
    for method, curve in results.curves.items():
        line = {"n": str(curve.shape[1] or "")}
        for budget in results.budgets:
            line[str(budget)] = _without_n(learning_curves.at(curve, budget))
        line["mean"] = line["seconds of a query"] = ""
        if curve.size:
            line["mean"] = _without_n(comparisons.area(curve))
            line["seconds of a query"] = f"{results.seconds[method]:.2g}"
        table[results.study.title_of(method)] = line
    return pd.DataFrame(table).T.rename_axis("strategy")


def _without_n(values):
    return learning_curves.format_mean(values).partition(" (n=")[0]


def difference_table(results: StudyResults) -> pd.DataFrame:
    """Return a row for each comparison: differences in points, and what they show.

    What decides stands first, then the accuracies at single budgets, which do not.
    """
    table = {}
    for name, found in results.differences.items():
        least = comparisons.smallest_shown(found["area"])
        line = {
            "n": str(len(found) or ""),
            "mean": comparisons.format_difference(found["area"]),
            "p (Holm)": comparisons.format_p(results.adjusted[name]),
            "mean shows": results.verdicts[name],
            "smallest shown": "" if math.isnan(least) else f"{least:.1f}",
        }
        for budget in results.budgets:
            values = found.get(budget, pd.Series(dtype=float))
            line[str(budget)] = comparisons.format_difference(values)
        table[name] = line
    return pd.DataFrame(table).T.rename_axis("comparison")
