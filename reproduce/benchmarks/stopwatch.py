"""Timing of contenders in alternation, by medians."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def race(
    case: str,
    contenders: Mapping[str, Callable[[], Any]],
    repeats: int,
    agreement: Callable[[Any, Any], str] | None = None,
    limit: float = 30.0,
) -> Iterator[dict]:
    """Time several ways to compute the same result.

    Args:
        case: Name of the case.
        contenders: Functions without arguments, by name. The first is ours.
        repeats: Number of timed runs of each, in alternation. One run of each before
            them traces graphs and fills caches and is not counted.
        agreement: Function of our result and another's that describes how far they
            agree. Defaults to `None`, no description.
        limit: Seconds for all runs of a contender. If its first run shows that they
            would take longer, that run is its time. Defaults to 30.

    Yields:
        Dicts of the case, the contender, its median seconds, the number of runs, the
        ratio to our seconds, and the agreement.
    """
    answers, seconds = {}, {}
    for name, run in contenders.items():
        answers[name], first = clock(run)
        seconds[name] = [first] if first > limit / repeats else []
    slow = {name for name, times in seconds.items() if times}
    for _ in range(repeats):
        for name, run in contenders.items():
            if name not in slow:
                seconds[name].append(clock(run)[1])
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = next(iter(contenders))
    for name in contenders:
        agreed = ""
        if agreement is not None and name != ours:
            agreed = agreement(answers[ours], answers[name])
        yield {
            "case": case,
            "contender": name,
            "seconds": medians[name],
            "runs": len(seconds[name]),
            "times ours": medians[name] / medians[ours],
            "agreement": agreed,
        }


def clock(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a function and the seconds it took."""
    started = time.perf_counter()
    answer = run()
    return answer, time.perf_counter() - started
