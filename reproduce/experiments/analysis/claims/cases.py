"""Cases of a claim: what was observed on a panel, and the verdict that follows."""

import dataclasses
import math
import pathlib
from collections.abc import Sequence

import pandas as pd

from experiments.analysis import comparisons
from experiments.analysis.comparisons import FAILS, HOLDS, MIN_TRIALS, UNDECIDED
from experiments.problems import Problem


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The stored results.

    Attributes:
        rows: Rows of the run store.
        folder: Folder of the results, for tables of other scripts.
        norms: DeepFool norms, as `measured_norms.rows` returns them.
    """

    rows: pd.DataFrame
    folder: pathlib.Path
    norms: pd.DataFrame

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a stored table by its path without suffix, `None` without it."""
        path = self.folder / f"{name}.csv"
        return pd.read_csv(path) if path.exists() else None


@dataclasses.dataclass(frozen=True)
class Case:
    """One observation.

    Attributes:
        panel: The problem; `None` if the observation is of no panel of Table 1.
        name: What was compared.
        outcome: The numbers, as text.
        num_trials: n. Defaults to `None`, where trials are not what is counted.
        p: Two-sided p, nan if nothing was tested.
        supports: Whether the observed direction is the claimed one.
        decided: The verdict of a case that is not tested. Defaults to "".
    """

    panel: Problem | None
    name: str
    outcome: str
    num_trials: int | None = None
    p: float = math.nan
    supports: bool = True
    decided: str = ""

    def verdict(self, adjusted: float) -> str:
        """Return the verdict, by p adjusted over all cases of the table."""
        if self.decided:
            return self.decided
        if math.isnan(adjusted) or adjusted >= comparisons.LEVEL:
            return UNDECIDED
        return HOLDS if self.supports else FAILS


def of_differences(
    panel: Problem | None, name: str, differences: pd.Series, unit: str = ""
) -> list[Case]:
    """Return a case from paired differences, positive where they support the claim.

    Without trials there is none.
    """
    if not len(differences):
        return []
    outcome = comparisons.format_difference(differences) + unit
    return [
        Case(
            panel,
            name,
            outcome,
            len(differences),
            comparisons.p_value(differences),
            differences.mean() > 0,
        )
    ]


def of_no_difference(
    panel: Problem | None, name: str, differences: pd.Series
) -> list[Case]:
    """Return a case of a claim that there is no difference: one contradicts it."""
    return [
        dataclasses.replace(case, supports=False)
        for case in of_differences(panel, name, differences)
    ]


def of_fact(
    panel: Problem | None, name: str, outcome: str, *, holds: bool
) -> list[Case]:
    """Return a case that is a count or a fact, not a sample."""
    return [Case(panel, name, outcome, decided=HOLDS if holds else FAILS)]


def of_most(name: str, panel: Problem, samples: pd.DataFrame, num: int) -> list[Case]:
    """Return a case: at least `num` of several differences are positive.

    The p of a partial conjunction is that of the num-th smallest, times the number of
    differences that are left with it.

    Reference:
        - Benjamini & Heller, 2008, "Screening for partial conjunction hypotheses".

    Args:
        name: The case's name.
        panel: The panel.
        samples: Paired differences, a row for each trial.
        num: How many have to be positive.
    """
    if len(samples) < 1:
        return []
    p_values = sorted(
        comparisons.p_value(samples[column]) if samples[column].mean() > 0 else 1.0
        for column in samples
    )
    p = min(1.0, (samples.shape[1] - num + 1) * p_values[num - 1])
    above = int((samples.mean() > 0).sum())
    outcome = f"above {above} of {samples.shape[1]}"
    n = len(samples)
    return [Case(panel, name, outcome, n, p if n >= MIN_TRIALS else math.nan)]


def combined(verdicts: Sequence[str]) -> str:
    """Return one verdict of several: any failure, else any doubt, else it holds."""
    for verdict in (FAILS, UNDECIDED):
        if verdict in verdicts:
            return verdict
    return HOLDS
