"""Cost-effective DFAL: pseudo-label the samples far from the decision boundary."""

import dataclasses

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.strategies.dfal import DFAL
from dfal_keras.strategies.query import Query


class CostEffectiveDFAL(DFAL):
    """DFAL that pseudo-labels the candidates farthest from the decision boundary.

    Queries as DFAL does, and adds pseudo-labels as CEAL does. The model labels the
    candidates with the largest adversarial perturbations r_i:

        y_j = argmax_k p_k(x_j),    j in argsort -||r_i||_p [0 : num_pseudo]
        num_pseudo = min(max_ratio * num_labeled, max_share * num_candidates)

    Pseudo-labels are used in the next training only, without adversarial examples.
    Their samples stay in the pool and are evaluated again in every round. A candidate
    for which DeepFool finds no adversarial example gets no pseudo-label.

    All attacks run to the end, unless `first_look` ends them, so a query takes longer
    than one of DFAL.

    The paper suggests combining DFAL with CEAL, but does not do it.

    Reference:
        - Ducoffe & Precioso, 2018, "Adversarial active learning for deep networks: a
          margin based approach", Section 4.2.
        - Wang et al., 2016, "Cost-effective active learning for deep image
          classification", for pseudo-labels.

    Args:
        max_ratio: Maximum number of pseudo-labels per labeled image, so that a model
            trained on few labels adds few. Defaults to 1.
        max_share: Maximum share of the candidates that get pseudo-labels, at most 1.
            Defaults to 0.5.
        **options: Options of `DFAL`.

    Raises:
        ValueError: If an option is out of range.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> strategy = dfal.strategies.CostEffectiveDFAL()
        >>> query = strategy.query(model, x[:100], 10, x_labeled=x[100:120])
        >>> len(query.pseudo_indices) <= 20
        True
    """

    def __init__(self, *, max_ratio: float = 1.0, max_share: float = 0.5, **options):
        super().__init__(**options)
        _validation.check_number("max_ratio", max_ratio, minimum=0)
        _validation.check_number("max_share", max_share, minimum=0, maximum=1)
        self.max_ratio = max_ratio
        self.max_share = max_share

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        num_candidates = x_unlabeled.shape[0]
        attack = self._attack(model, x_unlabeled, num_candidates)
        closest, others = np.split(self._rank(attack, rng), [num_queries])
        query = self._complete(closest, attack, x_unlabeled, num_queries, rng)
        if x_labeled is None:
            return query
        # The ratio may be infinite.
        limit = min(
            self.max_ratio * x_labeled.shape[0], self.max_share * num_candidates
        )
        farthest = others[np.argsort(attack.norms[others], kind="stable")][::-1]
        farthest = farthest[: int(limit)]
        if not len(farthest):
            return query
        logits = inference.predict_logits(
            model, x_unlabeled[farthest], batch_size=self.batch_size
        )
        return dataclasses.replace(
            query, pseudo_indices=farthest, pseudo_labels=logits.argmax(axis=1)
        )
