"""Timing contenders side by side: in alternation, warm, by medians."""

import statistics
import time


def race(case: str, contenders: dict, repeats: int, agreement=None, limit=60.0):
    """Time some ways to the same answer; yield a row for each, the first one ours.

    Args:
        case: What is raced over.
        contenders: Functions without arguments, by name.
        repeats: How often each runs, in turns, after once that is not counted: it
            traces graphs and fills caches.
        agreement: Function of ours and another's answer that says in words how far
            they agree.
        limit: Seconds for all runs of a contender; if its first shows that they would
            take longer, that one is its time.

    Yields:
        Dicts of the case, the contender, its median seconds, the number of runs, how
        many times ours that is, and the agreement.
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
        is_other = name != ours
        yield {
            "case": case,
            "contender": name,
            "seconds": medians[name],
            "runs": len(seconds[name]),
            "times ours": medians[name] / medians[ours],
            "agreement": agreement(answers[ours], answers[name])
            if agreement and is_other
            else "",
        }


def clock(run) -> tuple:
    """Return what a function returns, and the seconds it took."""
    started = time.perf_counter()
    answer = run()
    return answer, time.perf_counter() - started
