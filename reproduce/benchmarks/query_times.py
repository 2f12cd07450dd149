"""Timing queries: DFAL's and CORE-SET's, and the literal program by extrapolation."""

import logging
import resource
import statistics
import time

import numpy as np
import pandas as pd
import tqdm
from experiments import paper, protocol
from scipy import stats

PRINTED = {(100, 800): paper.TABLE3, (1000, 800): paper.TABLE3_AAAI}  # by |L|, |U|
PLAIN, SOME = 0.0, 0.01  # shares of n that may be outliers: none, and enough for a few
PROGRAMS = {  # what the paper calls it: its cell, that share
    "no regularisation": ("core_set_no_regularisation", PLAIN),
    "with regularisation": ("core_set_with_regularisation", 1e-4),
    "with Xi = n / 100": (None, SOME),
}


class Covers(logging.Handler):
    """Keeps the last cover that CORE-SET found: it logs it, a `Query` has no place."""

    last = None

    def emit(self, record):
        """See `logging.Handler`."""
        if record.levelno == logging.INFO:
            self.last = record.args[0]


COVERS = Covers()

# When the literal program's seconds are extrapolated, and when they are not.
MIN_SIZES = 5
MIN_POWER = 1.5  # it has some 2 n^2 binaries: less is not the program's own growth
MIN_FIT = 0.9  # R^2 of the power law through the logarithms


def measure(strategies, model, pool, labeled, options) -> pd.DataFrame:
    """Time queries at full size, except of the literal program, which is too large."""
    logger = logging.getLogger("dfal_keras.strategies.core_set")
    logger.addHandler(COVERS)
    logger.setLevel(logging.INFO)
    full = len(pool) + len(labeled)
    cases = [("DFAL", PLAIN, full), ("greedy", PLAIN, full)]
    cases += [("compact", share, full) for _, share in PROGRAMS.values()]
    cases += [
        (form, share, n)
        for share in (PLAIN, SOME)
        for n in options.literal_sizes
        for form in ("literal", "compact")
    ]
    rows, too_large = [], set()
    for case in tqdm.tqdm(cases, desc=f"{len(labeled)} labeled", unit="row"):
        form, share, n = case
        if share in too_large and n < full:
            continue
        if form == "DFAL":
            strategy = strategies.DFAL(num_candidates=len(pool))
        else:
            strategy = strategies.CoreSet(
                num_candidates=len(pool),
                method="greedy" if form == "greedy" else "robust",
                formulation="literal" if form == "literal" else "compact",
                outlier_share=share,
                time_limit=options.time_limit,
            )
        num_labeled = share_out(n, len(labeled), len(pool))
        images, known = pool[: n - num_labeled], labeled[:num_labeled]
        seconds, COVERS.last, spent = [], None, children_seconds()
        # The first query of a strategy traces its graphs. The literal program takes
        # long, and compact has traced the same ones.
        for _ in range(1 if n < full else 1 + options.repeats):
            started = time.perf_counter()
            strategy.query(model, images, protocol.NUM_QUERIES, x_labeled=known)
            seconds.append(time.perf_counter() - started)
        row = {"form": form, "n": n, "labeled": num_labeled, "Xi": int(share * n)}
        row |= {"share": share, "seconds": statistics.median(seconds[1:] or seconds)}
        # Of the solver's process: other work on the machine does not count.
        row["cpu_seconds"] = (children_seconds() - spent) / len(seconds)
        if COVERS.last:
            row |= {"radius": COVERS.last.radius, "result": "optimal"}
            if not COVERS.last.proven:
                gap = 1 - COVERS.last.lower_bound / COVERS.last.radius
                row["result"] = f"gap {gap:.1%} after {options.time_limit:g} s"
                too_large |= {share} if form == "literal" else set()
        rows.append(row)
    return pd.DataFrame(rows).round({"seconds": 4, "cpu_seconds": 4, "radius": 6})


def lay_out(timed: pd.DataFrame, num_labeled: int, num_unlabeled: int) -> tuple:
    """Return the table for one number of labeled samples, and lines on the literal."""
    printed = PRINTED.get((num_labeled, num_unlabeled), {})
    n = num_labeled + num_unlabeled
    whole = timed[timed["n"] == n].groupby(["form", "share"]).first()
    one = whole.loc["DFAL", PLAIN]["seconds"]
    rows, lines = [], []

    def add(method, cell, seconds, show, radius="", result=""):
        rows.append(
            {
                "labeled": num_labeled,
                "method": method,
                "paper (s)": str(printed.get(cell, "")),
                "ours (s)": show(seconds),
                "ours / DFAL": show(seconds / one),
                "radius": radius,
                "result": result,
            }
        )

    add("DFAL", "dfal", one, exact)
    greedy = whole.loc["greedy", PLAIN]
    add("CORE-SET greedy", "", greedy["seconds"], exact, "", "at most twice optimal")
    for name, (cell, share) in PROGRAMS.items():
        row = whole.loc["compact", share]
        radius = f"{row['radius']:.4f}"
        method = f"CORE-SET compact, {name}"
        add(method, cell, row["seconds"], exact, radius, row["result"])
    for name, (cell, share) in PROGRAMS.items():
        same = SOME if share == SOME else PLAIN
        smaller = timed[(timed["form"] == "literal") & (timed["share"] == same)]
        seconds, result, line = extend(smaller[smaller["result"] == "optimal"], n)
        add(f"CORE-SET literal, {name}", cell, seconds, about, "", result)
        if share == same:
            lines.append(f"Literal, {name}, {num_labeled} labeled: {line}")
    return pd.DataFrame(rows), lines


def children_seconds() -> float:
    """Return the CPU time, user and system, of the processes that have ended here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def extend(solved: pd.DataFrame, n: int) -> tuple:
    """Return the seconds of the literal program at n, their source, and a sentence.

    Nothing is extrapolated from fewer than `MIN_SIZES` sizes, nor by a power law that
    is too flat or fits too poorly: the seconds are nan then, and the source says why.
    """
    if len(solved) < MIN_SIZES:
        result = f"not extrapolated: {len(solved)} sizes solved in time of {MIN_SIZES}"
        return np.nan, result, result
    sizes, times = solved["n"].to_numpy(), solved["cpu_seconds"].to_numpy()
    seconds, power, fit = extrapolate(sizes, times, n)
    names = ", ".join(map(str, sizes))
    line = (
        f"{', '.join(f'{value:.1f}' for value in times)} s of CPU time at n = {names}; "
        f"grows as n^{power:.1f} (R^2 = {fit:.2f})"
    )
    reasons = []
    if power < MIN_POWER:
        reasons.append(f"n^{power:.1f} is below n^{MIN_POWER}")
    if fit < MIN_FIT:
        reasons.append(f"the fit is poor, R^2 = {fit:.2f} below {MIN_FIT}")
    if reasons:
        result = f"not extrapolated: {' and '.join(reasons)}"
        return np.nan, result, f"{line}; {result}"
    left_out = [
        extrapolate(np.delete(sizes, i), np.delete(times, i), n)[0]
        for i in range(len(solved))
    ]
    span = f"{rough(min(left_out))} to {rough(max(left_out))} s"
    result = f"extrapolated from n = {names} as n^{power:.1f} ({span})"
    return seconds, result, f"{line}: about {rough(seconds)} s at n = {n}"


def extrapolate(sizes, seconds, size) -> tuple:
    """Return the seconds at `size` by a power law, its power, and R^2 of its fit.

    Args:
        sizes: int array (k,).
        seconds: float array (k,), above 0.
        size: The size to extrapolate to.
    """
    fitted = stats.linregress(np.log(sizes), np.log(seconds))
    seconds = np.exp(fitted.intercept) * size**fitted.slope
    return float(seconds), float(fitted.slope), float(fitted.rvalue**2)


def exact(number: float) -> str:
    """Write a measured number."""
    return f"{number:.2f}"


def about(number: float) -> str:
    """Write an extrapolated number as such, if there is one."""
    return "" if np.isnan(number) else f"about {rough(number)}"


def rough(number: float) -> str:
    """Write two digits of a number, never a power of ten."""
    return f"{float(f'{number:.2g}'):.12g}"


def share_out(n: int, num_labeled: int, num_unlabeled: int) -> int:
    """Return how many of n samples are labeled, in the same proportion."""
    return round(n * num_labeled / (num_labeled + num_unlabeled))
