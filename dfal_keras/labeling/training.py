"""Train the model of a session on its labels."""

import copy
import dataclasses
import datetime
import math
import time

import keras
import numpy as np

from dfal_keras import _validation, stopping
from dfal_keras.backend import inference
from dfal_keras.labeling import (
    few_labels,
    held_out,
    model_files,
    networks,
    training_history,
)
from dfal_keras.labeling.session import Session

_STOP_SET_SIZE = 2000  # images, as in Bloodgood & Vijay-Shanker, 2009
_NUM_IMAGES = 32  # from which the kind of unknown outputs is read


def train(
    session: Session,
    *,
    held_out_fraction: float = 0.2,
    allow_missing_classes: bool = False,
    unfreeze: int = 0,
    **options,
) -> training_history.TrainingRecord:
    """Train the session's model from its initial state, and test it on held-out labels.

    A fixed share of each class is held out for testing. The choice depends on the
    images' checksums only, so trainings on the same labels hold out the same images.

    Args:
        session: The session.
        held_out_fraction: The share to hold out, from 0 to below 1. Defaults to 0.2.
        allow_missing_classes: Whether to train although a class has too few labels to
            train and to test with. Defaults to `False`.
        unfreeze: Number of frozen layers to fine-tune, from the last one on. The
            training begins with their weights. Defaults to 0.
        **options: Options of `dfal_keras.Training`; see `few_labels.training` for the
            defaults.

    Returns:
        The row of the history.

    Raises:
        ValueError: If there are too few labels, or an argument is invalid.
    """
    if not 0 <= held_out_fraction < 1:
        raise _validation.ArgumentError(
            "held_out_fraction",
            "must be from 0 to below 1. "
            f"Received: held_out_fraction={held_out_fraction!r}",
        )
    started = time.perf_counter()
    # A copy: labels may be added meanwhile, in another thread.
    labeled, classes = copy.copy(session.learner.labeled), session.settings.classes
    least = 2 if held_out_fraction and not allow_missing_classes else 1
    _check_counts(labeled.labels, classes, least, allow_missing_classes)
    checksums = [session.store.hashes[row] for row in labeled.indices]
    is_held_out = held_out.choose(labeled.labels, checksums, held_out_fraction)
    rows, truth = labeled.indices[is_held_out], labeled.labels[is_held_out]
    training_set = copy.copy(labeled)
    training_set.keep(np.flatnonzero(~is_held_out))
    tested = np.concatenate([rows, np.array(session.check_rows(), np.int64)])
    is_tested = np.isin(training_set.pseudo_indices, tested)
    training_set.pseudo_indices = training_set.pseudo_indices[~is_tested]
    training_set.pseudo_labels = training_set.pseudo_labels[~is_tested]

    trainings = training_history.read(session.folder).trainings
    stop_set = session.store.pool[_stop_set(session)]
    before = _predicted_before(session, stop_set) if trainings else None
    model = initial_model(session)
    if unfreeze:
        networks.unfreeze(model, unfreeze)
        model.compile(keras.optimizers.Adam(1e-4), model.loss)
        options = {**options, "initial": "keep"}
    seed = session.learner.training_seed(session.learner.round)
    x, y = training_set.arrays(session.store.pool)
    few_labels.fit(model, x, y, seed=seed, **options)

    predicted = truth
    if len(rows):
        predicted = inference.predict_classes(model, session.store.pool[rows])
    after = inference.predict_classes(model, stop_set)
    agreement = math.nan if before is None else stopping.agreement(before, after)
    recalls = held_out.recalls(truth, predicted, len(classes))
    metrics = {
        label: training_history.ClassMetrics(
            int((labeled.labels == k).sum()), int((truth == k).sum()), float(recalls[k])
        )
        for k, label in enumerate(classes)
    }
    found = training_history.TrainingRecord(
        time=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        num_labels=len(labeled.labels),
        num_training=len(training_set),
        num_held_out=len(rows),
        accuracy=float((predicted == truth).mean()) if len(rows) else math.nan,
        agreement=agreement,
        seconds=round(time.perf_counter() - started, 1),
        model="",
    )

    def write_history(checksum):
        trainings.append(dataclasses.replace(found, model=checksum))
        training_history.write(session.folder, trainings, metrics)

    model_files.save_model(model, session.path("model.keras"), write_history)
    return trainings[-1]


def _check_counts(labels, classes, least, allow_missing):
    counts = np.bincount(labels, minlength=len(classes))
    few = [
        f"{counts[k]} of {name}" for k, name in enumerate(classes) if counts[k] < least
    ]
    if (few and not allow_missing) or (counts > 0).sum() < 2:
        raise _validation.ArgumentError(
            "session",
            f"must have at least {least} labels of each class, and "
            "labels of two classes, to train and to test a model. Label more images, "
            "or allow missing classes. "
            f"Received: {', '.join(few) or 'labels of one class'}",
        )


def initial_model(session):
    """Return the model that the session was created with, with all its classes."""
    model = session.load_model("initial_model.keras", compile=True)
    optimizer, loss = getattr(model, "optimizer", None), getattr(model, "loss", None)
    num_classes = len(session.settings.classes)
    if model_files.num_classes(model) < num_classes:
        model = networks.widen(model, num_classes)
        if optimizer is not None:
            optimizer = type(optimizer).from_config(optimizer.get_config())
            model.compile(optimizer, loss)
    if getattr(model, "optimizer", None) is None:
        model.compile("adam", _loss(model, session.store.pool[:_NUM_IMAGES]))
    return model


def _loss(model, images):
    """Return the cross-entropy that fits the outputs of a model for images."""
    from_logits = inference.returns_logits(model, images)
    if model.outputs[0].shape[1] == 1:
        return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)


def _stop_set(session):
    """Return the rows on which the predictions of two models are compared.

    Those with the smallest checksums: a random sample that stays, as images are added.
    """
    return np.sort(np.argsort(session.store.hashes, kind="stable")[:_STOP_SET_SIZE])


def _predicted_before(session, images):
    """Return the predictions of the model before."""
    return inference.predict_classes(session.load_model("model.keras"), images)
