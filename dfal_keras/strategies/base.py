"""What every query strategy is: an object with one method, `query`."""

import abc
import dataclasses

import numpy as np

from dfal_keras import pools, validation, views


@dataclasses.dataclass(frozen=True)
class Query:
    """The samples whose labels are worth asking for, and what comes with them.

    Attributes:
        indices: Int array of shape `(num_queries,)`, rows of the candidates (of the
            whole pool, where an `ActiveLearner` asks), the most wanted first.
        scores: Float array of shape `(num_queries,)`, the strategy's own measure of
            each, as its docstring says; `None` if it has none.
        adversarial_twins: Float array of shape `(num_twins, ...)`, images that share
            the labels of queries; `None` for none.
        twin_rows: Int array of shape `(num_twins,)`: the place in `indices` of the
            query that each twin belongs to, at most one twin a query. By default every
            query has one, in the same order.
        pseudo_indices: Int array of shape `(num_pseudo_labels,)`, further rows whose
            labels the model itself gives, for the next training only.
        pseudo_labels: Int array of shape `(num_pseudo_labels,)`.
    """

    indices: np.ndarray
    scores: np.ndarray | None = None
    adversarial_twins: np.ndarray | None = None
    twin_rows: np.ndarray | None = None
    pseudo_indices: np.ndarray = dataclasses.field(
        default_factory=lambda: np.empty(0, np.int64)
    )
    pseudo_labels: np.ndarray = dataclasses.field(
        default_factory=lambda: np.empty(0, np.int64)
    )

    def __post_init__(self):
        if self.twin_rows is None:
            num_twins = 0 if self.adversarial_twins is None else np.size(self.indices)
            object.__setattr__(self, "twin_rows", np.arange(num_twins))

    def take(self, rows: np.ndarray) -> "Query":
        """Return the query of these rows alone, with all pseudo-labels."""
        _, places, twins = np.intersect1d(  # type: ignore[call-overload]
            rows, self.twin_rows, assume_unique=True, return_indices=True
        )
        twins = twins[np.argsort(places)]  # in the order of `rows`
        return dataclasses.replace(
            self,
            indices=self.indices[rows],
            scores=None if self.scores is None else self.scores[rows],
            adversarial_twins=None
            if self.adversarial_twins is None
            else self.adversarial_twins[twins],
            twin_rows=np.sort(places),
        )

    def check(self, num_candidates: int, num_queries: int) -> None:
        """Say so if this can't be the answer to such a question.

        Raises:
            ValueError: If indices are not whole, distinct, of the candidates and at
                most `num_queries`; if twins do not belong to distinct queries; or if
                twins or pseudo-labels do not match in number.
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
        rows = np.asarray(self.twin_rows)
        if (
            rows.ndim != 1
            or (rows.size and rows.dtype.kind not in "iu")
            or len(np.unique(rows)) < len(rows)
            or not np.isin(rows, np.arange(len(indices))).all()
        ):
            raise ValueError(
                "A strategy must return distinct places of its "
                f"{len(indices)} queries as `twin_rows`. Received: twin_rows={rows!r}"
            )
        twins = self.adversarial_twins
        num_twins = 0 if twins is None else len(twins)
        if num_twins != len(rows):
            raise ValueError(
                "A strategy must return one adversarial twin for each query, or for "
                "each of those that `twin_rows` names. "
                f"Received: {num_twins} twins for {len(rows)} of {len(indices)} queries"
            )
        if len(self.pseudo_indices) != len(self.pseudo_labels):
            raise ValueError(
                "A strategy must return one label for each pseudo-labelled sample. "
                f"Received: {len(self.pseudo_labels)} labels for "
                f"{len(self.pseudo_indices)} samples"
            )


class Strategy(abc.ABC):
    """Base class of the query strategies.

    A strategy sees a model and candidates, never a label of an unlabelled sample, and
    leaves the model as it found it. To write one, define `select`.

    Attributes:
        num_candidates: Size K of the random subset of the unlabelled pool that an
            `ActiveLearner` offers it; `None` for the whole pool.
    """

    num_candidates: int | None = None

    def query(
        self,
        model,
        x_unlabeled,
        num_queries: int,
        *,
        x_labeled=None,
        rng: np.random.Generator | None = None,
    ) -> Query:
        """Choose the samples to label next.

        Args:
            model: A trained Keras classifier.
            x_unlabeled: Candidates as the model takes them, of shape
                `(num_samples, ...)`: whatever `dfal_keras.pools.as_pool` takes.
            num_queries: How many to choose.
            x_labeled: The labelled images, for strategies that keep away from them.
            rng: Source of randomness; by default a new one, unpredictably seeded.

        Returns:
            A `Query`, whose indices are rows of `x_unlabeled`.

        Raises:
            ValueError: If there are fewer candidates than queries, if shapes do not
                fit the model, or if images hold NaN.
        """
        views.check_model(model)
        sample_shape = views.sample_shape(model)
        x_unlabeled = pools.as_pool(
            x_unlabeled, name="x_unlabeled", sample_shape=sample_shape
        )
        validation.check_count("num_queries", num_queries)
        if num_queries > x_unlabeled.shape[0]:
            raise ValueError(
                "Argument `num_queries` must be at most the number of candidates, "
                f"{x_unlabeled.shape[0]}. Received: num_queries={num_queries}"
            )
        if x_labeled is not None:
            validation.check_images("x_labeled", x_labeled, sample_shape=sample_shape)
        if not isinstance(rng, np.random.Generator | None):
            raise ValueError(
                "Argument `rng` must be a np.random.Generator, or None. "
                f"Received: rng={rng!r}"
            )
        rng = np.random.default_rng(rng)
        return self.select(model, x_unlabeled, num_queries, x_labeled, rng)

    @abc.abstractmethod
    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """Choose; the arguments are `query`'s, checked."""

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({options})"
