import keras
import numpy as np
import pytest
from helpers import image_folders

from dfal_keras.backend import classifier, inference
from dfal_keras.labeling import networks

IMAGES = np.random.default_rng(0).uniform(0, 255, size=(5, 16, 16, 3))


@pytest.mark.parametrize("activation", ["softmax", None])
def test_scores_of_the_old_classes_remain(tmp_path, activation):
    model = image_folders.write_model(tmp_path / "m.keras", activation=activation)
    wider = networks.widen(model, 5)
    old = inference.predict_logits(model, IMAGES)
    new = inference.predict_logits(wider, IMAGES)
    np.testing.assert_allclose(new[:, :3], old, rtol=1e-5)
    np.testing.assert_array_equal(new[:, 3:], 0)


def test_layers_after_the_dense_layer_remain():
    inputs = keras.Input((4,))
    outputs = keras.layers.Softmax()(keras.layers.Dense(2)(inputs))
    wider = networks.widen(keras.Model(inputs, outputs), 3)
    probabilities = wider.predict(np.ones((1, 4)), verbose=0)
    assert probabilities.shape == (1, 3)
    assert probabilities.sum() == pytest.approx(1)
    classifier.check_model(wider)


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Dense(1, activation="sigmoid")],
        [keras.layers.Reshape((2, 2, 1)), keras.layers.Conv2D(3, 2)],
    ],
)
def test_models_without_a_unit_for_each_class_are_refused(layers):
    model = keras.Sequential([keras.Input((4,)), *layers])
    with pytest.raises(ValueError, match="must end in a dense layer"):
        networks.widen(model, 4)
