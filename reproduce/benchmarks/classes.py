"""DFAL with many classes and large images: seconds and memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from experiments import protocol

import dfal_keras as dfal
from benchmarks import processes, stopwatch
from benchmarks.workload import Workload

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras


def classes(workload: Workload) -> Iterator[dict]:
    """Time DFAL on untrained networks and random images, each in a new process.

    Yields:
        Dicts of the case, seconds and memory, measured on one thread.
    """
    for case in workload.classes:
        yield processes.call(measure, *case, workload.num_attacked, num_threads=1)


def measure(
    network: str, shape: tuple[int, ...], num_classes: int, num_candidates: int
) -> dict:
    """Trace DeepFool's step for a network, then query.

    Args:
        network: Name of a builder in `dfal_keras.models` or `keras.applications`.
        shape: Shape of an image.
        num_classes: Number of classes.
        num_candidates: Number of images to query from.

    Returns:
        The case; the seconds of the trace, which are those of a first call less those
        of a second; the seconds of the query; how many of the queries have adversarial
        examples; and the peak resident memory of the process.
    """
    model = build(network, shape, num_classes)
    rng = np.random.default_rng(0)
    candidates = rng.uniform(size=(num_candidates, *shape)).astype(np.float32)

    def step():
        dfal.deepfool(model, candidates[:1], max_steps=1)

    (_, first), (_, second) = stopwatch.clock(step), stopwatch.clock(step)
    strategy = dfal.strategies.DFAL()
    query, seconds = stopwatch.clock(
        lambda: strategy.query(model, candidates, protocol.NUM_QUERIES, rng=rng)
    )
    size = "x".join(map(str, shape[:2]))
    return {
        "case": f"{network}, {size}, {num_classes} classes",
        "trace (s)": first - second,
        f"{protocol.NUM_QUERIES} of {num_candidates} (s)": seconds,
        "fooled": int(np.isfinite(query.scores).sum()),
        "memory (MB)": processes.peak_resident(),
    }


def build(network: str, shape: tuple[int, ...], num_classes: int) -> "keras.Model":
    """Return an untrained network with seeded weights for pixels in [0, 1]."""
    import keras

    keras.utils.set_random_seed(0)
    if hasattr(dfal.models, network):
        builder = getattr(dfal.models, network)
        return builder(shape, num_classes, include_preprocessing=False)
    builder = getattr(keras.applications, network)
    return builder(input_shape=shape, weights=None, classes=num_classes)
