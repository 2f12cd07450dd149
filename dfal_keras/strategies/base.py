"""The base class of the query strategies."""

import abc

import numpy as np

from dfal_keras import _validation, pools
from dfal_keras.backend import classifier
from dfal_keras.strategies.query import Query


class Strategy(abc.ABC):
    """Base class of the query strategies.

    A strategy receives a model and candidates. It does not see the labels of unlabeled
    samples and does not change the model. To write one, define `select`.

    Attributes:
        num_candidates: K, the size of the random subset of the unlabeled pool that an
            `ActiveLearner` passes to `query`; `None` for the whole pool.
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
            x_unlabeled: The candidates, of shape `(num_samples, ...)`: anything that
                `dfal_keras.pools.as_pool` accepts.
            num_queries: Number of samples to choose.
            x_labeled: The labeled images, of shape `(num_labeled, ...)`. Used by
                `CoreSet`, and by `CEAL` with `max_ratio`. Defaults to `None`.
            rng: Source of randomness. Defaults to `None`, a new generator with an
                unpredictable seed.

        Returns:
            A `Query` whose indices are rows of `x_unlabeled`.

        Raises:
            ValueError: If there are fewer candidates than queries, if shapes do not
                fit the model, or if images hold NaN.
        """
        x_unlabeled = check_candidates(model, x_unlabeled, num_queries, x_labeled)
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
        """Choose the samples to label next.

        Called by `query`, which validates the arguments and has their description.
        """

    def __repr__(self) -> str:
        options = ", ".join(
            f"{key}={value!r}"
            for key, value in vars(self).items()
            if not key.startswith("_")
        )
        return f"{type(self).__name__}({options})"


def check_candidates(model, x_unlabeled, num_queries: int, x_labeled):
    """Validate the arguments of `Strategy.query`; return the candidates as a pool."""
    classifier.check_model(model)
    sample_shape = classifier.sample_shape(model)
    x_unlabeled = pools.as_pool(
        x_unlabeled, name="x_unlabeled", sample_shape=sample_shape
    )
    _validation.check_count("num_queries", num_queries)
    if num_queries > x_unlabeled.shape[0]:
        raise ValueError(
            "Argument `num_queries` must be at most the number of candidates, "
            f"{x_unlabeled.shape[0]}. Received: num_queries={num_queries}"
        )
    if x_labeled is not None:
        _validation.check_images("x_labeled", x_labeled, sample_shape=sample_shape)
    return x_unlabeled
