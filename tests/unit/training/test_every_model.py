"""`Training` of every model of the table: as `fit` of Keras trains it, or refused."""

import keras
import numpy as np
import pytest
from helpers.every_model import named, rates_of_dropout, tolerance_of
from helpers.model_table import TABLE
from keras import layers, losses

import dfal_keras as dfal
from dfal_keras.backend import keras_layers

TYPICAL = ("logits", "nested logit, sigmoid", "float16", "several sigmoids")

# Their random numbers are for the images in the order of a shuffle.
RANDOM = ("augmentation", "noise in inference")

# On images this small, training with the statistics of batches ends in NaN, with `fit`
# as well. They are frozen, and the steps are small.
DIVERGE = ("MobileNetV3Small", "EfficientNetV2B0")

# What each message says is wrong. All other models are trained.
REFUSED = {
    "several sigmoids": "3 sigmoid units",
    "several sigmoids, nested": "3 sigmoid units",
    "softmax of one unit": "1 softmax units",
    "rows of another number": "",
    "outputs of several steps": "num_classes",
}


def made_twice(name):
    """Return two compiled models of the table with the same weights, no dropout."""
    entry, compiled = TABLE[name], []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = entry.make()
        for layer, attribute, _ in rates_of_dropout(model):
            setattr(layer, attribute, 0.0)
        rate = 0.1
        if name in DIVERGE:
            rate = 1e-3
            for layer in keras_layers.flatten(model):
                layer.trainable = not isinstance(layer, layers.BatchNormalization)
        num_outputs = model(np.zeros((1, 4, 4, 1), "float32")).shape[-1]
        loss = (
            losses.BinaryCrossentropy(from_logits=entry.outputs == "logit")
            if num_outputs == 1
            else losses.SparseCategoricalCrossentropy(entry.outputs == "logits")
        )
        optimizer = keras.optimizers.SGD(rate, momentum=0.9)
        model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
        compiled.append(model)
    compiled[1].set_weights(compiled[0].get_weights())
    return compiled, max(2, num_outputs)


@pytest.mark.parametrize("name", named(TABLE, TYPICAL))
def test_a_model_trains_as_with_fit(name, blobs):
    (ours, expected), num_classes = made_twice(name)
    x, y = blobs[0][:60].astype("float32"), blobs[1][:60] % min(num_classes, 3)
    options = {"epochs": 3, "batch_size": 40, "validation_data": (x[40:], y[40:])}

    def train():
        training = dfal.Training(
            ours, initial="keep", num_restarts=1, patience=3, **options
        )
        training(x[:40], y[:40], seed=0)
        return training.history[0]

    if name in REFUSED:
        with pytest.raises(ValueError, match=f"`model` must.*{REFUSED[name]}"):
            train()
        return
    curves = train()
    if name in RANDOM:
        assert set(curves) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        return
    history = expected.fit(x[:40], y[:40], verbose=0, **options).history
    error = 10 * tolerance_of(expected)
    for metric, values in history.items():
        atol = error if "loss" in metric else 0.05 + error
        np.testing.assert_allclose(curves[metric], values, rtol=error, atol=atol)
    for a, b in zip(ours.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=error, atol=error)
