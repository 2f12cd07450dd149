"""The kind of a Keras classifier's outputs: logits, an activation of them, or unknown.

The analysis goes back from the output through the graph of a model, including nested
models, to the activation.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from dfal_keras import _validation
from dfal_keras.backend import keras_graph, keras_layers, probing


@dataclasses.dataclass(frozen=True)
class Head:
    """The kind of a classifier's outputs, and how to compute its logits.

    Attributes:
        kind: `"logits"`; `"softmax"` or `"sigmoid"`, activations of the logits;
            `"sigmoids"`, several independent ones; or `"unknown"`.
        graphs: Graphs to compute one after the other, from the images to the tensor
            that `functions` are applied to: one for the model, and one for each nested
            model that the tensor is in. For "unknown", to the outputs themselves.
        functions: Functions that lead from there to the logits.
        may_be_logits: For "unknown", whether outputs that are not in [0, 1] are logits.
            A single unit is none if it was computed from a sigmoid, such as its
            logarithm, or by an unknown function without weights.
    """

    kind: str
    graphs: tuple[keras_graph.Graph, ...]
    functions: tuple[Callable, ...] = ()
    may_be_logits: bool = True

    def compute(self, images, call: Callable = keras_graph.call_in_inference) -> Any:
        """Compute the logits, or the outputs of an unknown head.

        Args:
            images: Tensor of shape `(batch_size, ...)`.
            call: As for `keras_graph.compute`.
        """
        (value,) = keras_graph.compute_chain(self.graphs, [images], call)
        for function in self.functions:
            value = function(value)
        return value


def analyze(model: keras.Model) -> Head:
    """Return the head of a model.

    Args:
        model: A model for which `keras_graph.is_functional`.
    """
    output = model.outputs[0]
    start = ((model.inputs, [output]),)
    head = _analyze(start, {})
    if head.kind == "sigmoid" and output.shape[-1] != 1:
        return dataclasses.replace(head, kind="sigmoids")
    if head.kind == "unknown":
        return dataclasses.replace(head, graphs=start)
    return head


class LastLayer(NamedTuple):
    """The last layer of a model that has weights.

    Attributes:
        graphs: As those of `Head`, to the input of the layer.
        call: The call of the layer.
        after: The calls from its output to the model's output, without weights.
    """

    graphs: tuple[keras_graph.Graph, ...]
    call: keras_graph.Call
    after: list[keras_graph.Call]

    def calls_to(self, tensor: keras.KerasTensor) -> list[keras_graph.Call]:
        """Return the calls from the input of the layer to a tensor.

        Args:
            tensor: A tensor that one of the calls takes, or the output of the model.
        """
        calls = [self.call, *self.after]
        takes = [call.inputs[0] is tensor for call in calls]
        return calls[: takes.index(True)] if True in takes else calls


def last_layer(model: keras.Model) -> LastLayer:
    """Return the last layer of a model that has weights.

    Args:
        model: A model for which `keras_graph.is_functional`.

    Raises:
        ValueError: If the model has no weights, ends in several such layers, or ends in
            a layer that contains others.
    """
    graphs: tuple = ((model.inputs, [model.outputs[0]]),)
    after: list[keras_graph.Call] = []
    while True:
        graphs = _entered(graphs)
        call = keras_graph.producer(graphs[-1][1][0])
        has_weights = _has_weights(call.operation)
        if has_weights and _is_composite(call.operation):
            reason = f"the layer {call.operation.name!r}, which contains others"
        elif not call.inputs:
            reason = f"the model {model.name!r} without weights"
        elif len(call.inputs) > 1:
            reason = f"{call.operation.name!r} of several tensors at the end"
        elif has_weights:
            return LastLayer(_at(graphs, call.inputs), call, after)
        else:
            graphs = _at(graphs, call.inputs)
            after.insert(0, call)
            continue
        raise _validation.ArgumentError(
            "model",
            "must have a last layer with weights, whose input are the "
            f"features, or a method `features(inputs)`. Received: {reason}",
        )


def _analyze(graphs, known):
    """Return the head of a tensor, at the end of `graphs`."""
    graphs = _entered(graphs)
    tensor = graphs[-1][1][0]
    if id(tensor) not in known:
        known[id(tensor)] = _analyze_call(graphs, keras_graph.producer(tensor), known)
    return known[id(tensor)]


def _analyze_call(graphs, call, known):
    """Return the head of the tensor that a call returned."""
    if not call.inputs or len(call.outputs) != 1:
        return Head("unknown", graphs)
    before = [_at(graphs, [tensor]) for tensor in call.inputs]
    layer = _unwrapped(call.operation)
    if isinstance(layer, _WITH_ACTIVATION) and keras_graph.is_defined_by_keras(layer):
        return _analyze_activation(graphs, call, before[0], known)
    kind = _kind(call)
    if kind in ("softmax", "sigmoid"):
        return Head(kind, before[0])
    if kind == "unknown" and (not _is_single(call) or not _has_weights(layer)):
        return Head("unknown", graphs, may_be_logits=not _is_single(call))
    heads = [_analyze(each, known) for each in before]
    if kind != "unknown" and all(head.kind == "logits" for head in heads):
        return Head("logits", graphs)
    if kind == "signed" and heads[0].kind == "sigmoid" and _is_single(call):
        # Such as its tanh. Refused, as the outputs are not those of a sigmoid.
        return heads[0]
    if kind != "identity" or heads[0].kind == "unknown":
        return _unknown(graphs, call, heads)

    def again(value):
        return keras_graph.call_in_inference(call, [value])

    return dataclasses.replace(heads[0], functions=(*heads[0].functions, again))


def _analyze_activation(graphs, call, before, known):
    """Return the head of what a layer with an activation returned."""
    layer = _unwrapped(call.operation)
    kind = _probed(lambda values: layer.activation(*values), call.outputs, call)
    if kind in ("identity", "signed"):
        head = _analyze(before, known)
        if _changes_probabilities(call, head):
            return _unknown(graphs, call, [head])
        return Head("logits", graphs)
    if kind in ("softmax", "sigmoid") and layer is call.operation:
        return Head(kind, before, (keras_graph.without_activation(layer),))
    return Head("unknown", graphs, may_be_logits=not _is_single(call))


def _unknown(graphs, call, heads):
    """Return the unknown head of what was computed from tensors with other heads."""
    may_be_logits = not _is_single(call) or any(
        head.kind != "sigmoid" and head.may_be_logits for head in heads
    )
    return Head("unknown", graphs, may_be_logits=may_be_logits)


def _unwrapped(layer):
    """Return the layer whose normalized weights a wrapper uses, if it is one."""
    is_wrapper = isinstance(layer, keras.layers.SpectralNormalization)
    return layer.layer if is_wrapper else layer


def _is_single(call):
    return call.outputs[0].shape[-1] == 1


def _probed(function, tensors, call):
    """Return what a function is, as `probing.kind` does.

    The log sigmoid of a single unit is called a sigmoid. It is then refused, as the
    outputs are others: their sign is no class.
    """
    kind = probing.kind(function, tensors)
    if kind == "log_sigmoid":
        return "sigmoid" if _is_single(call) else "signed"
    return kind


def _has_weights(operation):
    return bool(getattr(operation, "weights", ()))


def _changes_probabilities(call, head_before):
    """Return whether a linear layer takes class probabilities and returns as many.

    Such as the confusion matrix of wrong labels. After several sigmoids, it is the last
    layer of a network with a hidden layer.
    """
    size, size_before = call.outputs[0].shape[-1], call.inputs[0].shape[-1]
    if size != size_before:
        return False
    is_probability = head_before.kind == "softmax" or not head_before.may_be_logits
    return is_probability or (size == 1 and head_before.kind == "sigmoid")


def _kind(call):
    """Return what an operation without activation is, as `probing.kind` does."""
    layer = call.operation
    is_normalization = isinstance(layer, keras.layers.BatchNormalization)
    if is_normalization and keras_graph.is_defined_by_keras(layer):
        return "affine"
    if _has_weights(layer):
        return "unknown"
    return _probed(
        lambda values: keras_graph.call_in_inference(call, values), call.inputs, call
    )


# Layers that apply their activation last, to a linear function of their inputs.
_WITH_ACTIVATION = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)


def _entered(graphs):
    """Go to the end of the nested model, if any, that returns the last tensor."""
    tensor = graphs[-1][1][0]
    call = keras_graph.producer(tensor)
    if not keras_graph.is_nested_graph(call):
        return graphs
    model = call.operation
    position = [each is tensor for each in call.outputs].index(True)
    inner = model.inputs, [model.outputs[position]]
    return _entered((*_at(graphs, call.inputs), inner))


def _at(graphs, tensors):
    """Return graphs that end at other tensors of the last one."""
    return (*graphs[:-1], (graphs[-1][0], tensors))


def _is_composite(layer):
    """Return whether a layer that is not Keras's own has weights of nested layers."""
    own = {id(variable) for variable in keras_layers.own_variables(layer)}
    return isinstance(layer, keras.Model) or (
        not keras_graph.is_defined_by_keras(layer)
        and any(id(variable) not in own for variable in layer.weights)
    )
