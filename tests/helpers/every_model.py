"""What tests over all models of the table share: each model is made and traced once."""

import functools

import keras
import numpy as np
from helpers import model_table
from helpers.model_table import TABLE
from helpers.parameters import slow_but

from dfal_keras.backend import keras_layers

USABLE = {name: entry for name, entry in TABLE.items() if not entry.is_refused}
REFUSED = {name: entry for name, entry in TABLE.items() if entry.is_refused}

# A model of each kind. The others are slow, but for the probabilities that a model says
# and the way from features to them.
TYPICAL = (
    *("softmax: dense", "softmax: Lambda", "logits", "sigmoid: keras.ops"),
    *("nested softmax", "nested logit, sigmoid", "float16, nested softmax"),
    *("complement of a sigmoid", "average of softmaxes", "call of its own"),
    *("subclassed with methods", "residual", "branches", "augmentation", "LoRA"),
    *(
        "nested, of several inputs",
        "masked tokens",
        "attention in a layer of one's own",
    ),
)


def named(entries, typical=None):
    """Return parameters of a test, some of them marked as slow."""
    usual = [name for name in typical or entries if not TABLE[name].is_slow]
    return slow_but(usual, entries)


@functools.cache
def made(name):
    """Return a model of the table, always the same object: tracing takes the time."""
    keras.utils.set_random_seed(0)
    return TABLE[name].make()


def said(name, x):
    """Return the class probabilities that a model says for images."""
    return _said(name, x.shape, x.dtype.str, x.tobytes()).copy()


@functools.cache
def _said(name, shape, dtype, pixels):
    x = np.frombuffer(pixels, dtype).reshape(shape)
    # Without a graph, which `predict` would trace for each shape.
    outputs = np.asarray(made(name)(x, training=False))
    return model_table.class_probabilities(outputs, TABLE[name].outputs)


def recorded_features(name, x):
    """Return what the layer "features" of a model gets for images, in float64."""
    made(name)(x.astype("float32"), training=False)
    (recorder,) = [
        layer
        for layer in keras_layers.flatten(made(name))
        if isinstance(layer, model_table.Features)
    ]
    return recorder.last.reshape(len(x), -1).astype(np.float64)


def tolerance(name):
    """Return a tolerance for the dtypes of a model of the table."""
    return tolerance_of(made(name))


def tolerance_of(model):
    """Return a tolerance for the dtypes of a model."""
    dtypes = {layer.compute_dtype for layer in keras_layers.flatten(model)}
    return 0.03 if "bfloat16" in dtypes else 4e-3 if "float16" in dtypes else 1e-4


def rates_of_dropout(model):
    """Return `(layer, attribute, value)` for each rate of dropout of a model."""
    rates = []
    for layer in keras_layers.flatten(model):
        for attribute in ("rate", "dropout", "recurrent_dropout", "rate_of_dropout"):
            value = vars(layer).get(attribute, 0)
            if isinstance(value, float) and value > 0:
                rates.append((layer, attribute, value))
    return rates
