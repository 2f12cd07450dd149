"""The active learner: Algorithm 1 of the paper."""

import dataclasses
import json
import logging
import os
import time
from collections.abc import Callable, Iterator

import numpy as np

from dfal_keras import _validation, pools, strategies
from dfal_keras.backend import classifier, inference
from dfal_keras.labeled_set import LabeledSet
from dfal_keras.strategies import Query

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Round:
    """Results of one round of Algorithm 1.

    Attributes:
        round: k, from 0.
        num_annotations: Number of labels queried so far, the initial set included.
        num_labeled: Size of the training set L_k: annotations, adversarial examples
            and pseudo-labels.
        accuracy: Test accuracy of A_k, in [0, 1]. NaN without test data.
        loss: Test cross-entropy of A_k, in nats. NaN without test data.
        fit_seconds: Time to train A_k.
        evaluate_seconds: Time to test A_k.
        query_seconds: Time to choose the next queries. 0 in the last round.
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
    """Train on a labeled set that grows by querying labels.

    One round, as in Algorithm 1: train A_k on L_k; draw K candidates S_k from the
    unlabeled pool U_k; let the strategy choose `num_queries` of them; move these, with
    their labels and adversarial examples, from U_k to L_{k+1}.

    Use `ask` and `tell` with an annotator, `rounds` or `fit` to simulate one.

    The pool is never copied or converted as a whole. The learner keeps indices into
    it, labels and adversarial examples, in `labeled`.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        train: `training(H, L_k)`, a function `train(x, y, seed=...)` that returns a
            trained Keras model, such as a `dfal_keras.Training`.
        strategy: Name of a query strategy, or an object with a method `query`.
            Defaults to `"dfal"`.
        num_queries: n_query, the number of labels to query in a round. Defaults to 10.
        num_initial: Size of the initial labeled set L_0, drawn at random. Unused if
            `model` is given. Defaults to 10.
        seed: Non-negative integer. The random numbers of a round are derived from the
            seed and the number of the round. Defaults to 0.
        pool: The images to choose from, as for `dfal_keras.pools.as_pool`. Required by
            `ask`. `rounds` and `fit` take it as an argument. Defaults to `None`.
        model: A trained classifier that chooses the first queries. Defaults to `None`:
            the first queries are drawn at random.

    Attributes:
        labeled: The `LabeledSet` L_k: indices, labels, adversarial examples and
            pseudo-labels.
        ignored: Int array, rows of the pool that are never queried.
        round: k, the number of completely answered queries, without the initial one.
        model: A_k of the last training, or the argument `model` before.
        metadata: Dict of JSON-serializable values that `save` and `load` keep.
            Defaults to an empty dict.

    Raises:
        ValueError: If an argument is invalid.

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

        With an annotator and a trained model:

        >>> learner = dfal.ActiveLearner(train, num_queries=3, pool=x, model=model)
        >>> query = learner.ask()
        >>> learner.tell(query.indices[:2], [7, None])  # None: the label is unknown
        >>> learner.labeled.num_annotations, len(learner.ask().indices)
        (1, 1)
    """

    def __init__(
        self,
        train: Callable,
        strategy="dfal",
        *,
        num_queries: int = 10,
        num_initial: int = 10,
        seed: int = 0,
        pool=None,
        model=None,
    ):
        if not callable(train):
            raise ValueError(
                "Argument `train` must be a function train(x, y, seed=...) that "
                f"returns a trained model. Received: {train!r}"
            )
        self.train = train
        self.strategy = strategies.get(strategy)
        self.num_queries = _validation.check_count("num_queries", num_queries)
        self.num_initial = _validation.check_count("num_initial", num_initial)
        self.seed = _validation.check_count("seed", seed, minimum=0)
        self.pool = None if pool is None else pools.as_pool(pool, name="pool")
        if model is not None:
            classifier.check_model(model)
        self.model = model
        self.round = 0
        self.metadata: dict = {}
        self.labeled = LabeledSet.empty()
        self.ignored = np.empty(0, np.int64)
        # Samples without an answer, and the round after the answer: the current round
        # if there are none.
        self._query: Query | None = None
        self._next_round = 0

    def ask(self) -> Query:
        """Return the samples to label next.

        Trains A_k first, if any sample is labeled. If the last query is not completely
        answered, returns its remaining samples instead.

        Returns:
            A `dfal_keras.strategies.Query` with indices into the pool.

        Raises:
            ValueError: If there is no pool, or it has no unlabeled sample.
        """
        if self._query is None:
            if self.pool is None:
                raise ValueError(
                    "Argument `pool` must be given, at construction or to `load`, for "
                    "`ask`. Received: pool=None"
                )
            self._train()
            self._query = self._choose(self.num_queries)
        return self._query

    def tell(self, indices, labels) -> None:
        """Add labels of queried samples, in any order, in one or several calls.

        Args:
            indices: Some or all of the indices that `ask` returned.
            labels: A class index for each index, or `None` for an unknown label.
                Samples with unknown labels are not queried again.

        Raises:
            ValueError: If an index is not part of an open query, or a label is not a
                class index. No label is added.
        """
        if self._query is None:
            raise ValueError(
                "Method `tell` must follow a query: call `ask` first. "
                f"Received: indices={indices!r:.80}"
            )
        query = self._query
        rows, labels, is_known = query.match_answers(indices, labels)
        self.labeled.add(query.take(rows[is_known]), labels)
        self.ignored = np.concatenate([self.ignored, query.indices[rows[~is_known]]])
        left = np.setdiff1d(np.arange(len(query.indices)), rows)
        self._query = query.take(left) if len(left) else None
        if self._query is None:
            self.round = self._next_round

    def ignore(self, indices) -> None:
        """Exclude samples of the pool from all further queries.

        Args:
            indices: Rows of the pool.

        Raises:
            ValueError: If there is no pool, or an index is out of range.
        """
        size = 0 if self.pool is None else len(self.pool)
        rows = _validation.check_indices("indices", indices, size)
        self.ignored = np.union1d(self.ignored, rows)

    def fit(self, x, y, *, budget: int, test_data: tuple | None = None) -> list[Round]:
        """Run all rounds; see `rounds`.

        Returns:
            List of `Round`.
        """
        return list(self.rounds(x, y, budget=budget, test_data=test_data))

    def rounds(
        self, x, y, *, budget: int, test_data: tuple | None = None
    ) -> Iterator[Round]:
        """Run Algorithm 1 with known labels, which simulate an annotator.

        Args:
            x: The pool, as for `dfal_keras.pools.as_pool`: images as the model takes
                them, of shape `(num_samples, ...)`.
            y: Integer class indices, of shape `(num_samples,)`. Only the labels of
                queried samples are used.
            budget: N, the number of annotations at which to stop, the initial set
                included.
            test_data: `(x_test, y_test)` to test each A_k on. Not used for training
                or queries. Defaults to `None`.

        Yields:
            A `Round` after each round, when `model` is A_k and `labeled` is L_{k+1}.

        Raises:
            ValueError: If an argument is invalid, or the budget is smaller than the
                initial set or larger than the pool.
        """
        self.pool = pools.as_pool(x, name="x")
        y = _validation.check_labels("y", y, num_samples=len(self.pool))
        least = 1 if self.model is not None else self.num_initial
        _validation.check_count("budget", budget, minimum=least)
        if budget > len(self.pool):
            raise ValueError(
                f"Argument `budget` must be at most the pool's {len(self.pool)} "
                f"samples. Received: budget={budget}"
            )
        if test_data is not None:
            _validation.check_pair("test_data", test_data)
        return self._rounds(y, budget, test_data)

    def save(self, path: str | os.PathLike) -> None:
        """Write the state to an `.npz` file. The write is atomic.

        The state consists of L_k, the open query, the round, and the numbers given at
        construction. It does not include the pool or the model.

        Args:
            path: The file to write.

        Raises:
            ValueError: If `metadata` is not JSON-serializable.
        """
        try:
            metadata = json.dumps(self.metadata)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Attribute `metadata` must be JSON-serializable. "
                f"Received: metadata={self.metadata!r:.80} ({error})"
            ) from error
        arrays = {name: getattr(self, name) for name in (*_SAVED, "round", "ignored")}
        if self.pool is not None:
            arrays["pool_shape"] = self.pool.shape
        if self._query is not None:
            arrays["next_round"] = self._next_round
            arrays |= {
                f"query_{name}": value
                for name, value in vars(self._query).items()
                if value is not None
            }
        self.labeled.save(path, metadata=metadata, **arrays)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        train: Callable,
        strategy="dfal",
        *,
        pool=None,
        model=None,
    ) -> "ActiveLearner":
        """Return a learner in the state that `save` wrote.

        With the arguments of its construction, the learner continues with the same
        rounds as the saved learner.

        Args:
            path: A file that `save` wrote.
            train: As at construction.
            strategy: As at construction. Defaults to `"dfal"`.
            pool: As at construction. Defaults to `None`.
            model: As at construction. Not needed if any sample is labeled. Defaults
                to `None`.

        Raises:
            ValueError: If an argument is invalid, `save` did not write the file, or
                the saved learner has another pool.
        """
        labeled, stored = LabeledSet.load(path)
        if not {*_SAVED, "round"} <= stored.keys():
            raise ValueError(
                "Argument `path` must be a file that `ActiveLearner.save` wrote. "
                f"Received: {path}, which holds a labeled set only"
            )
        numbers = {name: int(stored[name]) for name in _SAVED}
        learner = cls(train, strategy, pool=pool, model=model, **numbers)
        learner.labeled = labeled
        learner.round = learner._next_round = int(stored["round"])
        learner.ignored = stored.get("ignored", learner.ignored)
        learner.metadata = json.loads(str(stored.get("metadata", "{}")))
        if "next_round" in stored:
            names = [field.name for field in dataclasses.fields(Query)]
            found: dict = {name: stored.get(f"query_{name}") for name in names}
            learner._query = Query(**found)
            learner._next_round = int(stored["next_round"])
        if pool is not None and "pool_shape" in stored:
            pools.check_same(learner.pool, stored["pool_shape"])
        return learner

    def training_seed(self, k: int) -> int:
        """Return the seed with which A_k is trained in round k."""
        return int(self._rng(_TRAIN, k).integers(2**31))

    def _rounds(self, y, budget, test_data):
        """Yield rounds until `budget` samples are annotated."""
        if self._query is not None or self._has_no_model():
            self._answer(y)
        while True:
            started = time.perf_counter()
            self._train()
            fitted = time.perf_counter()
            loss, accuracy = np.nan, np.nan
            if test_data is not None:
                loss, accuracy = inference.evaluate(self.model, *test_data)
            evaluated = time.perf_counter()
            k, num_annotations = self.round, self.labeled.num_annotations
            num_labeled = len(self.labeled)
            # No query in the last round: a run with a larger budget continues with it.
            num_queries = min(self.num_queries, budget - num_annotations)
            if num_queries > 0:
                self._query = self._choose(num_queries)
                self._answer(y)
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

    def _answer(self, y):
        """Answer the query from known labels."""
        indices = self.ask().indices
        self.tell(indices, y[indices])

    def _has_no_model(self):
        return self.model is None and not self.labeled.num_annotations

    def _train(self):
        """Train A_k on L_k, unless L_k is empty."""
        if self.labeled.num_annotations:
            arrays = self.labeled.arrays(self.pool)
            self.model = self.train(*arrays, seed=self.training_seed(self.round))

    def _choose(self, num_queries):
        """Return the strategy's query, or random samples if there is no model yet."""
        known = np.concatenate([self.labeled.indices, self.ignored])
        candidates = np.setdiff1d(np.arange(len(self.pool)), known)
        if not len(candidates):
            raise ValueError(
                "Argument `pool` must hold unlabeled samples. Received: "
                f"{len(self.pool)} samples, all labeled or ignored"
            )
        if self._has_no_model():
            num_initial = min(self.num_initial, len(candidates))
            rng = self._rng(_INITIAL)
            return Query(rng.choice(candidates, num_initial, replace=False))
        num_candidates = getattr(self.strategy, "num_candidates", None)
        if num_candidates is not None and num_candidates < len(candidates):
            rng = self._rng(_CANDIDATES)
            candidates = rng.choice(candidates, num_candidates, replace=False)
        labeled = self.labeled.indices
        num_queries = min(num_queries, len(candidates))
        query = self.strategy.query(
            self.model,
            pools.Subset(self.pool, candidates),
            num_queries,
            x_labeled=pools.Subset(self.pool, labeled) if len(labeled) else None,
            rng=self._rng(_STRATEGY),
        )
        query.check(len(candidates), num_queries)
        self._next_round = self.round + 1
        return query.reindex(candidates)

    def _rng(self, purpose, k=None):
        """Return the random generator of a purpose in a round."""
        k = self.round if k is None else k
        return np.random.default_rng([self.seed, k, purpose])


_SAVED = ("num_queries", "num_initial", "seed")
_INITIAL, _TRAIN, _CANDIDATES, _STRATEGY = range(4)
