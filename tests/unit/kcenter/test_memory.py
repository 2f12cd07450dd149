"""Memory beside the features: linear in the points, and no copy of the features."""

import tracemalloc

import numpy as np
import pytest

from dfal_keras import kcenter
from dfal_keras.kcenter import farthest_first, radius_search


def points_of(n):
    """Return features as float32, as a model predicts them, and 100 selected rows."""
    features = np.random.default_rng(0).random((n, 84), "float32")
    return features, np.arange(n - 100, n)


def peak_of(function, *arguments, **options):
    """Return the peak of the memory that a call allocates, and its result."""
    tracemalloc.start()
    try:
        result = function(*arguments, **options)
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


def bisect(n, max_outliers):
    """Run a search in this process, where no program may be solved."""
    return radius_search.bisect(
        *points_of(n), 10, max_outliers, "compact", "scip", time_limit=0
    )


def test_greedy_needs_a_fraction_of_the_features():
    for n in 10_000, 40_000:
        features, selected = points_of(n)
        peak, _ = peak_of(kcenter.greedy, features, selected, 10)
        assert peak < 2**20 + features.nbytes / 5


def test_robust_sends_the_features_without_a_copy():
    features, selected = points_of(40_000)
    peak, result = peak_of(kcenter.robust, features, selected, 10, time_limit=1e-9)
    assert peak < 2**20 + features.nbytes / 5
    greedy = kcenter.greedy(features, selected, 10)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))


def test_a_search_needs_linear_memory():
    small, large = (peak_of(bisect, n, 20)[0] for n in (5_000, 20_000))
    assert large < 4.5 * small


@pytest.mark.parametrize(("max_outliers", "bound"), [(1000, 0), (0, 1 / 2)])
def test_a_search_with_too_many_distances_is_greedy(monkeypatch, max_outliers, bound):
    """It has a bound only without outliers."""
    monkeypatch.setattr(radius_search, "_MAX_DISTANCES", 2**16)
    features, selected = points_of(10_000)
    peak, result = peak_of(bisect, 10_000, max_outliers)
    assert peak < 2**20 + features.nbytes * 6 / 5
    greedy = kcenter.greedy(features, selected, 10)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))
    assert result.lower_bound == pytest.approx(bound * result.radius)
    assert len(result.outliers) == max_outliers
    assert not result.proven


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "uint8", "bool"])
def test_points_of_any_dtype_have_the_distances_of_their_float64_copy(dtype):
    points = np.random.default_rng(0).normal(size=(1700, 84)) * 100
    points = points.astype(dtype)
    copy = points.astype("float64")
    found = farthest_first.pairwise_distances(points[:9], points)
    expected = farthest_first.pairwise_distances(copy[:9], copy)
    np.testing.assert_array_equal(found, expected)
    for selected in [], [5, 3], np.arange(9):
        found = kcenter.greedy(points, selected, 4)
        expected = kcenter.greedy(copy, selected, 4)
        np.testing.assert_array_equal(found.centers, expected.centers)
        assert found.radius == expected.radius
