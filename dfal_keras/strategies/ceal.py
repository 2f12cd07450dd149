"""CEAL: query what the model is least sure of, and believe it where it is sure."""

import numbers

import numpy as np

from dfal_keras import inference, validation
from dfal_keras.strategies.base import Query, Strategy
from dfal_keras.strategies.uncertainty import entropy


class CEAL(Strategy):
    """Cost-Effective Active Learning: highest entropy, plus confident pseudo-labels.

    Queries the samples of highest predictive entropy H in the whole pool, and
    pseudo-labels every other sample of entropy below a threshold delta,

        y_i = argmax_k p_k(x_i)    where  H(x_i) < delta.

    Pseudo-labels serve the next training only; their samples stay in the pool and are
    judged anew in every round. The scores are the entropies, in nats.

    Reference:
        - Wang et al., 2016, "Cost-effective active learning for deep image
          classification".

    Args:
        threshold: delta, in nats. The paper's are 0.05 for MNIST, 0.19 for Shoe-Bag
            and 0.08 for Quick-Draw.
        max_pseudo_labels: The most samples to pseudo-label, drawn at random from those
            below the threshold; `None` for all of them. A good model is sure of most
            of its pool, and training on all that may take hours a round.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.CEAL(threshold=2.3).query(model, x[:100], 10)
        >>> len(query.pseudo_indices) == len(query.pseudo_labels)
        True
    """

    def __init__(
        self, *, threshold: float = 0.05, max_pseudo_labels: int | None = None
    ):
        if not isinstance(threshold, numbers.Real) or not threshold >= 0:
            raise ValueError(
                "Argument `threshold` must be an entropy in nats, at least 0. "
                f"Received: threshold={threshold!r}"
            )
        self.threshold = threshold
        if max_pseudo_labels is not None:
            validation.check_count("max_pseudo_labels", max_pseudo_labels, minimum=0)
        self.max_pseudo_labels = max_pseudo_labels

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        """See `Strategy.query`."""
        probabilities = inference.predict_probabilities(model, x_unlabeled)
        entropies = entropy(probabilities)
        order = np.argsort(-entropies, kind="stable")
        indices, others = order[:num_queries], order[num_queries:]
        sure = others[entropies[others] < self.threshold]
        if self.max_pseudo_labels is not None and len(sure) > self.max_pseudo_labels:
            sure = rng.choice(sure, self.max_pseudo_labels, replace=False)
        return Query(
            indices,
            entropies[indices],
            pseudo_indices=sure,
            pseudo_labels=probabilities[sure].argmax(axis=1),
        )
