"""The feasibility programs of the robust k-center, solved by OR-Tools' MathOpt.

Each program asks whether `num_centers` new centers can leave at most `max_outliers`
points farther than delta from every center. It returns the chosen centers, or None if
that is proven infeasible, or raises TimeoutError if the solver reaches the deadline
first. A time-out is thus never taken for "infeasible".
"""

import datetime
import time

import numpy as np

SOLVERS = {"scip": "GSCIP", "cp_sat": "CP_SAT", "highs": "HIGHS"}


def solve_compact(
    near: np.ndarray,
    num_centers: int,
    max_outliers: int,
    solver: str,
    deadline: float,
) -> np.ndarray | None:
    """Solve the feasibility program in its covering form.

    With one binary u_j per possible center and one z_i per point,

        sum_j u_j <= num_centers,   sum_i z_i <= max_outliers,
        z_i + sum_{j: d(i, j) <= delta} u_j >= 1   for every point i.

    Args:
        near: Bool array of shape `(num_points, num_possible_centers)`, whether a point
            is within delta of a possible center; without points that a center covers
            already.
        num_centers: Maximum number of centers to choose.
        max_outliers: Maximum number of points to leave uncovered.
        solver: A key of `SOLVERS`.
        deadline: When to stop, on the clock of `time.monotonic()`.

    Returns:
        The chosen columns of `near`, at most `num_centers`; `None` if the program
        is infeasible.

    Raises:
        TimeoutError: If the solver reaches the deadline.
    """
    if len(near) <= max_outliers:
        return np.arange(0)
    # Of the possible centers that cover the same points, one is enough.
    _, kept = np.unique(np.packbits(near, axis=0), axis=1, return_index=True)
    near = near[:, kept]
    num_points, num_columns = near.shape
    # Without outliers, the points need no variables.
    num_outliers = num_points if max_outliers else 0
    outlier = np.arange(num_outliers)

    point, column = np.nonzero(near)
    rows = [point, outlier, np.full(num_columns, num_points)]
    columns = [column, num_columns + outlier, np.arange(num_columns)]
    lower, upper = np.ones(num_points + 1), np.full(num_points + 1, np.inf)
    lower[-1], upper[-1] = 0, num_centers
    if num_outliers:
        rows.append(np.full(num_outliers, num_points + 1))
        columns.append(num_columns + outlier)
        lower, upper = np.append(lower, 0), np.append(upper, max_outliers)

    values = _solve(
        np.concatenate(rows),
        np.concatenate(columns),
        np.ones(sum(map(len, rows))),
        lower,
        upper,
        np.zeros(num_columns + num_outliers),
        solver,
        deadline,
    )
    return None if values is None else kept[values[:num_columns]]


def solve_literal(
    near: np.ndarray,
    selected: np.ndarray,
    num_centers: int,
    max_outliers: int,
    solver: str,
    deadline: float,
) -> np.ndarray | None:
    """Solve Eq. 6 of Sener & Savarese (2018) as printed, with N + 2 N^2 binaries.

        sum_j u_j = |s0| + b,   sum_ij xi_ij <= Xi,   u_j = 1 for j in s0,
        sum_j w_ij = 1,   w_ij <= u_j,   w_ij = xi_ij where d(i, j) > delta.

    It needs gigabytes from a few hundred points on, and serves to reproduce the
    running times of the literature. `solve_compact` gives the same results.

    Args:
        near: Bool array of shape `(N, N)`, whether two points are within delta.
        selected: Int array, the rows of the centers s0.
        num_centers: As in `solve_compact`.
        max_outliers: As in `solve_compact`.
        solver: As in `solve_compact`.
        deadline: As in `solve_compact`.

    Returns:
        The chosen new centers; `None` if the program is infeasible.

    Raises:
        TimeoutError: If the solver reaches the deadline.
    """
    n = len(near)
    pair = np.arange(n * n)
    point, center = np.divmod(pair, n)
    far = pair[~near.ravel()]
    u, w, xi = 0, n, n + n * n  # the first variable of each group

    # Rows: one assignment per point, n^2 links to u, one tie per far pair, two sums.
    link, tie = n, n + n * n
    count, budget = tie + len(far), tie + len(far) + 1
    entries = [
        (point, w + pair, 1),
        (link + pair, w + pair, 1),
        (link + pair, u + center, -1),
        (tie + np.arange(len(far)), w + far, 1),
        (tie + np.arange(len(far)), xi + far, -1),
        (np.full(n, count), u + np.arange(n), 1),
        (np.full(n * n, budget), xi + pair, 1),
    ]
    lower = np.zeros(budget + 1)
    upper = np.zeros(budget + 1)
    lower[:n] = upper[:n] = 1
    lower[link:tie] = -1
    lower[count] = upper[count] = len(selected) + num_centers
    upper[budget] = max_outliers
    fixed = np.zeros(n + 2 * n * n)
    fixed[selected] = 1

    values = _solve(
        np.concatenate([row for row, _, _ in entries]),
        np.concatenate([column for _, column, _ in entries]),
        np.concatenate([np.full(len(row), value) for row, _, value in entries]),
        lower,
        upper,
        fixed,
        solver,
        deadline,
    )
    if values is None:
        return None
    return np.setdiff1d(np.flatnonzero(values[:n]), selected)


def _solve(rows, columns, values, lower, upper, fixed, solver, deadline):
    """Return binaries x with lower <= A x <= upper and x >= fixed, as a bool array."""
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt

    # From arrays: one Python object per entry would take longer than solving.
    order = np.lexsort((columns, rows))
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(len(fixed)))
    proto.variables.lower_bounds.extend(fixed)
    proto.variables.upper_bounds.extend(np.ones(len(fixed)))
    proto.variables.integers.extend(np.ones(len(fixed), bool))
    proto.linear_constraints.ids.extend(range(len(lower)))
    proto.linear_constraints.lower_bounds.extend(lower)
    proto.linear_constraints.upper_bounds.extend(upper)
    proto.linear_constraint_matrix.row_ids.extend(rows[order])
    proto.linear_constraint_matrix.column_ids.extend(columns[order])
    proto.linear_constraint_matrix.coefficients.extend(values[order])
    model = mathopt.Model.from_model_proto(proto)

    # Building the model took time, and a solver reads 0 or less as "no limit".
    time_limit = deadline - time.monotonic()
    if time_limit <= 0:
        raise TimeoutError("No time left to solve the program.")
    parameters = mathopt.SolveParameters(
        time_limit=datetime.timedelta(seconds=time_limit),
        threads=None if solver == "highs" else 1,  # HiGHS rejects the option
    )
    solver_type = mathopt.SolverType[SOLVERS[solver]]
    result = mathopt.solve(model, solver_type, params=parameters)
    if result.has_primal_feasible_solution():
        found = result.variable_values(list(model.variables()))
        return np.asarray(found) > 0.5
    reason = result.termination.reason
    if reason == mathopt.TerminationReason.INFEASIBLE:
        return None
    if reason == mathopt.TerminationReason.NO_SOLUTION_FOUND:
        raise TimeoutError(f"{solver} found no solution in {time_limit:.3g} s.")
    raise RuntimeError(f"{solver} failed: {result.termination}")
