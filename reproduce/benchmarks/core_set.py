"""A CORE-SET query by each form of its program that Table 3 has measured."""

from collections.abc import Iterator

from benchmarks import networks, query_times
from benchmarks.workload import Workload

NUM_LABELED = 100
TIME_LIMIT = 120.0


def core_set(workload: Workload) -> Iterator[dict]:
    """Time DFAL and the forms of CORE-SET, without the literal one: see Table 3.

    Yields:
        Dicts of the method, its seconds, the radius and the result.
    """
    x, _, pool = networks.digits()
    model = networks.trained("LeNet5", NUM_LABELED)
    labeled = networks.scaled(x[:NUM_LABELED])
    settings = query_times.Settings(workload.repeats, (), TIME_LIMIT)
    timed = query_times.measure(model, pool, labeled, settings)
    table, _ = query_times.lay_out(timed, NUM_LABELED, len(pool))
    table = table[~table["method"].str.contains("literal")]
    yield from table[["method", "ours (s)", "radius", "result"]].to_dict("records")
