"""Checks of k-center results against their definition."""

import itertools

import numpy as np
import pytest


def distances(features):
    return np.linalg.norm(features[:, None] - features[None], axis=2)


def covering_radius(features, centers, num_outliers=0):
    """Return the radius by its definition, from the full matrix of distances."""
    nearest = distances(features)[:, centers].min(axis=1)
    return np.sort(np.append(0.0, nearest))[::-1][min(num_outliers, len(nearest))]


def brute_force(features, selected, num_centers, num_outliers):
    """Return the smallest radius over all choices of centers."""
    free = np.setdiff1d(np.arange(len(features)), selected)
    return min(
        covering_radius(features, [*selected, *chosen], num_outliers)
        for chosen in itertools.combinations(free, num_centers)
    )


def check(features, selected, num_centers, max_outliers, result):
    """Check what holds for every result, optimal or not."""
    n, num_outliers = len(features), int(max_outliers)
    assert result.centers.shape == (num_centers,)
    assert len(np.unique([*result.centers, *selected])) == num_centers + len(selected)
    assert np.isin(result.centers, np.arange(n)).all()
    centers = np.array([*selected, *result.centers], int)
    expected = covering_radius(features, centers, num_outliers)
    assert result.radius == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert result.lower_bound <= result.radius
    assert result.proven == (result.lower_bound == result.radius)
    assert len(result.outliers) <= num_outliers
    # The outliers, and only they, are outside the radius.
    nearest = distances(features)[:, centers].min(axis=1)
    assert np.delete(nearest, result.outliers).max() <= result.radius + 1e-12
    assert (nearest[result.outliers] > result.radius).all()


def points_of(kind, n, seed):
    rng = np.random.default_rng(seed)
    if kind == "plane":
        return rng.normal(size=(n, 2))
    if kind == "duplicates":
        return np.repeat(rng.normal(size=(n // 3 + 1, 2)), 3, axis=0)[:n]
    if kind == "collinear":
        return np.outer(rng.permutation(n), [1.0, 2.0])
    if kind == "offset":
        return rng.normal(size=(n, 3)) * 1e-3 + 1e4
    raise AssertionError(kind)


KINDS = ["plane", "duplicates", "collinear", "offset"]
