"""The two k-center searches, greedy and robust, and what they check."""

import logging
import numbers

import numpy as np

from dfal_keras.kcenter import (
    farthest_first,
    integer_programs,
    radius_search,
    solver_process,
)
from dfal_keras.kcenter.result import KCenterResult

_logger = logging.getLogger(__name__)
_GRACE = 30  # seconds for a process to start, to run greedy and to wind up


def greedy(features, selected, num_centers: int) -> KCenterResult:
    """Farthest-first traversal: each new center is the point farthest from all others.

        s_{k+1} = argmax_i  min_{j in s_0, ..., s_k}  ||x_i - x_j||

    Its radius is at most twice the optimum (Gonzalez, 1985). Ties go to the lowest
    index. If `selected` is empty, the first center is the point closest to the mean.

    Args:
        features: float array (n, d).
        selected: int array (m,), distinct indices of the centers already there.
        num_centers: how many new centers to choose, at most n - m.

    Returns:
        A `KCenterResult`, its `centers` in order of choice.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> greedy([[0.0], [1.0], [5.0], [9.0]], selected=[0], num_centers=2).centers
        array([3, 2])
    """
    points, selected, free = _check_points(features, selected, num_centers)
    reach = farthest_first.cover(points[free], points[selected])
    centers, reach = farthest_first.farthest_first(points[free], num_centers, reach)
    radius = farthest_first.radius_of(reach)
    return KCenterResult(
        free[centers],
        radius,
        farthest_first.half(radius),
        radius == 0,
        outliers=free[:0],
    )


def robust(
    features,
    selected,
    num_centers: int,
    *,
    max_outliers: float = 0,
    formulation: str = "compact",
    solver: str = "scip",
    time_limit: float = 60.0,
) -> KCenterResult:
    """Robust k-center: the smallest radius that leaves out at most Xi points.

        min_{|s| = b}  max_{i not in O}  min_{j in s0 + s} ||x_i - x_j||,   |O| <= Xi

    Sener & Savarese (2018), Algorithm 1: bisection over the radius, each step a
    feasibility program (their Eq. 6), from the greedy solution down. A feasible step
    lowers the upper bound to the radius its centers really have; an infeasible one
    raises the lower bound to the next distance that occurs. When the two meet, the
    radius is optimal. The best centers found are kept throughout, so running out of
    time costs the proof, never the answer.

    "compact" is a covering program over few of the points at a time; "literal" is Eq. 6
    as printed, with n + 2 n^2 binaries. Both find the same radius; see `bisection` and
    `programs`. The search runs in a process of its own, which costs a quarter of a
    second: see `alone`.

    Args:
        features: float array (n, d).
        selected: int array (m,), distinct indices of the centers s0 already there.
        num_centers: b, how many new centers to choose, at most n - m.
        max_outliers: Xi, at least 0; a fraction of a point counts for nothing.
        formulation: "compact" or "literal".
        solver: "scip", "highs" or "cp_sat". All gave the same radii when measured, but
            CP-SAT may take a hundred times as long when outliers are allowed.
        time_limit: seconds for the whole search. Greedy always runs to its end.

    Returns:
        A `KCenterResult`, its `centers` in ascending order.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> line = [[0.0], [1.0], [2.0], [10.0]]
        >>> result = robust(line, selected=[], num_centers=1, max_outliers=1)
        >>> result.centers, result.radius, result.outliers
        (array([1]), 1.0, array([3]))
    """
    points, selected, _ = _check_points(features, selected, num_centers)
    num_outliers = _check_options(max_outliers, formulation, solver, time_limit)
    arguments = {
        "features": points,
        "selected": selected,
        "num_centers": num_centers,
        "max_outliers": num_outliers,
        "formulation": formulation,
        "solver": solver,
    }
    try:
        timeout = time_limit + _GRACE
        found = solver_process.run(
            {**arguments, "time_limit": time_limit}, timeout=timeout
        )
    except TimeoutError:
        _logger.warning("%s did not stop in time: its centers are greedy's", solver)
        return radius_search.bisect(**arguments, time_limit=0)
    return KCenterResult(
        found["centers"],
        float(found["radius"]),
        float(found["lower_bound"]),
        bool(found["proven"]),
        found["outliers"],
    )


def _check_points(features, selected, num_centers):
    """Returns float64 points, int indices of the selected and of the other points."""
    points = np.asarray(features)
    if points.ndim != 2 or points.size == 0 or points.dtype.kind not in "fiub":
        raise ValueError(
            "Argument `features` must be a non-empty numeric array of shape (n, d). "
            f"Received: shape {points.shape}, dtype {points.dtype}"
        )
    points = points.astype("float64")
    if not np.isfinite(points).all():
        bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
        raise ValueError(
            "Argument `features` must be finite. "
            f"Received: NaN or infinity in {len(bad)} rows, the first is {bad[0]}"
        )
    n = len(points)
    selected = np.asarray(selected)
    if selected.size == 0:
        selected = selected.astype(int)
    if (
        selected.ndim != 1
        or selected.dtype.kind not in "iu"
        or len(np.unique(selected)) < len(selected)
        or np.any((selected < 0) | (selected >= n))
    ):
        raise ValueError(
            f"Argument `selected` must be distinct indices from 0 to {n - 1}. "
            f"Received: {selected!r}"
        )
    free = np.setdiff1d(np.arange(n), selected)
    is_whole = isinstance(num_centers, numbers.Integral)
    if (
        not is_whole
        or isinstance(num_centers, bool)
        or not 1 <= num_centers <= len(free)
    ):
        raise ValueError(
            "Argument `num_centers` must be an integer from 1 to the number of points "
            f"not selected, {len(free)}. Received: {num_centers!r}"
        )
    return points, selected, free


def _check_options(max_outliers, formulation, solver, time_limit):
    """Returns how many whole points may be left out."""
    if not (isinstance(max_outliers, numbers.Real) and 0 <= max_outliers < np.inf):
        raise ValueError(
            "Argument `max_outliers` must be a finite number, at least 0. "
            f"Received: {max_outliers!r}"
        )
    if formulation not in ("compact", "literal"):
        raise ValueError(
            "Argument `formulation` must be 'compact' or 'literal'. "
            f"Received: {formulation!r}"
        )
    if solver not in sorted(integer_programs.SOLVERS):
        raise ValueError(
            f"Argument `solver` must be one of {sorted(integer_programs.SOLVERS)}. "
            f"Received: {solver!r}"
        )
    if not (isinstance(time_limit, numbers.Real) and 0 < time_limit < np.inf):
        raise ValueError(
            "Argument `time_limit` must be a finite number of seconds above 0. "
            f"Received: {time_limit!r}"
        )
    return int(max_outliers)
