"""The active learner: Algorithm 1 of the paper."""

import inspect
import logging
import os
import time
from collections.abc import Callable, Iterator

import numpy as np

from dfal_keras import _validation, pools, strategies
from dfal_keras import callbacks as round_callbacks
from dfal_keras.backend import classifier, evaluation
from dfal_keras.learning import learner_file
from dfal_keras.learning.annotations import Annotations
from dfal_keras.learning.pool_fingerprint import PoolFingerprint
from dfal_keras.learning.rounds import Round
from dfal_keras.strategies import Query
from dfal_keras.strategies.query import check_returned

_logger = logging.getLogger(__name__)


class ActiveLearner(Annotations):
    """Train on a labeled set that grows by querying labels.

    One round, as in Algorithm 1: train A_k on L_k; draw K candidates S_k from the
    unlabeled pool U_k; let the strategy choose `num_queries` of them; move these, with
    their labels and companions, from U_k to L_{k+1}.

    Use `ask` and `tell` with an annotator, `rounds` or `fit` to simulate one. To train
    somewhere else, use `choose` in place of `ask`. Add labels that exist already with
    `add_labels`; correct labels with `relabel` and `unlabel`. Within a query, the order
    of the answers has no effect.

    The pool is never copied or converted as a whole. The learner keeps indices into
    it, labels and companions, in `labeled`.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Algorithm 1.

    Args:
        train: `training(H, L_k)`, a function `train(x, y, seed=...)` that returns a
            trained Keras model, such as a `dfal_keras.Training`. If it has an argument
            `groups`, it also gets the group of each sample, an int array: an image and
            its companions have the same. Defaults to `None`: only `choose` can query.
        strategy: Name of a query strategy, or an object with a method `query`; see
            `dfal_keras.strategies.get`. Defaults to `"dfal"`.
        num_queries: n_query, the number of labels to query in a round. Defaults to 10.
        num_initial: Size of the initial labeled set L_0, drawn at random. Unused if
            `model` is given. Defaults to 10.
        seed: Non-negative integer. The random numbers of a round are derived from the
            seed and the number of the round. Defaults to 0.
        pool: The images to choose from, as for `dfal_keras.pools.as_pool`. Required by
            `ask` and `choose`. `rounds` and `fit` take it as an argument. Defaults to
            `None`.
        model: A trained classifier that chooses the first queries. Defaults to `None`:
            the first queries are drawn at random.

    Attributes:
        labeled: The `LabeledSet` L_k: indices, labels, companions and
            pseudo-labels.
        ignored: Sorted int array, rows of the pool that are never queried.
        round: k, the number of completely answered queries, without the initial one.
        model: A_k of the last training; before the first, the argument `model`.
        history: List of `Round`, the finished rounds of `rounds` and `fit`. `save` and
            `load` keep them.
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
        train: Callable | None = None,
        strategy="dfal",
        *,
        num_queries: int = 10,
        num_initial: int = 10,
        seed: int = 0,
        pool=None,
        model=None,
    ):
        if train is not None and not callable(train):
            raise _validation.ArgumentError(
                "train",
                "must be a function train(x, y, seed=...) that "
                f"returns a trained model. Received: {train!r}",
            )
        self.train = train
        self.strategy = strategies.get(strategy)
        self.num_queries = _validation.check_count("num_queries", num_queries)
        self.num_initial = _validation.check_count("num_initial", num_initial)
        self.seed = _validation.check_seed(seed)
        super().__init__(None if pool is None else pools.as_pool(pool, name="pool"))
        if model is not None:
            classifier.check_model(model)
        self.model = self._first_model = model
        self._has_trained = False
        self.history: list[Round] = []
        self.metadata: dict = {}
        self._fingerprint: PoolFingerprint | None = None  # of the last save or load

    def ask(self) -> Query:
        """Return the samples to label next.

        Trains A_k first, if any sample is labeled. If the last query is not completely
        answered, returns `open_query` instead, its remaining samples.

        Returns:
            A `dfal_keras.strategies.Query` with indices into the pool.

        Raises:
            ValueError: If there is no pool, or it has no unlabeled sample.
        """
        query = self.open_query
        if query is None:
            self._check_has_pool("ask")
            self._check_strategy()
            self._train()
            first, later = self.num_initial, self.num_queries
            query = self.choose(first if self._has_no_model() else later)
        return query

    def choose(
        self,
        num_queries: int | None = None,
        *,
        model=None,
        strategy=None,
        exclude=(),
        add_to_open: bool = False,
    ) -> Query:
        """Return the samples to label next, without training.

        `ask` trains, then chooses. If the last query is not completely answered,
        returns `open_query` instead, its remaining samples, unless `add_to_open`.

        Args:
            num_queries: Number of samples to choose; fewer if fewer candidates are
                left. Defaults to `None`, `num_queries` of the learner.
            model: A trained classifier that chooses. Defaults to `None`, the attribute
                `model`. Without either, samples are drawn at random.
            strategy: The strategy of this query, as at construction. Defaults to
                `None`, the learner's.
            exclude: Rows of the pool that this query leaves out, besides `ignored`.
                Defaults to `()`.
            add_to_open: Whether to choose samples although the last query is not
                completely answered. Its remaining samples follow them, with their
                companions, and its round ends. Defaults to `False`.

        Returns:
            A `dfal_keras.strategies.Query` with indices into the pool.

        Raises:
            ValueError: If there is no pool, it has no unlabeled sample, or an argument
                is invalid.

        Example:
            >>> import dfal_keras as dfal
            >>> (x, _), _ = dfal.datasets.load_data("mnist")
            >>> model = dfal.models.LeNet5((28, 28, 1), 10)
            >>> learner = dfal.ActiveLearner(strategy="uncertainty", pool=x[:500])
            >>> query = learner.choose(3, model=model, exclude=range(400))
            >>> len(query.indices), bool(query.indices.min() >= 400)
            (3, True)
        """
        self._check_has_pool("choose")
        if num_queries is None:
            num_queries = self.num_queries
        _validation.check_count("num_queries", num_queries)
        if model is not None:
            classifier.check_model(model)
        chosen = self.strategy if strategy is None else strategies.get(strategy)
        excluded = _validation.check_indices("exclude", exclude, len(self.pool))
        add_to_open = _validation.check_flag("add_to_open", add_to_open)
        left, k = self.open_query, self.round
        if left is not None:
            if not add_to_open:
                return left
            excluded, k = np.union1d(excluded, left.indices), self._next_round
        candidates = self._candidates(excluded)
        if left is not None and not len(candidates):
            return left
        self._check_not_empty(candidates)
        model = self.model if model is None else model
        if model is None:
            query = self._draw(candidates, num_queries, k)
        else:
            query = self._choose_by_strategy(chosen, model, candidates, num_queries, k)
        if left is not None:
            query = query.followed_by(left)
        # The initial query is no round.
        is_initial = model is None and not self.labeled.num_annotations
        self.round = k
        self._begin(query, k if is_initial else k + 1)
        return query

    def fit(
        self,
        x,
        y,
        *,
        budget: int,
        test_data: tuple | None = None,
        callbacks: list | None = None,
    ) -> list[Round]:
        """Run all rounds; see `rounds`.

        Returns:
            List of `Round`.
        """
        return list(
            self.rounds(x, y, budget=budget, test_data=test_data, callbacks=callbacks)
        )

    def rounds(
        self,
        x,
        y,
        *,
        budget: int,
        test_data: tuple | None = None,
        callbacks: list | None = None,
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
            callbacks: Objects with a method `on_round_end(round, logs)`, such as a
                `dfal_keras.callbacks.TensorBoard`. Defaults to `None`.

        Yields:
            A `Round` after each round, when `model` is A_k and `labeled` is L_{k+1}.

        Raises:
            ValueError: If an argument is invalid, or the budget is smaller than the
                initial set or larger than the pool; or `x` is not the pool of the
                saved learner.
        """
        self._check_strategy()
        pool = pools.as_pool(x, name="x")
        if self._fingerprint is not None:
            self._fingerprint.check("x", pool)
        self.pool = pool
        y = _validation.check_labels("y", y, num_samples=len(self.pool))
        least = self.num_initial if self._has_no_model() else 1
        _validation.check_count("budget", budget, minimum=least)
        if budget > len(self.pool):
            raise _validation.ArgumentError(
                "budget",
                f"must be at most the pool's {len(self.pool)} "
                f"samples. Received: budget={budget}",
            )
        if test_data is not None:
            _validation.check_pair("test_data", test_data)
        return self._rounds(y, budget, test_data, round_callbacks.check(callbacks))

    def save(self, path: str | os.PathLike) -> None:
        """Write the state to an `.npz` file. The write is atomic.

        The state consists of L_k, the last query, the round, the history, the numbers
        and the strategy given at construction, and a fingerprint of the pool. It does
        not include the pool or the model.

        Args:
            path: The file to write.

        Raises:
            ValueError: If `metadata` is not JSON-serializable.
        """
        if self.pool is not None:
            indices = self.labeled.indices
            known = self._fingerprint
            self._fingerprint = PoolFingerprint.of(self.pool, indices, known)
        learner_file.SavedLearner(
            labeled=self.labeled,
            annotations=self._arrays(),
            numbers={name: getattr(self, name) for name in learner_file.NUMBERS},
            metadata=self.metadata,
            strategy=learner_file.describe_strategy(self.strategy),
            pool=self._fingerprint,
            history=self.history,
        ).write(path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        train: Callable | None = None,
        strategy=None,
        *,
        pool=None,
        model=None,
    ) -> "ActiveLearner":
        """Return a learner in the state that `save` wrote.

        With the arguments of its construction, the learner continues with the same
        rounds as the saved learner.

        Args:
            path: A file that `save` wrote.
            train: As at construction. Defaults to `None`.
            strategy: As at construction. If it differs from the saved one, a warning is
                logged. Defaults to `None`, the saved strategy.
            pool: As at construction; more samples may follow at its end. Defaults to
                `None`.
            model: As at construction. Not needed if any sample is labeled. Defaults
                to `None`.

        Raises:
            ValueError: If an argument is invalid; if `save` did not write the file; if
                the saved learner has another pool; or if `strategy` is `None` and the
                saved one can't be built again, such as an object without `get_config`.

        Example:
            >>> import dfal_keras as dfal
            >>> model = dfal.models.LeNet5((28, 28, 1), 10)
            >>> model.compile("adam", "sparse_categorical_crossentropy")
            >>> train = dfal.Training(model)
            >>> dfal.ActiveLearner(train, "bald").save("learner.npz")
            >>> dfal.ActiveLearner.load("learner.npz", train).strategy
            BALD(num_candidates=300, num_samples=10, stochastic=None, batch_size=None)
        """
        saved = learner_file.SavedLearner.read(path)
        strategy = learner_file.choose_strategy(path, saved.strategy, strategy)
        learner = cls(train, strategy, pool=pool, model=model, **saved.numbers)
        if learner.pool is not None and saved.pool is not None:
            saved.pool.check("pool", learner.pool)
        learner._restore(saved.labeled, saved.annotations)
        learner.history = saved.history
        learner.metadata = saved.metadata
        learner._fingerprint = saved.pool
        return learner

    def __repr__(self) -> str:
        return (
            f"ActiveLearner(strategy={self.strategy!r}, round={self.round}, "
            f"num_annotations={self.labeled.num_annotations}, "
            f"num_queries={self.num_queries}, seed={self.seed})"
        )

    def training_seed(self, k: int) -> int:
        """Return the seed with which A_k is trained in round k."""
        return int(self._rng(_TRAIN, k).integers(2**31))

    def _rounds(self, y, budget, test_data, callbacks):
        """Yield rounds until `budget` samples are annotated."""
        if self.open_query is not None or self._has_no_model():
            self._answer(y)
        while True:
            started = time.perf_counter()
            self._train()
            fitted = time.perf_counter()
            found = evaluation.Evaluation(np.nan, np.nan, (), {})
            if test_data is not None:
                found = evaluation.evaluate(self.model, *test_data)
            evaluated = time.perf_counter()
            k, num_annotations = self.round, self.labeled.num_annotations
            num_labeled = len(self.labeled)
            # No query in the last round: a run with a larger budget continues with it.
            num_queries = min(self.num_queries, budget - num_annotations)
            if num_queries > 0:
                self.choose(num_queries)
                self._answer(y)
            queried = time.perf_counter()
            finished = Round(
                round=k,
                num_annotations=num_annotations,
                num_labeled=num_labeled,
                accuracy=found.accuracy,
                loss=found.loss,
                fit_seconds=fitted - started,
                evaluate_seconds=evaluated - fitted,
                query_seconds=queried - evaluated,
                recalls=found.recalls,
                metrics=found.metrics,
            )
            # A call with a larger budget repeats the last round, and then queries.
            self.history = [row for row in self.history if row.round < k] + [finished]
            for callback in callbacks:
                callback.on_round_end(finished.round, finished.logs())
            _logger.info("%r", finished)
            yield finished
            if num_queries <= 0:
                return

    def _check_strategy(self):
        """Raise ValueError if the strategy can't query with the model to be trained."""
        model = getattr(self.train, "model", None)
        check = getattr(self.strategy, "check_model", None)
        if model is not None and check is not None:
            check(model)

    def _answer(self, y):
        """Answer the query from known labels."""
        indices = self.ask().indices
        self.tell(indices, y[indices])

    def _has_no_model(self):
        return self.model is None and not self.labeled.num_annotations

    def _train(self):
        """Train A_k on L_k, unless L_k is empty."""
        if self.labeled.num_annotations:
            if self.train is None:
                raise _validation.ArgumentError(
                    "train",
                    "must be given, at construction or to `load`, to "
                    "train; `choose` needs no `train`. Received: train=None",
                )
            arrays = self.labeled.arrays(self.pool)
            grouped = {"groups": self.labeled.groups} if self._takes_groups() else {}
            seed = self.training_seed(self.round)
            self.model = self.train(*arrays, seed=seed, **grouped)
            self._has_trained = True
        elif self._has_trained:  # `unlabel` removed all labels
            self.model, self._has_trained = self._first_model, False

    def _takes_groups(self):
        """Return whether `train` has an argument `groups`."""
        try:
            return "groups" in inspect.signature(self.train).parameters
        except (TypeError, ValueError):  # a callable without a signature
            return False

    def _candidates(self, excluded):
        """Return the rows of the pool to choose from."""
        known = np.concatenate([self.labeled.indices, self.ignored, excluded])
        return np.setdiff1d(np.arange(len(self.pool)), known)

    def _check_not_empty(self, candidates):
        """Raise ValueError if there is nothing to choose from."""
        if not len(candidates):
            raise _validation.ArgumentError(
                "pool",
                "must hold unlabeled samples. Received: "
                f"{len(self.pool)} samples, all labeled, ignored or excluded",
            )

    def _draw(self, candidates, num_queries, k):
        """Return a random query of round k."""
        num_queries = min(num_queries, len(candidates))
        rng = self._rng(_INITIAL, k)
        return Query(rng.choice(candidates, num_queries, replace=False))

    def _choose_by_strategy(self, strategy, model, candidates, num_queries, k):
        """Return the query of a strategy in round k."""
        num_candidates = getattr(strategy, "num_candidates", None)
        if num_candidates is not None and num_candidates < len(candidates):
            rng = self._rng(_CANDIDATES, k)
            candidates = rng.choice(candidates, num_candidates, replace=False)
        labeled = self.labeled.indices
        num_queries = min(num_queries, len(candidates))
        x_unlabeled = pools.Subset(self.pool, candidates)
        returned = strategy.query(
            model,
            x_unlabeled,
            num_queries,
            x_labeled=pools.Subset(self.pool, labeled) if len(labeled) else None,
            rng=self._rng(_STRATEGY, k),
        )
        query = check_returned(returned, strategy, x_unlabeled, num_queries)
        return query.reindex(candidates)

    def _rng(self, purpose, k):
        """Return the random generator of a purpose in round k."""
        return np.random.default_rng([self.seed, k, purpose])


_INITIAL, _TRAIN, _CANDIDATES, _STRATEGY = range(4)
