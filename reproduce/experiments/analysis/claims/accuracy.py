"""Claims on accuracies: Sections 4.2 and 4.4, Tables 1, 2 and 4, Figures 2 and 3."""

import math

import pandas as pd

from experiments import paper, problems, runs
from experiments.analysis import comparisons, learning_curves
from experiments.analysis.claims import cases
from experiments.analysis.claims.cases import Case, Evidence
from experiments.methods import (
    BALD,
    CEAL,
    CORE_SET,
    DFAL,
    EGL,
    PRINTED,
    RANDOM,
    UNCERTAINTY,
    Method,
    pair_title,
)
from experiments.problems import PROBLEMS, Problem

LAST = paper.TABLE1_BUDGETS[-1]
TOP = 3


def _area_difference(
    evidence: Evidence,
    problem: Problem,
    one: Method,
    other: Method,
    budget: int,
) -> tuple[pd.Series, int]:
    """Return paired differences in area, to the last budget up to `budget` of both.

    Only trials that reached it are compared. The number of annotations comes second.
    """
    found = {
        method: learning_curves.select(evidence.rows, problem, method)
        for method in (one, other)
    }
    if any(curve.empty for curve in found.values()):
        return pd.Series(dtype=float), 0
    lasts = (learning_curves.last_budgets(curve).max() for curve in found.values())
    last = min(budget, *map(int, lasts))
    first, second = (comparisons.up_to(found[each], each, last) for each in found)
    return comparisons.differences(first, second, ())["area"], last


def areas(
    evidence: Evidence,
    problem: Problem,
    one: Method,
    others: tuple[Method, ...],
    budget: int = LAST,
) -> list[Case]:
    """Return a case for each rival: the area of one method minus the rival's.

    Areas are to `budget` annotations, or to the last that both methods have below it.
    """
    found = []
    for other in others:
        differences, last = _area_difference(evidence, problem, one, other, budget)
        name = f"mean accuracy to {last}, {pair_title((one, other))}"
        found += cases.of_differences(problem, name, differences)
    return found


def converges_faster(evidence: Evidence, problem: Problem) -> list[Case]:
    """DFAL's area minus that of RANDOM and of each method with singleton queries."""
    rivals = (RANDOM, BALD, CEAL, EGL, UNCERTAINTY)
    return areas(evidence, problem, DFAL, rivals)


def in_the_top_three(evidence: Evidence, problem: Problem) -> list[Case]:
    """DFAL above at least four of its six rivals at 1000 annotations."""
    found = {
        method.name: learning_curves.at(
            learning_curves.select(evidence.rows, problem, method), LAST
        )
        for method in PRINTED
    }
    table = pd.DataFrame(found).dropna()
    rivals = table.drop(columns=DFAL.name)
    differences = rivals.rsub(table[DFAL.name], axis=0)
    num = rivals.shape[1] - TOP + 1
    return cases.of_most(f"accuracy at {LAST}", problem, differences, num)


def below_random(evidence: Evidence, problem: Problem, method: Method) -> list[Case]:
    """RANDOM's area minus a method's."""
    return areas(evidence, problem, RANDOM, (method,))


def ceal_below_uncertainty(evidence: Evidence, problem: Problem) -> list[Case]:
    """Uncertainty's area minus CEAL's."""
    return areas(evidence, problem, UNCERTAINTY, (CEAL,))


def fewer_annotations(evidence: Evidence, problem: Problem) -> list[Case]:
    """CORE-SET's annotations to full-set accuracy minus DFAL's, trial by trial.

    A trial of CORE-SET that does not reach it counts with its last budget, which makes
    the difference smaller. A trial of DFAL that does not reach it leaves no case.
    """
    accuracy = learning_curves.target(evidence.rows, problem)
    counts = {
        method: learning_curves.counts(
            learning_curves.longest(
                learning_curves.select(evidence.rows, problem, method)
            ),
            accuracy,
        )
        for method in (DFAL, CORE_SET)
    }
    both = counts[DFAL].join(counts[CORE_SET], lsuffix="_dfal", how="inner")
    if math.isnan(accuracy) or both.empty or not both["reached_dfal"].all():
        return []
    differences = both["count"] - both["count_dfal"]
    short = int((~both["reached"]).sum())
    bound = f" at least, as {short} of CORE-SET fall short" if short else ""
    name = f"annotations to {accuracy:.2f} %, CORE-SET − DFAL"
    return cases.of_differences(problem, name, differences, f" annotations{bound}")


def transfers(
    evidence: Evidence, problem: Problem, one: Method, others: tuple[Method, ...]
) -> list[Case]:
    """Accuracies of a network trained on labeled sets made for another, paired."""
    found = []
    for source in runs.other_networks(problem, tuple(PROBLEMS.values())):
        curves = {
            method: learning_curves.select(evidence.rows, problem, method, source)
            for method in (one, *others)
        }
        for other in others:
            both = curves[one].index.intersection(curves[other].index)
            both = both[both <= LAST]
            if not len(both):
                continue
            differences = (
                learning_curves.at(curves[one], both[-1])
                - learning_curves.at(curves[other], both[-1])
            ).dropna()
            transfer = problems.transfer_title(source, problem)
            name = f"{transfer} at {both[-1]}, {pair_title((one, other))}"
            found += cases.of_differences(problem, name, differences)
    return found
