"""A model's stochastic twin: dropout on, everything else as in inference."""

import keras
import numpy as np
import tensorflow as tf

from dfal_keras.backend import classifier, inference, tracing


def predict_logits(
    model: keras.Model,
    x,
    *,
    num_samples: int,
    rng: np.random.Generator,
    batch_size: int = 128,
) -> np.ndarray:
    """Return logits of stochastic forward passes: dropout as in training.

    The passes go through a twin of the model with the same weights, so that neither
    the model's random seeds nor the statistics of its BatchNormalization layers, which
    are used as in inference, ever move. All passes of a batch are one graph call.

    Args:
        model: A Sequential or functional Keras model with a softmax, sigmoid or linear
            output, with at least one layer of noise.
        x: Images as the model takes them, of shape `(num_images, ...)`.
        num_samples: T, passes for each image.
        rng: NumPy generator to seed the noise from.
        batch_size: Images in a batch.

    Returns:
        Float32 array of shape `(num_samples, num_images, num_classes)`.

    Raises:
        ValueError: If the model can't be copied or has no noise.
    """
    twin, forward = _compiled_twin(model, tuple(x.shape[1:]), num_samples)
    twin.set_weights(model.get_weights())
    for seed in _seeds(twin):
        seed.assign(rng.integers(2**31, size=2, dtype=np.uint32))
    batches = inference.float_batches(x, batch_size)
    logits = [forward(batch).numpy() for batch in batches]
    return inference.check_finite(np.concatenate(logits, axis=1))


@tracing.once_per_model
def _compiled_twin(model, sample_shape, num_samples):
    """Build the twin, and the graph of its passes."""
    twin = _twin(model)
    if not _seeds(twin):
        raise ValueError(
            "Argument `model` must have layers of noise, such as dropout, for its "
            f"uncertainty to be sampled. Received: {model.name!r}, which has none"
        )

    logits = classifier.logits(twin, True)

    def passes(images):
        # Each copy of an image gets noise of its own.
        copies = tf.tile(images[None], [num_samples, *[1] * (images.shape.ndims)])
        outputs = logits(tf.reshape(copies, (-1, *sample_shape)))
        return tf.reshape(outputs, (num_samples, -1, outputs.shape[-1]))

    return twin, tracing.graph(passes, (sample_shape, "float32"))


def _twin(model):
    """Copy a model: the same layers, of which training changes only the noise."""
    if not getattr(model, "outputs", None):
        raise ValueError(
            "Argument `model` must be a Sequential or functional model, so that only "
            f"its dropout can be switched on. Received: {model!r}"
        )
    functional = keras.Model(model.inputs[0], model.outputs[0])
    twin = keras.models.clone_model(functional, clone_function=_copy, recursive=True)
    for layer in twin._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # in Keras: run as in inference
    return twin


def _copy(layer):
    """Copy a layer, but leave out augmentation: it is no noise of the model's."""
    if type(layer).__name__.startswith("Random"):
        return keras.layers.Identity(name=layer.name)
    return layer.__class__.from_config(layer.get_config())


def _seeds(model):
    """The variables that hold the state of a model's random layers."""
    return [var for var in model.variables if var.name == "seed_generator_state"]
