"""EGL: query what would change the model most."""

import numbers

import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import classifier, gradients, inference, tracing
from dfal_keras.strategies.base import Strategy
from dfal_keras.strategies.query import Query


class EGL(Strategy):
    """Expected Gradient Length: query the longest gradients of the loss.

    The label is unknown, so the gradient is expected over the classes. Two readings:

        "norm":     sum_k p_k(x) || grad_theta loss(x, k) ||         (Settles)
        "uniform":  || 1/C sum_k grad_theta clipped(x, k) ||         (the first author)

    over all trainable weights theta. "uniform" takes Keras's cross-entropy, which
    clips the probabilities to [epsilon, 1 - epsilon]: a class whose probability lies
    outside has gradient zero. It prefers samples of which the model is *sure*; it is
    what the first author's public code does and what the tables of the paper are
    reproduced with. The scores are these lengths.

    Reference:
        - Settles et al., 2007, "Multiple-instance active learning"; Zhang et al.,
          2017, "Active discriminative text representation learning".

    Args:
        num_candidates: K, the size of the random subset to score.
        expectation: `"norm"` or `"uniform"`.
        epsilon: Where "uniform" clips the probabilities, from 0 (nowhere) to below 0.5.

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
        epsilon: float = 1e-7,
    ):
        if expectation not in ("norm", "uniform"):
            raise ValueError(
                "Argument `expectation` must be 'norm' or 'uniform'. "
                f"Received: expectation={expectation!r}"
            )
        if not isinstance(epsilon, numbers.Real) or not 0 <= epsilon < 0.5:
            raise ValueError(
                "Argument `epsilon` must be a number from 0 to below 0.5. "
                f"Received: epsilon={epsilon!r}"
            )
        self.num_candidates = _validation.check_count("num_candidates", num_candidates)
        self.expectation: str = expectation
        self.epsilon: float = float(epsilon)

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        lengths = gradient_lengths(
            model, x_unlabeled, self.expectation, epsilon=self.epsilon
        )
        indices = np.argsort(-lengths, kind="stable")[:num_queries]
        return Query(indices, lengths[indices])


def gradient_lengths(
    model, x, expectation: str, *, epsilon: float = 1e-7, batch_size: int = 128
) -> np.ndarray:
    """Expected gradient length of each sample; see `EGL`.

    Args:
        model: A Keras model with trainable weights.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        expectation: `"norm"` or `"uniform"`.
        epsilon: See `EGL`.
        batch_size: Images to hand to the graph at a time.

    Returns:
        Float32 array of shape `(num_samples,)`.
    """
    if not getattr(model, "trainable_variables", None):
        raise ValueError(
            "Argument `model` must be a Keras model with trainable weights. "
            f"Received: {model!r}"
        )
    logits = inference.check_logits(inference.predict_logits(model, x))
    probabilities = inference.softmax(logits)
    norms = _compiled_norms(model, tuple(x.shape[1:]), expectation, epsilon)
    batches = inference.float_batches(x, batch_size)
    lengths = np.concatenate([norms(batch).numpy() for batch in batches])
    if expectation == "uniform":
        return inference.check_finite(lengths[:, 0])
    return inference.check_finite((probabilities * lengths).sum(axis=1))


@tracing.once_per_model
def _compiled_norms(model, sample_shape, expectation, epsilon):
    """Compile the norms for one-hot targets, or for the mean of those that count.

    The loss is linear in its target, so the mean of the gradients over the classes is
    the gradient for the mean target, 1/C for each class: one backward pass. Classes
    whose probability is clipped have gradient zero, which is that of a target of zero.
    """

    def targets(probabilities):
        num_classes = probabilities.shape[0]
        if expectation == "norm":
            return tf.unstack(tf.eye(num_classes, dtype=probabilities.dtype))
        # At the limits themselves a clip passes gradients on.
        counts = (probabilities >= epsilon) & (probabilities <= 1 - epsilon)
        return [tf.cast(counts, probabilities.dtype) / num_classes]

    logits = classifier.logits(model)
    weights = [variable.value for variable in model.trainable_variables]

    def norms(images):
        return gradients.loss_gradient_norms(logits, weights, images, targets)

    return tracing.graph(norms, (sample_shape, "float32"))
