"""BALD: query the samples on which dropout networks disagree most."""

import logging

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import mc_dropout
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query
from dfal_keras.strategies.uncertainty import entropy

_logger = logging.getLogger(__name__)


class BALD(Strategy):
    """Bayesian Active Learning by Disagreement, with Monte Carlo dropout.

        I(x) = H[ 1/T sum_t p_t ] - 1/T sum_t H[ p_t ],    p_t = p(y | x, theta_t)

    The theta_t are sampled by dropout: the layers `Dropout`, `SpatialDropout1D` to
    `SpatialDropout3D`, `AlphaDropout`, `GaussianDropout` and `GaussianNoise`, and the
    dropout of recurrent and attention layers. All other layers, such as augmentation
    and classes of stochastic depth, are in inference mode.

    The scores are the mutual information I between the label of a sample and the
    weights, in nats. If dropout does not change the outputs of any sample, the queries
    are drawn at random and a warning is logged.

    Reference:
        - Houlsby et al., 2011, "Bayesian active learning for classification and
          preference learning"; Gal et al., 2017, "Deep Bayesian active learning with
          image data".

    Args:
        num_candidates: K, the size of the random subset of the pool to score. Defaults
            to 300.
        num_samples: T, the number of dropout networks, at least 2. Defaults to 10.
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Defaults to `None`,
            the best scores.
        batch_size: Number of images to predict at a time, T times each. Defaults to
            `None`: up to 128, as far as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is out of range; from `query`, if the model has no
            dropout or other noise layer.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.BALD().query(model, x[:100], num_queries=10)
        >>> bool((query.scores >= 0).all())
        True
    """

    def __init__(
        self,
        *,
        num_candidates: int = 300,
        num_samples: int = 10,
        stochastic: str | None = None,
        batch_size: int | None = None,
    ):
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.num_samples = _validation.check_count(
            "num_samples", num_samples, minimum=2
        )
        self.stochastic = stochastic_batch.check(stochastic)
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. There must be dropout or other noise."""
        super().check_model(model)
        mc_dropout.check_model(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        passes = mc_dropout.predict_probabilities(
            model,
            x_unlabeled,
            num_samples=self.num_samples,
            rng=rng,
            batch_size=self.batch_size,
        )
        scores = mutual_information(passes)
        if (passes == passes[0]).all():
            _logger.warning(
                "BALD: all %d passes are equal, as dropout does not change the model's "
                "outputs, so the queries are drawn at random",
                self.num_samples,
            )
            scores = np.zeros(len(scores))
            indices = rng.choice(len(scores), num_queries, replace=False)
        else:
            indices = stochastic_batch.choose(scores, num_queries, self.stochastic, rng)
        return Query(indices, scores[indices])


def mutual_information(probabilities: np.ndarray) -> np.ndarray:
    """Return the mutual information of label and weights.

        H[ mean_t p_t ] - mean_t H[ p_t ]

    Args:
        probabilities: Array of shape `(num_samples, num_images, num_classes)`.

    Returns:
        Float64 array of shape `(num_images,)`, in nats, at least 0.

    Example:
        >>> mutual_information(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).round(4)
        array([0.6931])
    """
    # In float64: a small difference of large numbers.
    probabilities = np.asarray(probabilities, np.float64)
    expected = entropy(probabilities).mean(axis=0)
    return np.maximum(entropy(probabilities.mean(axis=0)) - expected, 0)
