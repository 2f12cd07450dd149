"""CORE-SET: query the samples that cover the data best."""

import logging

import numpy as np

from dfal_keras import _validation, kcenter
from dfal_keras.backend import classifier, inference
from dfal_keras.strategies.base import Strategy, check_candidates
from dfal_keras.strategies.query import Query

_logger = logging.getLogger(__name__)

_EMBEDDINGS = {
    "penultimate": inference.predict_features,
    "outputs": inference.predict_logits,
    "probabilities": inference.predict_probabilities,
}


class CoreSet(Strategy):
    """CORE-SET: query the samples that, with the labeled ones, cover the data best.

        min_{s: |s| = b}  max_i  min_{j in s_labeled + s}  || f(x_i) - f(x_j) ||

    in the space of features f, leaving out at most Xi outliers. Solved by greedy
    k-center, then by bisection with the robust k-center integer program. See
    `dfal_keras.kcenter`. There are no scores, since the samples are chosen jointly.
    The program is solved in a process that starts at the first query and ends with the
    strategy.

    Reference:
        - Sener & Savarese, 2018, "Active learning for convolutional neural networks: a
          core-set approach".

    Args:
        num_candidates: K, the size of the random subset of the pool to choose from and
            to cover. Defaults to 300.
        features: `"penultimate"`, the input of the last layer (Sener & Savarese);
            `"outputs"`, the logits; or `"probabilities"`, their softmax (the first
            author's public code). Defaults to `"penultimate"`.
        method: `"robust"` for the integer program, `"greedy"` for the greedy solution
            only. Defaults to `"robust"`.
        outlier_share: Xi as a share of the samples to cover, rounded down. Defaults to
            1e-4.
        formulation: `"compact"` or `"literal"` (as printed; slow), the form of the
            integer program. Defaults to `"compact"`.
        time_limit: Time for the integer program, in seconds. After that, the best
            cover found so far is used. Defaults to 60.
        batch_size: Number of images to predict at a time. Defaults to `None`: up to
            1024, as far as the model's activations fit in about 1 GB.

    Raises:
        ValueError: If an argument is out of range.

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
        batch_size: int | None = None,
    ):
        _validation.check_number("outlier_share", outlier_share, minimum=0, below=1)
        _validation.check_number("time_limit", time_limit, above=0, below=np.inf)
        _validation.check_choice("features", features, _EMBEDDINGS)
        _validation.check_choice("method", method, ("robust", "greedy"))
        _validation.check_choice("formulation", formulation, kcenter.FORMULATIONS)
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.features = features
        self.method = method
        self.outlier_share = outlier_share
        self.formulation = formulation
        self.time_limit = time_limit
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)
        self._process = kcenter.SolverProcess()

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. The features must be accessible."""
        super().check_model(model)
        if self.features == "penultimate":
            classifier.features(model)
        elif self.features == "outputs":
            inference.check_returns_logits(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        return Query(self._cover(model, x_unlabeled, num_queries, x_labeled).centers)

    def cover(
        self, model, x_unlabeled, num_queries: int, *, x_labeled=None
    ) -> kcenter.KCenterResult:
        """Choose the samples to label next, and return their covering radius too.

        Args:
            model: As for `query`.
            x_unlabeled: As for `query`.
            num_queries: As for `query`.
            x_labeled: As for `query`.

        Returns:
            A `dfal_keras.kcenter.KCenterResult`. Its `centers` are the indices of the
            query, rows of `x_unlabeled`. Its `outliers` are rows of `x_unlabeled`
            followed by `x_labeled`.

        Raises:
            ValueError: As for `query`.
        """
        self.check_model(model)
        x_unlabeled = check_candidates(model, x_unlabeled, num_queries, x_labeled)
        return self._cover(model, x_unlabeled, num_queries, x_labeled)

    def _cover(self, model, x_unlabeled, num_queries, x_labeled):
        """Return the cover; the arguments are validated."""
        embed = _EMBEDDINGS[self.features]
        sets = [x_unlabeled] if x_labeled is None else [x_unlabeled, x_labeled]
        # The candidates come first, so that the centers are rows of `x_unlabeled`.
        features = np.concatenate(
            [embed(model, x, batch_size=self.batch_size) for x in sets]
        )
        labeled = np.arange(x_unlabeled.shape[0], len(features))
        if self.method == "greedy":
            return kcenter.greedy(features, labeled, num_queries)
        cover = kcenter.robust(
            features,
            labeled,
            num_queries,
            max_outliers=self.outlier_share * len(features),
            formulation=self.formulation,
            time_limit=self.time_limit,
            process=self._process,
        )
        if not cover.proven:
            _logger.warning(
                "CORE-SET stopped at the limit of its memory or its time limit of %g s "
                "at radius %.4g; the optimum is at least %.4g",
                self.time_limit,
                cover.radius,
                cover.lower_bound,
            )
        return cover
