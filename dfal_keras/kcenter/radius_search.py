"""Bisection over the radius of the robust k-center, with integer programs."""

import functools
import time
from collections.abc import Callable

import numpy as np

from dfal_keras.kcenter import farthest_first, integer_programs
from dfal_keras.kcenter.result import KCenterResult

FORMULATIONS = ("compact", "literal")

_MAX_DISTANCES = 2**25  # kept in one search, 256 MB; the search stops beyond
_NUM_NEW_ROWS = 10  # points added to the compact program at a time


def bisect(
    features,
    selected,
    num_centers: int,
    max_outliers: int,
    formulation: str,
    solver: str,
    time_limit: float,
) -> KCenterResult:
    """Search for the smallest radius; see `kcenter.robust`.

    The compact formulation starts with few of the points and adds some of those that
    its solution leaves uncovered, until it covers all (Chen & Chen, 2009). If the
    program is infeasible for some points, it is infeasible for all. A large pool needs
    a few hundred of its points.

    Half the greedy radius is a lower bound only without outliers. In general the
    search starts at half the radius R of greedy with b + Xi centers. These and the
    next farthest point are at least R apart from each other and from s0. For any choice
    of Xi outliers among them, a new center covers two of the others or a center of s0
    covers one, so the optimum is at least R / 2.

    Memory: the features once, and at most `_MAX_DISTANCES` distances. If the first
    program needs more, the result is the greedy solution.

    The solver gets no hints: the best centers are infeasible at a smaller radius, and
    hints made no measurable difference.

    Args:
        features: Finite numeric array of shape `(num_points, num_features)`.
        selected: Int array, distinct rows of `features`.
        num_centers: b.
        max_outliers: Xi.
        formulation: One of `FORMULATIONS`.
        solver: A key of `integer_programs.SOLVERS`.
        time_limit: In seconds; with 0, the result is the greedy solution.
    """
    deadline = time.monotonic() + time_limit
    # From here on, a point is given by its position in `free`.
    free = np.setdiff1d(np.arange(len(features)), selected)
    points = farthest_first.take(features, free)
    nearest = farthest_first.nearest_distances(
        points, farthest_first.take(features, selected)
    )
    best, best_nearest = farthest_first.traverse(points, num_centers, nearest)
    upper = farthest_first.covering_radius(best_nearest, max_outliers)
    if formulation == "compact":
        num_rows = min(num_centers + max_outliers + 1, len(free))
    else:
        num_rows = len(features)
    if num_rows * len(features) > _MAX_DISTANCES:
        lower = 0.0 if max_outliers else farthest_first.lower_bound(upper)
        return _result(free, best, best_nearest, upper, lower)

    spread, rest = farthest_first.traverse(points, max_outliers, best_nearest)
    lower = farthest_first.lower_bound(farthest_first.covering_radius(rest))
    lower = min(upper, lower)
    options: dict = {
        "num_centers": num_centers,
        "max_outliers": max_outliers,
        "solver": solver,
        "deadline": deadline,
    }
    if formulation == "compact":
        rows = np.unique([*best, *spread, rest.argmax()])
        solve: Callable = functools.partial(_solve_compact, **options)
    else:
        rows = np.arange(len(free))
        pairs = farthest_first.pairwise_distances(features, features)
        solve = functools.partial(_solve_literal, pairs, selected, free, **options)
    # From `rows` to all points. In blocks of rows: appending would copy them.
    distances = [farthest_first.pairwise_distances(points[rows], points)]

    while (
        lower < upper
        and len(rows) * len(points) <= _MAX_DISTANCES
        and time.monotonic() < deadline
    ):
        # The mean of two neighboring floats may round up to `upper`.
        delta = min((lower + upper) / 2, np.nextafter(upper, 0))
        uncovered = nearest[rows] > delta
        try:
            chosen = solve(distances, delta, uncovered)
        except TimeoutError:
            break
        if chosen is None:
            next_pair = min(
                block.min(where=block > delta, initial=upper) for block in distances
            )
            lower = nearest[rows].min(where=uncovered, initial=next_pair)
            continue
        centers, new_nearest = farthest_first.add_farthest(
            points, chosen, num_centers, nearest
        )
        radius = farthest_first.covering_radius(new_nearest, max_outliers)
        if radius < upper:
            upper, best, best_nearest = radius, centers, new_nearest
        if radius > delta:
            farthest = np.argsort(-new_nearest, kind="stable")
            farthest = farthest[: max_outliers + _NUM_NEW_ROWS]
            new = np.setdiff1d(farthest[new_nearest[farthest] > delta], rows)
            rows = np.append(rows, new)
            if len(rows) * len(points) <= _MAX_DISTANCES:
                block = farthest_first.pairwise_distances(points[new], points)
                distances.append(block)

    return _result(free, best, best_nearest, upper, lower)


def _result(free, best, nearest, upper, lower):
    return KCenterResult(
        np.sort(free[best]),
        float(upper),
        float(lower),
        bool(lower == upper),
        outliers=free[nearest > upper],
    )


def _solve_compact(distances, delta, uncovered, **options):
    """Solve the covering program for the rows of `distances` that are uncovered."""
    near = np.concatenate([block <= delta for block in distances])[uncovered]
    return integer_programs.solve_compact(near, **options)


def _solve_literal(pairs, selected, free, distances, delta, uncovered, **options):
    """Solve Eq. 6, which includes the points that are selected or covered already."""
    chosen = integer_programs.solve_literal(pairs <= delta, selected, **options)
    return None if chosen is None else np.searchsorted(free, chosen)
