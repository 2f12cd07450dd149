"""The labels of a pool, and the query that is not completely answered."""

import dataclasses

import numpy as np

from dfal_keras import _validation
from dfal_keras.learning.labeled_set import LabeledSet, stored_name
from dfal_keras.strategies import Query

_NO_QUERY = Query(np.empty(0, np.int64))


class Annotations:
    """The labels of a pool, and the query that is not completely answered.

    The base class of `ActiveLearner`, without strategy, training and model.

    The order of the labeled set, and so every training, does not depend on the order
    of the answers. The samples of a query follow those of the query before, in the
    query's order. Labels that were not asked for follow the last query, by row.

    Args:
        pool: The samples to label, or `None`.

    Attributes:
        pool: The samples to label, or `None`.
        labeled: The `LabeledSet`.
        ignored: Sorted int array, rows of the pool that are never queried.
        round: Number of completely answered queries, without the initial one.
    """

    def __init__(self, pool=None) -> None:
        self.pool = pool
        self.labeled = LabeledSet.empty()
        self.ignored = np.empty(0, np.int64)
        self.round = 0
        # The last query as it was asked, and which of its samples are not answered. It
        # is kept until the next one, for answers that are corrected.
        self._query = _NO_QUERY
        self._is_open = np.empty(0, bool)
        self._num_before = 0  # labels before the query, which keep their order
        self._next_round = 0  # after the query

    @property
    def open_query(self) -> Query | None:
        """The samples of the last query that are not answered; `None` if all are."""
        if not self._is_open.any():
            return None
        if self._is_open.all():
            return self._query
        return self._query.take(np.flatnonzero(self._is_open))

    @property
    def is_partly_answered(self) -> bool:
        """Whether some samples of the last query are answered, but not all."""
        return bool(self._is_open.any() and not self._is_open.all())

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
        query = self.open_query
        if query is None:
            raise ValueError(
                "Method `tell` must follow a query: call `ask` first. "
                f"Received: indices={indices!r:.80}"
            )
        rows, labels = _validation.check_answers(indices, labels, optional=True)
        if not np.isin(rows, query.indices).all():
            raise _validation.ArgumentError(
                "indices",
                "must hold distinct samples that were queried and "
                f"are not answered yet: {sorted(query.indices.tolist())}. Received: "
                f"indices={indices!r:.80}",
            )
        is_known = np.array([label is not None for label in labels], bool)
        known = [label for label in labels if label is not None]
        self._record(rows[is_known], known, unknown=rows[~is_known])

    def add_labels(self, indices, labels) -> None:
        """Add labels that were not asked for, such as those that exist already.

        Samples of the last query are added as by `tell`, with their adversarial
        examples, even if their labels were unknown or removed before. This is possible
        until the next query. Ignored samples that get a label are no longer ignored.

        Args:
            indices: Rows of the pool, without a label.
            labels: A class index for each index.

        Raises:
            ValueError: If there is no pool, a sample is labeled already, or an argument
                is invalid. No label is added.

        Example:
            >>> import dfal_keras as dfal
            >>> pool = np.zeros((100, 28, 28, 1), "uint8")
            >>> model = dfal.models.LeNet5((28, 28, 1), 10)
            >>> model.compile("adam", "sparse_categorical_crossentropy")
            >>> learner = dfal.ActiveLearner(dfal.Training(model), pool=pool)
            >>> learner.add_labels([3, 5, 8], [0, 1, 1])
            >>> learner.relabel([8], [0])
            >>> learner.unlabel([3])
            >>> learner.labeled.indices, learner.labeled.labels
            (array([5, 8]), array([1, 0]))
        """
        self._check_has_pool("add_labels")
        rows, labels = _validation.check_answers(indices, labels, size=len(self.pool))
        is_labeled = self.labeled.find(rows) >= 0
        if is_labeled.any():
            raise _validation.ArgumentError(
                "indices",
                "must hold samples without a label. Use `relabel` "
                f"to change labels. Received: labeled samples {_few(rows[is_labeled])}",
            )
        self._record(rows, labels)

    def relabel(self, indices, labels) -> None:
        """Change labels. Adversarial examples take the labels of their samples.

        Args:
            indices: Rows of the pool, which are labeled.
            labels: The new class index for each index.

        Raises:
            ValueError: If a sample is not labeled, or an argument is invalid. No label
                is changed.
        """
        rows, labels = _validation.check_answers(indices, labels)
        self.labeled.relabel(self._find(rows), np.array(labels, np.int64))

    def unlabel(self, indices) -> None:
        """Remove labels. Samples return to the pool, without companions.

        They may be queried again by later queries. The open query does not ask for
        them again: use `add_labels`. Samples with unknown labels have no label to
        remove: they stay ignored until `add_labels` labels them.

        Args:
            indices: Rows of the pool, which are labeled.

        Raises:
            ValueError: If a sample is not labeled, or indices are not distinct. No
                label is removed.
        """
        rows = self._find(_validation.check_distinct("indices", indices))
        self._num_before -= int((rows < self._num_before).sum())
        left = np.setdiff1d(np.arange(self.labeled.num_annotations), rows)
        self.labeled.keep(left)

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

    def _check_has_pool(self, method):
        """Raise ValueError if there is no pool for a method."""
        if self.pool is None:
            raise _validation.ArgumentError(
                "pool",
                "must be given, at construction or to `load`, for "
                f"`{method}`. Received: pool=None",
            )

    def _arrays(self) -> dict:
        """Return what `_restore` takes, except for the labeled set."""
        query = {
            f"query_{stored_name(name)}": value
            for name, value in vars(self._query).items()
            if value is not None
        }
        return {
            "round": self.round,
            "ignored": self.ignored,
            "query_is_open": self._is_open,
            "num_before": self._num_before,
            "next_round": self._next_round,
            **query,
        }

    def _restore(self, labeled: LabeledSet, arrays: dict) -> None:
        """Restore the state of which `_arrays` was returned.

        Older files have no `query_is_open` and `num_before`, and only the open samples
        of a query.
        """
        self.labeled = labeled
        self.round = int(arrays["round"])
        self.ignored = arrays.get("ignored", self.ignored)
        self._next_round = int(arrays.get("next_round", self.round))
        self._num_before = int(arrays.get("num_before", labeled.num_annotations))
        if "query_indices" in arrays:
            names = [field.name for field in dataclasses.fields(Query)]
            found: dict = {
                name: arrays.get(f"query_{stored_name(name)}") for name in names
            }
            self._query = Query(**found)
            all_open = np.ones(len(self._query.indices), bool)
            self._is_open = arrays.get("query_is_open", all_open)

    def _begin(self, query: Query, next_round: int) -> None:
        """Replace the last query."""
        self._query = query
        self._is_open = np.ones(len(query.indices), bool)
        self._num_before = self.labeled.num_annotations
        self._next_round = next_round

    def _record(self, indices, labels, unknown=_NO_QUERY.indices):
        """Add samples with known labels, and ignore those with unknown labels.

        All of them are valid, and none is labeled.
        """
        self._query = query = self._query.without_pseudo_labels(indices)
        answered = np.concatenate([indices, unknown])
        is_answered = self._is_open & np.isin(query.indices, answered)
        # The pseudo-labels of a query replace those of the query before.
        pseudo = query if is_answered.any() else self.labeled
        queried = query.take(np.flatnonzero(np.isin(query.indices, indices)))
        others = np.setdiff1d(indices, queried.indices)
        added = dataclasses.replace(
            queried,
            indices=np.concatenate([queried.indices, others]),
            scores=None,
            pseudo_indices=pseudo.pseudo_indices,
            pseudo_labels=pseudo.pseudo_labels,
        ).without_pseudo_labels(indices)
        label_of = dict(zip(indices.tolist(), labels, strict=True))
        ordered = [label_of[index] for index in added.indices.tolist()]
        self.labeled.add(added, np.array(ordered, np.int64))
        self._sort()
        self.ignored = np.union1d(np.setdiff1d(self.ignored, indices), unknown)
        self._is_open &= ~is_answered
        if is_answered.any() and not self._is_open.any():
            self.round = self._next_round
            # The labeled set has them now.
            self._query = query.without_pseudo_labels(query.pseudo_indices)

    def _sort(self):
        """Sort what was labeled since the last query, as the class describes."""
        recent = self.labeled.indices[self._num_before :]
        place = {index: row for row, index in enumerate(self._query.indices.tolist())}
        places = [place.get(index, len(place)) for index in recent.tolist()]
        order = np.lexsort([recent, places])
        if (order != np.arange(len(order))).any():
            before = np.arange(self._num_before)
            self.labeled.keep(np.concatenate([before, self._num_before + order]))

    def _find(self, indices):
        """Return the positions of labeled samples in the labeled set."""
        rows = self.labeled.find(indices)
        if (rows < 0).any():
            raise _validation.ArgumentError(
                "indices",
                "must hold labeled samples. Use `add_labels` to "
                f"label others. Received: samples {_few(indices[rows < 0])} without a "
                "label",
            )
        return rows


def _few(indices):
    """Return the first of some indices as text."""
    listed = ", ".join(map(str, indices[:5].tolist()))
    return f"{listed}, ..." if len(indices) > 5 else listed
