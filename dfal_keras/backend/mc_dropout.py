"""Monte Carlo dropout: predictions with dropout on, everything else in inference."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    inference,
    keras_layers,
    memory,
    tracing,
)


def predict_logits(
    model: keras.Model,
    x,
    *,
    num_samples: int,
    rng: np.random.Generator,
    batch_size: int | None = None,
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
        batch_size: Number of images in a batch. Defaults to `None`: up to 128, as
            far as the activations of all passes fit in about 1 GB.

    Returns:
        Float32 array of shape `(num_samples, num_images, num_classes)`.

    Raises:
        ValueError: If the model can't be cloned or has no noise layer, or if logits
            are not finite.
    """
    sample_shape = tuple(x.shape[1:])
    if batch_size is None:
        batch_size = memory.batch_size(
            model, sample_shape, maximum=_MAX_BATCH_SIZE, num_copies=num_samples
        )
    clone, forward = _cloned(model, sample_shape, num_samples)
    clone.set_weights(model.get_weights())
    for seed in keras_layers.seed_variables(clone):
        seed.assign(rng.integers(2**31, size=2, dtype=np.uint32))
    batches = inference.float_batches(x, batch_size)
    logits = [forward(batch).numpy() for batch in batches]
    return inference.check_finite(np.concatenate(logits, axis=1))


@tracing.cached_per_model
def _cloned(model, sample_shape, num_samples):
    """Return a clone, and the traced function of its passes."""
    if not getattr(model, "outputs", None):
        raise _validation.ArgumentError(
            "model",
            "must be a Sequential or functional model, which can be "
            f"cloned, for Monte Carlo dropout. Received: {model!r}",
        )
    clone = _clone(model, num_samples)
    if not keras_layers.seed_variables(clone):
        raise _validation.ArgumentError(
            "model",
            "must have layers of noise, such as dropout, for Monte "
            f"Carlo dropout. Received: the model {model.name!r}, which has none",
        )
    logits = classifier.logits(clone, True)

    def passes(images):
        outputs = logits(images)
        return tf.reshape(outputs, (num_samples, -1, outputs.shape[-1]))

    return clone, tracing.traced(passes, (sample_shape, "float32"))


def _clone(model, num_samples):
    """Clone a model, with `num_samples` copies of each image from the first noise on.

    What precedes the noise is computed once. Only noise layers behave as in training.
    """
    repeated = {}  # KerasTensors with a copy for each pass, by id, which keeps them

    def repeat(tensor):
        is_once = isinstance(tensor, keras.KerasTensor) and id(tensor) not in repeated
        return _Repeat(num_samples)(tensor) if is_once else tensor

    def call(layer, *args, **kwargs):
        inputs = keras.tree.flatten((args, kwargs))
        has_noise = bool(keras_layers.seed_variables(layer))
        if not has_noise and not any(id(tensor) in repeated for tensor in inputs):
            return layer(*args, **kwargs)
        args, kwargs = keras.tree.map_structure(repeat, (args, kwargs))
        outputs = layer(*args, **kwargs)
        repeated.update({id(one): one for one in keras.tree.flatten(outputs)})
        return outputs

    clone = keras.models.clone_model(
        keras.Model(model.inputs[0], model.outputs[0]),
        clone_function=_clone_layer,
        call_function=call,
    )
    for layer in keras_layers.flatten(clone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # in Keras, this means inference mode
    return clone


class _Repeat(keras.layers.Layer):
    """Repeat a batch."""

    def __init__(self, num_copies):
        super().__init__()
        self._num_copies = num_copies

    def call(self, inputs):
        return ops.tile(inputs, (self._num_copies, *[1] * (len(inputs.shape) - 1)))

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[1:])


def _clone_layer(layer):
    """Clone a layer, but replace augmentation, which is not noise of the model."""
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(
            layer, clone_function=_clone_layer, recursive=True
        )
    if type(layer).__name__.startswith("Random"):
        return keras.layers.Identity(name=layer.name)
    try:
        return layer.__class__.from_config(layer.get_config())
    except (ValueError, TypeError, NotImplementedError) as error:
        raise _validation.ArgumentError(
            "model",
            "must have layers that can be cloned, for Monte Carlo "
            f"dropout. Received: the layer {layer.name!r} of the type "
            f"{type(layer).__name__} ({str(error).splitlines()[0]})",
        ) from error


_MAX_BATCH_SIZE = 128
