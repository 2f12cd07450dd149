import functools
import pathlib
import resource
import subprocess
import sys

import numpy as np
import pytest
from helpers.kcenter_checks import KINDS, brute_force, check, points_of

from dfal_keras import kcenter
from dfal_keras.kcenter import farthest_first


@pytest.fixture(scope="module")
def process():
    """One process for the tests of many small problems: starting it takes longest."""
    with kcenter.SolverProcess() as process:
        yield process


@pytest.mark.parametrize("max_outliers", [0, 1, 2.9])
@pytest.mark.parametrize("kind", KINDS)
def test_robust_equals_brute_force_beside_tensorflow(kind, max_outliers, process):
    assert "tensorflow" in sys.modules
    for seed in range(2):
        for selected, num_centers in ([], 3), ([7, 0, 3], 2):
            features = points_of(kind, 9 + 3 * seed, seed)
            result = kcenter.robust(
                features,
                selected,
                num_centers,
                max_outliers=max_outliers,
                process=process,
            )
            check(features, selected, num_centers, max_outliers, result)
            expected = brute_force(features, selected, num_centers, int(max_outliers))
            assert result.radius == pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert result.proven


@pytest.mark.slow
def test_programs_without_tensorflow():
    """Run the tests of `kcenter_alone.py`, which call OR-Tools in their process."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--noconftest", "kcenter_alone.py"],
        cwd=pathlib.Path(__file__).parents[2] / "helpers",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize("max_outliers", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_literal_equals_compact(kind, max_outliers, process):
    features = points_of(kind, 14, seed=3)
    for selected in [], [4, 9]:
        compact, literal = (
            kcenter.robust(
                features,
                selected,
                3,
                max_outliers=max_outliers,
                formulation=formulation,
                process=process,
            )
            for formulation in ("compact", "literal")
        )
        check(features, selected, 3, max_outliers, literal)
        assert literal.radius == compact.radius
        assert literal.proven
        assert compact.proven


@pytest.mark.parametrize("seed", range(4))
def test_the_radius_is_at_least_half_the_greedy_radius_and_at_most_it(seed):
    features = np.random.default_rng(seed).normal(size=(150, 6))
    selected = np.arange(20)
    bound = kcenter.greedy(features, selected, 5).radius
    result = kcenter.robust(features, selected, 5)
    assert result.proven
    assert bound / 2 <= result.radius <= bound
    # On these points, the program is better than greedy.
    assert result.radius < bound


def test_points_that_are_added_later_are_covered():
    """With more points than the compact program starts with, and outliers."""
    features = np.random.default_rng(0).normal(size=(60, 2))
    for max_outliers in 0, 3:
        compact = kcenter.robust(features, [5], 2, max_outliers=max_outliers)
        check(features, [5], 2, max_outliers, compact)
        expected = brute_force(features, [5], 2, max_outliers)
        assert compact.radius == pytest.approx(expected, rel=1e-12)


def test_outliers_may_reduce_the_radius_below_half_the_greedy_radius():
    features = np.array([[0.0], [1.0], [2.0], [100.0]])
    assert kcenter.greedy(features, [0], 1).radius == 2
    result = kcenter.robust(features, [0], 1, max_outliers=2)
    assert (result.radius, result.lower_bound, result.proven) == (0, 0, True)
    result = kcenter.robust(features, [1], 1, max_outliers=1)
    assert result.radius == 1
    assert result.proven


def test_a_point_at_delta_is_covered():
    """The search tries the optimum itself as delta."""
    features = np.array([[4.0], [10.0], [2.0], [11.0], [2.0], [2.0], [7.0]])
    result = kcenter.robust(features, [], 1, max_outliers=1)
    assert result.radius == brute_force(features, [], 1, 1) == 5
    assert result.proven


def test_everything_may_be_an_outlier():
    features = np.array([[0.0], [1.0], [5.0]])
    result = kcenter.robust(features, [], 1, max_outliers=1000)
    assert result.radius == 0
    assert result.proven


def cpu_seconds_of(search):
    """Return the CPU time of a search's process, and its result."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = search()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, result


@pytest.mark.parametrize("formulation", ["compact", "literal"])
def test_a_time_out_returns_the_best_centers_without_proof(formulation):
    n, time_limit = (2000, 1.0) if formulation == "compact" else (120, 0.3)
    features = np.random.default_rng(0).random((n, 2))
    greedy = kcenter.greedy(features, [], 30)
    search = functools.partial(
        kcenter.robust, features, [], 30, formulation=formulation
    )
    around, _ = cpu_seconds_of(lambda: search(time_limit=1e-9))
    spent, result = cpu_seconds_of(lambda: search(time_limit=time_limit))
    assert spent < time_limit + 2 * around + 2
    assert not result.proven
    assert 0 < result.lower_bound < result.radius <= greedy.radius
    check(features, [], 30, 0, result)


def test_a_time_out_before_the_first_program_returns_the_greedy_centers():
    features = np.random.default_rng(0).random((300, 2))
    greedy = kcenter.greedy(features, [3], 10)
    result = kcenter.robust(features, [3], 10, time_limit=1e-9)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))
    assert result.radius == greedy.radius
    assert not result.proven


def test_neighboring_floats_are_distinguished():
    """The mean of the last two bounds rounds up to the upper one."""
    epsilon = np.finfo(float).eps
    features = np.array([[0.0], [1 + 2 * epsilon], [-1 - epsilon]])
    # It takes milliseconds. A search that stalls would reach the limit without proof.
    result = kcenter.robust(features, [], 1, time_limit=60)
    assert result.proven
    assert result.radius == 1 + 2 * epsilon


def test_rounding_does_not_raise_the_first_bound_above_the_optimum(process):
    """With midpoints whose computed distance is less than half of the whole."""
    num_cases = 0
    for seed in range(500):
        left, right = np.random.default_rng(seed).normal(size=(2, 84))
        features = np.array([left, left, left, left, (left + right) / 2, right])
        pairs = farthest_first.pairwise_distances(features, features)
        optimum = pairs[4].max()
        if optimum < pairs[0, 5] / 2:
            num_cases += 1
            result = kcenter.robust(features, [], 1, process=process)
            assert result.proven
            assert result.radius == optimum
    assert num_cases


def test_same_arguments_same_centers():
    features = np.random.default_rng(2).normal(size=(120, 4))
    first, second = (kcenter.robust(features, [0, 1], 6) for _ in range(2))
    np.testing.assert_array_equal(first.centers, second.centers)


@pytest.mark.slow
def test_float32_features_and_their_float64_copy_agree():
    features = np.random.default_rng(4).normal(size=(60, 3)).astype("float32") + 1e3
    single = kcenter.robust(features, [0], 4)
    double = kcenter.robust(features.astype("float64"), [0], 4)
    assert single.radius == double.radius
