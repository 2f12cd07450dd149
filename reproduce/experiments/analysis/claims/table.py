"""The table of all claims, with their verdicts, and the table of their cases."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pandas as pd

from experiments.analysis import comparisons
from experiments.analysis.claims import accuracy, cases, method
from experiments.analysis.claims.cases import Case, Evidence
from experiments.methods import BALD, CEAL, CORE_SET, DFAL, EGL, RANDOM, UNCERTAINTY
from experiments.problems import OF_DRAWINGS, PROBLEMS, Problem
from experiments.studies.controls import DFAL_COPIES
from experiments.studies.first import COST_EFFECTIVE_DFAL, DIVERSE_DFAL

ALL = tuple(PROBLEMS.values())  # the six panels of Table 1
MNIST, MNIST_VGG8, SHOE_BAG, SHOE_BAG_VGG8, QUICK_DRAW, QUICK_DRAW_VGG8 = ALL
NOT_RUN = "not run"
NO_SHOE_BAG = "the images of Shoe-Bag"
ON_PANEL_A = (MNIST,)  # a claim of no panel, observed on MNIST with LeNet5

NOTES = """
A verdict is about the panels that it names, "(1 of 6)" of those that the claim has.
"1,696 drawings" is a sample of a panel's data, counted apart.
Differences are between paired trials, in points of accuracy unless a unit is given;
positive ones support the claim. In brackets: 95 % intervals by Student's t. "p (Holm)"
is adjusted over all tested cases of the table; below 0.05 it decides. Cases without p
are counts, or numbers of other tables. Accuracies are raw. Seconds are of stored runs,
which shared their cores with other work.
"""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Attributes:
        number: Its number, and a letter where it is decided in parts.
        section: Where it stands.
        text: The claim.
        about: The panels that it is about; `ON_PANEL_A` or () for a claim of none.
        judge: Function of the evidence and a panel, or `None` for a claim of none,
            that returns cases. `None` if nothing stored can decide it.
        needs: What a decision needs where there is no case.
    """

    number: str
    section: str
    text: str
    about: tuple[Problem, ...]
    judge: Callable[[Evidence, Any], list[Case]] | None
    needs: str

    def cases(self, evidence: Evidence) -> list[Case]:
        """Return the cases that the evidence has."""
        if self.judge is None:
            return []
        return [case for panel in self.places for case in self.judge(evidence, panel)]

    @property
    def places(self) -> list[Problem | None]:
        """The panels that it is about, and the smaller ones; `None` if it has none."""
        return [*self.about, *self.smaller] if self.about else [None]

    @property
    def smaller(self) -> list[Problem]:
        """The problems of fewer drawings that stand for panels that it is about."""
        names = [panel.name for panel in self.about]
        return [each for each in OF_DRAWINGS.values() if each.stands_for in names]


def _transfer(one, *others):
    return functools.partial(accuracy.transfers, one=one, others=others)


def _area_to_300(one, other):
    return functools.partial(accuracy.areas, one=one, others=(other,), budget=300)


RUNS = "runs of its panels"
CLAIMS = (
    Claim(
        "1",
        "abstract, 4.2",
        "DFAL converges faster than singleton methods and RANDOM",
        ALL,
        accuracy.converges_faster,
        RUNS,
    ),
    Claim(
        "2",
        "1, 4.2",
        "DFAL is always in the top three at 1000",
        ALL,
        accuracy.in_the_top_three,
        "runs of its panels to 1000",
    ),
    Claim(
        "3a",
        "1, 4.3, 5",
        "DFAL is much faster than CORE-SET as printed",
        (),
        method.faster_in_the_printed_form,
        "table3.py",
    ),
    Claim(
        "3b",
        "1, 4.3, 5",
        "DFAL is much faster than CORE-SET in compact form",
        ALL,
        method.faster_in_the_compact_form,
        RUNS,
    ),
    Claim(
        "4",
        "1, 3",
        "The adversarial example has the label of its original",
        ON_PANEL_A,
        method.keeps_the_label,
        "examples.py (0.2 core-hours)",
    ),
    Claim(
        "5",
        "1, 4.4, 5",
        "DFAL's labeled sets transfer better than RANDOM's",
        ALL,
        _transfer(DFAL, RANDOM),
        "transfers (4 core-hours on MNIST)",
    ),
    Claim(
        "6",
        "4.4",
        "CORE-SET's labeled sets transfer better than RANDOM's",
        ALL,
        _transfer(CORE_SET, RANDOM),
        "transfers (4 core-hours on MNIST)",
    ),
    *(
        Claim(
            f"7{letter}",
            "2, 4.2",
            f"{rival.title} fails to compete with RANDOM",
            ALL,
            functools.partial(accuracy.below_random, method=rival),
            RUNS,
        )
        for letter, rival in zip("abcd", (BALD, CEAL, EGL, UNCERTAINTY), strict=True)
    ),
    Claim(
        "8",
        "2, 4.2",
        "CEAL corrupts the training set with wrong labels",
        ON_PANEL_A,
        method.corrupts_the_labels,
        "pseudo_labels.py (0.5 core-hours)",
    ),
    Claim(
        "9",
        "3",
        "DeepFool estimates the margin better than the nearest sample",
        (),
        method.estimates_the_margin,
        "figure1.py",
    ),
    Claim(
        "10",
        "3 (ii)",
        "DeepFool is fast: a query takes less time than the training before it",
        ON_PANEL_A,
        method.is_fast,
        RUNS,
    ),
    Claim(
        "11",
        "3 (iii)",
        "DeepFool is competitive with the best attacks",
        ON_PANEL_A,
        method.is_competitive,
        "robustness.py (1 core-hour)",
    ),
    Claim(
        "12",
        "3",
        "DFAL has no hyperparameter: K, p and the size of a query",
        ON_PANEL_A,
        method.has_no_hyperparameter,
        "beyond.py",
    ),
    Claim(
        "13",
        "3",
        "DFAL makes the network more robust",
        ON_PANEL_A,
        method.is_more_robust,
        "robustness.py (1 core-hour)",
    ),
    Claim(
        "14",
        "3, Algorithm 1",
        "A label gives two samples",
        ALL,
        method.two_samples_a_label,
        RUNS,
    ),
    Claim(
        "15",
        "3",
        "Adversarial examples help beyond copies of the images",
        ON_PANEL_A,
        _area_to_300(DFAL, DFAL_COPIES),
        "beyond.py --study copies",
    ),
    Claim(
        "16",
        "4.2",
        "Correlated queries explain the failures of singleton methods",
        ON_PANEL_A,
        None,
        "BALD, EGL and uncertainty with other sizes of a query (4 core-hours)",
    ),
    Claim(
        "17",
        "4.2",
        "DFAL is more robust to hyperparameters than other methods",
        ON_PANEL_A,
        None,
        "other K and sizes of a query for another method (3 core-hours)",
    ),
    Claim(
        "18",
        "4.2",
        "CEAL is below uncertainty on Shoe-Bag and Quick-Draw (VGG8)",
        (SHOE_BAG, QUICK_DRAW_VGG8),
        accuracy.ceal_below_uncertainty,
        f"{NO_SHOE_BAG}, and runs of panel (f)",
    ),
    Claim(
        "19",
        "4.2",
        "DFAL uses at most 2 % of MNIST, CEAL more than 20 %",
        (MNIST,),
        method.uses_less_of_the_pool,
        "",
    ),
    Claim(
        "20",
        "4.2",
        "Pseudo-labels improve DFAL",
        ON_PANEL_A,
        _area_to_300(COST_EFFECTIVE_DFAL, DFAL),
        "beyond.py",
    ),
    Claim(
        "21",
        "4.2",
        "A more diverse DFAL is above CORE-SET",
        ON_PANEL_A,
        _area_to_300(DIVERSE_DFAL, CORE_SET),
        "beyond.py",
    ),
    Claim(
        "22",
        "Table 2",
        "DFAL needs fewer annotations for full-set accuracy",
        (MNIST, MNIST_VGG8, QUICK_DRAW, QUICK_DRAW_VGG8),
        accuracy.fewer_annotations,
        "runs of its panels beyond 1000",
    ),
    Claim(
        "23",
        "4.2",
        "Less than 1 % of Shoe-Bag suffices",
        (SHOE_BAG, SHOE_BAG_VGG8),
        None,
        NO_SHOE_BAG,
    ),
    Claim(
        "24",
        "4.3",
        "CORE-SET's robustness costs time",
        (),
        method.robustness_costs_time,
        "table3.py",
    ),
    Claim(
        "25",
        "4.3",
        "DFAL's query time does not grow with the labels, CORE-SET's does",
        ALL,
        method.does_not_slow_down,
        RUNS,
    ),
    Claim(
        "26",
        "4.3",
        "DFAL parallelizes",
        (),
        None,
        "a timing on several cores; images are attacked independently",
    ),
    Claim(
        "27",
        "4.1",
        "DFAL works with any network that attacks fool",
        (),
        None,
        "other networks; panel (b) takes 13 core-hours to 200",
    ),
)


def lay_out(evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for each claim with its verdict, and a row for each case.

    p of the tested cases is adjusted over all of them, by Holm's method.
    """
    found = [(claim, case) for claim in CLAIMS for case in claim.cases(evidence)]
    adjusted = comparisons.holm([c.p for _, c in found if not c.decided])
    remaining = iter(adjusted)
    lines: list[dict] = []
    verdicts: dict[str, dict[Problem | None, list[str]]] = {}
    for claim, case in found:
        p = float("nan") if case.decided else next(remaining)
        verdict = case.verdict(p)
        verdicts.setdefault(claim.number, {}).setdefault(case.panel, []).append(verdict)
        lines.append(
            {
                "claim": claim.number,
                "panel": case.panel.title if case.panel else "",
                "case": case.name,
                "n": "" if case.num_trials is None else str(case.num_trials),
                "outcome": case.outcome,
                "p (Holm)": comparisons.format_p(p),
                "verdict": verdict,
            }
        )
    table = [
        {
            "claim": claim.number,
            "section": claim.section,
            "text": claim.text,
            "verdict": conclude(claim, verdicts.get(claim.number, {})),
        }
        for claim in CLAIMS
    ]
    columns = ["claim", "panel", "case", "n", "outcome", "p (Holm)", "verdict"]
    return (
        pd.DataFrame(table).set_index("claim"),
        pd.DataFrame(lines, columns=columns).set_index("claim"),
    )


def by_panel(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each claim, a column for each panel and one for no panel.

    Problems of fewer drawings have a column if there is a case on them.

    A cell is the verdict of the claim on this panel, `NOT_RUN` without a case, or "" if
    the claim is not about the panel.

    Args:
        found: The cases, as `lay_out` returns them.
    """
    shown = [each for each in OF_DRAWINGS.values() if each.title in set(found["panel"])]
    titles: dict[Problem | None, str] = {
        **{panel: str(panel.title) for panel in (*ALL, *shown)},
        None: "",
    }
    verdicts = found.groupby(["claim", "panel"])["verdict"].agg(
        lambda each: cases.combined(list(each))
    )
    table = {
        f"{claim.number}  {claim.text}": {
            title or "no panel": verdicts.get((claim.number, title), NOT_RUN)
            if panel in claim.places
            else ""
            for panel, title in titles.items()
        }
        for claim in CLAIMS
    }
    return pd.DataFrame(table).T.rename_axis("claim")


def conclude(claim: Claim, verdicts: dict[Problem | None, list[str]]) -> str:
    """Return the verdict of a claim, never wider than the panels that decide it.

    Args:
        claim: The claim.
        verdicts: Verdicts of its cases, by panel.
    """
    if not verdicts:
        return f"not decided here: needs {claim.needs}"
    panels: dict[str, list[Problem]] = {}
    for panel, found in verdicts.items():
        named = panels.setdefault(cases.combined(found), [])
        named += [panel] if panel else []
    parts = []
    for verdict, decided in panels.items():
        titles = ", ".join(str(panel.title) for panel in decided)
        parts.append(f"{verdict} on {titles}" if titles else verdict)
    text = "; ".join(parts)
    if len(claim.about) > 1:
        whole = len(set(claim.about) & set(verdicts))
        fewer = len(verdicts) - whole
        more = f", {fewer} on fewer drawings" if fewer else ""
        text += f" ({whole} of {len(claim.about)}{more})"
    return text
