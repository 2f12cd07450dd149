"""Paired comparisons of methods: areas, differences, intervals and verdicts."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from experiments.analysis import learning_curves
from experiments.methods import Method
from experiments.problems import Problem

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
MIN_TRIALS = 3  # fewer trials decide nothing
LEVEL = 0.05
_SHOWN = {HOLDS: "higher", FAILS: "lower", UNDECIDED: "no difference shown"}


def curves(
    rows: pd.DataFrame, problem: Problem, method: Method, budget: int
) -> pd.DataFrame:
    """Return accuracies in percent up to a budget, of the trials that reached it.

    Args:
        rows: Rows of the run store.
        problem: The problem.
        method: The method.
        budget: Number of annotations at which the study stops.

    Returns:
        A row for each number of annotations, a column for each trial.
    """
    return up_to(learning_curves.select(rows, problem, method), method, budget)


def up_to(accuracies: pd.DataFrame, method: Method, budget: int) -> pd.DataFrame:
    """Return accuracies up to a budget, of the trials that reached it.

    Args:
        accuracies: As `learning_curves.select` returns them.
        method: The method.
        budget: As for `curves`.
    """
    last = method.last_budget(budget)
    found = accuracies[accuracies.index <= last]
    return found.dropna(axis=1) if last in found.index else found.iloc[:, :0]


def area(accuracies: pd.DataFrame) -> pd.Series:
    """Return each trial's mean accuracy over the annotations, by the trapezoid rule.

    This is the area under the learning curve, divided by the range of annotations.

    Args:
        accuracies: As `curves` returns them.
    """
    annotations = accuracies.index.to_numpy(float)
    if len(annotations) < 2:
        return accuracies.mean()
    areas = np.trapezoid(accuracies.to_numpy(), annotations, axis=0)
    return pd.Series(areas / np.ptp(annotations), accuracies.columns)


def differences(
    one: pd.DataFrame, other: pd.DataFrame, budgets: Sequence[int]
) -> pd.DataFrame:
    """Return the paired differences of two methods, in points.

    Only annotations that both have are used, also for the area: with queries of
    different sizes, one curve has more points, which would change its area.

    Args:
        one: As `curves` returns it.
        other: The same of the other method.
        budgets: Numbers of annotations.

    Returns:
        A row for each trial that both have: "area", and a column for each budget that
        both reached.
    """
    both = one.index.intersection(other.index)
    trials = one.columns.intersection(other.columns)
    if not len(both) or not len(trials):
        return pd.DataFrame({"area": []}, dtype=float)
    one, other = one.loc[both, trials], other.loc[both, trials]
    found = {"area": area(one) - area(other)}
    for budget in both.intersection(budgets):
        found[budget] = one.loc[budget] - other.loc[budget]
    return pd.DataFrame(found)


def interval(values: pd.Series) -> tuple[float, float]:
    """Return the 95 % confidence interval of a mean over trials, by Student's t.

    Returns:
        `(low, high)`, or `(nan, nan)` with fewer than `MIN_TRIALS` trials.
    """
    if len(values) < MIN_TRIALS:
        return (math.nan, math.nan)
    if values.std() == 0:  # for which scipy warns and returns nan
        return (values.mean(), values.mean())
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(found.low), float(found.high)


def p_value(values: pd.Series) -> float:
    """Return the two-sided p of paired differences, by Student's t.

    nan with fewer than `MIN_TRIALS` trials.
    """
    if len(values) < MIN_TRIALS:
        return math.nan
    if values.std() == 0:  # for which scipy warns and returns nan
        return float(values.mean() == 0)
    return float(stats.ttest_1samp(values, 0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p adjusted for the number of comparisons, by Holm's step-down method.

        adjusted p_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)),  p_(1) <= ... <= p_(m)

    Reference:
        - Holm, 1979, "A simple sequentially rejective multiple test procedure".

    Args:
        p_values: p of all m comparisons. Those that are nan, which were not run, count
            in m and stay nan.
    """
    p = np.array(p_values, float)
    order = np.argsort(p)  # nan last
    factors = len(p) - np.arange(len(p))
    adjusted = np.full(len(p), math.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1)
    return adjusted.tolist()


def decide(low: float, high: float, threshold: float = 0.0) -> str:
    """Return whether an interval is above a threshold, below it, or contains it.

    Args:
        low: Lower end of the interval.
        high: Upper end of the interval.
        threshold: Defaults to 0.

    Returns:
        `HOLDS`, `FAILS` or `UNDECIDED`.
    """
    if low > threshold:
        return HOLDS
    return FAILS if high < threshold else UNDECIDED


def smallest_shown(values: pd.Series) -> float:
    """Return the smallest difference that trials of this spread can show.

    It is half the width of the 95 % interval.
    """
    low, high = interval(values)
    return (high - low) / 2


def verdict(values: pd.Series) -> str:
    """Return what the interval of the differences shows, "" with too few trials."""
    low, high = interval(values)
    return "" if math.isnan(low) else _SHOWN[decide(low, high)]


def verdict_by_p(values: pd.Series, adjusted: float, registered: int) -> str:
    """Return what an adjusted p below 0.05 shows, once all trials are there.

    Args:
        values: Paired differences.
        adjusted: Their adjusted p.
        registered: Number of trials that was registered. With fewer, the verdict is how
            many there are.
    """
    if len(values) < registered:
        return f"{len(values)} of {registered} trials" if len(values) else ""
    if math.isnan(adjusted):
        return ""
    if adjusted >= LEVEL:
        return _SHOWN[UNDECIDED]
    return _SHOWN[HOLDS if values.mean() > 0 else FAILS]


def format_p(p: float) -> str:
    """Return p with two significant digits, "" if it is nan."""
    if math.isnan(p):
        return ""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"


def format_difference(values: pd.Series) -> str:
    """Return "mean [low, high]", without an interval if there are too few trials."""
    if values.empty:
        return ""
    low, high = interval(values)
    text = f"{values.mean():+.2f}"
    return text if math.isnan(low) else f"{text} [{low:+.2f}, {high:+.2f}]"
