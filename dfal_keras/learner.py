"""The active learner: Algorithm 1 of the paper, one question and answer at a time."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator

import numpy as np

from dfal_keras import pools, simulation, strategies, validation, views
from dfal_keras.labeled_set import LabeledSet
from dfal_keras.questions import OpenQuery, choose
from dfal_keras.strategies import Query


class ActiveLearner:
    """Grow a labelled set by asking for the labels that matter.

    One round, as in Algorithm 1: train A_k on L_k; draw K candidates S_k from the
    unlabelled pool U_k; let the strategy choose `num_queries` of them; move these,
    with their labels and whatever comes with them, from U_k to L_{k+1}.

    For somebody who labels, `ask` trains and chooses, `tell` takes the labels, and
    `save` keeps where they stand; with labels that are there, `rounds` and `fit` do it.

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
        num_initial: Size of the initial labelled set L_0, drawn at random. Unused if
            there is a `model` to begin with.
        seed: Whole number that everything random follows from, each round for
            itself: the same seed gives the same rounds.
        pool: The images to choose from, as `dfal_keras.pools.as_pool` takes them;
            needed by `ask`, while `rounds` and `fit` have an argument for it.
        model: A classifier that is trained already. It chooses until there are labels
            to train on; without it the first samples are drawn at random.

    Attributes:
        labeled: The `LabeledSet` L_k: indices, labels, twins, pseudo-labels.
        skipped: Int array of pool rows that are never asked for.
        round: k, the number of queries answered in full, the initial one apart.
        model: A_k as last trained; the model given; or `None`.
        metadata: Dict of values that JSON can hold, empty at first, for your own notes:
            `save` and `load` keep it.

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

        With a person to ask, and a model to begin with:

        >>> learner = dfal.ActiveLearner(train, num_queries=3, pool=x, model=model)
        >>> query = learner.ask()
        >>> learner.tell(query.indices[:2], [7, None])  # None: can't be told
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
        self.num_queries = validation.check_count("num_queries", num_queries)
        self.num_initial = validation.check_count("num_initial", num_initial)
        self.seed = validation.check_count("seed", seed, minimum=0)
        self.pool = None if pool is None else pools.as_pool(pool, name="pool")
        if model is not None:
            views.check_model(model)
        self.model = model
        self.round = 0
        self.metadata: dict = {}
        self.labeled = LabeledSet.empty()
        self.skipped = np.empty(0, np.int64)
        self._open: OpenQuery | None = None  # what is asked and not yet answered

    def ask(self) -> Query:
        """Return what to label next; train A_k first, if anything is labelled.

        Returns:
            A `dfal_keras.strategies.Query` with indices into the pool; before all is
            answered, the one that is still open.

        Raises:
            ValueError: If there is no pool, or nothing unlabelled is left in it.
        """
        if self._open is None:
            if self.pool is None:
                raise ValueError(
                    "Argument `pool` must be given, at construction or to `load`, "
                    "before anything can be asked. Received: pool=None"
                )
            self._train()
            self._choose(self.num_queries)
        return self._open.query  # type: ignore[union-attr]

    def tell(self, indices, labels) -> None:
        """Take labels for what was asked, in any order, all at once or in parts.

        Args:
            indices: Some or all of the indices that `ask` returned.
            labels: A class index for each; `None` for a sample that can't be told: it
                is put aside and never asked for again.

        Raises:
            ValueError: If nothing was asked, an index was not, or a label is no class
                index. Nothing is taken then.
        """
        if self._open is None:
            raise ValueError(
                "Method `tell` answers a question: call `ask` first. "
                f"Received: indices={indices!r:.80}"
            )
        rows, labels, is_known = self._open.check_answer(indices, labels)
        query = self._open.query
        self.labeled.add(query.take(rows[is_known]), labels)
        self.skipped = np.concatenate([self.skipped, query.indices[rows[~is_known]]])
        left = np.setdiff1d(np.arange(len(query.indices)), rows)
        if len(left):
            self._open = dataclasses.replace(self._open, query=query.take(left))
        else:
            self.round, self._open = self._open.next_round, None

    def put_aside(self, indices) -> None:
        """Never ask for these samples of the pool.

        Args:
            indices: Rows of the pool, such as those that were labelled elsewhere.

        Raises:
            ValueError: If there is no pool, or an index lies outside of it.
        """
        size = 0 if self.pool is None else len(self.pool)
        rows = validation.check_indices("indices", indices, size)
        self.skipped = np.union1d(self.skipped, rows)

    def fit(
        self, x, y, *, budget: int, test_data: tuple | None = None
    ) -> list[simulation.Round]:
        """Run all `rounds` and return them as a list of `Round`."""
        return list(self.rounds(x, y, budget=budget, test_data=test_data))

    def rounds(
        self, x, y, *, budget: int, test_data: tuple | None = None
    ) -> Iterator[simulation.Round]:
        """Run Algorithm 1 with labels that are there already: a simulated oracle.

        Args:
            x: The pool, as `dfal_keras.pools.as_pool` takes it: images as the model
                takes them, of shape `(num_samples, ...)`.
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
        self.pool = pools.as_pool(x, name="x")
        y = validation.check_labels("y", y, num_samples=len(self.pool))
        least = 1 if self.model is not None else self.num_initial
        validation.check_count("budget", budget, minimum=least)
        if budget > len(self.pool):
            raise ValueError(
                f"Argument `budget` must be at most the pool's {len(self.pool)} "
                f"samples. Received: budget={budget}"
            )
        if test_data is not None:
            validation.check_pair("test_data", test_data)
        return simulation.rounds(self, y, budget, test_data)

    def save(self, path: str | os.PathLike) -> None:
        """Write where the learner stands to an `.npz` file, whole or not at all.

        That is L_k, what is asked and not answered, the round, and the numbers given
        at construction; neither the pool nor a model.
        """
        numbers = {name: getattr(self, name) for name in _SAVED}
        try:
            metadata = json.dumps(self.metadata)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Attribute `metadata` must hold what JSON can hold. "
                f"Received: metadata={self.metadata!r:.80} ({error})"
            ) from error
        asked: dict = {} if self._open is None else self._open.arrays()
        pool = {} if self.pool is None else {"pool_shape": self.pool.shape}
        self.labeled.save(
            path,
            round=self.round,
            skipped=self.skipped,
            metadata=metadata,
            **numbers,
            **asked,
            **pool,
        )

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
        """Return a learner that stands where the one that saved `path` stood.

        It goes on with the very rounds that would have followed, if what is given
        here is the same.

        Args:
            path: A file that `save` wrote.
            train: As at construction.
            strategy: As at construction.
            pool: As at construction.
            model: As at construction; needed as long as nothing is labelled.

        Raises:
            ValueError: If the file is none of `save`, or of another pool.
        """
        labeled, stored = LabeledSet.load(path)
        if not {*_SAVED, "round"} <= stored.keys():
            raise ValueError(
                "Argument `path` must be a file that `ActiveLearner.save` wrote. "
                f"Received: {path}, which holds a labelled set only"
            )
        numbers = {name: int(stored[name]) for name in _SAVED}
        learner = cls(train, strategy, pool=pool, model=model, **numbers)
        learner.labeled, learner.round = labeled, int(stored["round"])
        learner.skipped = stored.get("skipped", learner.skipped)
        learner.metadata = json.loads(str(stored.get("metadata", "{}")))
        learner._open = OpenQuery.of_arrays(stored)
        if pool is not None and "pool_shape" in stored:
            pools.check_same(learner.pool, stored["pool_shape"])
        return learner

    def training_seed(self, k: int) -> int:
        """Return the seed with which A_k is trained, in round k."""
        return int(self._rng(_TRAIN, k).integers(2**31))

    def _has_no_model(self):
        return self.model is None and not self.labeled.num_annotations

    def _train(self):
        """Train A_k on L_k, if that holds anything."""
        if self.labeled.num_annotations:
            arrays = self.labeled.arrays(self.pool)
            self.model = self.train(*arrays, seed=self.training_seed(self.round))

    def _choose(self, num_queries):
        """Open a query: of the strategy, or at random where there is no model yet."""
        known = np.concatenate([self.labeled.indices, self.skipped])
        candidates = np.setdiff1d(np.arange(len(self.pool)), known)
        if not len(candidates):
            raise ValueError(
                "Argument `pool` must hold something unlabelled to ask for. Received: "
                f"{len(self.pool)} samples, all labelled or put aside"
            )
        if self._has_no_model():
            num_initial = min(self.num_initial, len(candidates))
            initial = self._rng(_INITIAL).choice(candidates, num_initial, replace=False)
            self._open = OpenQuery(Query(initial), next_round=self.round)
            return
        num_candidates = getattr(self.strategy, "num_candidates", None)
        if num_candidates is not None and num_candidates < len(candidates):
            candidates = self._rng(_CANDIDATES).choice(
                candidates, num_candidates, replace=False
            )
        query = choose(
            self.strategy,
            self.model,
            self.pool,
            candidates,
            min(num_queries, len(candidates)),
            self.labeled.indices,
            self._rng(_STRATEGY),
        )
        self._open = OpenQuery(query, next_round=self.round + 1)

    def _rng(self, purpose, k=None):
        """Randomness for one purpose in one round, whatever happened before."""
        k = self.round if k is None else k
        return np.random.default_rng([self.seed, k, purpose])


_SAVED = ("num_queries", "num_initial", "seed")
_INITIAL, _TRAIN, _CANDIDATES, _STRATEGY = range(4)
