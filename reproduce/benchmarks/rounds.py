"""Whole rounds of Algorithm 1, as in the runs, split into their parts."""

import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator

import numpy as np
from experiments import protocol, store
from experiments.problems import PROBLEMS
from experiments.running import problem_training
from experiments.runs import Run

import dfal_keras as dfal
from benchmarks.workload import Workload

PROBLEM = "mnist-lenet5"
PARTS = ("fit_seconds", "evaluate_seconds", "query_seconds")


def rounds(workload: Workload) -> Iterator[dict]:
    """Yield `split` of every strategy at the first size, and of DFAL at the second."""
    first, *others = workload.num_labeled
    yield from split(protocol.STRATEGIES, first, workload.repeats)
    for num_labeled in others[:1]:
        yield from split(["dfal"], num_labeled, workload.repeats)


def split(strategies: Iterable[str], num_labeled: int, repeats: int) -> Iterator[dict]:
    """Time the parts of a round for each strategy.

    A round trains by the paper's recipe, evaluates on the whole test set, queries, and
    writes its row and the labeled set. The first round traces graphs and is not
    counted.

    Args:
        strategies: Names of strategies.
        num_labeled: Size of the labeled set in the first round.
        repeats: Number of timed rounds.

    Yields:
        Dicts of the strategy, the size, and the median seconds of each part.
    """
    (x, y), test_data = problem_training.load_data("mnist")
    train = problem_training.make_training(PROBLEMS[PROBLEM])
    for name in strategies:
        options = protocol.strategy_options(PROBLEM, name)
        learner = dfal.ActiveLearner(
            train,
            dfal.strategies.get(name, **options),
            num_queries=protocol.NUM_QUERIES,
            num_initial=num_labeled,
        )
        budget = num_labeled + (repeats + 1) * protocol.NUM_QUERIES
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(learner, x, y, budget, test_data, folder)
        medians = {
            part.removesuffix("_seconds"): statistics.median(
                row[part] for row in rows[1:]
            )
            for part in (*PARTS, "rest", "whole")
        }
        yield {
            "strategy": name,
            "labeled": num_labeled,
            **medians,
            "rest, share": medians["rest"] / medians["whole"],
        }


def measure(
    learner: "dfal.ActiveLearner",
    x: np.ndarray,
    y: np.ndarray,
    budget: int,
    test_data: tuple,
    folder: str | pathlib.Path,
) -> list[dict]:
    """Perform rounds as a run does and return the seconds of each part.

    Args:
        learner: The active learner.
        x: Images.
        y: Their labels.
        budget: Number of annotations to stop at.
        test_data: `(x_test, y_test)`.
        folder: Where to write what a run writes.

    Returns:
        A dict for each round, except the last, which does not query.
    """
    kept, rows, seconds = store.Store(folder), [], []
    run = Run(PROBLEM, "timed", 0)
    kept.record(run, {}, {})
    started = time.perf_counter()
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        rows.append(dataclasses.asdict(finished))
        kept.write_rows(run, rows)
        learner.save(kept.path(run, ".npz"))
        whole = time.perf_counter() - started
        parts = {part: rows[-1][part] for part in PARTS}
        seconds.append({**parts, "whole": whole, "rest": whole - sum(parts.values())})
        started = time.perf_counter()
    return seconds[:-1]
