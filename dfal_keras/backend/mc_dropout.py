"""Monte Carlo dropout: predictions with dropout, all else in inference mode."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    inference,
    keras_graph,
    memory,
    noise,
    output_check,
    output_kinds,
    tracing,
)


def check_model(model) -> None:
    """Raise ValueError if a model has no layers of noise that can be copied."""
    _network(model)


def predict_scores(
    model: keras.Model,
    x,
    *,
    num_samples: int,
    rng: np.random.Generator,
    batch_size: int | None = None,
) -> np.ndarray:
    """Return scores of stochastic forward passes, with dropout as in training.

    Layers with dropout are copied, so the model's random seeds do not change. All other
    layers, such as BatchNormalization and augmentation, run in inference mode. All
    passes of a batch are one call of a graph.

    Args:
        model: A Sequential or functional Keras model with at least one noise layer,
            such as dropout.
        x: Images as the model takes them, of shape `(num_images, ...)`.
        num_samples: T, the number of passes for each image.
        rng: Source of the seeds of the noise.
        batch_size: Number of images in a batch. Defaults to `None`: up to 128, as
            far as the activations of all passes fit in about 1 GB.

    Returns:
        Float32 array of shape `(num_samples, num_images, num_outputs)`, of what
        `classifier.scores` returns.

    Raises:
        ValueError: If a layer of noise can't be copied or there is none, or if scores
            are not finite.
    """
    sample_shape = tuple(x.shape[1:])
    if batch_size is None:
        batch_size = memory.batch_size(
            model, sample_shape, maximum=_MAX_BATCH_SIZE, num_copies=num_samples
        )
    network, forward = _traced(model, sample_shape, num_samples)
    network.update(rng)
    scores = []
    for batch in inference.float_batches(x, batch_size):
        network.check(model, batch)
        found = forward(batch).numpy()
        inference.check_num_rows(found.shape[1], len(batch))
        scores.append(found)
    return inference.check_finite(np.concatenate(scores, axis=1))


def predict_probabilities(model: keras.Model, x, **options) -> np.ndarray:
    """Return class probabilities of stochastic forward passes.

    Args:
        model: As for `predict_scores`.
        x: As for `predict_scores`.
        **options: The other arguments of `predict_scores`.

    Returns:
        Float32 array of shape `(num_samples, num_images, num_classes)`.
    """
    return output_kinds.to_probabilities(model, predict_scores(model, x, **options))


_MAX_BATCH_SIZE = 128


@tracing.cached_per_model
def _traced(model, sample_shape, num_samples):
    """Return the network, and the traced function of its passes."""
    network = _network(model)

    def passes(images):
        outputs = network.scores(images, num_samples)
        return tf.reshape(outputs, (num_samples, -1, outputs.shape[-1]))

    return network, tracing.traced(passes, (sample_shape, "float32"))


@tracing.cached_per_model
def _network(model):
    if not keras_graph.is_functional(model):
        raise _validation.ArgumentError(
            "model",
            "must be a Sequential or functional model, whose layers "
            f"are accessible, for Monte Carlo dropout. Received: {model!r}",
        )
    shape = model.outputs[0].shape
    if len(shape) != 2:
        raise _validation.ArgumentError(
            "model",
            "must return the scores of all classes for each sample, "
            f"of shape (num_samples, num_classes). Received: shape {tuple(shape)}",
        )
    network = _Network(classifier.head(model))
    if not network.has_noise:
        raise _validation.ArgumentError(
            "model",
            "must have layers of noise, such as dropout, for Monte "
            f"Carlo dropout. Received: the model {model.name!r}, which has none",
        )
    return network


class _Network:
    """The graph of a classifier up to its scores, with copies of layers of noise.

    Args:
        head: The head of the classifier.
    """

    def __init__(self, head):
        self._head = head
        self._copies: dict[int, noise.Copy] = {}  # by the id of the original
        self._is_checked = False
        for graph in head.graphs:
            self._copy(graph)

    def _copy(self, graph):
        """Copy the layers of noise, those in nested models included."""
        for call in keras_graph.find_calls(graph):
            layer = call.operation
            if id(layer) in self._copies or not _is_noise(layer):
                continue
            if keras_graph.is_nested_graph(call):
                self._copy((layer.inputs, layer.outputs))
            else:
                self._copies[id(layer)] = noise.Copy(call)

    @property
    def has_noise(self) -> bool:
        """Whether there is any layer of noise."""
        return bool(self._copies)

    def update(self, rng) -> None:
        """Copy the weights of the model, and draw new seeds."""
        for copy in self._copies.values():
            copy.update()
            for seed in copy.seeds:
                seed.assign(rng.integers(2**31, size=2, dtype=np.uint32))

    def check(self, model, images) -> None:
        """Raise ValueError if the scores without noise are not those of the model."""
        if self._is_checked:
            return
        images = images[:_NUM_CHECKED]
        scores = self._compute(images, self._call_without_noise).numpy()
        if np.isfinite(scores).all():  # as is checked for all images
            output_check.compare(model, images, scores)
            self._is_checked = True

    def scores(self, images, num_samples):
        """Return the scores of all passes, one pass after the other.

        Layers before the noise are computed once for all passes.
        """

        def call(each: keras_graph.Call, values: Sequence):
            layer, copy = each.operation, self._copies.get(id(each.operation))
            if copy is None and _is_noise(layer):
                graph = layer.inputs, layer.outputs
                return keras_graph.compute(graph, values, call, _convert)
            if copy is None and not any(isinstance(one, _Passes) for one in values):
                return keras_graph.call_in_inference(each, values)
            tensors = [
                one.tensor
                if isinstance(one, _Passes)
                else keras_graph.tile(one, num_samples)
                for one in values
            ]
            if copy is None:
                outputs = keras_graph.call_in_inference(each, tensors)
            else:
                each = each._replace(operation=copy.layer)
                outputs = each.repeat(tensors, training=True)
            return [_Passes(one) for one in keras.tree.flatten(outputs)]

        return self._compute(images, call)

    def _call_without_noise(self, each, values):
        layer, copy = each.operation, self._copies.get(id(each.operation))
        if copy is not None:
            each = each._replace(operation=copy.layer)
        elif _is_noise(layer):
            graph = layer.inputs, layer.outputs
            return keras_graph.compute(graph, values, self._call_without_noise)
        return keras_graph.call_in_inference(each, values)

    def _compute(self, images, call):
        (value,) = keras_graph.compute_chain(
            self._head.graphs, [images], call, _convert
        )
        value = value.tensor if isinstance(value, _Passes) else value
        for function in self._head.functions:
            value = function(value)
        return tf.cast(value, tf.float32)


_NUM_CHECKED = 8


def _is_noise(operation):
    return isinstance(operation, keras.Layer) and noise.is_active(operation)


class _Passes:
    """A tensor that has a copy of the batch for each pass."""

    def __init__(self, tensor):
        self.tensor = tensor


def _convert(value, tensor):
    """Cast a value to the dtype of the nested model's input that receives it."""
    if isinstance(value, _Passes):
        return _Passes(keras_graph.as_input(value.tensor, tensor))
    return keras_graph.as_input(value, tensor)
