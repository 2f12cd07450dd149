"""Whole rounds of Algorithm 1, as the runs do them, split into their parts."""

import dataclasses
import statistics
import tempfile
import time

from experiments import execution, protocol, store
from experiments.problems import PROBLEMS

PARTS = ("fit_seconds", "evaluate_seconds", "query_seconds")


def rounds(options):
    """Split a round of every strategy, at two sizes of the labeled set; yield rows."""
    for num_labeled in options.labeled[:2]:
        yield from split(protocol.STRATEGIES, num_labeled, options.repeats)


def split(strategies, num_labeled: int, repeats: int):
    """Yield, for each strategy, the seconds of the parts of a round.

    A round trains by the paper's recipe, tests on all of the test set, queries, and
    writes its row and the labeled set. The first, which traces graphs, is left out.
    """
    import dfal_keras as dfal

    (x, y), test_data = execution.load_data("mnist")
    train = execution.make_training(PROBLEMS["mnist-lenet5"])
    for name in strategies:
        learner = dfal.ActiveLearner(
            train,
            dfal.strategies.get(
                name, **protocol.strategy_options("mnist-lenet5", name)
            ),
            num_queries=protocol.NUM_QUERIES,
            num_initial=num_labeled,
        )
        budget = num_labeled + (repeats + 1) * protocol.NUM_QUERIES
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(learner, x, y, budget, test_data, folder)
        row = {"strategy": name, "labeled": num_labeled}
        for part in (*PARTS, "rest", "whole"):
            row[part.removesuffix("_seconds")] = statistics.median(
                one[part] for one in rows[1:]
            )
        yield row | {"rest, share": row["rest"] / row["whole"]}


def measure(learner, x, y, budget, test_data, folder) -> list:
    """Run rounds and write what the run store writes; return the seconds of each."""
    kept, rows, seconds = store.Store(folder), [], []
    kept.record("run", {}, {})
    started = time.perf_counter()
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        rows.append(dataclasses.asdict(finished))
        kept.write_rows("run", rows)
        learner.save(kept.path("run", ".npz"))
        whole = time.perf_counter() - started
        parts = {part: rows[-1][part] for part in PARTS}
        seconds.append({**parts, "whole": whole, "rest": whole - sum(parts.values())})
        started = time.perf_counter()
    return seconds[:-1]  # the last does not query
