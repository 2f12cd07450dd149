"""Lengths of the gradients of a classifier's loss with respect to its weights."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    inference,
    logit_gradients,
    memory,
    output_kinds,
    tracing,
)


def gradient_lengths(
    model,
    x,
    expectation: str,
    *,
    epsilon: float = 1e-7,
    num_classes: int | None = None,
    batch_size: int | None = None,
) -> np.ndarray:
    """Return the expected gradient length of each sample.

    See `dfal_keras.strategies.EGL` for the two definitions.

    Args:
        model: A Keras model with trainable weights.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        expectation: `"norm"` or `"uniform"`.
        epsilon: Probabilities are clipped to `[epsilon, 1 - epsilon]`. Used by
            `"uniform"` only. Defaults to 1e-7, as in Keras.
        num_classes: Sum over this many of the most likely classes. Used by `"norm"`
            only, which takes a backward pass for each. Defaults to `None`: all classes
            of a model with up to 10, and the 10 most likely of others.
        batch_size: Number of images in a batch. Defaults to `None`: up to 128, as far
            as they fit in about 1 GB. Gradients are computed one image at a time.

    Returns:
        Float32 array of shape `(num_samples,)`.

    Raises:
        ValueError: If the model has no trainable weights or returns probabilities, or
            if logits or gradients are not finite.
    """
    if not getattr(model, "trainable_variables", None):
        raise _validation.ArgumentError(
            "model",
            f"must be a Keras model with trainable weights. Received: {model!r}",
        )
    logits = inference.predict_logits(model, x, batch_size=batch_size)
    probabilities = output_kinds.softmax(logits)
    sample_shape = tuple(x.shape[1:])
    if batch_size is None:
        batch_size = memory.batch_size(model, sample_shape, maximum=_MAX_BATCH_SIZE)
    num_compared = logit_gradients.num_compared(logits.shape[1], num_classes)
    norms = _traced_norms(model, sample_shape, expectation, epsilon, num_compared)
    batches = inference.float_batches(x, batch_size)
    lengths = np.concatenate([norms(batch).numpy() for batch in batches])
    if expectation == "uniform":
        return inference.check_finite(lengths[:, 0])
    if num_compared < logits.shape[1]:  # in the order of the targets
        probabilities = -np.sort(-probabilities, axis=1)[:, :num_compared]
    return inference.check_finite((probabilities * lengths).sum(axis=1))


_MAX_BATCH_SIZE = 128


@tracing.cached_per_model
def _traced_norms(model, sample_shape, expectation, epsilon, num_compared):
    """Return the traced function of the gradient norms for each expectation's targets.

    "norm" has a one-hot target for each of the most likely classes. "uniform" has one
    target: the loss is linear in its target, so the mean gradient over the classes is
    the gradient for the mean target, 1/C for each class, in one backward pass. A class
    whose probability is clipped has gradient zero, and so a target of zero.
    """

    def targets(probabilities):
        num_classes = probabilities.shape[0]
        if expectation == "norm":
            if num_compared == num_classes:
                return tf.eye(num_classes, dtype=probabilities.dtype)
            classes = tf.math.top_k(probabilities, num_compared).indices
            return tf.one_hot(classes, num_classes, dtype=probabilities.dtype)
        # `tf.clip_by_value` passes gradients on at the limits themselves.
        counts = (probabilities >= epsilon) & (probabilities <= 1 - epsilon)
        return tf.cast(counts, probabilities.dtype)[None] / num_classes

    logits = classifier.logits(model)
    weights = [variable.value for variable in model.trainable_variables]

    def norms(images):
        return loss_gradient_norms(logits, weights, images, targets)

    return tracing.traced(norms, (sample_shape, "float32"))


def loss_gradient_norms(
    logits: Callable, weights: list, images: tf.Tensor, targets: Callable
) -> tf.Tensor:
    """Compute the gradient norms of each sample's loss with respect to the weights.

    For a sample x and a target t, with a weight for each class, the norm is
    `|| grad_theta ( - sum_k t_k log p_k(x) ) ||_2`, where t is a constant. Samples are
    processed one at a time, so they can't interact, and memory holds one gradient. On
    a CPU this is four times as fast as `tf.vectorized_map`. Call it inside a
    `tf.function`.

    Args:
        logits: Function from images to logits of shape `(batch_size, num_classes)`.
        weights: List of the variables to differentiate with respect to.
        images: Float tensor of shape `(batch_size, ...)`.
        targets: Function from the probabilities of a sample, a float tensor of shape
            `(num_classes,)`, to targets of shape `(num_targets, num_classes)`.

    Returns:
        Float32 tensor of shape `(batch_size, num_targets)`.
    """

    def loss_norm(image, target):
        with tf.GradientTape() as tape:
            loss = _loss(logits(image[None])[0], target)
        return _norm(tape.gradient(loss, weights, **_ZERO))

    def norms_of_one(image):
        with tf.GradientTape(persistent=True) as tape:
            outputs = logits(image[None])[0]
            constants = tf.stop_gradient(targets(tf.nn.softmax(outputs)))
            num_targets = constants.shape[0]
            is_unrolled = num_targets <= logit_gradients.MAX_UNROLLED
            if is_unrolled:
                losses = [_loss(outputs, target) for target in tf.unstack(constants)]
        if is_unrolled:
            gradients = [tape.gradient(loss, weights, **_ZERO) for loss in losses]
            return tf.stack([_norm(gradient) for gradient in gradients])
        return tf.map_fn(
            lambda target: loss_norm(image, target),
            constants,
            fn_output_signature=tf.float32,
        )

    signature = tf.TensorSpec((None,), tf.float32)
    return tf.map_fn(norms_of_one, images, fn_output_signature=signature)


def _loss(logits, target):
    """Return the cross-entropy of one sample."""
    return -tf.reduce_sum(target * tf.nn.log_softmax(logits))


def _norm(gradient):
    return tf.cast(tf.linalg.global_norm(gradient), tf.float32)


_ZERO = {"unconnected_gradients": tf.UnconnectedGradients.ZERO}
