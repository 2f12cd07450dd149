"""Query: the samples that a strategy chose, and what is added with their labels."""

import dataclasses

import numpy as np


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
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, rows that the model
            labels itself, for the next training only.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.
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

    def check(self, num_candidates: int, num_queries: int) -> None:
        """Validate against the numbers of candidates and of requested samples.

        Args:
            num_candidates: Number of candidates.
            num_queries: Number of samples that were requested.

        Raises:
            ValueError: If indices are not distinct rows of the candidates, or more
                than `num_queries`; if companions do not belong to distinct queried
                samples; or if the numbers of companions or pseudo-labels do not match.
        """
        indices = np.asarray(self.indices)
        if (
            indices.ndim != 1
            or indices.dtype.kind not in "iu"
            or not 1 <= len(indices) <= num_queries
            or len(np.unique(indices)) < len(indices)
            or indices.min() < 0
            or indices.max() >= num_candidates
        ):
            raise ValueError(
                f"A strategy must query from 1 to {num_queries} distinct rows of its "
                f"{num_candidates} candidates. Received: indices={self.indices!r}"
            )
        rows = np.asarray(self.companion_rows)
        if (
            rows.ndim != 1
            or (rows.size and rows.dtype.kind not in "iu")
            or len(np.unique(rows)) < len(rows)
            or not np.isin(rows, np.arange(len(indices))).all()
        ):
            raise ValueError(
                "A strategy must return distinct positions of its "
                f"{len(indices)} queries as `companion_rows`. "
                f"Received: companion_rows={rows!r}"
            )
        num_companions = 0 if self.companions is None else len(self.companions)
        if num_companions != len(rows):
            raise ValueError(
                "A strategy must return one companion for each query, or for each of "
                f"`companion_rows`. Received: {num_companions} companions for "
                f"{len(rows)} of {len(indices)} queries"
            )
        if len(self.pseudo_indices) != len(self.pseudo_labels):
            raise ValueError(
                "A strategy must return one label for each pseudo-labeled sample. "
                f"Received: {len(self.pseudo_labels)} labels for "
                f"{len(self.pseudo_indices)} samples"
            )
