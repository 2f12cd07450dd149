"""RANDOM: passive learning, the baseline."""

import numpy as np

from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query


class Random(Strategy):
    """Passive learning: query samples uniformly at random from the whole pool.

    There are no scores.

    Example:
        >>> import numpy as np
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.Random().query(model, x[:100], num_queries=10)
        >>> len(np.unique(query.indices))
        10
    """

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        return Query(rng.choice(x_unlabeled.shape[0], num_queries, replace=False))
