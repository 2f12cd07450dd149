"""Scoring a whole pool by entropy: images per second and memory."""

import functools
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import numpy as np
from experiments import protocol

import dfal_keras as dfal
from benchmarks import networks, processes, stopwatch
from benchmarks.workload import Workload

BATCH_SIZE = 1024
WARM_UP = 2048  # images of the query that traces graphs


def scoring(workload: Workload) -> Iterator[dict]:
    """Time an uncertainty query over a uint8 pool, ours and by `model.predict`.

    Memory is measured over a memory-mapped pool, in a new process for each contender.

    Yields:
        Rows of `stopwatch.race`, with the images per second and the memory.
    """
    pool, _, _ = networks.digits()
    weights = networks.trained("LeNet5", networks.NUM_LABELED).get_weights()
    rows = stopwatch.race(
        f"LeNet5, {len(pool)} digits",
        {
            name: functools.partial(query, pool)
            for name, query in contenders(weights).items()
        },
        workload.repeats,
        lambda ours, theirs: f"{len(set(ours) & set(theirs))} of {len(ours)} the same",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "pool.npy"
        np.save(path, pool)
        for row in rows:
            needed = processes.call(
                memory_of,
                *(row["contender"], weights, path),
                num_threads=processes.num_threads(),
            )
            speed = {"images a second": len(pool) / row["seconds"]}
            yield row | speed | {"memory (MB)": needed}


def memory_of(name: str, weights: list[np.ndarray], path: pathlib.Path) -> float:
    """Return the MB that a query over a memory-mapped pool needs.

    Args:
        name: Key of `contenders`.
        weights: Weights of LeNet5.
        path: The pool, a .npy file.
    """
    query, pool = contenders(weights)[name], np.load(path, mmap_mode="r")
    query(pool[:WARM_UP])
    return processes.Memory().peak(lambda: query(pool))


def contenders(
    weights: list[np.ndarray],
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return functions that query a uint8 pool, by name.

    Args:
        weights: Weights of LeNet5.
    """
    for_floats = dfal.models.LeNet5(include_preprocessing=False)
    for_bytes = dfal.models.LeNet5()
    for model in (for_floats, for_bytes):
        model.set_weights(weights)

    def ours(pool):
        strategy = dfal.strategies.Uncertainty()
        return strategy.query(for_bytes, pool, protocol.NUM_QUERIES).indices

    def predict(pool):
        floats = networks.scaled(pool)
        return highest(for_floats.predict(floats, batch_size=BATCH_SIZE, verbose=0))

    def predict_bytes(pool):
        return highest(for_bytes.predict(pool, batch_size=BATCH_SIZE, verbose=0))

    return {
        "ours": ours,
        "model.predict": predict,
        "model.predict, uint8": predict_bytes,
    }


def highest(p: np.ndarray) -> np.ndarray:
    """Return the rows with the highest entropy, as many as a query has."""
    entropies = -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)
    return np.argsort(-entropies, kind="stable")[: protocol.NUM_QUERIES]
