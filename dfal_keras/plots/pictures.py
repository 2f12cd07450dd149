"""Pictures of attacks and of queries: images, changed images, and the differences."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from dfal_keras import _validation, pools
from dfal_keras.attacks import DeepFoolResult
from dfal_keras.backend import classifier, inference
from dfal_keras.plots.figures import new_figure
from dfal_keras.strategies import Query

_WIDTH, _HEIGHT = 1.1, 1.35  # inches of a picture with its title
_NUM_SHOWN = 8  # by default


def attack(x, result: DeepFoolResult, *, rows: Sequence[int] | None = None, model=None):
    """Draw images, their perturbations, and their adversarial examples.

    Perturbations are drawn on one scale, from white for 0 (gray for color images).

    Args:
        x: The images that were attacked, of shape `(num_samples, height, width)` or
            `(num_samples, height, width, channels)` with 1, 3 or 4 channels.
        result: What `dfal_keras.deepfool` returned for them.
        rows: The images to draw. Defaults to `None`, the first 8.
        model: A classifier whose predictions are the titles. Defaults to `None`, no
            predictions.

    Returns:
        The Matplotlib figure. Its titles give the norms.

    Raises:
        ValueError: If `x` does not hold images, or not those of `result`; or if `rows`
            is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> result = dfal.deepfool(model, x[:4])
        >>> len(dfal.plots.attack(x[:4], result).axes)  # 3 rows of 4 pictures
        12
    """
    _check_type("result", result, DeepFoolResult)
    shape = result.perturbations.shape
    if np.shape(x) != shape:
        raise _validation.ArgumentError(
            "x",
            f"must hold the images of `result`, of shape {shape}. Received: shape "
            f"{np.shape(x)}",
        )
    rows = _check_rows(rows, shape[0])
    images = np.asarray(x)[rows]
    _check_drawable(images, model)
    titles = [f"norm {norm:.3g}" for norm in result.norms[rows]]
    examples = images + result.perturbations[rows]
    examples[~result.success[rows]] = np.nan  # not drawn
    return _draw(images, titles, examples, model, "adversarial\nexample")


def query(x, query: Query, *, rows: Sequence[int] | None = None, model=None):
    """Draw queried images, with their companions and the differences, if they have any.

    Args:
        x: What the query's indices refer to: the candidates of `Strategy.query`, or the
            pool of an `ActiveLearner`, as for `dfal_keras.pools.as_pool`. Samples are
            images, as for `attack`.
        query: The query.
        rows: Which of the queried images to draw, as positions in `query.indices`.
            Defaults to `None`, the first 8.
        model: A classifier whose predictions are the titles. Defaults to `None`, no
            predictions.

    Returns:
        The Matplotlib figure. Its titles give the scores.

    Raises:
        ValueError: If samples are not images, or `rows` is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> found = dfal.strategies.BALD().query(model, x[:50], num_queries=4)
        >>> len(dfal.plots.query(x[:50], found).axes)  # no companions
        4
    """
    _check_type("query", query, Query)
    pool = pools.as_pool(x, name="x")
    num = np.size(query.indices)
    # Scores may be NaN, of samples that no strategy chose.
    checked = dataclasses.replace(query, scores=None).check(
        pool.shape[0], num, sample_shape=pool.shape[1:], strategy="Argument `query`"
    )
    if query.scores is not None and np.shape(query.scores) != (num,):
        raise _validation.ArgumentError(
            "query",
            f"must hold a score for each of its {num} samples. Received: scores of "
            f"shape {np.shape(query.scores)}",
        )
    shown = _check_rows(rows, num)
    part = checked.take(shown)
    images = np.asarray(pool[part.indices])
    _check_drawable(images, model)
    titles = [""] * len(images)
    if query.scores is not None:
        titles = [f"score {score:.3g}" for score in np.asarray(query.scores)[shown]]
    companions = None
    if part.companions is not None:
        # NaN, which is not drawn, where an image has none.
        companions = np.full(images.shape, np.nan)
        companions[part.companion_rows] = part.companions
    return _draw(images, titles, companions, model, "companion")


def _check_rows(rows, size):
    """Return the rows to draw."""
    if rows is None:
        return np.arange(min(size, _NUM_SHOWN))
    try:
        rows = _validation.check_distinct("rows", rows, size)
    except ValueError as error:
        raise _validation.ArgumentError(
            "rows",
            f"must hold distinct positions from 0 to {size - 1}. Received: "
            f"rows={rows!r:.80}",
        ) from error
    if not len(rows):
        raise _validation.ArgumentError(
            "rows", "must hold at least one row. Received: none"
        )
    return rows


def _check_type(name, value, expected):
    """Raise ValueError if an argument is of another class."""
    if not isinstance(value, expected):
        raise _validation.ArgumentError(
            name, f"must be a {expected.__name__}. Received: {name}={value!r:.80}"
        )


def _check_drawable(images, model):
    """Raise ValueError if samples are not images, or not those of a model."""
    _validation.check_images("x", images, finite=False)
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[3] in (1, 3, 4)):
        raise _validation.ArgumentError(
            "x",
            "must hold images of shape (height, width) or (height, width, channels) "
            f"with 1, 3 or 4 channels. Received: samples of shape {images.shape[1:]}",
        )
    if model is not None:
        classifier.check_model(model)
        shape = classifier.sample_shape(model)
        _validation.check_images("x", images, sample_shape=shape)


def _draw(images, titles, changed, model, name):
    """Return a figure with a column for each image."""
    num_rows, num_columns = 1 if changed is None else 3, len(images)
    figure = new_figure((_WIDTH * num_columns + 0.4, _HEIGHT * num_rows))
    panels = figure.subplots(num_rows, num_columns, squeeze=False)
    for panel in panels.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    limits = _limits(images)
    guesses = _predictions(model, images)
    for panel, image, title, guess in zip(
        panels[0], images, titles, guesses, strict=True
    ):
        panel.imshow(_pixels(image, limits), cmap="gray", vmin=0, vmax=1)
        panel.set_title("\n".join(filter(None, [title, guess])), fontsize=8)
    panels[0, 0].set_ylabel("image", fontsize=8)
    if changed is not None:
        guesses = _predictions(model, changed)
        _draw_changed(panels[1:], changed, images, limits, guesses)
        panels[2, 0].set_ylabel(name, fontsize=8)
    return figure


def _draw_changed(panels, changed, images, limits, guesses):
    """Draw a row of differences and a row of changed images; NaN is not drawn."""
    differences = changed - images.astype(float)
    if differences.shape[3:] == (4,):  # no transparency
        differences = differences[..., :3]
    is_shown = np.isfinite(differences.reshape(len(changed), -1)).all(axis=1)
    largest = float(np.abs(differences[is_shown]).max(initial=0))
    scale = (-largest, largest) if largest else (-1.0, 1.0)
    for column in np.flatnonzero(is_shown):
        above, below = panels[:, column]
        scaled = _pixels(differences[column], scale)
        above.imshow(scaled, cmap="PuOr", vmin=0, vmax=1)
        below.imshow(_pixels(changed[column], limits), cmap="gray", vmin=0, vmax=1)
        below.set_title(guesses[column], fontsize=8)
    panels[0, 0].set_ylabel(f"difference\n(up to {largest:.3g})", fontsize=8)


def _limits(images):
    """Return the values of black and white: of floats in [0, 1], bytes, or others."""
    finite = images[np.isfinite(images)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0, 1)
    if low < 0 or high > 255:
        return low, high if high > low else low + 1
    return 0.0, 1.0 if high <= 1 else 255.0


def _pixels(image, limits):
    """Return pixels in [0, 1], without the axis of a single channel."""
    low, high = limits
    pixels = np.clip((image.astype(float) - low) / (high - low), 0, 1)
    return pixels[..., 0] if pixels.shape[2:] == (1,) else pixels


def _predictions(model, images):
    """Return a title for each image: its predicted class, if there is a model."""
    titles = [""] * len(images)
    is_whole = np.isfinite(images.reshape(len(images), -1)).all(axis=1)
    if model is not None and is_whole.any():
        rows = np.flatnonzero(is_whole)
        found = inference.predict_probabilities(model, images[rows]).argmax(axis=1)
        for row, label in zip(rows.tolist(), found.tolist(), strict=True):
            titles[row] = f"predicted {label}"
    return titles
