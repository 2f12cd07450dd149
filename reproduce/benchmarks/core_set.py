"""CORE-SET's forms, as for Table 3."""

import argparse

import dfal_keras as dfal
from benchmarks import networks, query_times

NUM_LABELED = 100


def core_set(options):
    """Time greedy, compact and literal, the last by extrapolation; yield rows."""
    x, y, pool = networks.digits()
    more = {"literal_sizes": [150, 200, 240, 280], "time_limit": 120.0}
    options = argparse.Namespace(**vars(options), **more)
    model = networks.trained("LeNet5", x, y, NUM_LABELED)
    known = networks.scaled(x[:NUM_LABELED])
    timed = query_times.measure(dfal.strategies, model, pool, known, options)
    table, _ = query_times.lay_out(timed, NUM_LABELED, len(pool))
    yield from table[["method", "ours (s)", "radius", "result"]].to_dict("records")
