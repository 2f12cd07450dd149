"""Comparisons of all strategies of a problem, as surveys of the field report them.

The functions take accuracies in percent by strategy, as `comparisons.curves` returns
them, of strategies that have trials.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from experiments import protocol
from experiments.analysis import comparisons, intervals, learning_curves

Curves = Mapping[str, pd.DataFrame]


def area_table(curves: Curves) -> pd.DataFrame:
    """Return areas under the curves, and the difference of the first to each other one.

    p is adjusted by Holm's method over all pairs of strategies.
    """
    areas = {name: comparisons.area(curve) for name, curve in curves.items()}
    pairs = list(itertools.combinations(areas, 2))
    adjusted = comparisons.holm(
        [comparisons.p_value((areas[a] - areas[b]).dropna()) for a, b in pairs]
    )
    p_of = dict(zip(pairs, adjusted, strict=True))
    first = next(iter(areas), "")
    table = {}
    for name, area in areas.items():
        line = {"mean accuracy": learning_curves.format_mean(area)}
        if name != first:
            differences = (areas[first] - area).dropna()
            title = learning_curves.title(first)
            line[f"{title} − it"] = comparisons.format_difference(differences)
            line["p (Holm)"] = comparisons.format_p(p_of[first, name])
        table[learning_curves.title(name)] = line
    return pd.DataFrame(table).T.fillna("").rename_axis("strategy")


def penalty_budgets(last: int) -> list[int]:
    """Return the numbers of annotations of the penalty matrix: queries doubled."""
    first, size = protocol.NUM_INITIAL, protocol.NUM_QUERIES
    doubled = (first + size * 2**k for k in itertools.count())
    return list(itertools.takewhile(lambda budget: budget <= last, doubled))


def penalty_matrix(curves: Curves) -> pd.DataFrame:
    """Return how often the strategy of a row is above that of a column.

    An entry is the share of `penalty_budgets` at which the row's accuracy is higher by
    a paired, two-sided t-test at 5 %. The last row is a column's mean, its diagonal
    included: the lower, the more rarely a strategy is beaten.

    Reference:
        - Ash et al., 2020, "Deep batch active learning by diverse, uncertain gradient
          lower bounds", the pairwise comparisons.
    """
    table = pd.DataFrame(0.0, index=list(curves), columns=list(curves))
    if not curves:
        return table
    last = min(int(curve.index[-1]) for curve in curves.values())
    budgets = penalty_budgets(last)
    for one, other in itertools.permutations(curves, 2):
        differences = (curves[one] - curves[other]).loc[budgets].dropna(axis=1)
        n = differences.shape[1]
        if n < intervals.MIN_TRIALS:
            table.loc[one, other] = np.nan
            continue
        errors = differences.std(axis=1) / np.sqrt(n)
        higher = differences.mean(axis=1) > stats.t.ppf(0.975, n - 1) * errors
        table.loc[one, other] = higher.mean()
    table.loc["mean"] = table.mean()
    names = {name: learning_curves.title(name) for name in curves}
    return table.rename(index=names, columns=names).rename_axis("row above column")


def label_efficiency(curves: Curves, budgets: tuple[int, ...]) -> pd.DataFrame:
    """Return how many times fewer labels than RANDOM a strategy needs.

    RANDOM's annotations, divided by those at which the strategy's mean curve first
    reaches RANDOM's mean accuracy. "< x": not reached by the last budget.

    Reference:
        - Beck et al., 2021, "Effective evaluation of deep active learning on image
          classification tasks" (DISTIL).

    Args:
        curves: See above, with "random".
        budgets: RANDOM's numbers of annotations.
    """
    random = curves["random"].mean(axis=1)
    table = {}
    for name, curve in curves.items():
        means, line = curve.mean(axis=1), {}
        for budget in budgets:
            reached = means.index[means >= random[budget]]
            ratio = budget / (reached[0] if len(reached) else means.index[-1])
            line[f"at RANDOM's {budget}"] = f"{'' if len(reached) else '< '}{ratio:.1f}"
        table[learning_curves.title(name)] = line
    return pd.DataFrame(table).T.rename_axis("strategy")
