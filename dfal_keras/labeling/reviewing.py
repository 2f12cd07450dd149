"""Review: the labels and the predictions that are most likely wrong."""

import copy

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.labeling import few_labels, predicting, training
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.session import Session

_NUM_FOLDS = 3


def review(
    session: Session, num_images: int, *, num_folds: int = _NUM_FOLDS, **options
) -> list[QueriedImage]:
    """Return the images whose labels or predictions are most likely wrong.

    Labels are judged by models that were not trained on them: the labeled images are
    split into folds, and those of a fold are predicted by a model trained on the
    others. Cleanlab's confident learning finds the labels that are probably wrong.
    Predictions with the smallest margin follow.

    Reference:
        - Northcutt, Jiang & Chuang, 2021, "Confident learning: estimating uncertainty
          in dataset labels".

    Args:
        session: The session, with a trained model.
        num_images: Number of images, of each kind.
        num_folds: Number of folds. Defaults to 3.
        **options: Options of `dfal_keras.Training`.

    Returns:
        The images, first those with suspicious labels, with these labels.

    Raises:
        ValueError: If the model is not trained, or cleanlab is not installed.
    """
    _validation.check_count("num_images", num_images)
    rows = suspicious_labels(session, num_folds=num_folds, **options)[:num_images]
    predicted = {each.sha256: each for each in predicting.predict(session)}
    unlabeled = [each for each in predicted.values() if not each.is_labeled]
    unlabeled.sort(key=lambda each: each.margin)
    hashes, labels = session.store.hashes, session.labels()
    # Images without a file can't be shown.
    found = [(row, labels[row]) for row in rows if hashes[row] in predicted]
    for each in unlabeled[:num_images]:
        row = session.store.find(None, each.sha256)
        if row is not None:
            found.append((row, ""))
    return [
        QueriedImage(
            rank=rank,
            file=session.store.names[row],
            sha256=hashes[row],
            score=None,
            predicted=predicted[hashes[row]].predicted,
            probability=predicted[hashes[row]].probability,
            image=session.store.pool[row],
            label=label,
        )
        for rank, (row, label) in enumerate(dict(found).items(), 1)
    ]


def suspicious_labels(
    session: Session, *, num_folds: int = _NUM_FOLDS, **options
) -> list[int]:
    """Return the rows whose labels are probably wrong, the most likely ones first.

    Args:
        session: As for `review`.
        num_folds: As for `review`.
        **options: As for `review`.

    Raises:
        ValueError: If cleanlab is not installed.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise ValueError(
            f'A review needs cleanlab: pip install "dfal-keras[review]" ({error})'
        ) from error
    labeled = session.learner.labeled
    classes, labels = np.unique(labeled.labels, return_inverse=True)
    if len(classes) < 2 or np.bincount(labels).min() < num_folds:
        return []  # a class would be missing in a fold
    probabilities = _out_of_fold(session, labels, num_folds, options)[:, classes]
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    issues = find_label_issues(
        labels, probabilities, return_indices_ranked_by="self_confidence"
    )
    return labeled.indices[issues].tolist()


def _out_of_fold(session, labels, num_folds, options):
    """Return the probabilities of each labeled image by a model of the other folds."""
    labeled, pool = session.learner.labeled, session.store.pool
    fold = _folds(labels, num_folds)
    found = np.zeros((len(labels), len(session.settings.classes)))
    for k in range(num_folds):
        kept = copy.copy(labeled)
        kept.keep(np.flatnonzero(fold != k))
        kept.pseudo_indices, kept.pseudo_labels = (a[:0] for a in _pseudo(kept))
        model = training.initial_model(session)
        few_labels.fit(model, *kept.arrays(pool), seed=k, **options)
        rows = labeled.indices[fold == k]
        found[fold == k] = inference.predict_probabilities(model, pool[rows])
    return found


def _pseudo(labeled):
    return labeled.pseudo_indices, labeled.pseudo_labels


def _folds(labels, num_folds):
    """Return the fold of each label: each class is spread over all folds."""
    order = np.argsort(labels, kind="stable")
    fold = np.empty(len(labels), int)
    fold[order] = np.arange(len(labels)) % num_folds
    return fold
