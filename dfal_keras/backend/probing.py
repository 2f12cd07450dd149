"""Find out what an operation of Keras computes, by its values for a few numbers.

This finds a softmax however it is written, without a list of the ways to write it.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from dfal_keras.backend import keras_layers

_NUM_PROBES = 7
_EPSILONS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}


def epsilon_of(dtype: str) -> float:
    """Return the resolution of numbers near 1; that of float32 for finer dtypes."""
    return _EPSILONS.get(dtype, 2.0**-23)


def resolution(model) -> float:
    """Return the resolution of numbers near 1 in the coarsest dtype of a model."""
    layers = keras_layers.flatten(model) if isinstance(model, keras.Model) else []
    dtypes = [getattr(layer, "compute_dtype", "float32") for layer in layers]
    return max(map(epsilon_of, ["float32", *dtypes]))


def kind(function: Callable, tensors: Sequence[keras.KerasTensor]) -> str:
    """Return which known function a function of tensors is.

    Args:
        function: Function of a list of tensors, without weights that training changes.
        tensors: KerasTensors of the shapes and dtypes that it takes.

    Returns:
        `"identity"` if it returns the numbers of its only input; `"softmax"`,
        `"sigmoid"` or `"log_sigmoid"` if it returns that of them; `"affine"`;
        `"signed"` if it returns negative numbers too, which are no probabilities; or
        `"unknown"`.
    """
    rng = np.random.default_rng(0)
    shapes = [(_NUM_PROBES, *(n or 4 for n in each.shape[1:])) for each in tensors]
    probes = [3 * rng.normal(size=shape) for shape in shapes]

    def compute(scale):
        values = [
            ops.convert_to_tensor(scale * probe, dtype=tensor.dtype)
            for probe, tensor in zip(probes, tensors, strict=True)
        ]
        returned = ops.convert_to_numpy(ops.cast(function(values), "float32"))
        return values, returned.reshape(_NUM_PROBES, -1).astype("float64")

    try:
        (first, *_), found = compute(1)
        zero, double, negative = (compute(scale)[1] for scale in (0, 2, -1))
    except Exception:  # any, from a function of the user
        return "unknown"
    epsilon = max(epsilon_of(each.dtype) for each in tensors)

    def is_close(a, b):
        size = max(1.0, np.abs(b).max(initial=0))
        return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=8 * epsilon * size)

    if len(tensors) == 1:
        values = ops.convert_to_numpy(ops.cast(first, "float32"))
        values = values.reshape(_NUM_PROBES, -1).astype("float64")
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        for kind, expected in (
            ("identity", values),
            ("softmax", powers / powers.sum(axis=1, keepdims=True)),
            ("sigmoid", 1 / (1 + np.exp(-values))),
            ("log_sigmoid", -np.log1p(np.exp(-values))),
        ):
            if is_close(found, expected):
                return kind
    if is_close(double + zero, 2 * found) and is_close(found + negative, 2 * zero):
        return "affine"
    return "signed" if np.isfinite(found).all() and found.min() < 0 else "unknown"
