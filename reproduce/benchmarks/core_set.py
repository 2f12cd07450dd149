"""A CORE-SET query by each form of its program, as for Table 3."""

from collections.abc import Iterator

from benchmarks import networks, query_times
from benchmarks.workload import Workload

NUM_LABELED = 100
LITERAL_SIZES = (150, 180, 210, 240, 280)
TIME_LIMIT = 120.0


def core_set(workload: Workload) -> Iterator[dict]:
    """Time DFAL and the forms of CORE-SET, the literal one by extrapolation.

    Yields:
        Dicts of the method, its seconds, the radius and the result.
    """
    x, y, pool = networks.digits()
    model = networks.trained("LeNet5", x, y, NUM_LABELED)
    labeled = networks.scaled(x[:NUM_LABELED])
    settings = query_times.Settings(workload.repeats, LITERAL_SIZES, TIME_LIMIT)
    timed = query_times.measure(model, pool, labeled, settings)
    table, _ = query_times.lay_out(timed, NUM_LABELED, len(pool))
    yield from table[["method", "ours (s)", "radius", "result"]].to_dict("records")
