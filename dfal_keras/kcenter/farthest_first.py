"""Distances to centers, and farthest-first traversal: what every search is made of."""

import numpy as np

_BLOCK = 2**16  # numbers in one block of differences: half a MB, it stays in the cache


def distances_to(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distances (others, points).

    From differences, never from |a|^2 + |b|^2 - 2ab: duplicates are at zero whatever
    their offset, and a pair has the same distance, to the last bit, in every row and
    block, so that "within a radius" means the same all through a search.
    """
    squares = np.empty((len(others), len(points)))
    step = max(1, _BLOCK // points.shape[1])
    for start in range(0, len(points), step):
        block = slice(start, start + step)
        for i, other in enumerate(others):
            difference = points[block] - other
            np.einsum("nd,nd->n", difference, difference, out=squares[i, block])
    return np.sqrt(squares, out=squares)


def cover(
    points: np.ndarray, centers: np.ndarray, reach: np.ndarray | None = None
) -> np.ndarray:
    """Distance of each point to the nearest center; `reach` is that to older ones."""
    reach = np.full(len(points), np.inf) if reach is None else reach.copy()
    for center in centers:
        np.minimum(reach, distances_to(points, center[None])[0], out=reach)
    return reach


def farthest_first(
    points: np.ndarray, num_centers: int, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses centers one by one, fewer if no more points are left.

    In the `reach` it returns, and takes, -1 marks a point that is a center.
    """
    centers = np.empty(min(num_centers, int(np.count_nonzero(reach >= 0))), int)
    for k in range(len(centers)):
        if np.isinf(reach[0]):
            start = distances_to(points, points.mean(axis=0, keepdims=True))[0]
            centers[k] = start.argmin()
        else:
            centers[k] = reach.argmax()
        reach = cover(points, points[centers[k : k + 1]], reach)
        reach[centers[k]] = -1
    return centers, reach


def complete(
    points: np.ndarray, chosen: np.ndarray, num_centers: int, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Adds farthest points to centers that a program chose, up to `num_centers`."""
    reach = cover(points, points[chosen], reach)
    reach[chosen] = -1
    more, reach = farthest_first(points, num_centers - len(chosen), reach)
    return np.concatenate([chosen, more]), reach


def radius_of(reach: np.ndarray, num_outliers: int = 0) -> float:
    """The largest distance after the `num_outliers` largest."""
    kept = len(reach) - 1 - num_outliers
    return max(0.0, float(np.partition(reach, kept)[kept])) if kept >= 0 else 0.0


def half(radius: float) -> float:
    """A lower bound from a farthest-first radius, safe from rounding of distances."""
    return radius / 2 * (1 - 1e-9)
