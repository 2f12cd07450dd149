"""Uncertainty sampling: query the samples of highest predictive entropy."""

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query


class Uncertainty(Strategy):
    """Uncertainty sampling: query the samples of highest predictive entropy.

        H(x) = - sum_k p_k(x) log p_k(x)

    The scores are the entropies, in nats. All samples of the pool are candidates.

    Reference:
        - Lewis & Gale, 1994, "A sequential algorithm for training text classifiers".

    Args:
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Defaults to `None`,
            the best scores.
        batch_size: Number of images to predict at a time. Defaults to `None`: up to
            1024, as far as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.Uncertainty().query(model, x[:100], num_queries=10)
        >>> bool(query.scores[0] >= query.scores[-1])
        True
    """

    def __init__(self, *, stochastic: str | None = None, batch_size: int | None = None):
        self.stochastic = stochastic_batch.check(stochastic)
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        entropies = inference.map_probabilities(
            entropy, model, x_unlabeled, batch_size=self.batch_size
        )
        indices = stochastic_batch.choose(entropies, num_queries, self.stochastic, rng)
        return Query(indices, entropies[indices])


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy of each distribution, `- sum_k p_k log p_k`, 0 log 0 = 0.

    Args:
        probabilities: Array of shape `(..., num_classes)`.

    Returns:
        Array of shape `(...)`, in nats.

    Example:
        >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).round(4)
        array([0.    , 0.6931])
    """
    probabilities = np.asarray(probabilities)
    # log 1 = 0 in place of log 0, since a zero probability adds nothing.
    logs = np.log(np.where(probabilities > 0, probabilities, 1))
    # + 0.0 turns the -0.0 of a certain prediction into 0.0.
    return -(probabilities * logs).sum(axis=-1) + 0.0
