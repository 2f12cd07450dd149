"""Growth of cost with the work: seconds and memory over sizes."""

import functools
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from experiments import protocol
from experiments.running import problem_training

import dfal_keras as dfal
from benchmarks import networks, processes, stopwatch, training
from benchmarks.workload import Workload

SHAPE = (28, 28, 1)
WARM_UP = 256  # images of the query that traces graphs
STRATEGIES = {
    "uncertainty: pool": "uncertainty",
    "CEAL: pool": "ceal",
    "DFAL: candidates": "dfal",
}


def growth(workload: Workload) -> Iterator[dict]:
    """Time each work over its sizes.

    Yields:
        Dicts of what is timed, its size, its seconds and, for queries over files, the
        memory.
    """
    for what, size, run in in_memory(workload):
        (row,) = stopwatch.race(what, {"ours": run}, workload.repeats)
        yield {"what": what, "size": size, "seconds": row["seconds"]}
    yield from over_files(workload)


def in_memory(workload: Workload) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """Yield DeepFool over images, k-center over points, training over labeled samples.

    Training is one restart with a fixed number of epochs.
    """
    from dfal_keras.backend import inference  # TensorFlow

    x, y, _ = networks.digits()
    model = networks.trained("LeNet5", networks.NUM_LABELED)
    for size in workload.growing:
        pool = networks.scaled(x[-size:])
        features = inference.predict_features(model, pool)
        points = features, np.arange(size // 10), protocol.NUM_QUERIES
        yield "DeepFool: images", size, functools.partial(dfal.deepfool, model, pool)
        greedy = functools.partial(dfal.kcenter.greedy, *points)
        yield "k-center, greedy: points", size, greedy
        robust = functools.partial(dfal.kcenter.robust, *points)
        yield "k-center, integer program: points", size, robust
    recipe = {**training.RECIPE, "num_restarts": 1}
    train = problem_training.new_training(training.PROBLEM, **recipe)
    for size in workload.num_labeled:
        labeled = functools.partial(train, x[:size], y[:size], seed=0)
        yield "training: labeled samples", size, labeled


def over_files(workload: Workload) -> Iterator[dict]:
    """Time queries over a memory-mapped file, a new process for each strategy.

    Yields:
        Rows of `query_file`.
    """
    x, _, _ = networks.digits()
    weights = networks.trained("LeNet5", networks.NUM_LABELED).get_weights()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "pool.npy"
        write_pool(path, x, max(workload.pools + workload.candidates, default=0))
        for what in STRATEGIES:
            sizes = workload.candidates if what.startswith("DFAL") else workload.pools
            yield from processes.call(
                query_file,
                *(what, weights, path, sizes),
                num_threads=processes.num_threads(),
            )


def write_pool(path: pathlib.Path, x: np.ndarray, size: int) -> None:
    """Write a pool that repeats images.

    Args:
        path: The .npy file to write.
        x: uint8 images.
        size: Number of images to write.
    """
    pool = np.lib.format.open_memmap(path, "w+", np.uint8, (size, *SHAPE))
    for start in range(0, size, len(x)):
        part = pool[start : start + len(x)]
        part[:] = x[: len(part)]
    pool.flush()


def query_file(
    what: str, weights: list[np.ndarray], path: pathlib.Path, sizes: tuple[int, ...]
) -> list[dict]:
    """Query once from each number of images, after a query that is not counted.

    Args:
        what: Key of `STRATEGIES`.
        weights: Weights of LeNet5.
        path: The pool, a .npy file.
        sizes: Numbers of images, ascending.

    Returns:
        Rows as `growth` yields them.
    """
    model, rows = dfal.models.LeNet5(SHAPE), []
    model.set_weights(weights)
    pool = np.load(path, mmap_mode="r")
    strategy = dfal.strategies.get(STRATEGIES[what])
    strategy.query(model, pool[:WARM_UP], protocol.NUM_QUERIES)
    memory = processes.Memory()
    for size in sizes:
        query = functools.partial(
            strategy.query, model, pool[:size], protocol.NUM_QUERIES
        )
        peak, seconds = stopwatch.clock(functools.partial(memory.peak, query))
        rows.append(
            {"what": what, "size": size, "seconds": seconds, "memory (MB)": peak}
        )
    return rows
