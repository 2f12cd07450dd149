import keras
import numpy as np
import pytest
from helpers import models

from dfal_keras.backend import targets

LABELS = np.array([0, 2, 1])
IMAGES = np.zeros((3, 4, 4, 1), "uint8")


def compiled(loss, num_outputs=3, **options):
    model = models.linear(num_outputs, "softmax")
    model.compile("adam", loss, **options)
    return model


ONE_HOT = [
    "categorical_crossentropy",
    "CategoricalCrossentropy",
    "categorical_focal_crossentropy",
    keras.losses.categorical_crossentropy,
    keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    keras.losses.CategoricalFocalCrossentropy(),
    keras.losses.CategoricalHinge(),
    ["categorical_crossentropy"],
]
INTEGERS = [
    "sparse_categorical_crossentropy",
    "crossentropy",
    keras.losses.SparseCategoricalCrossentropy(),
    lambda y, outputs: keras.losses.sparse_categorical_crossentropy(y, outputs),
]


@pytest.mark.parametrize("loss", ONE_HOT, ids=range(len(ONE_HOT)))
def test_categorical_losses_get_one_hot_labels(loss):
    model = compiled(loss)
    found = targets.as_targets(model, LABELS, 3)
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert found.dtype == np.float32
    targets.check_loss(model, IMAGES, found)


@pytest.mark.parametrize("loss", INTEGERS, ids=range(len(INTEGERS)))
def test_other_losses_get_class_indices(loss):
    model = compiled(loss)
    found = targets.as_targets(model, LABELS, 3)
    assert found.tolist() == [0, 2, 1]
    targets.check_loss(model, IMAGES, found)


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", None])
def test_losses_that_do_not_accept_the_labels(loss):
    """Also where a batch has as many samples as classes, and labels broadcast."""
    model = compiled(loss)
    with pytest.raises(ValueError, match="must be compiled with a loss.*Received"):
        targets.check_loss(model, IMAGES, LABELS)


def test_metrics_that_do_not_accept_the_labels():
    model = compiled(INTEGERS[0], metrics=[keras.metrics.F1Score()])
    with pytest.raises(ValueError, match="and metrics that accept.*Received"):
        targets.check_loss(model, IMAGES, LABELS)


def test_metrics_are_reset():
    model = compiled(INTEGERS[0], metrics=["accuracy"])
    targets.check_loss(model, IMAGES, LABELS)
    assert {**model.get_metrics_result()} == {"loss": 0, "accuracy": 0}


def test_a_categorical_loss_needs_several_outputs():
    model = compiled("categorical_crossentropy", 1)
    with pytest.raises(ValueError, match="an output for each class.*single output"):
        targets.as_targets(model, LABELS, 1)


def test_the_number_of_outputs():
    assert targets.num_outputs(models.linear(5), IMAGES) == 5
    subclassed = models.built(models.Subclassed())
    assert targets.num_outputs(subclassed, IMAGES) == 3
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(3, 2)])
    with pytest.raises(ValueError, match=r"Received: shape \(1, 3, 3, 3\)"):
        targets.num_outputs(model, IMAGES)
