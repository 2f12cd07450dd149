import sys
import urllib.error

import h5py
import keras
import numpy as np
import pytest
from helpers import image_folders
from helpers.parameters import slow_after

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


ALL_NETWORKS = [name for name in dir(keras.applications) if networks.find(name) == name]


def write_weights(base, path):
    """Write the weights of a network without its top, as Keras offers them."""
    if path.name.endswith(".weights.h5"):
        base.save_weights(path)
    elif path.suffix == ".keras":
        base.save(path)
    else:  # as the files of `keras.applications` on the network
        layers = [layer for layer in base.layers if layer.weights]
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
            for layer in layers:
                group = file.create_group(layer.name)
                names = [f"w{i}".encode() for i in range(len(layer.weights))]
                group.attrs["weight_names"] = names
                # Keras's own order in such files.
                weights = layer._trainable_variables + layer._non_trainable_variables
                for name, weight in zip(names, weights, strict=True):
                    group[name.decode()] = np.asarray(weight)


def randomize(model):
    """Set weights under which the images still differ in the last layer."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            weights = [weight + rng.uniform(0, 0.1, weight.shape) for weight in weights]
        for i, weight in enumerate(layer.weights):
            if len(weight.shape) == 4:
                is_depthwise = "depthwise" in f"{weight.path} {type(layer)}".lower()
                fan_in = np.prod(weight.shape[: 2 if is_depthwise else 3])
                scale = np.sqrt(2 / fan_in)
                weights[i] = scale * rng.standard_normal(weight.shape, "float32")
        layer.set_weights(weights)


def check_pretrained(name, size, suffix, folder, monkeypatch):
    """Build a network on weights, and compare it with Keras's own network."""
    keras.utils.set_random_seed(3)
    make = getattr(keras.applications, name)
    base = make(include_top=False, weights=None, input_shape=(size, size, 3))
    randomize(base)
    path = folder / f"base{suffix}"
    write_weights(base, path)
    if suffix == ".h5":
        module = sys.modules[keras.utils.get_file.__module__]
        monkeypatch.setattr(module, "get_file", lambda *_, **__: str(path))
        # EfficientNet has another layer then.
        base = make(include_top=False, weights="imagenet", input_shape=(size, size, 3))
        model = networks.build(name, 4, image_size=(size, size))
    else:
        model = networks.build(name, 4, weights=path, image_size=(size, size))
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert [w.path for w in model.trainable_weights] == ["head/kernel", "head/bias"]
    x = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("float32")
    # With random weights, deep networks tell images apart by their color at best.
    x *= np.reshape([(0.1, 0.3, 0.5), (1, 0.6, 0.2)], (2, 1, 1, 3))
    pooled = keras.Model(model.inputs[0], model.get_layer("head_pooling").output)
    preprocess = sys.modules[make.__module__].preprocess_input
    expected = base.predict(preprocess(x.copy()), verbose=0).mean(axis=(1, 2))
    largest = np.abs(expected).max()
    spread = np.abs(expected[0] - expected[1]).max()
    assert spread > 1e-3 * largest  # far above rounding
    found = pooled.predict(x, verbose=0)
    error = min(1e-3 * largest, 0.02 * spread)
    np.testing.assert_allclose(found, expected, atol=error)
    return model


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("MobileNet", ".weights.h5"),
        pytest.param("MobileNet", ".keras", marks=pytest.mark.slow),
        pytest.param("MobileNet", ".h5", marks=pytest.mark.slow),
        ("VGG16", ".keras"),  # it swaps channels
        # Its preprocessing has numbers of ImageNet, as attributes.
        pytest.param("EfficientNetB0", ".h5", marks=pytest.mark.slow),
    ],
)
def test_pretrained_weights_below_preprocessing(name, suffix, tmp_path, monkeypatch):
    model = check_pretrained(name, 32, suffix, tmp_path, monkeypatch)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5)
    assert networks.has_frozen_layers(loaded)
    networks.unfreeze(loaded, 1)
    assert sum(bool(layer.trainable_weights) for layer in loaded.layers) == 2
    with pytest.raises(ValueError, match="Argument `unfreeze`"):
        networks.unfreeze(loaded, 1000)
    assert networks.widen(loaded, 6).outputs[0].shape == (None, 6)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
@pytest.mark.parametrize("name", ALL_NETWORKS)
def test_pretrained_weights_of_every_network(name, suffix, tmp_path, monkeypatch):
    check_pretrained(name, 96, suffix, tmp_path, monkeypatch)


@pytest.mark.slow
def test_weights_of_normalization_layers_are_used(tmp_path):
    """They compute with a copy of their weights."""
    base = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    (layer,) = [x for x in base.layers if isinstance(x, keras.layers.Normalization)]
    mean, variance, *count = layer.get_weights()
    layer.set_weights([mean + 0.4, variance * 0.1, *count])
    layer.finalize_state()
    base.save(tmp_path / "base.keras")
    model = networks.build(
        "EfficientNetB0", 3, weights=tmp_path / "base.keras", image_size=(32, 32)
    )
    (after,) = [x for x in model.layers if isinstance(x, keras.layers.Normalization)]
    x = np.full((1, 32, 32, 3), 0.7, "float32")
    np.testing.assert_allclose(after(x), layer(x), rtol=1e-5)
    assert float(np.abs(np.asarray(layer(x)) - 0.7).max()) > 0.1


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_another_network_are_refused(suffix, tmp_path):
    other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(3, 3)])
    write_weights(other, tmp_path / f"base{suffix}")
    with pytest.raises(ValueError, match="Argument `weights`") as error:
        networks.build(
            "MobileNet", 3, weights=tmp_path / f"base{suffix}", image_size=(32, 32)
        )
    assert "network connection" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"name": "NoNet"}, "model"),
        ({"weights": "nothing.weights.h5"}, "weights"),
        ({"weights": "text.txt"}, "weights"),
        ({"name": "LeNet5", "image_size": (2, 2)}, "image_size"),
        ({"name": "Xception", "image_size": (32, 32)}, "image_size"),
        (
            {"name": "Xception", "image_size": (32, 32), "weights": "imagenet"},
            "image_size",
        ),
    ],
)
def test_bad_networks(options, argument, tmp_path):
    given = {"name": "MobileNetV3Small", "num_classes": 3, "weights": "none", **options}
    with pytest.raises(ValueError, match=f"Argument `{argument}`"):
        networks.build(**given)


@pytest.mark.parametrize(
    ("error", "is_download"),
    slow_after(
        2,
        [
            (Exception("URL fetch failure on https://...\nName not known"), True),
            (OSError("Unable to open file (bad\nsignature)"), False),
            (urllib.error.URLError("timed out"), True),
            (ConnectionResetError("reset by peer"), True),
            (ValueError("Layer count mismatch"), False),
        ],
    ),
)
def test_errors_of_a_download_say_what_to_pass(monkeypatch, error, is_download):
    def fail(*_, **__):
        raise error

    module = sys.modules[keras.utils.get_file.__module__]
    monkeypatch.setattr(module, "get_file", fail)
    with pytest.raises(ValueError, match="must be none, or a .weights.h5") as found:
        networks.build("MobileNetV3Small", 3, image_size=(32, 32))
    assert "\n" not in str(found.value)
    assert ("no network connection?" in str(found.value)) == is_download
