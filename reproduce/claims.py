"""The paper's claims, each decided from the stored runs: holds, or not, or not run."""

import dataclasses
import sys
from collections.abc import Callable

import cli
import curves
import pandas as pd
import paper
import plan
import program
import report

SINGLETONS = ("bald", "ceal", "egl", "uncertainty")
LAST = paper.TABLE1_BUDGETS[-1]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of the paper and how to decide it.

    Attributes:
        place: Where the paper says so.
        text: What it says.
        decide: Function of the rows and the problems; returns pairs of a bool, whether
            the claim holds in one case, and the numbers.
    """

    place: str
    text: str
    decide: Callable


def paired(rows, problem, first, second, budget, source=None) -> pd.Series:
    """Return accuracy of one strategy less another's, trial by trial, in points."""
    one, other = (
        curves.at(curves.select(rows, problem, strategy, source), budget)
        for strategy in (first, second)
    )
    return (one - other).dropna()


def better_than_random(rows, problems):
    """DFAL less RANDOM at every budget of Table 1."""
    for problem in problems:
        for budget in paper.TABLE1_BUDGETS:
            difference = paired(rows, problem, "dfal", "random", budget)
            if len(difference):
                yield (
                    difference.mean() > 0,
                    f"{problem} at {budget}: {curves.spread(difference)}",
                )


def in_the_top_three(rows, problems):
    """DFAL's rank at 1000 annotations, where all seven strategies were run."""
    for problem in problems:
        means = {
            strategy: curves.at(curves.select(rows, problem, strategy), LAST).mean()
            for strategy in paper.STRATEGIES
        }
        if not pd.Series(means).isna().any():
            rank = sorted(means, key=means.get, reverse=True).index("dfal") + 1
            yield rank <= 3, f"{problem}: rank {rank}"


def fewer_annotations_than_core_set(rows, problems):
    """Annotations to full-set accuracy; decided if DFAL, at least, gets there."""
    for problem in problems:
        if problem.startswith("shoe_bag"):
            continue  # not claimed
        _, target = report.table2(rows, problem)
        counts = {
            strategy: curves.num_to_reach(
                curves.select(rows, problem, strategy), target
            )
            for strategy in ("dfal", "core_set")
        }
        (dfal, dfal_there), (core_set, core_set_there) = counts.values()
        if dfal_there or core_set_there:
            holds = dfal_there and (not core_set_there or dfal < core_set)
            yield holds, f"{problem}: DFAL {dfal}, CORE-SET {core_set}"


def faster_than_core_set(rows, problems):
    """Seconds of a query in the stored runs, CORE-SET in its compact form."""
    for problem in problems:
        seconds = {
            strategy: rows[
                (rows["problem"] == problem)
                & (rows["strategy"] == strategy)
                & (rows.get("query_seconds", 0) > 1e-3)
            ]["query_seconds"].median()
            for strategy in ("dfal", "core_set")
            if "query_seconds" in rows
        }
        if seconds and not pd.Series(seconds).isna().any():
            yield (
                seconds["dfal"] < seconds["core_set"],
                f"{problem}: {seconds['dfal']:.2f} s against "
                f"{seconds['core_set']:.2f} s in compact form (Table 3: as printed)",
            )


def transfers_better(rows, problems):
    """DFAL's labelled set less RANDOM's and CORE-SET's, for the other network."""
    for problem in problems:
        for source in paper.PROBLEMS:
            if source.split("-")[0] != problem.split("-")[0] or source == problem:
                continue
            for rival in ("random", "core_set"):
                difference = paired(rows, problem, "dfal", rival, LAST, source)
                if len(difference):
                    yield (
                        difference.mean() > 0,
                        f"{source} to {problem}, against {rival}: "
                        f"{curves.spread(difference)}",
                    )


def singletons_can_lose(rows, problems):
    """Whether each of the four falls below RANDOM somewhere."""
    for strategy in SINGLETONS:
        worst = None
        for problem in problems:
            for budget in paper.TABLE1_BUDGETS:
                difference = paired(rows, problem, strategy, "random", budget)
                if len(difference) and (not worst or difference.mean() < worst[0]):
                    worst = difference.mean(), f"{problem} at {budget}", difference
        if worst:
            name = paper.STRATEGY_NAMES[strategy]
            yield worst[0] < 0, f"{name}, {worst[1]}: {curves.spread(worst[2])}"


CLAIMS = (
    Claim("4.2", "DFAL is always better than random selection", better_than_random),
    Claim("4.2", "DFAL is always in the top three at 1000", in_the_top_three),
    Claim(
        "4.2",
        "DFAL needs fewer annotations than CORE-SET for full-set accuracy on MNIST "
        "and Quick-Draw",
        fewer_annotations_than_core_set,
    ),
    Claim("4.3", "DFAL is faster than CORE-SET", faster_than_core_set),
    Claim(
        "4.4",
        "DFAL's queries transfer better than RANDOM's and CORE-SET's",
        transfers_better,
    ),
    Claim(
        "4.2",
        "BALD, CEAL, EGL and uncertainty can fall below random selection",
        singletons_can_lose,
    ),
)


def decide(claim: Claim, rows: pd.DataFrame, problems) -> tuple:
    """Return "holds", "does not hold" or "not run yet", and the numbers."""
    cases = list(claim.decide(rows, problems))
    if not cases:
        return "not run yet", ""
    holds = sum(bool(case) for case, _ in cases)
    verdict = "holds" if holds == len(cases) else "does not hold"
    numbers = "; ".join(text for _, text in cases)
    return f"{verdict} ({holds} of {len(cases)} cases)", numbers


def main(arguments=None) -> int:
    """Decide every claim from what is stored; nothing is run."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows = cli.stored(
        [*plan.curves(options), *plan.transfers(options)],
        options,
    )
    problems = sorted(set(rows["problem"]), key=paper.PROBLEMS.index)
    table = pd.DataFrame(
        [
            {
                "place": claim.place,
                "claim": claim.text,
                "here": (decided := decide(claim, rows, problems))[0],
                "mean difference in points or as named": decided[1],
            }
            for claim in CLAIMS
        ]
    ).set_index("place")
    report.write(table, options.output / "claims")
    print(table.to_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main))
