"""Cases of the paper's claims: the numbers over trials, and what they decide."""

import dataclasses
import math

import pandas as pd

from experiments import intervals, learning_curves

COLUMNS = ("case", "n", "mean difference", "95 % interval", "verdict")


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of a claim: the numbers, and what they decide.

    Attributes:
        name: Which case.
        num_trials: n.
        value: Mean difference over trials, positive if it is for the claim; or a rank.
        low: Lower end of its interval, nan with too few trials.
        high: Upper end.
        verdict: One of `intervals`' three.
        sign: ">= " or "<= " if the value is a bound.
        unit: Blank for points of accuracy.
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
        """The interval in brackets, or a blank."""
        return "" if math.isnan(self.low) else f"[{self.low:.2f}, {self.high:.2f}]"

    @property
    def difference(self) -> str:
        """The value with its unit, or a blank for one that is unknown."""
        number = f"{self.sign}{self.value:.2f}{self.unit}"
        return "" if math.isnan(self.value) else number

    @property
    def cells(self) -> tuple:
        """What a table shows, in the order of `COLUMNS`."""
        numbers = self.num_trials, self.difference, self.interval
        return (self.name, *numbers, self.verdict)

    def __str__(self):
        numbers = " ".join(filter(None, (self.difference, self.interval)))
        return f"{self.name}: {numbers} (n={self.num_trials}), {self.verdict}"


def of_differences(name: str, differences: pd.Series, unit: str = "") -> Case:
    """Return a case of differences, one a trial."""
    low, high = intervals.of_mean(differences)
    verdict = intervals.decide(low, high)
    mean = differences.mean()
    return Case(name, len(differences), mean, low, high, verdict, unit=unit)


def of_counts(name: str, both: pd.DataFrame) -> Case:
    """Return the case of two strategies' counts, each known or bounded from below."""
    difference = both["core_set_count"] - both["dfal_count"]
    least = difference.where(both["dfal_reached"], -math.inf)
    most = difference.where(both["core_set_reached"], math.inf)
    low, high = intervals.of_mean(least)[0], intervals.of_mean(most)[1]
    known = (both["dfal_reached"] & both["core_set_reached"]).all()
    value, sign = difference.mean(), ""
    if not known:
        if both["dfal_reached"].all():
            sign = ">= "
        elif both["core_set_reached"].all():
            sign = "<= "
        else:
            value = math.nan
    for strategy, shown in (("dfal", "DFAL"), ("core_set", "CORE-SET")):
        found = both[[f"{strategy}_count", f"{strategy}_reached"]]
        text = learning_curves.spread_of_counts(
            found.set_axis(["count", "reached"], axis=1)
        )
        name += f", {shown} {text}"
    verdict = intervals.decide(low, high)
    return Case(name, len(both), value, low, high, verdict, sign, " annotations")


def conclude(cases: list) -> str:
    """Return a claim's verdict from its cases, with their number."""
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
