"""Query: the samples that a strategy chose, and what is added with their labels."""

import dataclasses

import numpy as np

from dfal_keras.strategies.query_check import QueryCheck


@dataclasses.dataclass(frozen=True)
class Query:
    """Samples to label, with their scores, companions and pseudo-labels.

    Attributes:
        indices: Int array of shape `(num_queries,)`, rows of the candidates (rows of
            the pool in a query of an `ActiveLearner`), best first.
        scores: Float array of shape `(num_queries,)`, the strategy's score of each
            sample, as its docstring defines it; `None` if it has none.
        companions: Float array of shape `(num_companions, ...)`, samples that share
            the labels of queried samples, such as DFAL's adversarial examples; `None`
            for none.
        companion_rows: Int array of shape `(num_companions,)`, the position in
            `indices` of the sample that each companion belongs to, at most one per
            sample. Defaults to one for each sample, in order.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, rows whose
            predicted class serves as their label, for the next training only.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.

    Example:
        >>> import numpy as np
        >>> import dfal_keras as dfal
        >>> query = dfal.strategies.Query(np.array([4, 2]), scores=np.array([0.1, 0.2]))
        >>> query.companions is None, len(query.pseudo_indices)
        (True, 0)
    """

    indices: np.ndarray
    scores: np.ndarray | None = None
    companions: np.ndarray | None = None
    companion_rows: np.ndarray | None = None
    pseudo_indices: np.ndarray = dataclasses.field(
        default_factory=lambda: np.empty(0, np.int64)
    )
    pseudo_labels: np.ndarray = dataclasses.field(
        default_factory=lambda: np.empty(0, np.int64)
    )

    def __post_init__(self):
        if self.companion_rows is None:
            has_companions = self.companions is not None
            num_companions = np.size(self.indices) if has_companions else 0
            object.__setattr__(self, "companion_rows", np.arange(num_companions))

    def take(self, rows: np.ndarray) -> "Query":
        """Return the query of these rows only, with all pseudo-labels.

        Args:
            rows: Int array, distinct positions in `indices`.
        """
        _, positions, examples = np.intersect1d(  # type: ignore[call-overload]
            rows, self.companion_rows, assume_unique=True, return_indices=True
        )
        examples = examples[np.argsort(positions)]  # in the order of `rows`
        return dataclasses.replace(
            self,
            indices=self.indices[rows],
            scores=None if self.scores is None else self.scores[rows],
            companions=None if self.companions is None else self.companions[examples],
            companion_rows=np.sort(positions),
        )

    def followed_by(self, other: "Query") -> "Query":
        """Return the samples of this query, then those of another.

        Scores that one of them lacks are NaN. Pseudo-labels are those of this query.

        Args:
            other: A query of other samples of the same pool.

        Example:
            >>> first = Query(np.array([4, 2]), scores=np.array([0.1, 0.2]))
            >>> query = first.followed_by(Query(np.array([7])))
            >>> query.indices.tolist(), query.scores.tolist()
            ([4, 2, 7], [0.1, 0.2, nan])
        """
        both = (self, other)
        scores = [
            np.full(len(each.indices), np.nan) if each.scores is None else each.scores
            for each in both
        ]
        has_scores = any(each.scores is not None for each in both)
        companions = [e.companions for e in both if e.companions is not None]
        rows = [
            np.asarray(self.companion_rows, np.int64),
            np.asarray(other.companion_rows, np.int64) + len(self.indices),
        ]
        return dataclasses.replace(
            self,
            indices=np.concatenate([each.indices for each in both]),
            scores=np.concatenate(scores) if has_scores else None,
            companions=np.concatenate(companions) if companions else None,
            companion_rows=np.concatenate(rows),
        )

    def reindex(self, candidates: np.ndarray) -> "Query":
        """Return the query with indices into the pool.

        Args:
            candidates: Int array, the pool's row of each candidate.
        """
        return dataclasses.replace(
            self,
            indices=candidates[self.indices],
            pseudo_indices=candidates[self.pseudo_indices],
        )

    def without_pseudo_labels(self, indices: np.ndarray) -> "Query":
        """Return the query without the pseudo-labels of some samples.

        Args:
            indices: Int array, samples as in `pseudo_indices`.
        """
        is_kept = ~np.isin(self.pseudo_indices, indices)
        return dataclasses.replace(
            self,
            pseudo_indices=np.asarray(self.pseudo_indices)[is_kept],
            pseudo_labels=np.asarray(self.pseudo_labels)[is_kept],
        )

    def check(
        self,
        num_candidates: int,
        num_queries: int,
        *,
        sample_shape: tuple | None = None,
        strategy: str = "A strategy",
    ) -> "Query":
        """Validate against the candidates and the number of requested samples.

        Args:
            num_candidates: Number of candidates.
            num_queries: Number of samples that were requested.
            sample_shape: Shape of a candidate. Defaults to `None`, any shape.
            strategy: The strategy, as messages name it. Defaults to `"A strategy"`.

        Returns:
            The query, with arrays in place of lists.

        Raises:
            ValueError: If indices are not distinct rows of the candidates, or more
                than `num_queries`; if scores or companions have another shape than
                the queries or the candidates, or are NaN; if companions do not belong
                to distinct queried samples; if pseudo-labels are not class indices, or
                not of distinct candidates that are not queried.
        """
        check = QueryCheck(strategy, num_candidates)
        indices = check.indices(self.indices, num_queries)
        rows = check.companion_rows(self.companion_rows, len(indices))
        pseudo_indices = check.pseudo_indices(self.pseudo_indices, indices)
        return dataclasses.replace(
            self,
            indices=indices,
            scores=check.scores(self.scores, len(indices)),
            companions=check.companions(self.companions, len(rows), sample_shape),
            companion_rows=rows,
            pseudo_indices=pseudo_indices,
            pseudo_labels=check.pseudo_labels(self.pseudo_labels, len(pseudo_indices)),
        )


def check_returned(returned, strategy, candidates, num_queries: int) -> Query:
    """Validate what a strategy returned.

    Args:
        returned: What its method `query` returned.
        strategy: The strategy.
        candidates: The candidates, of shape `(num_samples, ...)`.
        num_queries: Number of samples that were requested.

    Returns:
        The query, with arrays in place of lists.

    Raises:
        ValueError: If it is no `Query`, or an invalid one; see `Query.check`.
    """
    name = f"The strategy {type(strategy).__name__}"
    if not isinstance(returned, Query):
        raise ValueError(
            f"{name} must return a `dfal_keras.strategies.Query`. "
            f"Received: {returned!r:.80} (of type {type(returned).__name__})"
        )
    num_candidates, *sample_shape = candidates.shape
    return returned.check(
        num_candidates, num_queries, sample_shape=tuple(sample_shape), strategy=name
    )
