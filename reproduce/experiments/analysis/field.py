"""Comparisons of all methods on a problem, as surveys of the field report them.

The tables are of accuracies in percent by method, as `curves` returns them.
"""

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from experiments import paper, protocol
from experiments.analysis import comparisons, learning_curves
from experiments.methods import RANDOM, Method
from experiments.problems import Problem

Curves = Mapping[Method, pd.DataFrame]

NOTES = """
Mean accuracy: over the annotations, by the trapezoid rule (the area under the curve), ±
standard deviation over n trials; its differences with 95 % intervals by Student's t, p
adjusted over all pairs of strategies. Penalties: the share of budgets (20, 30, 50, 90,
... annotations: the queries double) at which the row is above the column by a paired
t-test at 5 %. Label efficiency: RANDOM's annotations over those at which the mean curve
of a strategy reaches the same accuracy.
"""


def curves(
    rows: pd.DataFrame, problem: Problem, methods: Iterable[Method], budget: int
) -> tuple[Curves, int]:
    """Return the curves of the methods that have trials, and where they end.

    Args:
        rows: Rows of the run store.
        problem: The problem.
        methods: The methods.
        budget: The last number of annotations, unless the runs end before it.
    """
    found = {each: learning_curves.select(rows, problem, each) for each in methods}
    last = max((each.index.max() for each in found.values() if each.size), default=0)
    budget = min(budget, last)
    whole = {each: comparisons.up_to(found[each], each, budget) for each in found}
    return {each: curve for each, curve in whole.items() if curve.size}, budget


def all_tables(curves: Curves, budget: int) -> dict[str, pd.DataFrame]:
    """Return the tables below by the names of their files.

    Args:
        curves: See above.
        budget: The last number of annotations of label efficiency.
    """
    made = {
        "areas": area_table(curves),
        "penalties": penalty_matrix(curves).round(2),
    }
    if RANDOM in curves:
        budgets = tuple(each for each in paper.TABLE1_BUDGETS if each <= budget)
        made["label_efficiency"] = label_efficiency(curves, budgets)
    return made


def area_table(curves: Curves) -> pd.DataFrame:
    """Return areas under the curves, and the difference of the first to each other one.

    p is adjusted by Holm's method over all pairs of methods.
    """
    areas = {method: comparisons.area(curve) for method, curve in curves.items()}
    pairs = list(itertools.combinations(areas, 2))
    adjusted = comparisons.holm(
        [comparisons.p_value((areas[a] - areas[b]).dropna()) for a, b in pairs]
    )
    p_of = dict(zip(pairs, adjusted, strict=True))
    first = next(iter(areas), None)
    table = {}
    for method, area in areas.items():
        line = {"mean accuracy": learning_curves.format_mean(area)}
        if first is not None and method is not first:
            differences = (areas[first] - area).dropna()
            line[f"{first.title} − it"] = comparisons.format_difference(differences)
            line["p (Holm)"] = comparisons.format_p(p_of[first, method])
        table[method.title] = line
    return pd.DataFrame(table).T.fillna("").rename_axis("strategy")


def penalty_budgets(last: int) -> list[int]:
    """Return the numbers of annotations of the penalty matrix: queries doubled."""
    first, size = protocol.NUM_INITIAL, protocol.NUM_QUERIES
    doubled = (first + size * 2**k for k in itertools.count())
    return list(itertools.takewhile(lambda budget: budget <= last, doubled))


def penalty_matrix(curves: Curves) -> pd.DataFrame:
    """Return how often the method of a row is above that of a column.

    An entry is the share of `penalty_budgets` at which the row's accuracy is higher by
    a paired, two-sided t-test at 5 %. The last row is a column's mean, its diagonal
    included: the lower, the more rarely a method is beaten.

    Reference:
        - Ash et al., 2020, "Deep batch active learning by diverse, uncertain gradient
          lower bounds", the pairwise comparisons.
    """
    titles = [method.title for method in curves]
    table = pd.DataFrame(0.0, index=titles, columns=titles)
    if not curves:
        return table
    last = min(int(curve.index[-1]) for curve in curves.values())
    budgets = penalty_budgets(last)
    for one, other in itertools.permutations(curves, 2):
        differences = (curves[one] - curves[other]).loc[budgets].dropna(axis=1)
        n = differences.shape[1]
        if n < comparisons.MIN_TRIALS:
            table.loc[one.title, other.title] = np.nan
            continue
        errors = differences.std(axis=1) / np.sqrt(n)
        higher = differences.mean(axis=1) > stats.t.ppf(0.975, n - 1) * errors
        table.loc[one.title, other.title] = higher.mean()
    table.loc["mean"] = table.mean()
    return table.rename_axis("row above column")


def label_efficiency(curves: Curves, budgets: tuple[int, ...]) -> pd.DataFrame:
    """Return how many times fewer labels than RANDOM a method needs.

    RANDOM's annotations, divided by those at which the method's mean curve first
    reaches RANDOM's mean accuracy. "< x": not reached by the last budget.

    Reference:
        - Beck et al., 2021, "Effective evaluation of deep active learning on image
          classification tasks" (DISTIL).

    Args:
        curves: See above, with `RANDOM`.
        budgets: RANDOM's numbers of annotations.
    """
    random = curves[RANDOM].mean(axis=1)
    table = {}
    for method, curve in curves.items():
        means, line = curve.mean(axis=1), {}
        for budget in budgets:
            reached = means.index[means >= random[budget]]
            ratio = budget / (reached[0] if len(reached) else means.index[-1])
            line[f"at RANDOM's {budget}"] = f"{'' if len(reached) else '< '}{ratio:.1f}"
        table[method.title] = line
    return pd.DataFrame(table).T.rename_axis("strategy")
