"""Scoring a whole pool by entropy, in images per second."""

from collections.abc import Iterator

import numpy as np
from experiments import protocol

import dfal_keras as dfal
from benchmarks import networks, stopwatch
from benchmarks.workload import Workload


def scoring(workload: Workload) -> Iterator[dict]:
    """Time an uncertainty query over a uint8 pool, ours and by `model.predict`.

    Yields:
        Rows of `stopwatch.race`, with the images per second.
    """
    pool, y, _ = networks.digits()
    model = networks.trained("LeNet5", pool, y, 500)
    for_bytes = dfal.models.LeNet5((28, 28, 1), 10)  # includes the scaling of pixels
    for_bytes.set_weights(model.get_weights())

    def by_predict():
        p = model.predict(networks.scaled(pool), batch_size=1024, verbose=0)
        entropies = -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)
        return np.argsort(-entropies, kind="stable")[: protocol.NUM_QUERIES]

    def ours():
        strategy = dfal.strategies.Uncertainty()
        return strategy.query(for_bytes, pool, protocol.NUM_QUERIES).indices

    for row in stopwatch.race(
        f"LeNet5, {len(pool)} digits",
        {"ours": ours, "model.predict": by_predict},
        workload.repeats,
        lambda ours, theirs: f"{len(set(ours) & set(theirs))} of {len(ours)} the same",
    ):
        yield row | {"images a second": len(pool) / row["seconds"]}
