"""The robust k-center search: bisection over the radius, by integer programs."""

import functools
import time
from collections.abc import Callable

import numpy as np

from dfal_keras.kcenter import farthest_first, integer_programs
from dfal_keras.kcenter.result import KCenterResult

_MAX_DISTANCES = 2**25  # kept by one search: 256 MB; more, and the proof is given up
_NEW_ROWS = 10  # points that join the compact program when its answer falls short


def bisect(
    features,
    selected,
    num_centers: int,
    max_outliers: int,
    formulation: str,
    solver: str,
    time_limit: float,
) -> KCenterResult:
    """Search as `robust` says; the arguments are checked, `max_outliers` an int.

    "compact" asks the question of few points at first and adds some of those that the
    answer leaves uncovered, until none is (Chen & Chen, 2009): what is infeasible for
    some points is so for all, and a large pool needs a few hundred of its rows only.

    Half the greedy radius bounds the optimum only without outliers. In general the
    search starts at half the radius of greedy with b + Xi centers: the traversal has
    then met b + Xi + 1 points none of which is closer than that to another or to s0.
    Leave out any Xi of them, and either one center serves two others or s0 serves one.

    The best centers are no hint to the solver: at a smaller radius they are infeasible
    by construction, and hints made no measurable difference.
    """
    deadline = time.monotonic() + time_limit
    # From here on a point is its position in `free`, among those not selected.
    all_points = np.asarray(features, "float64")
    free = np.setdiff1d(np.arange(len(all_points)), selected)
    points = all_points[free]
    reach = farthest_first.cover(points, all_points[selected])
    best, best_reach = farthest_first.farthest_first(points, num_centers, reach)
    spread, rest = farthest_first.farthest_first(points, max_outliers, best_reach)
    upper = farthest_first.radius_of(best_reach, max_outliers)
    lower = min(upper, farthest_first.half(farthest_first.radius_of(rest)))

    options: dict = {
        "num_centers": num_centers,
        "max_outliers": max_outliers,
        "solver": solver,
        "deadline": deadline,
    }
    if formulation == "compact":
        rows = np.unique([*best, *spread, rest.argmax()])
        ask: Callable = functools.partial(integer_programs.solve_compact, **options)
    else:
        rows = np.arange(len(free))
        pairs = farthest_first.distances_to(all_points, all_points)
        ask = functools.partial(_ask_literally, pairs, selected, free, **options)
    distances = farthest_first.distances_to(points, points[rows])

    while (
        lower < upper
        and distances.size <= _MAX_DISTANCES
        and time.monotonic() < deadline
    ):
        # Below `upper` even where the mean of two neighboring floats rounds up to it.
        delta = min((lower + upper) / 2, np.nextafter(upper, 0))
        open_rows = reach[rows] > delta
        try:
            chosen = ask(distances[open_rows], delta)
        except TimeoutError:
            break
        if chosen is None:
            next_pair = distances.min(where=distances > delta, initial=upper)
            lower = reach[rows].min(where=open_rows, initial=next_pair)
            continue
        centers, after = farthest_first.complete(points, chosen, num_centers, reach)
        radius = farthest_first.radius_of(after, max_outliers)
        if radius < upper:
            upper, best, best_reach = radius, centers, after
        if radius > delta:
            farthest = np.argsort(-after, kind="stable")[: max_outliers + _NEW_ROWS]
            new = np.setdiff1d(farthest[after[farthest] > delta], rows)
            rows = np.append(rows, new)
            distances = np.vstack(
                [distances, farthest_first.distances_to(points, points[new])]
            )

    outliers = free[best_reach > upper]
    return KCenterResult(
        np.sort(free[best]), float(upper), float(lower), bool(lower == upper), outliers
    )


def _ask_literally(pairs, selected, free, distances, delta, **options):
    """Asks Eq. 6, which is about all points: those selected or covered count too."""
    chosen = integer_programs.solve_literal(pairs <= delta, selected, **options)
    return None if chosen is None else np.searchsorted(free, chosen)
