"""CEAL: query what the model is least sure of, and believe it where it is sure."""

import numbers

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query
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
        max_ratio: The most pseudo-labels for each labeled image, drawn at random from
            those below the threshold; `None` for all of them. A model that is sure of
            much of its pool, rightly or wrongly, is otherwise trained on little else,
            for hours a round.
        num_pseudo_candidates: Size of the random subset of the candidates in which
            pseudo-labels are given, drawn anew in every query; `None` for all
            candidates. The first author's public code has 300.

    Raises:
        ValueError: If an argument is out of range; and from `query`, if `max_ratio` is
            given and `x_labeled` is not.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.CEAL(threshold=2.3).query(model, x[:100], 10)
        >>> len(query.pseudo_indices) == len(query.pseudo_labels)
        True
    """

    def __init__(
        self,
        *,
        threshold: float = 0.05,
        max_ratio: float | None = None,
        num_pseudo_candidates: int | None = None,
    ):
        most = 0 if max_ratio is None else max_ratio
        for name, value in (("threshold", threshold), ("max_ratio", most)):
            if not isinstance(value, numbers.Real) or not value >= 0:
                raise ValueError(
                    f"Argument `{name}` must be a number of at least 0. "
                    f"Received: {name}={value!r}"
                )
        if num_pseudo_candidates is not None:
            _validation.check_count("num_pseudo_candidates", num_pseudo_candidates)
        self.threshold = threshold
        self.max_ratio = max_ratio
        self.num_pseudo_candidates = num_pseudo_candidates

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        probabilities = inference.predict_probabilities(model, x_unlabeled)
        entropies = entropy(probabilities)
        order = np.argsort(-entropies, kind="stable")
        indices, others = order[:num_queries], order[num_queries:]
        sure = others[entropies[others] < self.threshold]
        size = self.num_pseudo_candidates
        if size is not None and size < len(entropies):
            subset = rng.choice(len(entropies), size, replace=False)
            sure = sure[np.isin(sure, subset)]
        if self.max_ratio is not None:
            sure = self._thin(sure, x_labeled, rng)
        return Query(
            indices,
            entropies[indices],
            pseudo_indices=sure,
            pseudo_labels=probabilities[sure].argmax(axis=1),
        )

    def _thin(self, sure, x_labeled, rng):
        """Keep no more than `max_ratio` of the confident for each labeled image."""
        if x_labeled is None:
            raise ValueError(
                "Argument `x_labeled` must be given for `max_ratio` to count from. "
                "Received: x_labeled=None"
            )
        most = self.max_ratio * x_labeled.shape[0]  # may be infinite
        return sure if len(sure) <= most else rng.choice(sure, int(most), replace=False)
