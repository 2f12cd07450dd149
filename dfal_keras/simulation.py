"""Algorithm 1 with labels that are there already: the learner asks, an array tells."""

import dataclasses
import logging
import time
from collections.abc import Iterator

import numpy as np

from dfal_keras import inference

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Round:
    """What one round of Algorithm 1 came to, in plain numbers.

    Attributes:
        round: k, from 0.
        num_annotations: Labels asked for so far, the initial set included.
        num_labeled: Size of the training set L_k: annotations, adversarial twins and
            pseudo-labels.
        accuracy: Test accuracy of A_k in [0, 1]; NaN without test data.
        loss: Test cross-entropy of A_k in nats; NaN without test data.
        fit_seconds: Time to train A_k.
        evaluate_seconds: Time to test it.
        query_seconds: Time to choose the next queries; 0 in the last round.
    """

    round: int
    num_annotations: int
    num_labeled: int
    accuracy: float
    loss: float
    fit_seconds: float
    evaluate_seconds: float
    query_seconds: float


def rounds(
    learner, y: np.ndarray, budget: int, test_data: tuple | None
) -> Iterator[Round]:
    """Run rounds until `budget` samples are annotated; see `ActiveLearner.rounds`."""
    if learner._open is None and learner._has_no_model():
        learner._choose(learner.num_initial)
    if learner._open is not None:
        _answer(learner, y)

    while True:
        started = time.perf_counter()
        learner._train()
        fitted = time.perf_counter()
        loss, accuracy = np.nan, np.nan
        if test_data is not None:
            loss, accuracy = inference.evaluate(learner.model, *test_data)
        evaluated = time.perf_counter()
        k, num_annotations = learner.round, learner.labeled.num_annotations
        num_labeled = len(learner.labeled)
        num_queries = min(learner.num_queries, budget - num_annotations)
        # Without a query the round is not over: a larger budget takes it up again.
        if num_queries > 0:
            learner._choose(num_queries)
            _answer(learner, y)
        queried = time.perf_counter()

        finished = Round(
            round=k,
            num_annotations=num_annotations,
            num_labeled=num_labeled,
            accuracy=accuracy,
            loss=loss,
            fit_seconds=fitted - started,
            evaluate_seconds=evaluated - fitted,
            query_seconds=queried - evaluated,
        )
        _logger.info("%r", finished)
        yield finished
        if num_queries <= 0:
            return


def _answer(learner, y):
    """Tell the labels of what is asked."""
    indices = learner._open.query.indices
    learner.tell(indices, y[indices])
