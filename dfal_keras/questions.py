"""What an active learner asks: how it chooses, and what is not answered yet."""

import dataclasses
import numbers

import numpy as np

from dfal_keras import pools, validation
from dfal_keras.strategies import Query

_TOO_LARGE = 2**31  # more classes than TensorFlow's integers count


@dataclasses.dataclass(frozen=True)
class OpenQuery:
    """A query that is not answered yet, or only in part.

    Attributes:
        query: What is still to be answered, in indices of the pool.
        next_round: The round that begins when all is answered.
    """

    query: Query
    next_round: int

    def check_answer(self, indices, labels) -> tuple:
        """Check an answer to all or a part of it.

        Args:
            indices: Indices of the pool.
            labels: A class index for each, or `None`.

        Returns:
            The rows of the query that are answered; the labels of those that could be
            told, int64; and a mask of the answered rows that says which could.

        Raises:
            ValueError: If an index was not asked for, or a label is no class index.
        """
        indices = validation.check_indices("indices", indices)
        labels = list(labels) if np.iterable(labels) else []
        asked = {int(index): row for row, index in enumerate(self.query.indices)}
        if len(indices) != len(labels):
            raise ValueError(
                "Argument `labels` must have a label, or None, for each of `indices`. "
                f"Received: {len(labels)} labels for {len(indices)} indices"
            )
        wrong = [index for index in indices.tolist() if index not in asked]
        if wrong or len(set(indices.tolist())) < len(indices):
            raise ValueError(
                "Argument `indices` must hold distinct samples that were asked for and "
                f"not answered yet: {sorted(asked)}. Received: indices={indices!r:.80}"
            )
        for index, label in zip(indices.tolist(), labels, strict=True):
            is_class = isinstance(label, numbers.Integral) and 0 <= label < _TOO_LARGE  # type: ignore[operator]
            if label is not None and (not is_class or isinstance(label, bool)):
                raise ValueError(
                    "Argument `labels` must hold class indices from 0 on, or None for "
                    f"what can't be told. Received: {label!r} for sample {index}"
                )
        rows = np.array([asked[index] for index in indices.tolist()], np.int64)
        is_known = np.array([label is not None for label in labels], bool)
        known = np.array([label for label in labels if label is not None], np.int64)
        return rows, known, is_known

    def arrays(self) -> dict:
        """Return all of it as arrays by name, for a file."""
        arrays = {f"asked_{name}": value for name, value in vars(self.query).items()}
        arrays["asked_next_round"] = self.next_round
        return {name: value for name, value in arrays.items() if value is not None}

    @classmethod
    def of_arrays(cls, stored: dict) -> "OpenQuery | None":
        """Return what `arrays` wrote; `None` if nothing was asked."""
        if "asked_next_round" not in stored:
            return None
        names = [field.name for field in dataclasses.fields(Query)]
        found: dict = {name: stored.get(f"asked_{name}") for name in names}
        return cls(Query(**found), int(stored["asked_next_round"]))


def choose(
    strategy,
    model,
    pool,
    candidates: np.ndarray,
    num_queries: int,
    labeled: np.ndarray,
    rng: np.random.Generator,
) -> Query:
    """Let a strategy choose among some rows of a pool.

    Args:
        strategy: An object with a method `query`.
        model: A trained classifier.
        pool: What `dfal_keras.pools.as_pool` returns.
        candidates: Rows of the pool to choose from.
        num_queries: How many to choose.
        labeled: Rows of the pool that are labelled.
        rng: Source of randomness.

    Returns:
        A checked `Query` with indices into the pool.
    """
    query = strategy.query(
        model,
        pools.Subset(pool, candidates),
        num_queries,
        x_labeled=pools.Subset(pool, labeled) if len(labeled) else None,
        rng=rng,
    )
    query.check(len(candidates), num_queries)
    return dataclasses.replace(
        query,
        indices=candidates[query.indices],
        pseudo_indices=candidates[query.pseudo_indices],
    )
