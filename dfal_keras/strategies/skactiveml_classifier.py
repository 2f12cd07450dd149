"""The last layer of a network, as a fitted classifier of scikit-activeml."""

from collections.abc import Callable

import numpy as np
from skactiveml.base import SkactivemlClassifier

from dfal_keras import _validation


class NetworkClassifier(SkactivemlClassifier):
    """The class probabilities of a network, as functions of features.

    Args:
        probabilities: Function from features of shape `(num_samples, num_features)` to
            class probabilities of shape `(num_samples, num_classes)`.
        num_classes: Number of classes.
        passes: Class probabilities of the candidates in each pass of Monte Carlo
            dropout, of shape `(num_passes, num_candidates, num_classes)`. Defaults to
            `None`, for strategies that need no committee.
    """

    def __init__(
        self,
        probabilities: Callable,
        num_classes: int,
        passes: np.ndarray | None = None,
    ):
        super().__init__(missing_label=np.nan)
        self.probabilities = probabilities
        self.num_classes = num_classes
        self.passes = passes
        self.classes_ = np.arange(num_classes)  # which makes it fitted

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        """Raise ValueError: a query must not train the network."""
        raise _validation.ArgumentError(
            "query_strategy",
            "must not train the classifier. Received: a query strategy that does",
        )

    def predict_proba(self, X, **options) -> np.ndarray:  # noqa: N803
        """Return float64 class probabilities, in an array that may be changed."""
        probabilities = np.array(self.probabilities(X), np.float64)
        # In float32 they do not sum to one exactly, as NumPy's `choice` demands.
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X, **options) -> np.ndarray:  # noqa: N803
        """Return the most likely classes."""
        return self.predict_proba(X).argmax(axis=1)

    def sample_passes(self, X) -> np.ndarray:  # noqa: N803
        """Return `passes`, in an array that may be changed; `X` are the candidates."""
        return np.array(self.passes, np.float64)
