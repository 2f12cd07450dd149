"""Farthest-first traversal, and the distances that it needs.

In this module, `nearest` is a float array of shape `(num_points,)`: the distance of
each point to its nearest center, infinite without centers and -1 for a new center.
"""

from collections.abc import Iterator

import numpy as np

_BLOCK_SIZE = 2**16  # numbers in a block of differences: 0.5 MB, which fits the cache


def take(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `points[rows]`, without a copy if the rows follow each other."""
    if len(rows) and np.all(np.diff(rows) == 1):
        return points[rows[0] : rows[-1] + 1]
    return points[rows]


def pairwise_distances(centers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances, of shape `(num_centers, num_points)`.

    Computed from differences, not from |a|^2 + |b|^2 - 2ab: the distance of duplicates
    is exactly 0, and a pair has the same distance, to the last bit, in every call, so
    that comparisons with a radius agree throughout a search.

    Args:
        centers: Numeric array of shape `(num_centers, num_features)`.
        points: Numeric array of shape `(num_points, num_features)`.
    """
    distances = np.empty((len(centers), len(points)))
    for i, block, found in _distances_by_block(centers, points):
        distances[i, block] = found
    return distances


def nearest_distances(
    points: np.ndarray, centers: np.ndarray, nearest: np.ndarray | None = None
) -> np.ndarray:
    """Return the distance of each point to its nearest center.

    Args:
        points: Numeric array of shape `(num_points, num_features)`.
        centers: Numeric array of shape `(num_centers, num_features)`.
        nearest: Distances to the centers so far. Defaults to `None`, no centers.
    """
    nearest = np.full(len(points), np.inf) if nearest is None else nearest.copy()
    for _, block, found in _distances_by_block(centers, points):
        np.minimum(nearest[block], found, out=nearest[block])
    return nearest


def _distances_by_block(
    centers: np.ndarray, points: np.ndarray
) -> Iterator[tuple[int, slice, np.ndarray]]:
    """Yield `(i, block, distances)` of center i and `points[block]`, for all pairs.

    Points of any numeric dtype are converted to float64 in the block, not as a whole.
    The array of distances is reused: read it before the next one.
    """
    step = max(1, _BLOCK_SIZE // points.shape[1])
    differences = np.empty((min(step, len(points)), points.shape[1]))
    distances = np.empty(len(differences))
    for start in range(0, len(points), step):
        rows = points[start : start + step]
        block = slice(start, start + len(rows))
        difference, found = differences[: len(rows)], distances[: len(rows)]
        for i, center in enumerate(centers):
            np.subtract(rows, center, out=difference, dtype="float64")
            np.einsum("nd,nd->n", difference, difference, out=found)
            yield i, block, np.sqrt(found, out=found)


def traverse(
    points: np.ndarray, num_centers: int, nearest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Repeatedly choose the point farthest from all centers.

    Args:
        points: Float array of shape `(num_points, num_features)`.
        num_centers: Number of points to choose.
        nearest: Distances to the centers so far. If they are infinite, the first
            center is the point closest to the mean.

    Returns:
        `(centers, nearest)`: the chosen rows of `points` in order, all rows if there
        are fewer than `num_centers`; and the new distances.
    """
    centers = np.empty(min(num_centers, int(np.count_nonzero(nearest >= 0))), int)
    for k in range(len(centers)):
        if np.isinf(nearest[0]):
            mean = points.mean(axis=0, keepdims=True, dtype="float64")
            centers[k] = pairwise_distances(mean, points)[0].argmin()
        else:
            centers[k] = nearest.argmax()
        nearest = nearest_distances(points, points[centers[k : k + 1]], nearest)
        nearest[centers[k]] = -1
    return centers, nearest


def add_farthest(
    points: np.ndarray, chosen: np.ndarray, num_centers: int, nearest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Extend chosen centers to `num_centers` by farthest-first traversal.

    Args:
        points: Float array of shape `(num_points, num_features)`.
        chosen: Int array, at most `num_centers` rows of `points`.
        num_centers: Number of centers to return.
        nearest: Distances to the centers before those chosen.

    Returns:
        `(centers, nearest)`, as `traverse` does.
    """
    nearest = nearest_distances(points, points[chosen], nearest)
    nearest[chosen] = -1
    farthest, nearest = traverse(points, num_centers - len(chosen), nearest)
    return np.concatenate([chosen, farthest]), nearest


def covering_radius(nearest: np.ndarray, num_outliers: int = 0) -> float:
    """Return the largest distance without the `num_outliers` largest."""
    last = len(nearest) - 1 - num_outliers
    return max(0.0, float(np.partition(nearest, last)[last])) if last >= 0 else 0.0


def lower_bound(radius: float) -> float:
    """Return half of a farthest-first radius, reduced by more than rounding errors."""
    return radius / 2 * (1 - 1e-9)
