"""Tests that call OR-Tools in their own process, which must not load TensorFlow.

`tests/unit/kcenter/test_robust.py` runs them in another process. By hand:
`pytest --noconftest tests/helpers/kcenter_alone.py`.
"""

import sys
import time

import numpy as np
import pytest
from helpers.kcenter_checks import KINDS, brute_force, check, distances, points_of

from dfal_keras.kcenter import integer_programs, radius_search


def test_no_tensorflow_is_loaded():
    assert "tensorflow" not in sys.modules


@pytest.mark.parametrize("formulation", ["compact", "literal"])
@pytest.mark.parametrize("solver", sorted(integer_programs.SOLVERS))
@pytest.mark.parametrize("max_outliers", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_every_solver_equals_brute_force(kind, max_outliers, solver, formulation):
    for seed in range(3 if formulation == "compact" else 1):
        for selected, num_centers in ([], 1), ([], 3), ([1, 6], 1), ([7, 0, 3], 3):
            features = points_of(kind, 8 + 2 * seed, seed)
            result = radius_search.bisect(
                features,
                selected,
                num_centers,
                max_outliers,
                formulation,
                solver,
                time_limit=60,
            )
            check(features, selected, num_centers, max_outliers, result)
            expected = brute_force(features, selected, num_centers, max_outliers)
            assert result.radius == pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert result.proven


def test_undecided_is_not_infeasible():
    """With a tiny time limit, the solver stops before it finds a solution."""
    pairs = distances(np.random.default_rng(0).random((1600, 2)))
    for solver in integer_programs.SOLVERS:
        for time_limit in 0, 0.1:
            with pytest.raises(TimeoutError):
                integer_programs.solve_compact(
                    pairs <= 0.118, 25, 0, solver, time.monotonic() + time_limit
                )
