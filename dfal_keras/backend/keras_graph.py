"""The graph of a functional Keras model, run operation by operation.

Besides `keras_layers`, the only module that uses private attributes of Keras: public
ones tell which operations a model has, but not the tensors that each call takes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

Graph = tuple[Sequence[keras.KerasTensor], Sequence[keras.KerasTensor]]


class Call(NamedTuple):
    """A call of an operation in a graph.

    Attributes:
        operation: A layer, a nested model, or another operation of Keras.
        args: Positional arguments, with KerasTensors.
        kwargs: Keyword arguments, with KerasTensors.
        inputs: The KerasTensors among the arguments.
        outputs: The KerasTensors that the call returns.
    """

    operation: Any
    args: tuple
    kwargs: dict
    inputs: list
    outputs: list

    def repeat(self, values: Sequence, **options) -> Any:
        """Call the operation again, with other values in place of its inputs."""
        replaced = dict(zip(map(id, self.inputs), values, strict=True))
        args, kwargs = keras.tree.map_structure(
            lambda value: replaced.get(id(value), value), (self.args, self.kwargs)
        )
        return self.operation(*args, **{**kwargs, **options})


def is_functional(operation) -> bool:
    """Return whether an operation is a model that its graph describes completely.

    This holds for Sequential and functional models, unless a subclass changes `call`.
    """
    return (
        isinstance(operation, keras.Model)
        and bool(getattr(operation, "outputs", None))
        and is_defined_by_keras(operation)
    )


def is_nested_graph(call: Call) -> bool:
    """Return whether the graph of a nested model computes what a call of it returns.

    It does not if the call passes a mask, or if Keras adds or removes an axis.
    """
    model, masks = call.operation, keras.tree.flatten(call.kwargs.get("mask"))
    return (
        is_functional(model)
        and all(mask is None for mask in masks)
        and [len(each.shape) for each in call.inputs]
        == [len(each.shape) for each in model.inputs]
    )


def has_named_outputs(model: keras.Model) -> bool:
    """Return whether a functional model returns a dict, even of a single tensor."""
    return isinstance(getattr(model, "_outputs_struct", None), dict)


def is_defined_by_keras(operation) -> bool:
    """Return whether what an operation computes is defined by Keras, not by a user."""
    return type(operation).call.__module__.startswith("keras.")


def producer(tensor: keras.KerasTensor) -> Call:
    """Return the call that returned a tensor. An input has a call without inputs."""
    operation, index, _ = tensor._keras_history  # noqa: SLF001
    node = operation._inbound_nodes[index]  # noqa: SLF001
    arguments = node.arguments
    return Call(
        operation,
        arguments.args,
        arguments.kwargs,
        arguments.keras_tensors,
        node.outputs,
    )


def find_calls(graph: Graph) -> list[Call]:
    """Return the calls that compute a graph, each after those that it depends on.

    Args:
        graph: `(inputs, outputs)`.
    """
    inputs, outputs = graph
    known = {id(tensor) for tensor in inputs}
    found, stack = [], list(outputs)
    while stack:
        if id(stack[-1]) in known:
            stack.pop()
            continue
        call = producer(stack[-1])
        missing = [tensor for tensor in call.inputs if id(tensor) not in known]
        if missing:
            stack += missing
            continue
        found.append(call)
        known.update(map(id, call.outputs))
    return found


def call_in_inference(call: Call, values: Sequence) -> Any:
    """Call an operation with other inputs, in inference mode."""
    is_layer = isinstance(call.operation, keras.Layer)
    return call.repeat(values, **({"training": False} if is_layer else {}))


def compute(
    graph: Graph,
    values: Iterable,
    call: Callable[[Call, Sequence], Any] = call_in_inference,
    convert: Callable | None = None,
) -> list:
    """Compute the outputs of a graph.

    Args:
        graph: `(inputs, outputs)`.
        values: A value for each input.
        call: Function of a `Call` and the values of its inputs, which computes its
            outputs. Defaults to `call_in_inference`.
        convert: Function of a value and the input that it is for. Defaults to `None`,
            `as_input`.

    Returns:
        A value for each output.
    """
    inputs, outputs = graph
    known = {
        id(tensor): (convert or as_input)(value, tensor)
        for tensor, value in zip(inputs, values, strict=True)
    }
    for each in find_calls(graph):
        returned = call(each, [known[id(tensor)] for tensor in each.inputs])
        returned = keras.tree.flatten(returned)
        known.update(zip(map(id, each.outputs), returned, strict=True))
    return [known[id(tensor)] for tensor in outputs]


def compute_chain(
    graphs: Sequence[Graph],
    values: Iterable,
    call: Callable[[Call, Sequence], Any] = call_in_inference,
    convert: Callable | None = None,
) -> list:
    """Compute graphs one after the other, each from the outputs of the one before."""
    for graph in graphs:
        values = compute(graph, values, call, convert)
    return list(values)


def as_input(value, tensor: keras.KerasTensor):
    """Return a value in the dtype of the input that it is for, as a model does."""
    is_tensor = hasattr(value, "dtype")
    if is_tensor and keras.backend.standardize_dtype(value.dtype) != tensor.dtype:
        return ops.cast(value, tensor.dtype)
    return value


def without_activation(layer: keras.Layer) -> keras.Layer:
    """Return a view of a layer, on the same variables, that has no activation.

    A clone would lack changes made after the layer was built, such as LoRA.
    """
    view = object.__new__(type(layer))
    vars(view).update(vars(layer))
    vars(view)["activation"] = keras.activations.linear
    return view


def tile(value, num_copies: int):
    """Repeat a batch, with its mask.

    Args:
        value: Tensor of shape `(batch_size, ...)`. Other values are returned unchanged.
        num_copies: How often to repeat it.

    Returns:
        Tensor of shape `(num_copies * batch_size, ...)`.
    """
    if not hasattr(value, "shape") or isinstance(value, np.ndarray):
        return value
    tiled = ops.tile(value, (num_copies, *[1] * (len(value.shape) - 1)))
    mask = getattr(value, "_keras_mask", None)
    if mask is not None:
        tiled._keras_mask = tile(mask, num_copies)  # noqa: SLF001
    return tiled
