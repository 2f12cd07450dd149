"""CORE-SET: query what covers the data best."""

import logging
import numbers

import numpy as np

from dfal_keras import _validation, kcenter
from dfal_keras.backend import inference
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query

_logger = logging.getLogger(__name__)


class CoreSet(Strategy):
    """CORE-SET: choose the samples that, with the labeled ones, cover the data best.

        min_{s: |s| = b}  max_i  min_{j in s_labeled + s}  || f(x_i) - f(x_j) ||

    in the space of features f, leaving out at most Xi outliers: greedy first, then
    the robust k-center integer program, by bisection. See `dfal_keras.kcenter`. There
    are no scores: the choice is of a set.

    Reference:
        - Sener & Savarese, 2018, "Active learning for convolutional neural networks: a
          core-set approach".

    Args:
        num_candidates: K, the size of the random subset to choose from and to cover.
        features: `"penultimate"`, what goes into the last layer (Sener & Savarese);
            `"outputs"`, the logits; or `"probabilities"`, their softmax, as in the
            first author's public code.
        method: `"robust"` for the integer program, `"greedy"` to stop before it.
        outlier_share: Xi as a share of the samples to cover, rounded down.
        formulation: `"compact"` or `"literal"` (as printed; slow), of the program.
        time_limit: Seconds for the program; the best cover found by then is taken.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> strategy = dfal.strategies.CoreSet()
        >>> query = strategy.query(model, x[:100], 10, x_labeled=x[100:120])
        >>> len(query.indices)
        10
    """

    def __init__(
        self,
        *,
        num_candidates: int = 300,
        features: str = "penultimate",
        method: str = "robust",
        outlier_share: float = 1e-4,
        formulation: str = "compact",
        time_limit: float = 60.0,
    ):
        for name, value, allowed in (
            ("features", features, ("penultimate", "outputs", "probabilities")),
            ("method", method, ("robust", "greedy")),
            ("formulation", formulation, ("compact", "literal")),
        ):
            if value not in allowed:
                raise ValueError(
                    f"Argument `{name}` must be one of {allowed}. "
                    f"Received: {name}={value!r}"
                )
        if not isinstance(outlier_share, numbers.Real) or not 0 <= outlier_share < 1:
            raise ValueError(
                "Argument `outlier_share` must be a number from 0 to below 1. "
                f"Received: outlier_share={outlier_share!r}"
            )
        if not isinstance(time_limit, numbers.Real) or not 0 < time_limit < np.inf:
            raise ValueError(
                "Argument `time_limit` must be a finite number of seconds above 0. "
                f"Received: time_limit={time_limit!r}"
            )
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.features: str = features
        self.method: str = method
        self.outlier_share: float = outlier_share
        self.formulation: str = formulation
        self.time_limit: float = time_limit

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        describe = {
            "penultimate": inference.predict_features,
            "outputs": inference.predict_logits,
            "probabilities": inference.predict_probabilities,
        }[self.features]
        sets = [x_unlabeled] if x_labeled is None else [x_unlabeled, x_labeled]
        features = np.concatenate([describe(model, x) for x in sets])
        # Candidates first: what is chosen among them needs no translation.
        labeled = np.arange(x_unlabeled.shape[0], len(features))
        if self.method == "greedy":
            return Query(kcenter.greedy(features, labeled, num_queries).centers)
        cover = kcenter.robust(
            features,
            labeled,
            num_queries,
            max_outliers=self.outlier_share * len(features),
            formulation=self.formulation,
            time_limit=self.time_limit,
        )
        _logger.info("%r", cover)
        if not cover.proven:
            _logger.warning(
                "CORE-SET stopped after %g s with radius %.4g; the best is at least "
                "%.4g",
                self.time_limit,
                cover.radius,
                cover.lower_bound,
            )
        return Query(cover.centers)
