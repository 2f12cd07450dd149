"""Scoring a whole pool: images a second by entropy."""

import numpy as np
from experiments import protocol

import dfal_keras as dfal
from benchmarks import networks, stopwatch


def scoring(options):
    """Race our uncertainty query over a pool of uint8 against `model.predict`."""
    pool, y, _ = networks.digits()
    model = networks.trained("LeNet5", pool, y, 500)
    raw = dfal.models.LeNet5((28, 28, 1), 10)  # takes the pool as it is
    raw.set_weights(model.get_weights())

    def by_predict():
        """As one would write it: the pool in float, as a whole."""
        p = model.predict(networks.scaled(pool), batch_size=1024, verbose=0)
        entropies = -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)
        return np.argsort(-entropies, kind="stable")[: protocol.NUM_QUERIES]

    def ours():
        strategy = dfal.strategies.Uncertainty()
        return strategy.query(raw, pool, protocol.NUM_QUERIES).indices

    for row in stopwatch.race(
        f"LeNet5, {len(pool)} digits",
        {"ours": ours, "model.predict": by_predict},
        options.repeats,
        lambda ours, theirs: f"{len(set(ours) & set(theirs))} of {len(ours)} the same",
    ):
        yield row | {"images a second": len(pool) / row["seconds"]}
