"""The active learner: Algorithm 1 of the paper, as a generator."""

import dataclasses
import logging
import time

import numpy as np

from dfal_keras import inference, strategies, validation
from dfal_keras.images import Subset
from dfal_keras.labeled_set import LabeledSet

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


class ActiveLearner:
    """Grow a labelled set by asking for the labels that matter.

    One round, as in Algorithm 1: train A_k on L_k; draw K candidates S_k from the
    unlabelled pool U_k; let the strategy choose `num_queries` of them; move these,
    with their labels and whatever comes with them, from U_k to L_{k+1}.

    The pool is never copied or converted: all the learner keeps, in `labeled`, are
    indices into it, labels, and adversarial twins.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        train: `training(H, L_k)`: a function `train(x, y, seed=...)` that returns a
            trained Keras model, such as a `dfal_keras.Training`.
        strategy: Name of a query strategy, or an object with a method `query`.
        num_queries: n_query, labels to ask for in a round.
        num_initial: Size of the initial labelled set L_0, drawn at random.
        seed: Whole number that everything random follows from, each round for
            itself: the same seed gives the same rounds.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, y), test_data = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> train = dfal.Training(model, num_restarts=1, epochs=2)
        >>> learner = dfal.ActiveLearner(train, "dfal", num_queries=10, seed=0)
        >>> history = learner.fit(x, y, budget=30, test_data=test_data)
        >>> [(r.num_annotations, r.num_labeled) for r in history]
        [(10, 10), (20, 30), (30, 50)]
    """

    def __init__(
        self,
        train,
        strategy="dfal",
        *,
        num_queries: int = 10,
        num_initial: int = 10,
        seed: int = 0,
    ):
        if not callable(train):
            raise ValueError(
                "Argument `train` must be a function train(x, y, seed=...) that "
                f"returns a trained model. Received: {train!r}"
            )
        self.train = train
        self.strategy = strategies.get(strategy)
        self.num_queries = validation.check_count("num_queries", num_queries)
        self.num_initial = validation.check_count("num_initial", num_initial)
        self.seed = validation.check_count("seed", seed, minimum=0)
        self.model = None
        self.round = 0
        self.labeled = LabeledSet.empty()

    def fit(self, x, y, *, budget: int, test_data=None) -> list:
        """Run all `rounds` and return them as a list of `Round`."""
        return list(self.rounds(x, y, budget=budget, test_data=test_data))

    def rounds(self, x, y, *, budget: int, test_data=None):
        """Run Algorithm 1 with labels that are there already: a simulated oracle.

        Args:
            x: The pool, images as the model takes them, of shape `(num_samples, ...)`.
            y: Integer class indices, of shape `(num_samples,)`. Only those of
                queried samples are ever used.
            budget: N, the number of annotations at which to stop, the initial set
                included.
            test_data: `(x_test, y_test)` to test every A_k on; it steers nothing.

        Yields:
            A `Round` after each. `model` is then A_k, and `labeled` already L_{k+1}.

        Raises:
            ValueError: If shapes or labels do not fit, or the budget is smaller than
                the initial set or larger than the pool.
        """
        validation.check_images("x", x)
        y = validation.check_labels("y", y, num_samples=x.shape[0])
        validation.check_count("budget", budget, minimum=self.num_initial)
        if budget > x.shape[0]:
            raise ValueError(
                f"Argument `budget` must be at most the pool's {x.shape[0]} samples. "
                f"Received: budget={budget}"
            )
        if test_data is not None:
            validation.check_images("test_data[0]", test_data[0])
            validation.check_labels(
                "test_data[1]", test_data[1], num_samples=test_data[0].shape[0]
            )
        return self._rounds(x, y, budget, test_data)

    def _rounds(self, x, y, budget, test_data):
        if not self.labeled.num_annotations:
            initial = self._rng(_INITIAL).choice(
                x.shape[0], self.num_initial, replace=False
            )
            self.labeled.add(strategies.Query(initial), y[initial])

        while True:
            started = time.perf_counter()
            seed = self.training_seed(self.round)
            self.model = self.train(*self.labeled.arrays(x), seed=seed)
            fitted = time.perf_counter()
            loss, accuracy = np.nan, np.nan
            if test_data is not None:
                loss, accuracy = inference.evaluate(self.model, *test_data)
            evaluated = time.perf_counter()
            num_annotations = self.labeled.num_annotations
            num_labeled = len(self.labeled)
            num_queries = min(self.num_queries, budget - num_annotations)
            if num_queries > 0:
                query = self._query(x, num_queries)
                self.labeled.add(query, y[query.indices])
            queried = time.perf_counter()

            finished = Round(
                round=self.round,
                num_annotations=num_annotations,
                num_labeled=num_labeled,
                accuracy=accuracy,
                loss=loss,
                fit_seconds=fitted - started,
                evaluate_seconds=evaluated - fitted,
                query_seconds=queried - evaluated,
            )
            _logger.info("%r", finished)
            # Without a query this round is not over: a larger budget takes it up again.
            self.round += num_queries > 0
            yield finished
            if num_queries <= 0:
                return

    def save(self, path):
        """Write where the learner stands to an `.npz` file, whole or not at all.

        That is L_{k+1}, the round, and the numbers given at construction; neither the
        pool nor the model.
        """
        numbers = {name: getattr(self, name) for name in _SAVED}
        self.labeled.save(path, round=self.round, **numbers)

    @classmethod
    def load(cls, path, train, strategy="dfal"):
        """Return a learner that stands where the one that saved `path` stood.

        It goes on with the very rounds that would have followed, if `train`,
        `strategy` and the pool are the same.

        Args:
            path: A file that `save` wrote.
            train: As at construction.
            strategy: As at construction.

        Raises:
            ValueError: If the file is none of `save`.
        """
        labeled, stored = LabeledSet.load(path)
        if not {*_SAVED, "round"} <= stored.keys():
            raise ValueError(
                "Argument `path` must be a file that `ActiveLearner.save` wrote. "
                f"Received: {path}, which holds a labelled set only"
            )
        learner = cls(train, strategy, **{name: int(stored[name]) for name in _SAVED})
        learner.labeled, learner.round = labeled, int(stored["round"])
        return learner

    def _query(self, x, num_queries):
        """Let the strategy choose; return its query in indices of the pool."""
        candidates = np.setdiff1d(np.arange(x.shape[0]), self.labeled.indices)
        num_candidates = getattr(self.strategy, "num_candidates", None)
        if num_candidates is not None and num_candidates < len(candidates):
            candidates = self._rng(_CANDIDATES).choice(
                candidates, num_candidates, replace=False
            )
        query = self.strategy.query(
            self.model,
            Subset(x, candidates),
            num_queries,
            x_labeled=Subset(x, self.labeled.indices),
            rng=self._rng(_STRATEGY),
        )
        query.check(len(candidates), num_queries)
        return dataclasses.replace(
            query,
            indices=candidates[query.indices],
            pseudo_indices=candidates[query.pseudo_indices],
        )

    def training_seed(self, k: int) -> int:
        """Return the seed with which A_k is trained, in round k."""
        return int(self._rng(_TRAIN, k).integers(2**31))

    def _rng(self, purpose, k=None):
        """Randomness for one purpose in one round, whatever happened before."""
        k = self.round if k is None else k
        return np.random.default_rng([self.seed, k, purpose])


_SAVED = ("num_queries", "num_initial", "seed")
_INITIAL, _TRAIN, _CANDIDATES, _STRATEGY = range(4)
