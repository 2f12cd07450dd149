import inspect

import keras
import numpy as np
import pytest
from helpers import image_folders

from dfal_keras import models
from dfal_keras.backend import classifier, inference
from dfal_keras.labeling import networks

IMAGES = np.random.default_rng(0).uniform(0, 255, size=(5, 16, 16, 3))


LARGE_NETWORKS = ("MobileNet", "ResNet50")


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


@pytest.mark.parametrize(
    "name",
    [
        *("LeNet5", "vgg8"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE_NETWORKS),
    ],
)
def test_networks_by_name_take_pixels_from_0_to_255(name, tmp_path):
    model = networks.build(name, 4, weights="none", image_size=(48, 48))
    assert model.inputs[0].shape == (None, 48, 48, 3)
    assert model.outputs[0].shape == (None, 4)
    assert model.loss == "sparse_categorical_crossentropy"
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert not networks.has_frozen_layers(model)
    x = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    if name in ("MobileNet", "ResNet50"):
        package = {"MobileNet": "mobilenet", "ResNet50": "resnet"}[name]
        preprocess = getattr(keras.applications, package).preprocess_input
        layer = model.get_layer("preprocessing")
        ours = keras.Model(model.inputs[0], layer.output).predict(x, verbose=0)
        np.testing.assert_allclose(ours, preprocess(x.copy()), atol=1e-4)


@pytest.mark.parametrize("name", ["LeNet5", "VGG8"])
def test_the_networks_of_the_paper_divide_pixels_by_255_once(name):
    model = networks.build(name, 4, image_size=(32, 32))
    expected = getattr(models, name)((32, 32, 3), 4, include_preprocessing=False)
    expected.set_weights(model.get_weights())
    x = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        model.predict(x, verbose=0), expected.predict(x / 255, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.slow
def test_weights_of_a_file_are_frozen_below_a_new_head(tmp_path, suffix):
    keras.utils.set_random_seed(3)
    base = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, input_shape=(48, 48, 3)
    )
    path = tmp_path / f"base{suffix}"
    (base.save_weights if suffix == ".weights.h5" else base.save)(path)
    model = networks.build("MobileNetV3Small", 4, weights=path, image_size=(48, 48))
    assert [w.path for w in model.trainable_weights] == ["head/kernel", "head/bias"]
    assert networks.has_frozen_layers(model)
    x = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3)).astype("float32")
    pooled = keras.Model(model.inputs[0], model.get_layer("head_pooling").output)
    expected = base.predict(x, verbose=0).mean(axis=(1, 2))
    np.testing.assert_allclose(pooled.predict(x, verbose=0), expected, atol=1e-4)
    networks.unfreeze(model, 2)
    trainable = [layer.name for layer in model.layers if layer.trainable_weights]
    assert len(trainable) == 3
    assert trainable[-1] == "head"
    with pytest.raises(ValueError, match="Argument `unfreeze`"):
        networks.unfreeze(model, 1000)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"name": "NoNet"}, "model"),
        ({"weights": "nothing.weights.h5"}, "weights"),
        ({"weights": "text.txt"}, "weights"),
        ({"name": "LeNet5", "image_size": (2, 2)}, "image_size"),
    ],
)
def test_bad_networks(options, argument, tmp_path):
    given = {"name": "MobileNetV3Small", "num_classes": 3, "weights": "none", **options}
    with pytest.raises(ValueError, match=f"Argument `{argument}`"):
        networks.build(**given)


def test_without_a_network_connection_it_says_what_to_pass(monkeypatch):
    def download(**options):
        raise Exception("URL fetch failure on https://...\nName or service not known")

    download.__module__ = keras.applications.MobileNetV3Small.__module__
    make = keras.applications.MobileNetV3Small
    download.__signature__ = inspect.signature(make)
    monkeypatch.setattr(keras.applications, "MobileNetV3Small", download)
    with pytest.raises(ValueError, match="must be none, or a .weights.h5") as error:
        networks.build("MobileNetV3Small", 3)
    assert "\n" not in str(error.value)
