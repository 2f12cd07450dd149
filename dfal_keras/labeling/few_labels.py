"""Training on any number of labels, also on a few."""

import keras
import numpy as np

from dfal_keras import Training, _validation
from dfal_keras.backend import inference
from dfal_keras.labeling import frozen_base

_PATIENCE = 5  # epochs
_MIN_STEPS = 40  # gradient steps without progress before a training stops early


def fit(model: keras.Model, x, y: np.ndarray, *, seed: int, **options) -> None:
    """Train a model. If its base is frozen, the base computes each image once.

    Args:
        model: As for `Training`.
        x: Training images.
        y: Their labels, of shape `(num_samples,)`.
        seed: Seed of the training.
        **options: As for `training`.

    Raises:
        ValueError: If an argument is invalid.
    """
    head = frozen_base.trained_head(model)
    if head is not None:
        x, model = inference.predict_features(model, x), head
    training(model, len(y), **options)(x, y, seed=seed)


def training(
    model: keras.Model,
    num_samples: int,
    *,
    batch_size: int = 32,
    patience: int | None = None,
    min_batch_size: int | None = None,
    **options,
) -> Training:
    """Return a `Training` whose defaults fit the number of samples.

    An epoch on 30 images is one gradient step. Early stopping after five such epochs
    ends before the model has learned anything, so the patience is at least 40 steps.
    A last batch of one or two images can spoil the model, so it is skipped if it has
    less than a quarter of `batch_size`.

    Args:
        model: As for `Training`.
        num_samples: Size of the training set.
        batch_size: As for `Training`. Defaults to 32.
        patience: As for `Training`. Defaults to `None`: 5 epochs, or more for fewer
            than 8 batches.
        min_batch_size: As for `Training`. Defaults to `None`, `batch_size // 4`.
        **options: Other options of `Training`.

    Raises:
        ValueError: If an argument is invalid.
    """
    _validation.check_count("batch_size", batch_size)
    if patience is None:
        num_steps = max(1, num_samples // batch_size)
        patience = max(_PATIENCE, -(-_MIN_STEPS // num_steps))
    if min_batch_size is None:
        min_batch_size = max(1, batch_size // 4)
    return Training(
        model,
        batch_size=batch_size,
        patience=patience,
        min_batch_size=min_batch_size,
        **options,
    )
