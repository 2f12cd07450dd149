"""Seconds of a query by DFAL and by each form of CORE-SET's program, for Table 3."""

import dataclasses
import functools
import math
import resource
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tqdm
from experiments import paper, protocol

import dfal_keras as dfal
from benchmarks import power_law

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

PRINTED = {(100, 800): paper.TABLE3, (1000, 800): paper.TABLE3_AAAI}  # by |L|, |U|
NONE, SOME = 0.0, 0.01  # shares of n that may be outliers
PROGRAMS = {  # by the paper's name: the key of its cell, the share of outliers
    "no regularisation": ("core_set_no_regularisation", NONE),
    "with regularisation": ("core_set_with_regularisation", 1e-4),
    "with Xi = n / 100": ("", SOME),
}
FORMS: dict[
    str, dict[str, Any]
] = {  # the constructor's arguments of each form of CORE-SET
    "greedy": {"method": "greedy"},
    "compact": {"formulation": "compact"},
    "literal": {"formulation": "literal"},
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """How queries are timed.

    Attributes:
        repeats: Timed queries at full size, after one that is not counted.
        literal_sizes: Sizes n at which the literal program is timed once.
        time_limit: Seconds allowed for each search.
    """

    repeats: int
    literal_sizes: tuple[int, ...]
    time_limit: float


def measure(
    model: "keras.Model", pool: np.ndarray, labeled: np.ndarray, settings: Settings
) -> pd.DataFrame:
    """Time queries by each method.

    All are timed at full size, except the literal program, which is too large. It is
    timed at `settings.literal_sizes`, beside the compact one.

    Args:
        model: The trained classifier.
        pool: Unlabeled images, shape (num_unlabeled, height, width, channels).
        labeled: Labeled images, of the same shape.
        settings: How to time.

    Returns:
        A row for each method and size.
    """
    full = len(pool) + len(labeled)
    cases = [("DFAL", NONE, full), ("greedy", NONE, full)]
    cases += [("compact", share, full) for _, share in PROGRAMS.values()]
    cases += [
        (form, share, n)
        for share in (NONE, SOME)
        for n in settings.literal_sizes
        for form in ("literal", "compact")
    ]
    rows, too_large = [], set()
    for form, share, n in tqdm.tqdm(cases, f"{len(labeled)} labeled", unit="row"):
        if n < full and share in too_large:
            continue
        num_labeled = share_out(n, len(labeled), len(pool))
        select = functools.partial(
            query_function(form, share, settings.time_limit),
            model,
            pool[: n - num_labeled],
            protocol.NUM_QUERIES,
            x_labeled=labeled[:num_labeled],
        )
        # The first query at full size traces graphs and is not counted. At smaller
        # sizes the graphs exist already.
        num_times = 1 if n < full else 1 + settings.repeats
        before = children_seconds()
        times, answer = clock(select, num_times)
        # A solver's process ends with its strategy, and counts from then on.
        del select
        cpu_seconds = (children_seconds() - before) / num_times
        row = {
            "form": form,
            "n": n,
            "labeled": num_labeled,
            "Xi": int(share * n),
            "share": share,
            "seconds": statistics.median(times[1:] or times),
            "cpu_seconds": cpu_seconds,
        }
        if form in ("compact", "literal"):
            row |= {"radius": answer.radius, "result": "optimal"}
            if not answer.proven:
                gap = 1 - answer.lower_bound / answer.radius
                row["result"] = f"gap {gap:.1%} after {settings.time_limit:g} s"
                too_large |= {share} if form == "literal" else set()
        rows.append(row)
    return pd.DataFrame(rows).round({"seconds": 4, "cpu_seconds": 4, "radius": 6})


def query_function(form: str, share: float, time_limit: float) -> Callable:
    """Return the function that selects queries: `DFAL.query` or `CoreSet.cover`.

    Args:
        form: "DFAL" or a key of `FORMS`.
        share: Share of n that may be outliers.
        time_limit: Seconds allowed for a search.
    """
    if form == "DFAL":
        return dfal.strategies.DFAL().query
    return dfal.strategies.CoreSet(
        outlier_share=share, time_limit=time_limit, **FORMS[form]
    ).cover


def clock(run: Callable[[], Any], num_times: int) -> tuple[list[float], Any]:
    """Call a function several times; return the seconds of each and the last result."""
    times = []
    for _ in range(num_times):
        started = time.perf_counter()
        answer = run()
        times.append(time.perf_counter() - started)
    return times, answer


def children_seconds() -> float:
    """Return the CPU time, user and system, of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lay_out(
    timed: pd.DataFrame,
    num_labeled: int,
    num_unlabeled: int,
    *,
    with_paper: bool = True,
) -> tuple[pd.DataFrame, list[str]]:
    """Return Table 3 for one number of labeled samples.

    Args:
        timed: The rows of `measure`.
        num_labeled: |L|.
        num_unlabeled: |U|.
        with_paper: Whether the paper's seconds are of this problem. Defaults to `True`.

    Returns:
        The table, and lines that describe the extrapolation of the literal program.
    """
    printed = PRINTED.get((num_labeled, num_unlabeled), {}) if with_paper else {}
    n = num_labeled + num_unlabeled
    whole = timed[timed["n"] == n].groupby(["form", "share"]).first()
    dfal_seconds = whole.loc[("DFAL", NONE), "seconds"]
    greedy_seconds = whole.loc[("greedy", NONE), "seconds"]
    rows, lines = [], []

    def add(method, cell, seconds, radius="", result="", *, show=exact):
        rows.append(
            {
                "labeled": num_labeled,
                "method": method,
                "paper (s)": str(printed.get(cell, "")),
                "ours (s)": show(seconds),
                "ours / DFAL": show(seconds / dfal_seconds),
                "radius": radius,
                "result": result,
            }
        )

    add("DFAL", "dfal", dfal_seconds)
    add("CORE-SET greedy", "", greedy_seconds, result="at most twice optimal")
    for name, (cell, share) in PROGRAMS.items():
        row = whole.loc[("compact", share)]
        radius = f"{row['radius']:.4f}"
        method = f"CORE-SET compact, {name}"
        add(method, cell, row["seconds"], radius, row["result"])
    for name, (cell, share) in PROGRAMS.items():
        # Without outliers below n = 10,000, both regularisations are one program.
        timed_share = SOME if share == SOME else NONE
        solved = timed[
            (timed["form"] == "literal")
            & (timed["share"] == timed_share)
            & (timed["result"] == "optimal")
        ]
        found = power_law.extrapolate(
            solved["n"].to_numpy(), solved["cpu_seconds"].to_numpy(), n
        )
        method = f"CORE-SET literal, {name}"
        add(method, cell, found.seconds, result=found.source, show=about)
        if share == timed_share:
            lines.append(f"Literal, {name}, {num_labeled} labeled: {found.summary}")
    return pd.DataFrame(rows), lines


def share_out(n: int, num_labeled: int, num_unlabeled: int) -> int:
    """Return how many of n samples are labeled, in the proportion of the full size."""
    return round(n * num_labeled / (num_labeled + num_unlabeled))


def exact(number: float) -> str:
    """Format a measured number."""
    return f"{number:.2f}"


def about(number: float) -> str:
    """Format an extrapolated number, "" if it is nan."""
    return "" if math.isnan(number) else f"about {power_law.rough(number)}"
