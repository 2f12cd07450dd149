"""Companions: samples that are added to the training set with the queried ones."""

import dataclasses

import numpy as np

from dfal_keras import _validation, attacks
from dfal_keras.backend import classifier, inference
from dfal_keras.strategies import registry
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.example_range import within_range
from dfal_keras.strategies.query import Query, check_returned

KINDS = ("adversarial", "copies", "noise")

# As `DFAL`: a model at chance often can't be fooled, and attacks to the end are slow.
_FIRST_LOOK = 8


class WithCompanions(Strategy):
    """Any strategy, with a companion for each queried sample.

    A companion shares the label of its sample, so each label adds two samples to the
    training set. It is one of

    | `companions` | companion of x |
    |---|---|
    | `"adversarial"` | x + r, with r = DeepFool(x): what DFAL adds |
    | `"copies"` | x |
    | `"noise"` | x plus Gaussian noise of the L2 norm of r |

    The queries and scores are those of the strategy, whose own companions are replaced.
    A sample that DeepFool cannot perturb into another class has a copy, but no
    adversarial example and no noise. The same holds if the adversarial example is far
    outside the range of the candidates, as in `DFAL`.

    Copies and noise are controls: they show what adversarial examples contribute beyond
    a labeled set of twice the size.

    Args:
        strategy: The strategy that queries, as for `dfal_keras.strategies.get`.
        companions: `"adversarial"`, `"copies"` or `"noise"`. Defaults to
            `"adversarial"`.
        ord: p of the norm that DeepFool minimizes. Defaults to 2.
        bounds: `(low, high)`, the range of valid pixels, to which adversarial examples
            are clipped. Defaults to `None`, no clipping.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> strategy = dfal.strategies.WithCompanions("random", "copies")
        >>> query = strategy.query(model, x[:100], num_queries=10)
        >>> bool((query.companions == x[query.indices]).all())
        True
    """

    def __init__(
        self,
        strategy,
        companions: str = "adversarial",
        *,
        ord: float = 2,
        bounds: tuple | None = None,
    ):
        self.strategy = registry.get(strategy)
        self.companions = _validation.check_choice("companions", companions, KINDS)
        self.ord = ord
        self.bounds = bounds
        self._deepfool_options()  # raises ValueError for invalid options

    @property
    def num_candidates(self) -> int | None:  # type: ignore[override]
        """K of the strategy that queries."""
        return getattr(self.strategy, "num_candidates", None)

    def check_model(self, model) -> None:
        """See `Strategy.check_model`."""
        check = getattr(self.strategy, "check_model", super().check_model)
        check(model)
        if self.companions != "copies":
            classifier.check_real_inputs(model)
            inference.check_returns_logits(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        returned = self.strategy.query(
            model, x_unlabeled, num_queries, x_labeled=x_labeled, rng=rng
        )
        query = check_returned(returned, self.strategy, x_unlabeled, num_queries)
        x = np.asarray(x_unlabeled[query.indices], np.float32)
        rows = np.arange(len(x))
        if self.companions != "copies":
            found = attacks.attack(model, x, self._deepfool_options(), finite=True)
            rows = np.flatnonzero(found.success)
            r = found.perturbations[rows]
            if self.bounds is None:
                name = type(self).__name__
                is_near = within_range(x[rows] + r, x[rows], x_unlabeled, name)
                rows, r = rows[is_near], r[is_near]
            if self.companions == "noise":
                r = noise_like(r, rng)
            x = x[rows] + r
        return dataclasses.replace(query, companions=x, companion_rows=rows)

    def _deepfool_options(self):
        return attacks.DeepFoolOptions(
            ord=self.ord, bounds=self.bounds, first_look=_FIRST_LOOK
        )

    def get_config(self) -> dict:
        """See `Strategy.get_config`."""
        return {
            "strategy": registry.serialize(self.strategy),
            "companions": self.companions,
            "ord": self.ord,
            "bounds": self.bounds,
        }

    @classmethod
    def from_config(cls, config: dict) -> "WithCompanions":
        """See `Strategy.from_config`."""
        return cls(**config)


def noise_like(r: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return Gaussian noise with the L2 norm of each perturbation.

    Args:
        r: Perturbations, of shape `(num_samples, ...)`.
        rng: Source of randomness.

    Returns:
        Float32 array of the shape of `r`.

    Example:
        >>> r = np.array([[3.0, 4.0], [0.0, 1.0]])
        >>> noise = noise_like(r, np.random.default_rng(0))
        >>> np.linalg.norm(noise, axis=1).round(4).tolist()
        [5.0, 1.0]
    """
    noise = rng.standard_normal(r.shape)
    axes = tuple(range(1, r.ndim))
    norms, lengths = (
        np.sqrt(np.square(each, dtype=np.float64).sum(axis=axes, keepdims=True))
        for each in (r, noise)
    )
    return (noise * (norms / lengths)).astype(np.float32)
