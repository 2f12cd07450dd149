"""Checks of what a strategy returned, one for each attribute of `Query`."""

import numpy as np

from dfal_keras import _validation


class QueryCheck:
    """Checks of what a strategy returned.

    Each method returns an attribute of `Query` as an array, or raises a ValueError that
    names the strategy.

    Args:
        strategy: The strategy, as messages name it.
        num_candidates: Number of candidates.
    """

    def __init__(self, strategy: str, num_candidates: int):
        self._strategy = strategy
        self._num_candidates = num_candidates

    def indices(self, values, num_queries: int) -> np.ndarray:
        """Check `indices`: 1 to `num_queries` distinct candidates."""
        rows = _distinct_rows(values, self._num_candidates)
        if rows is None or not 1 <= len(rows) <= num_queries:
            raise self._error(
                f"query from 1 to {num_queries} distinct rows of its "
                f"{self._num_candidates} candidates",
                f"indices={values!r:.200}",
            )
        return rows

    def scores(self, values, num_queries: int) -> np.ndarray | None:
        """Check `scores`: a number for each query, or `None`."""
        if values is None:
            return None
        scores = _as_array(values)
        if (
            scores.shape != (num_queries,)
            or scores.dtype.kind not in "buif"
            or np.isnan(scores).any()
        ):
            raise self._error(
                f"return a score for each of its {num_queries} queries, which is not "
                "NaN, or None",
                f"scores={values!r:.200}",
            )
        return scores

    def companion_rows(self, values, num_queries: int) -> np.ndarray:
        """Check `companion_rows`: distinct positions of queries."""
        rows = _distinct_rows(values, num_queries)
        if rows is None:
            raise self._error(
                f"return distinct positions of its {num_queries} queries as "
                "`companion_rows`",
                f"companion_rows={values!r:.200}",
            )
        return rows

    def companions(
        self, values, num_companions: int, sample_shape: tuple | None
    ) -> np.ndarray | None:
        """Check `companions`: a finite sample for each of `companion_rows`."""
        companions = None if values is None else _as_array(values)
        if companions is not None and not companions.ndim:
            raise self._error(
                "return companions as one array", f"companions={values!r:.200}"
            )
        found = 0 if companions is None else len(companions)
        if found != num_companions:
            raise self._error(
                "return one companion for each query, or for each of `companion_rows`",
                f"{found} companions for {num_companions} queries",
            )
        if companions is None:
            return None
        shape = companions.shape[1:]
        if companions.dtype.kind not in "buif" or shape != (sample_shape or shape):
            of_shape = "" if sample_shape is None else f" of shape {sample_shape}"
            raise self._error(
                f"return companions as samples are, numbers{of_shape}",
                f"companions of shape {shape} and dtype {companions.dtype}",
            )
        if not (np.abs(companions) <= np.finfo(np.float32).max).all():
            raise self._error(
                "return companions of finite numbers, also as float32",
                "NaN or infinity in companions",
            )
        return companions

    def pseudo_indices(self, values, indices: np.ndarray) -> np.ndarray:
        """Check `pseudo_indices`: distinct candidates that are not queried."""
        rows = _distinct_rows(values, self._num_candidates)
        if rows is None or np.isin(rows, indices).any():
            raise self._error(
                f"pseudo-label distinct rows of its {self._num_candidates} candidates, "
                "which it does not query",
                f"pseudo_indices={values!r:.200}",
            )
        return rows

    def pseudo_labels(self, values, num_pseudo_labels: int) -> np.ndarray:
        """Check `pseudo_labels`: a class index for each of `pseudo_indices`."""
        labels = _as_array(values)
        if labels.shape != (num_pseudo_labels,):
            raise self._error(
                "return one label for each pseudo-labeled sample, in `pseudo_labels`",
                f"labels of shape {labels.shape} for {num_pseudo_labels} samples",
            )
        is_integer = labels.dtype.kind in "iu"
        if labels.size and not (
            is_integer and 0 <= labels.min() <= labels.max() < _validation.MAX_CLASSES
        ):
            raise self._error(
                "return class indices of at least 0 as `pseudo_labels`",
                f"pseudo_labels={values!r:.200}",
            )
        return labels.astype(np.int64)

    def _error(self, expected, received):
        return ValueError(f"{self._strategy} must {expected}. Received: {received}")


def _as_array(values) -> np.ndarray:
    """Return an array; that of a ragged list has no axis."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.array(None)


def _distinct_rows(values, num_rows):
    """Return distinct integers from 0 to below `num_rows`, or `None` for others."""
    try:
        return _validation.check_distinct("rows", values, num_rows)
    except ValueError:
        return None
