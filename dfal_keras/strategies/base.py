"""What every query strategy is: an object with one method, `query`."""

import abc

import numpy as np

from dfal_keras import _validation, pools
from dfal_keras.backend import classifier
from dfal_keras.strategies.query import Query


class Strategy(abc.ABC):
    """Base class of the query strategies.

    A strategy sees a model and candidates, never a label of an unlabeled sample, and
    leaves the model as it found it. To write one, define `select`.

    Attributes:
        num_candidates: Size K of the random subset of the unlabeled pool that an
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
            x_labeled: The labeled images, for strategies that keep away from them.
            rng: Source of randomness; by default a new one, unpredictably seeded.

        Returns:
            A `Query`, whose indices are rows of `x_unlabeled`.

        Raises:
            ValueError: If there are fewer candidates than queries, if shapes do not
                fit the model, or if images hold NaN.
        """
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
