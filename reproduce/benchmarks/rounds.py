"""Whole rounds of Algorithm 1, as in the runs, split into their parts."""

import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator

import numpy as np
from experiments import protocol
from experiments.analysis.strategy_table import METHODS
from experiments.files import RunFiles
from experiments.methods import DFAL, Method
from experiments.problems import PROBLEMS
from experiments.running import problem_training

import dfal_keras as dfal
from benchmarks.workload import Workload

PROBLEM = PROBLEMS["mnist-lenet5"]
PARTS = ("fit_seconds", "evaluate_seconds", "query_seconds")


def rounds(workload: Workload) -> Iterator[dict]:
    """Yield `split` of every method at the first size, and of DFAL at the second."""
    first, *others = workload.num_labeled
    yield from split(METHODS, first, workload.repeats)
    for num_labeled in others[:1]:
        yield from split([DFAL], num_labeled, workload.repeats)


def split(methods: Iterable[Method], num_labeled: int, repeats: int) -> Iterator[dict]:
    """Time the parts of a round for each method.

    A round trains by the paper's recipe, evaluates on the whole test set, queries, and
    writes its row and the labeled set. The first round traces graphs and is not
    counted.

    Args:
        methods: The methods.
        num_labeled: Size of the labeled set in the first round.
        repeats: Number of timed rounds.

    Yields:
        Dicts of the method's name, the size, and the median seconds of each part.
    """
    (x, y), test_data = problem_training.load_data("mnist")
    train = problem_training.make_training(PROBLEM)
    for method in methods:
        options = method.options_for(PROBLEM)
        learner = dfal.ActiveLearner(
            train,
            dfal.strategies.get(method.strategy, **options),
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
            "strategy": method.name,
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
    rows, seconds = [], []
    files = RunFiles(pathlib.Path(folder), "timed")
    files.start({}, {})
    started = time.perf_counter()
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        rows.append(dataclasses.asdict(finished))
        files.write(rows, learner.save)
        whole = time.perf_counter() - started
        parts = {part: rows[-1][part] for part in PARTS}
        seconds.append({**parts, "whole": whole, "rest": whole - sum(parts.values())})
        started = time.perf_counter()
    return seconds[:-1]
