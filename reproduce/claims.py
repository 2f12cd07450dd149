"""The paper's claims, each decided from the stored runs, or undecided, or not run."""

import dataclasses
import sys
from collections.abc import Callable

from experiments import (
    claim_cases,
    entry_point,
    intervals,
    learning_curves,
    paper,
    results,
    runs,
    tables,
)
from experiments.options import make_parser, parse

# isort: split
import numpy as np
import pandas as pd

SINGLETONS = ("bald", "ceal", "egl", "uncertainty")
LAST = paper.TABLE1_BUDGETS[-1]
TOP = 3
NOTES = """
Every case is a mean over n trials of differences taken trial by trial, in points of
accuracy or as named, so that a positive one is for the claim; of the rank, the rank
of the mean accuracies. In brackets the 95 % interval by bootstrap over trials
(scipy.stats.bootstrap, percentiles). A case is undecided where the interval holds zero
(of the rank: reaches to both sides of the limit) and with fewer than three trials. A
claim holds if all its cases do, and does not if one is decided against it; cases are
those of the problems that were run.

So few trials make intervals too narrow: where there is no difference (normal, of mean
zero), the interval leaves out zero in about 24 % of all cases with n = 3 and 17 % with
n = 5, not in 5 %. Budgets of the same runs are not independent, and "can fall below"
takes the case that speaks most for it. The paper's accuracies are very probably running
maxima: hence "best so far". Seconds are those of the stored runs, CORE-SET in its
compact form; the printed form is in Table 3.
"""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of the paper and how to decide it.

    Attributes:
        place: Where the paper says so.
        text: What it says.
        judge: Function of the rows and the problems; returns the cases that were run.
        of_accuracy: Whether it is decided by accuracies, raw or best so far.
    """

    place: str
    text: str
    judge: Callable
    of_accuracy: bool = True


def paired(rows, problem, first, second, budget, source=None) -> pd.Series:
    """Return accuracy of one strategy less another's, trial by trial, in points."""
    one, other = (
        learning_curves.at(
            learning_curves.select(rows, problem, strategy, source), budget
        )
        for strategy in (first, second)
    )
    return (one - other).dropna()


def better_than_random(rows, problems):
    """DFAL less RANDOM at every budget of Table 1."""
    for problem in problems:
        for budget in paper.TABLE1_BUDGETS:
            differences = paired(rows, problem, "dfal", "random", budget)
            if len(differences):
                yield claim_cases.of_differences(f"{problem} at {budget}", differences)


def rank(first, *others, axis=-1):
    """Return the first's rank by the mean: one more than the others above it."""
    mean = np.mean(first, axis=axis)
    return 1.0 + sum(np.mean(other, axis=axis) > mean for other in others)


def in_the_top_three(rows, problems):
    """DFAL's rank at 1000 annotations, in trials in which all seven were run."""
    rivals = [strategy for strategy in paper.STRATEGIES if strategy != "dfal"]
    for problem in problems:
        samples = pd.DataFrame(
            {
                strategy: learning_curves.at(
                    learning_curves.select(rows, problem, strategy), LAST
                )
                for strategy in ("dfal", *rivals)
            }
        ).dropna()
        if samples.empty:
            continue
        columns = samples.to_numpy(dtype=float).T
        low, high = intervals.of_statistic(rank, *columns)
        low, high = np.floor(low), np.ceil(high)
        verdict = intervals.decide(-high, -low, -TOP - 0.5)
        found = float(rank(*columns))
        yield claim_cases.Case(
            problem, len(samples), found, low, high, verdict, unit=" (rank)"
        )


def fewer_annotations_than_core_set(rows, problems):
    """CORE-SET's annotations to full-set accuracy less DFAL's, by trial.

    A trial that stops short of the target bounds its count from below, and with it the
    difference from one side; from the other side anything is possible.
    """
    for problem in problems:
        if problem.startswith("shoe_bag"):
            continue  # not claimed
        target = tables.target(rows, problem)
        found = [
            learning_curves.select(rows, problem, name) for name in ("dfal", "core_set")
        ]
        if any(table.empty for table in found):
            continue
        # Trials that were run to fewer annotations than the others say nothing.
        far = min(learning_curves.last_budgets(table).max() for table in found)
        dfal, core_set = (
            learning_curves.counts(
                table.loc[:, learning_curves.last_budgets(table) >= far], target
            ).add_prefix(prefix)
            for table, prefix in zip(found, ("dfal_", "core_set_"), strict=True)
        )
        both = dfal.join(core_set, how="inner")
        if both.empty:
            continue
        yield claim_cases.of_counts(f"{problem} to {target:.2f} %", both)


def faster_than_core_set(rows, problems):
    """CORE-SET's seconds of a query less DFAL's: medians of each trial's rounds."""
    if "query_seconds" not in rows:
        return
    # A round without a query, the last one of a run, is timed as next to nothing.
    queried = rows[rows["source"].isna() & (rows["query_seconds"] > 1e-3)]
    for problem in problems:
        dfal, core_set = (
            learning_curves.pivot(queried, "query_seconds", problem, strategy).median()
            for strategy in ("dfal", "core_set")
        )
        differences = (core_set - dfal).dropna()
        if len(differences):
            name = f"{problem}, {dfal.median():.2f} s against {core_set.median():.2f} s"
            yield claim_cases.of_differences(name, differences, unit=" s")


def transfers_better(rows, problems):
    """DFAL's labeled set less a rival's, for the other network.

    At 1000 annotations, or at the most that both were transferred at.
    """
    for problem in problems:
        for source in paper.PROBLEMS:
            if source.split("-")[0] != problem.split("-")[0] or source == problem:
                continue
            for rival in ("random", "core_set"):
                for budget in reversed(transferred_at(rows, problem, source)):
                    differences = paired(rows, problem, "dfal", rival, budget, source)
                    if len(differences):
                        name = f"{source} to {problem} at {budget}, against {rival}"
                        yield claim_cases.of_differences(name, differences)
                        break


def transferred_at(rows, problem, source) -> list:
    """Return the numbers of annotations, up to 1000, that DFAL was transferred at."""
    budgets = learning_curves.select(rows, problem, "dfal", source).index
    return [budget for budget in budgets if budget <= LAST]


def singletons_can_lose(rows, problems):
    """RANDOM less each of the four, where that speaks most for the claim."""
    for strategy in SINGLETONS:
        name = paper.STRATEGY_NAMES[strategy]
        judged = [
            claim_cases.of_differences(f"{name}, {problem} at {budget}", differences)
            for problem in problems
            for budget in paper.TABLE1_BUDGETS
            if len(differences := paired(rows, problem, "random", strategy, budget))
        ]
        # One case in which it falls below is enough; none only if all are above.
        for verdict in (intervals.HOLDS, intervals.UNDECIDED, intervals.FAILS):
            chosen = [case for case in judged if case.verdict == verdict]
            if chosen:
                yield max(chosen, key=lambda case: case.value)
                break


CLAIMS = (
    Claim("4.2", "DFAL is always better than random selection", better_than_random),
    Claim("4.2", "DFAL is always in the top three at 1000", in_the_top_three),
    Claim(
        "4.2",
        "DFAL needs fewer annotations than CORE-SET for full-set accuracy on MNIST "
        "and Quick-Draw",
        fewer_annotations_than_core_set,
    ),
    Claim(
        "4.3", "DFAL is faster than CORE-SET", faster_than_core_set, of_accuracy=False
    ),
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
    """Return a claim's verdict, "not run yet" without a case, and the numbers."""
    judged = list(claim.judge(rows, problems))
    return claim_cases.conclude(judged), "; ".join(map(str, judged))


def lay_out(rows: pd.DataFrame, problems) -> tuple:
    """Return the table of claims and that of their cases."""
    readings = {"raw": rows, "best so far": learning_curves.best_so_far(rows)}
    table, lines = [], []
    for claim in CLAIMS:
        row = {"place": claim.place, "claim": claim.text}
        for reading, read in readings.items():
            if reading != "raw" and not claim.of_accuracy:
                row[reading] = ""
                continue
            judged = list(claim.judge(read, problems))
            row[reading] = claim_cases.conclude(judged)
            shown = reading if claim.of_accuracy else ""
            lines += [(claim.text, shown, *case.cells) for case in judged]
        table.append(row)
    columns = ["claim", "accuracies", *claim_cases.COLUMNS]
    return (
        pd.DataFrame(table).set_index("place"),
        pd.DataFrame(lines, columns=columns).set_index("claim"),
    )


def main(arguments=None) -> int:
    """Decide every claim from what is stored; nothing is run."""
    options = parse(make_parser(__doc__), arguments)
    # Transfers build on runs that the curves are of, too: each is loaded once.
    wanted = dict.fromkeys([*runs.curve_runs(options), *runs.transfer_runs(options)])
    rows = results.stored(list(wanted), options)
    problems = sorted(set(rows["problem"]), key=paper.PROBLEMS.index)
    table, lines = lay_out(rows, problems)
    notes = NOTES + tables.notes("Section", rows=rows)
    tables.write(table, options.tables_folder / "claims", notes)
    tables.write(lines, options.tables_folder / "claims_cases", notes)
    print(tables.markdown(table), tables.markdown(lines), notes, sep="\n\n")
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
