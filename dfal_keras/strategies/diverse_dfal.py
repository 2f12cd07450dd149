"""Diverse DFAL: query small adversarial perturbations at different places."""

import math

import numpy as np

from dfal_keras import _validation, kcenter
from dfal_keras.backend import classifier, inference
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.query import Query


class DiverseDFAL(DFAL):
    """DFAL whose queries are at different places of the decision boundary.

    The `num_queries` smallest perturbations are often at the same place of the
    boundary, so their labels are partly redundant. This strategy takes the
    m * num_queries candidates with the smallest perturbations. Among them it chooses
    those whose adversarial examples cover the others best:

        s_0 = argmin_i ||r_i||_p
        s_{k+1} = argmax_i  min_{j in s_0, ..., s_k}  || f(x_i + r_i) - f(x_j + r_j) ||

    with f the input of the model's last layer (greedy k-center). The first query is
    DFAL's; the others follow in the order of choice. With m = 1, the queries are
    DFAL's. The scores are the norms, as in DFAL. With `stochastic`, the
    m * num_queries candidates are drawn by their scores.

    The paper suggests such an extension, but does not define one.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Section 4.2, "batch setting".
        - Sener & Savarese, 2018, "Active learning for convolutional neural networks: a
          core-set approach", for k-center in the space of features.

    Args:
        oversampling: m, at least 1. Defaults to `None`, the square root of the number
            of candidates for each query: halfway, on a logarithmic scale, between DFAL
            (m = 1) and k-center on all candidates, which ignores the norms.
        **options: Options of `DFAL`.

    Raises:
        ValueError: If an option is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.DiverseDFAL().query(model, x[:100], num_queries=10)
        >>> query.companions.shape
        (10, 28, 28, 1)
    """

    def __init__(self, *, oversampling: float | None = None, **options):
        super().__init__(**options)
        if oversampling is not None:
            _validation.check_number(
                "oversampling", oversampling, minimum=1, below=np.inf
            )
        self.oversampling = oversampling

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. The features must be accessible."""
        super().check_model(model)
        if self.oversampling != 1:
            classifier.features(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        num_candidates = x_unlabeled.shape[0]
        oversampling = self.oversampling
        if oversampling is None:
            oversampling = math.sqrt(num_candidates / num_queries)
        num_ranked = min(round(oversampling * num_queries), num_candidates)
        attack = self._attack(model, x_unlabeled, num_ranked)
        closest = self._rank(attack, rng)[:num_ranked]
        if len(closest) > num_queries > 1:
            originals = np.asarray(x_unlabeled[closest], np.float32)
            examples = originals + attack.perturbations[closest]
            features = inference.predict_features(
                model, examples, batch_size=self.batch_size
            )
            others = kcenter.greedy(features, [0], num_queries - 1).centers
            closest = closest[np.append(0, others)]
        return self._complete(
            closest[:num_queries], attack, x_unlabeled, num_queries, rng
        )
