"""Greedy and robust k-center, and the validation of their arguments."""

import contextlib
import logging

import numpy as np

from dfal_keras import _validation
from dfal_keras.kcenter import (
    farthest_first,
    integer_programs,
    radius_search,
    solver_process,
)
from dfal_keras.kcenter.result import KCenterResult

_logger = logging.getLogger(__name__)
_GRACE = 30  # seconds for the process to start, to run greedy and to finish


def greedy(features, selected, num_centers: int) -> KCenterResult:
    """Farthest-first traversal: each new center is the point farthest from all others.

        s_{k+1} = argmax_i  min_{j in s_0, ..., s_k}  ||x_i - x_j||

    Its radius is at most twice the optimum (Gonzalez, 1985). Ties go to the lowest
    row. If `selected` is empty, the first center is the point closest to the mean.

    Args:
        features: Float array of shape `(num_points, num_features)`.
        selected: Int array of shape `(num_selected,)`, distinct rows of `features`,
            the centers s_0 that are selected already.
        num_centers: Number of new centers to choose, at most
            `num_points - num_selected`.

    Returns:
        A `KCenterResult` with `centers` in the order of choice.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> points = [[0.0], [1.0], [5.0], [9.0]]
        >>> dfal.kcenter.greedy(points, selected=[0], num_centers=2).centers
        array([3, 2])
    """
    points, selected, free = _check_points(features, selected, num_centers)
    candidates = farthest_first.take(points, free)
    nearest = farthest_first.nearest_distances(
        candidates, farthest_first.take(points, selected)
    )
    centers, nearest = farthest_first.traverse(candidates, num_centers, nearest)
    radius = farthest_first.covering_radius(nearest)
    return KCenterResult(
        free[centers],
        radius,
        farthest_first.lower_bound(radius),
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
    process: solver_process.SolverProcess | None = None,
) -> KCenterResult:
    """Robust k-center: the smallest radius that leaves out at most Xi points.

        min_{|s| = b}  max_{i not in O}  min_{j in s0 + s} ||x_i - x_j||,   |O| <= Xi

    Sener & Savarese (2018), Algorithm 1: bisection over the radius, downwards from the
    greedy solution. Each step is a feasibility program (their Eq. 6). A feasible step
    lowers the upper bound to the radius of the centers found. An infeasible step
    raises the lower bound to the next distance that occurs. When the bounds meet, the
    radius is optimal. At the time limit, the best centers so far are returned.

    `"compact"` is a covering program over a subset of the points; `"literal"` is Eq. 6
    as printed, with n + 2 n^2 binaries. Both find the same radius. The search runs in
    another process, which takes about 0.25 s to start.

    The search keeps at most 2^25 distances. If the distances from
    `num_centers + max_outliers` points to all points are more, it returns the greedy
    solution. If it needs more later, it returns the best centers so far.

    Args:
        features: Float array of shape `(num_points, num_features)`.
        selected: Int array of shape `(num_selected,)`, distinct rows of `features`,
            the centers s0 that are selected already.
        num_centers: b, the number of new centers to choose, at most
            `num_points - num_selected`.
        max_outliers: Xi, at least 0, rounded down. Defaults to 0.
        formulation: `"compact"` or `"literal"`. Defaults to `"compact"`.
        solver: `"scip"`, `"highs"` or `"cp_sat"`. All gave the same radii when
            measured, but CP-SAT may take a hundred times as long with outliers.
            Defaults to `"scip"`.
        time_limit: Seconds for the search. The greedy solution is always completed.
            Defaults to 60.
        process: A `SolverProcess` to use for many calls. Defaults to `None`, a new
            process for this call.

    Returns:
        A `KCenterResult` with `centers` in ascending order.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> line = [[0.0], [1.0], [2.0], [10.0]]
        >>> result = dfal.kcenter.robust(line, [], num_centers=1, max_outliers=1)
        >>> result.centers, result.radius, result.outliers
        (array([1]), 1.0, array([3]))
    """
    points, selected, _ = _check_points(features, selected, num_centers)
    _validation.check_number("max_outliers", max_outliers, minimum=0, below=np.inf)
    _validation.check_choice("formulation", formulation, radius_search.FORMULATIONS)
    _validation.check_choice("solver", solver, integer_programs.SOLVERS)
    _validation.check_number("time_limit", time_limit, above=0, below=np.inf)
    if not isinstance(process, solver_process.SolverProcess | None):
        raise _validation.ArgumentError(
            "process",
            f"must be a kcenter.SolverProcess, or None. Received: process={process!r}",
        )
    arguments = {
        "features": points,
        "selected": selected,
        "num_centers": num_centers,
        "max_outliers": int(max_outliers),
        "formulation": formulation,
        "solver": solver,
    }
    call = {**arguments, "time_limit": time_limit}
    try:
        with contextlib.ExitStack() as stack:
            if process is None:
                process = stack.enter_context(solver_process.SolverProcess())
            found = process.run(call, timeout=time_limit + _GRACE)
    except TimeoutError:
        _logger.warning(
            "%s exceeded its time limit and was killed; using the greedy solution",
            solver,
        )
        return radius_search.bisect(**arguments, time_limit=0)
    return KCenterResult(
        found["centers"],
        float(found["radius"]),
        float(found["lower_bound"]),
        bool(found["proven"]),
        found["outliers"],
    )


def _check_points(features, selected, num_centers):
    """Return the points and the rows of the selected and of the other points."""
    points = np.asarray(features, order="C")
    if points.ndim != 2 or points.size == 0 or points.dtype.kind not in "fiub":
        raise _validation.ArgumentError(
            "features",
            "must be a non-empty numeric array of shape "
            "(num_points, num_features). "
            f"Received: shape {points.shape}, dtype {points.dtype}",
        )
    # NaN and infinity appear in one of these, which need no array of bools.
    extremes = np.array([points.min(), points.max()], "float64")
    if not np.isfinite(extremes).all():
        finite = np.isfinite(points.astype("float64"))
        bad = np.flatnonzero(~finite.all(axis=1))
        raise _validation.ArgumentError(
            "features",
            "must be finite. "
            f"Received: NaN or infinity in {len(bad)} rows, the first is {bad[0]}",
        )
    num_points = len(points)
    selected = np.asarray(selected)
    if selected.size == 0:
        selected = selected.astype(int)
    if (
        selected.ndim != 1
        or selected.dtype.kind not in "iu"
        or len(np.unique(selected)) < len(selected)
        or np.any((selected < 0) | (selected >= num_points))
    ):
        raise _validation.ArgumentError(
            "selected",
            f"must be distinct rows, from 0 to {num_points - 1}. "
            f"Received: selected={selected!r}",
        )
    free = np.setdiff1d(np.arange(num_points), selected)
    _validation.check_count("num_centers", num_centers)
    if num_centers > len(free):
        raise _validation.ArgumentError(
            "num_centers",
            "must be at most the number of points that are not "
            f"selected, {len(free)}. Received: num_centers={num_centers}",
        )
    return points, selected, free
