"""EGL: query the samples with the largest expected gradient."""

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import inference
from dfal_keras.backend.loss_gradients import gradient_lengths
from dfal_keras.strategies import stochastic_batch
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query


class EGL(Strategy):
    """Expected Gradient Length: query the longest expected gradients of the loss.

    The label is unknown, so the gradient is averaged over the classes, by one of two
    definitions:

        "norm":     sum_k p_k(x) || grad_theta loss(x, k) ||         (Settles)
        "uniform":  || 1/C sum_k grad_theta clipped(x, k) ||         (the first author)

    where theta are all trainable weights. "uniform" uses Keras's cross-entropy, which
    clips probabilities to [epsilon, 1 - epsilon]: a class whose probability is clipped
    has gradient zero. It follows the first author's public code, prefers samples with
    confident predictions, and is used for the tables of the paper.

    The scores are the expected gradient lengths.

    Reference:
        - Settles et al., 2007, "Multiple-instance active learning"; Zhang et al.,
          2017, "Active discriminative text representation learning".

    Args:
        num_candidates: K, the size of the random subset to score. Defaults to 300.
        expectation: `"norm"` or `"uniform"`. Defaults to `"norm"`.
        num_classes: Sum "norm" over this many of the most likely classes only: it takes
            a backward pass for each. Defaults to `None`: all classes of a model with
            up to 10, and the 10 most likely of others. "uniform" takes one backward
            pass for any number of classes.
        epsilon: Limit at which "uniform" clips probabilities, from 0 (no clipping) to
            below 0.5. Defaults to 1e-7, as in Keras.
        stochastic: `"power"`, `"softmax"` or `"softrank"`, to draw the queries by their
            scores; see `dfal_keras.strategies.stochastic_batch`. Defaults to `None`,
            the best scores.
        batch_size: Number of images to predict at a time. Defaults to `None`: up to
            1024, as far as the model's activations fit in about 1 GB. Gradients are
            computed for one image at a time.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> query = dfal.strategies.EGL().query(model, x[:20], num_queries=10)
        >>> bool((query.scores > 0).all())
        True
    """

    def __init__(
        self,
        *,
        num_candidates: int = 300,
        expectation: str = "norm",
        num_classes: int | None = None,
        epsilon: float = 1e-7,
        stochastic: str | None = None,
        batch_size: int | None = None,
    ):
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.expectation: str = _validation.check_choice(
            "expectation", expectation, ("norm", "uniform")
        )
        self.num_classes = _validation.check_optional_count("num_classes", num_classes)
        self.stochastic = stochastic_batch.check(stochastic)
        self.batch_size = _validation.check_optional_count("batch_size", batch_size)
        self.epsilon: float = float(
            _validation.check_number("epsilon", epsilon, minimum=0, below=0.5)
        )

    def check_model(self, model) -> None:
        """See `Strategy.check_model`. The logits must be accessible."""
        super().check_model(model)
        inference.check_returns_logits(model)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        lengths = gradient_lengths(
            model,
            x_unlabeled,
            self.expectation,
            epsilon=self.epsilon,
            num_classes=self.num_classes,
            batch_size=self.batch_size,
        )
        indices = stochastic_batch.choose(lengths, num_queries, self.stochastic, rng)
        return Query(indices, lengths[indices])
