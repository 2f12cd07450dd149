"""The paper's claims about its results, and how stored rows decide each."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from experiments import paper, runs
from experiments.analysis import claim_cases, intervals, learning_curves
from experiments.analysis.claim_cases import Case
from experiments.problems import get, whole_name

FULL_SET_CLAIMED = ("mnist", "quick_draw")  # data sets of the claim on annotations
SINGLETONS = ("bald", "ceal", "egl", "uncertainty")
LAST = paper.TABLE1_BUDGETS[-1]
TOP = 3
MIN_QUERY_SECONDS = 1e-3  # less is a round without a query, the last of a run


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of the paper and the function that decides it.

    Attributes:
        place: Section of the paper.
        text: The claim.
        judge: Function of the rows and the problems; yields the cases that were run.
        of_accuracy: Whether accuracies decide it, raw or best so far. Defaults to
            `True`.
    """

    place: str
    text: str
    judge: Callable[[pd.DataFrame, Sequence[str]], Iterator[Case]]
    of_accuracy: bool = True


def better_than_random(rows: pd.DataFrame, problems: Sequence[str]) -> Iterator[Case]:
    """Yield DFAL's accuracy minus RANDOM's at each budget of Table 1."""
    for problem in problems:
        for budget in paper.TABLE1_BUDGETS:
            differences = paired(rows, problem, "dfal", "random", budget)
            if len(differences):
                yield claim_cases.of_differences(f"{problem} at {budget}", differences)


def in_the_top_three(rows: pd.DataFrame, problems: Sequence[str]) -> Iterator[Case]:
    """Yield DFAL's rank at 1000 annotations, over trials that have all strategies."""
    rivals = [strategy for strategy in paper.STRATEGIES if strategy != "dfal"]
    for problem in problems:
        accuracies = {
            strategy: learning_curves.at(
                learning_curves.select(rows, problem, strategy), LAST
            )
            for strategy in ("dfal", *rivals)
        }
        samples = pd.DataFrame(accuracies).dropna()
        if samples.empty:
            continue
        columns = samples.to_numpy(dtype=float).T
        low, high = intervals.of_statistic(rank, *columns)
        low, high = np.floor(low), np.ceil(high)
        verdict = intervals.decide(-high, -low, -TOP - 0.5)
        found = float(rank(*columns))
        yield Case(problem, len(samples), found, low, high, verdict, unit=" (rank)")


def fewer_annotations_than_core_set(
    rows: pd.DataFrame, problems: Sequence[str]
) -> Iterator[Case]:
    """Yield CORE-SET's annotations to full-set accuracy minus DFAL's."""
    for problem in problems:
        if get(problem).dataset not in FULL_SET_CLAIMED:
            continue
        accuracy = learning_curves.target(rows, problem)
        dfal, core_set = (
            learning_curves.select(rows, problem, name) for name in ("dfal", "core_set")
        )
        if dfal.empty or core_set.empty:
            continue
        # A trial with a smaller budget than the others' is left out.
        budget = min(
            learning_curves.last_budgets(table).max() for table in (dfal, core_set)
        )
        both = counts_of_trials(dfal, accuracy, budget, "dfal_").join(
            counts_of_trials(core_set, accuracy, budget, "core_set_"), how="inner"
        )
        if len(both):
            yield claim_cases.of_counts(f"{problem} to {accuracy:.2f} %", both)


def faster_than_core_set(rows: pd.DataFrame, problems: Sequence[str]) -> Iterator[Case]:
    """Yield CORE-SET's seconds for a query minus DFAL's, medians over a trial."""
    if "query_seconds" not in rows:
        return
    queried = rows[rows["source"].isna() & (rows["query_seconds"] > MIN_QUERY_SECONDS)]
    for problem in problems:
        dfal, core_set = (
            learning_curves.pivot(queried, "query_seconds", problem, strategy).median()
            for strategy in ("dfal", "core_set")
        )
        differences = (core_set - dfal).dropna()
        if len(differences):
            name = f"{problem}, {dfal.median():.2f} s against {core_set.median():.2f} s"
            yield claim_cases.of_differences(name, differences, unit=" s")


def transfers_better(rows: pd.DataFrame, problems: Sequence[str]) -> Iterator[Case]:
    """Yield DFAL's accuracy minus a rival's, trained on labeled sets of Table 4.

    Each case is at 1000 annotations, or at the most below that at which both were
    transferred.
    """
    for source, problem in transfers(problems):
        for rival in ("random", "core_set"):
            for budget in reversed(transferred_at(rows, problem, source)):
                differences = paired(rows, problem, "dfal", rival, budget, source)
                if len(differences):
                    name = f"{source} to {problem} at {budget}, against {rival}"
                    yield claim_cases.of_differences(name, differences)
                    break


def singletons_can_lose(rows: pd.DataFrame, problems: Sequence[str]) -> Iterator[Case]:
    """Yield RANDOM's accuracy minus each other baseline's, in its best case.

    One case in which the baseline is below RANDOM is enough for the claim.
    """
    for strategy in SINGLETONS:
        name = paper.STRATEGY_NAMES[strategy]
        cases = [
            claim_cases.of_differences(f"{name}, {problem} at {budget}", differences)
            for problem in problems
            for budget in paper.TABLE1_BUDGETS
            if len(differences := paired(rows, problem, "random", strategy, budget))
        ]
        for verdict in (intervals.HOLDS, intervals.UNDECIDED, intervals.FAILS):
            chosen = [case for case in cases if case.verdict == verdict]
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


def paired(
    rows: pd.DataFrame,
    problem: str,
    first: str,
    second: str,
    budget: int,
    source: str | None = None,
) -> pd.Series:
    """Return the first strategy's accuracy minus the second's, by trial, in points."""
    one, other = (
        learning_curves.at(
            learning_curves.select(rows, problem, strategy, source), budget
        )
        for strategy in (first, second)
    )
    return (one - other).dropna()


def rank(first: np.ndarray, *others: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the first's rank by the mean, 1 if no other mean is higher."""
    mean = np.mean(first, axis=axis)
    return 1.0 + sum(np.mean(other, axis=axis) > mean for other in others)


def counts_of_trials(
    table: pd.DataFrame, accuracy: float, budget: int, prefix: str
) -> pd.DataFrame:
    """Return `learning_curves.counts` of the trials that reached a budget."""
    whole = table.loc[:, learning_curves.last_budgets(table) >= budget]
    return learning_curves.counts(whole, accuracy).add_prefix(prefix)


def transfers(problems: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (source, target) of these targets, those of Table 4 in its order."""
    pairs = [
        (source, problem)
        for problem in problems
        for source in runs.other_networks(problem, problems)
    ]
    places = {pair: place for place, pair in enumerate(paper.TABLE4)}

    def place(pair):
        return places.get((whole_name(pair[0]), whole_name(pair[1])), len(places))

    return sorted(pairs, key=place)


def transferred_at(rows: pd.DataFrame, problem: str, source: str) -> list[int]:
    """Return the budgets, up to 1000, at which DFAL was transferred."""
    budgets = learning_curves.select(rows, problem, "dfal", source).index
    return [budget for budget in budgets if budget <= LAST]


def lay_out(
    rows: pd.DataFrame, problems: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a table of the claims and a table of their cases.

    Args:
        rows: Rows of the run store.
        problems: Names of problems.

    Returns:
        A row for each claim with its verdicts, by raw accuracies and by the best so
        far, and a row for each case.
    """
    readings = {"raw": rows, "best so far": learning_curves.best_so_far(rows)}
    table, lines = [], []
    for claim in CLAIMS:
        row = {"place": claim.place, "claim": claim.text}
        for reading, read in readings.items():
            if reading != "raw" and not claim.of_accuracy:
                row[reading] = ""
                continue
            cases = list(claim.judge(read, problems))
            row[reading] = claim_cases.conclude(cases)
            accuracies = reading if claim.of_accuracy else ""
            lines += [(claim.text, accuracies, *case.cells) for case in cases]
        table.append(row)
    columns = ["claim", "accuracies", *claim_cases.COLUMNS]
    return (
        pd.DataFrame(table).set_index("place"),
        pd.DataFrame(lines, columns=columns).set_index("claim"),
    )
