"""Cases of the paper's claims: numbers over trials, and the verdicts that follow."""

import dataclasses
import math
from collections.abc import Sequence

import pandas as pd

from experiments.analysis import intervals, learning_curves

COLUMNS = ("case", "n", "mean difference", "95 % interval", "verdict")


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of a claim, such as one problem at one budget.

    Attributes:
        name: The case's name.
        num_trials: n.
        value: Mean difference over trials, positive if it supports the claim; or a
            rank. nan if unknown.
        low: Lower end of its 95 % interval, nan with too few trials.
        high: Upper end.
        verdict: `intervals.HOLDS`, `FAILS` or `UNDECIDED`.
        sign: ">= " or "<= " if the value is a bound. Defaults to "".
        unit: Defaults to "", points of accuracy.
    """

    name: str
    num_trials: int
    value: float
    low: float
    high: float
    verdict: str
    sign: str = ""
    unit: str = ""

    @property
    def interval(self) -> str:
        """The interval in brackets, "" if there is none."""
        return "" if math.isnan(self.low) else f"[{self.low:.2f}, {self.high:.2f}]"

    @property
    def difference(self) -> str:
        """The value with its sign and unit, "" if it is unknown."""
        number = f"{self.sign}{self.value:.2f}{self.unit}"
        return "" if math.isnan(self.value) else number

    @property
    def cells(self) -> tuple:
        """The cells of a table row, in the order of `COLUMNS`."""
        numbers = self.num_trials, self.difference, self.interval
        return (self.name, *numbers, self.verdict)

    def __str__(self) -> str:
        numbers = " ".join(filter(None, (self.difference, self.interval)))
        return f"{self.name}: {numbers} (n={self.num_trials}), {self.verdict}"


def of_differences(name: str, differences: pd.Series, unit: str = "") -> Case:
    """Return a case from one difference for each trial."""
    low, high = intervals.of_mean(differences)
    verdict = intervals.decide(low, high)
    mean = differences.mean()
    return Case(name, len(differences), mean, low, high, verdict, unit=unit)


def of_counts(name: str, both: pd.DataFrame) -> Case:
    """Return a case from DFAL's and CORE-SET's annotations to a target.

    A trial that does not reach the target bounds its count from below, and so the
    difference on one side.

    Args:
        name: The case's name.
        both: A row for each trial; columns "dfal_count", "dfal_reached",
            "core_set_count" and "core_set_reached", as of `learning_curves.counts`.
    """
    dfal_reached, core_set_reached = both["dfal_reached"], both["core_set_reached"]
    difference = both["core_set_count"] - both["dfal_count"]
    low, _ = intervals.of_mean(difference.where(dfal_reached, -math.inf))
    _, high = intervals.of_mean(difference.where(core_set_reached, math.inf))
    value, sign = difference.mean(), ""
    if not (dfal_reached.all() or core_set_reached.all()):
        value = math.nan
    elif not core_set_reached.all():
        sign = ">= "
    elif not dfal_reached.all():
        sign = "<= "
    for strategy, shown in (("dfal", "DFAL"), ("core_set", "CORE-SET")):
        found = both[[f"{strategy}_count", f"{strategy}_reached"]]
        text = learning_curves.format_counts(
            found.set_axis(["count", "reached"], axis=1)
        )
        name += f", {shown} {text}"
    verdict = intervals.decide(low, high)
    return Case(name, len(both), value, low, high, verdict, sign, " annotations")


def conclude(cases: Sequence[Case]) -> str:
    """Return a claim's verdict from its cases, with the numbers of cases.

    A claim holds if all its cases hold, and does not hold if one does not. Without
    cases the verdict is "not run yet".
    """
    if not cases:
        return "not run yet"
    verdicts = [case.verdict for case in cases]
    holds, fails = (verdicts.count(v) for v in (intervals.HOLDS, intervals.FAILS))
    verdict = intervals.UNDECIDED
    if fails:
        verdict = intervals.FAILS
    elif holds == len(cases):
        verdict = intervals.HOLDS
    return f"{verdict} ({holds} of {len(cases)} cases hold, {fails} do not)"
