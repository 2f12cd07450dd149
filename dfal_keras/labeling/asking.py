"""Ask: the images of a session to label next."""

import math
from collections.abc import Callable

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.labeling import cold_start
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.session import Session


def ask(
    session: Session,
    num_queries: int,
    *,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
    report: Callable[[str], None] | None = None,
) -> list[QueriedImage]:
    """Choose the images to label next.

    The latest model of the session chooses. It is not trained. If no image of the last
    query is answered, they are returned again. What is left of a query that is partly
    answered, since a person skipped it, follows the images that are chosen.

    Args:
        session: The session.
        num_queries: Number of images to choose.
        resume: Whether to return only what is left of a query that is partly answered,
            to go on with it. Defaults to `False`.
        progress: Called with the number of images that the strategy has read since the
            last call. Defaults to `None`.
        report: Called with a sentence if diverse or random images are chosen because
            the model can't choose yet; see `cold_start.plan`. Defaults to `None`.

    Returns:
        The images, most important first. See `Session` for an example.

    Raises:
        ValueError: If there is no image to label, or the strategy fails.
    """
    _validation.check_count("num_queries", num_queries)
    learner = session.learner
    model = session.trained_model()
    may_add = learner.is_partly_answered and not resume
    if learner.open_query is None or may_add:
        reason = cold_start.plan(session, model)
        chooser, strategy = model, None
        if reason is not None:
            strategy, chooser = cold_start.strategy(session)
            if report is not None:
                kind = "random" if strategy is None else "diverse"
                report(f"choosing {kind} images, because {reason}")
        learner.pool = _Watched(session.store.pool, progress)
        try:
            learner.choose(
                num_queries,
                model=chooser,
                strategy=strategy,
                exclude=_not_to_ask(session),
                add_to_open=may_add,
            )
        finally:
            learner.pool = session.store.pool
        session.save()
    return _describe(session, model)


def _not_to_ask(session):
    """Return the rows not to query: no file, "can't tell", or in the random sample."""
    labels = session.labels().items()
    unknown = np.array([row for row, label in labels if label == CANT_TELL], np.int64)
    unknown = np.union1d(unknown, np.array(session.check_rows(), np.int64))
    return np.union1d(unknown, np.flatnonzero(~session.store.is_present))


def _describe(session, model):
    """Return the images of the open query."""
    query, store = session.learner.open_query, session.store
    classes = session.settings.classes
    images = store.pool[query.indices]
    predicted = _predict(model, images, classes)
    examples: dict[int, np.ndarray] = {}
    examples_predicted: dict[int, str] = {}
    if model is not None and len(query.companion_rows):
        rows = query.companion_rows.tolist()
        examples = dict(zip(rows, query.companions, strict=True))
        names = [name for name, _ in _predict(model, query.companions, classes)]
        examples_predicted = dict(zip(rows, names, strict=True))
    return [
        QueriedImage(
            rank=i + 1,
            file=store.names[row],
            sha256=store.hashes[row],
            score=_score(query, i),
            predicted=predicted[i][0],
            probability=predicted[i][1],
            image=images[i],
            adversarial_example=examples.get(i),
            adversarial_predicted=examples_predicted.get(i),
        )
        for i, row in enumerate(query.indices.tolist())
    ]


def _score(query, i):
    """Return the score of an image, `None` if the strategy gave none."""
    score = math.nan if query.scores is None else float(query.scores[i])
    return None if math.isnan(score) else score


def _predict(model, images, classes):
    """Return the name and the probability of the predicted class of each image."""
    if model is None:
        return [("", None)] * len(images)
    probabilities = inference.predict_probabilities(model, images)
    best = probabilities.argmax(axis=1)
    return [
        (classes[label], float(row[label]))
        for label, row in zip(best.tolist(), probabilities, strict=True)
    ]


class _Watched:
    """A pool that reports how many images are read from it."""

    def __init__(self, pool, progress):
        self._pool, self._progress = pool, progress
        self.shape, self.dtype = pool.shape, pool.dtype

    def __len__(self):
        return len(self._pool)

    def __getitem__(self, rows):
        images = self._pool[rows]
        if self._progress is not None:
            self._progress(len(images))
        return images
