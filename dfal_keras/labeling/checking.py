"""Check: how good the predictions are, on a random sample that is not trained on."""

import dataclasses

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.labeling import intervals
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.session import Session

_SEED = 1729  # of the sample, with the session's seed


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A proportion of the sample, and its confidence interval.

    Attributes:
        num_right: Number of images that are predicted right.
        num_images: Number of labeled images.
        interval: Wilson's 95 % interval.
        num_to_halve: How many more labels would halve the interval.
    """

    num_right: int
    num_images: int
    interval: tuple[float, float]
    num_to_halve: int

    @classmethod
    def of(cls, is_right: np.ndarray) -> "Estimate":
        """Return the estimate of a bool array, true for what is predicted right."""
        counts = int(is_right.sum()), len(is_right)
        return cls(*counts, intervals.wilson(*counts), intervals.num_to_halve(*counts))


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """The results on the sample.

    Attributes:
        accuracy: The accuracy.
        recalls: The recall of each class, by its name.
    """

    accuracy: Estimate
    recalls: dict[str, Estimate]


def check(session: Session, num_images: int) -> list[QueriedImage]:
    """Draw a random sample to label, or return its images that are not labeled yet.

    The sample is drawn from the images that are not labeled at that time, and its
    accuracy is an unbiased estimate for these. It is never trained on, and the strategy
    does not ask for it. A larger number adds images to the sample.

    Args:
        session: The session.
        num_images: Size of the sample.

    Returns:
        The images of the sample that are not answered.

    Raises:
        ValueError: If there are fewer unlabeled images.
    """
    _validation.check_count("num", num_images)
    store = session.store
    known = session.check_rows()
    if num_images > len(known):
        _draw(session, known, num_images)
    labels = session.labels()
    rows = [row for row in session.check_rows() if row not in labels]
    return [
        QueriedImage(
            rank=i,
            file=store.names[row],
            sha256=store.hashes[row],
            score=None,
            predicted="",
            probability=None,
            image=store.pool[row],
        )
        for i, row in enumerate(rows, 1)
        if store.is_present[row]
    ]


def result(session: Session) -> CheckResult | None:
    """Return how good the latest model is on the sample, `None` without answers."""
    labels = session.labels()
    rows = [r for r in session.check_rows() if labels.get(r, CANT_TELL) != CANT_TELL]
    model = session.trained_model() if rows else None
    if model is None:
        return None
    classes = session.settings.classes
    truth = np.array([classes.index(labels[row]) for row in rows])
    predicted = inference.predict_classes(model, session.store.pool[rows])
    is_right = predicted == truth
    return CheckResult(
        accuracy=Estimate.of(is_right),
        recalls={
            name: Estimate.of(is_right[truth == label])
            for label, name in enumerate(classes)
        },
    )


def _draw(session, known, num_images):
    """Draw images until the sample has `num_images`."""
    store = session.store
    is_free = store.is_present.copy()
    is_free[[*known, *session.labels()]] = False
    query = session.learner.open_query
    if query is not None:
        is_free[query.indices] = False  # they are queried for the training
    free = np.flatnonzero(is_free)
    num_new = num_images - len(known)
    if num_new > len(free):
        raise _validation.ArgumentError(
            "num",
            f"must be at most {len(known) + len(free)}, the sample and the images that "
            f"are neither labeled nor queried. Received: num={num_images}",
        )
    # The order of checksums, as rows depend on when files were added.
    free = free[np.argsort([store.hashes[row] for row in free], kind="stable")]
    rng = np.random.default_rng([session.settings.seed, len(known), _SEED])
    drawn = rng.choice(free, num_new, replace=False).tolist()
    session.set_check_rows([*known, *drawn])
