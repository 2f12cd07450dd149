"""CEAL: query uncertain samples and pseudo-label confident ones."""

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query
from dfal_keras.strategies.uncertainty import entropy


class CEAL(Strategy):
    """Cost-Effective Active Learning: highest entropy, plus confident pseudo-labels.

    Queries the samples of highest predictive entropy H in the whole pool, and
    pseudo-labels all other samples whose entropy is below a threshold delta,

        y_i = argmax_k p_k(x_i)    where  H(x_i) < delta.

    Pseudo-labels are used in the next training only. Their samples stay in the pool
    and are evaluated again in every round. The scores are the entropies, in nats.

    Reference:
        - Wang et al., 2016, "Cost-effective active learning for deep image
          classification".

    Args:
        threshold: delta, in nats. The paper uses 0.05 for MNIST, 0.19 for Shoe-Bag and
            0.08 for Quick-Draw. Defaults to 0.05.
        max_ratio: Maximum number of pseudo-labels per labeled image, drawn at random
            from those below the threshold. Without it, a model that is confident on
            most of its pool is trained mostly on pseudo-labels, which can take hours.
            Defaults to `None`, no maximum.
        num_pseudo_candidates: Size of the random subset of the candidates that may
            get pseudo-labels, drawn anew in every query. The first author's public
            code uses 300. Defaults to `None`, all candidates.
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Defaults to `None`,
            the best scores.
        batch_size: Number of images to predict at a time. Defaults to `None`: up to
            1024, as far as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is out of range; from `query`, if `max_ratio` is
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
        stochastic: str | None = None,
        batch_size: int | None = None,
    ):
        _validation.check_number("threshold", threshold, minimum=0)
        if max_ratio is not None:
            _validation.check_number("max_ratio", max_ratio, minimum=0)
        self.threshold = threshold
        self.max_ratio = max_ratio
        self.num_pseudo_candidates = _validation.check_optional_count(
            "num_pseudo_candidates", num_pseudo_candidates
        )
        self.stochastic = stochastic_batch.check(stochastic)
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        predictions = inference.map_probabilities(
            _entropy_and_class, model, x_unlabeled, batch_size=self.batch_size
        )
        entropies, classes = predictions["entropy"], predictions["class"]
        order = stochastic_batch.choose(entropies, len(entropies), self.stochastic, rng)
        indices, others = order[:num_queries], order[num_queries:]
        confident = others[entropies[others] < self.threshold]
        size = self.num_pseudo_candidates
        if size is not None and size < len(entropies):
            subset = rng.choice(len(entropies), size, replace=False)
            confident = confident[np.isin(confident, subset)]
        if self.max_ratio is not None:
            confident = self._subsample(confident, x_labeled, rng)
        return Query(
            indices,
            entropies[indices],
            pseudo_indices=confident,
            pseudo_labels=classes[confident].astype(np.int64),
        )

    def _subsample(self, confident, x_labeled, rng):
        """Draw at most `max_ratio` confident samples per labeled image."""
        if x_labeled is None:
            raise _validation.ArgumentError(
                "x_labeled", "must be given if `max_ratio` is. Received: x_labeled=None"
            )
        limit = self.max_ratio * x_labeled.shape[0]  # may be infinite
        if len(confident) <= limit:
            return confident
        return rng.choice(confident, int(limit), replace=False)


def _entropy_and_class(probabilities):
    """Return what is kept of a batch, whose probabilities are not."""
    predictions = np.empty(
        len(probabilities), [("entropy", probabilities.dtype), ("class", np.int32)]
    )
    predictions["entropy"] = entropy(probabilities)
    predictions["class"] = probabilities.argmax(axis=1)
    return predictions
