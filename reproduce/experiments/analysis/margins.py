"""Margins of points in two dimensions: to the decision boundary, to another class."""

from collections.abc import Mapping, Sequence

import contourpy
import numpy as np

# By scenario, the target of each point, shape (n, 2), and the distance to it, (n,).
Scenarios = Mapping[str, tuple[np.ndarray, np.ndarray]]


def boundary(
    model,
    view: Sequence[tuple[float, float]],
    margin: float = 1.5,
    step: float = 0.01,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Compute the decision boundary of a network with one logit.

    Args:
        model: The Keras model.
        view: Ranges of x and y, `((low, high), (low, high))`.
        margin: Width by which the grid exceeds the view. Defaults to 1.5.
        step: Distance of the grid's points. Defaults to 0.01.

    Returns:
        The grid as `(x, y, logits)`, and the segments on which the logit is 0, shape
        (n, 2, 2): start and end, x and y.
    """
    x, y = (np.arange(low - margin, high + margin, step) for low, high in view)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    logits = model.predict(points.reshape(-1, 2), batch_size=8192, verbose=0)
    logits = logits.reshape(points.shape[:2])
    contours = contourpy.contour_generator(x, y, logits)
    lines = [np.asarray(line) for line in contours.lines(0)]
    segments = [np.stack([line[:-1], line[1:]], axis=1) for line in lines]
    return (x, y, logits), np.concatenate(segments)


def nearest_on_boundary(segments: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the nearest point of the segments (m, 2, 2) for each point (n, 2)."""
    starts, steps = segments[:, 0], segments[:, 1] - segments[:, 0]
    squares = np.maximum((steps**2).sum(axis=1), np.finfo(float).tiny)
    shares = ((points[:, None] - starts) * steps).sum(axis=2) / squares
    feet = starts + np.clip(shares, 0, 1)[..., None] * steps
    nearest = np.linalg.norm(feet - points[:, None], axis=2).argmin(axis=1)
    return feet[np.arange(len(points)), nearest]


def nearest_of_other_class(points: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the row of the nearest point of another class, for each point.

    Args:
        points: float array (n, 2).
        classes: Array (n,).

    Raises:
        ValueError: If all points are of one class.
    """
    if len(np.unique(classes)) < 2:
        raise ValueError(
            "Argument `classes` must have two different values or more. "
            f"Received: classes={classes!r}"
        )
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    distances[classes[:, None] == classes] = np.inf
    return distances.argmin(axis=1)
