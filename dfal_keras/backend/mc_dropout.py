"""Monte Carlo dropout: predictions with dropout on, everything else in inference."""

import keras
import numpy as np
import tensorflow as tf

from dfal_keras.backend import classifier, inference, keras_layers, tracing


def predict_logits(
    model: keras.Model,
    x,
    *,
    num_samples: int,
    rng: np.random.Generator,
    batch_size: int = 128,
) -> np.ndarray:
    """Return logits of stochastic forward passes, with dropout as in training.

    The passes run on a clone with the same weights, so the model's random seeds and
    the statistics of its BatchNormalization layers do not change. The clone's
    BatchNormalization layers run in inference mode. All passes of a batch are one call
    of a graph.

    Args:
        model: A Sequential or functional Keras model with a softmax, sigmoid or linear
            output, and at least one noise layer, such as dropout.
        x: Images as the model takes them, of shape `(num_images, ...)`.
        num_samples: T, the number of passes for each image.
        rng: Source of the seeds of the noise.
        batch_size: Number of images in a batch. Defaults to 128.

    Returns:
        Float32 array of shape `(num_samples, num_images, num_classes)`.

    Raises:
        ValueError: If the model can't be cloned or has no noise layer, or if logits
            are not finite.
    """
    clone, forward = _cloned(model, tuple(x.shape[1:]), num_samples)
    clone.set_weights(model.get_weights())
    for seed in keras_layers.seed_variables(clone):
        seed.assign(rng.integers(2**31, size=2, dtype=np.uint32))
    batches = inference.float_batches(x, batch_size)
    logits = [forward(batch).numpy() for batch in batches]
    return inference.check_finite(np.concatenate(logits, axis=1))


@tracing.cached_per_model
def _cloned(model, sample_shape, num_samples):
    """Return a clone, and the traced function of its passes."""
    clone = _clone(model)
    if not keras_layers.seed_variables(clone):
        raise ValueError(
            "Argument `model` must have layers of noise, such as dropout, for Monte "
            f"Carlo dropout. Received: the model {model.name!r}, which has none"
        )
    logits = classifier.logits(clone, True)

    def passes(images):
        # A copy of each image for each pass, so that each pass has its own noise.
        copies = tf.tile(images[None], [num_samples, *[1] * (images.shape.ndims)])
        outputs = logits(tf.reshape(copies, (-1, *sample_shape)))
        return tf.reshape(outputs, (num_samples, -1, outputs.shape[-1]))

    return clone, tracing.traced(passes, (sample_shape, "float32"))


def _clone(model):
    """Clone a model whose only layers with a training behavior are noise layers."""
    if not getattr(model, "outputs", None):
        raise ValueError(
            "Argument `model` must be a Sequential or functional model, which can be "
            f"cloned, for Monte Carlo dropout. Received: {model!r}"
        )
    functional = keras.Model(model.inputs[0], model.outputs[0])
    clone = keras.models.clone_model(
        functional, clone_function=_clone_layer, recursive=True
    )
    for layer in keras_layers.flatten(clone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # in Keras, this means inference mode
    return clone


def _clone_layer(layer):
    """Clone a layer, but replace augmentation, which is not noise of the model."""
    if type(layer).__name__.startswith("Random"):
        return keras.layers.Identity(name=layer.name)
    return layer.__class__.from_config(layer.get_config())
