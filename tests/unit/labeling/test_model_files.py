"""Model files that can't be used: said at once, with how to convert them."""

import json
import shutil
import warnings
import zipfile

import keras
import numpy as np
import pytest
from helpers import image_folders
from keras import layers

from dfal_keras.labeling import model_files
from dfal_keras.labeling.session import Session


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    image_folders.write(folder / "images", 6)
    image_folders.write_model(folder / "model.keras")
    return folder


def create(folder, model):
    return Session.create(
        folder / "session",
        images=folder / "images",
        model=model,
        classes=image_folders.CLASSES,
    )


def pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1")


def hdf5(path):
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))


def text(path):
    path.write_text("weights")


def saved_model(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.keras", pointer, "Git LFS pointer.*git lfs pull"),
        ("a.h5", pointer, "Git LFS pointer.*git lfs pull"),
        ("b.h5", hdf5, "an HDF5 file.*load_model"),
        ("b.hdf5", hdf5, "an HDF5 file.*load_weights"),
        ("b.keras", hdf5, "an HDF5 file"),
        ("c.keras", text, "no archive"),
        ("c.pb", text, "ends in .keras.*which does not"),
        ("d", saved_model, "a folder.*model.save"),
        ("d.keras", saved_model, "a folder"),
        ("e.keras", lambda path: None, "which does not exist"),
    ],
)
def test_a_file_that_is_no_keras_file_is_named(folder, tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=f"^Argument `model` must.*{message}"):
        create(folder, tmp_path / name)
    assert not (folder / "session").exists()


def of_keras_2(source, path, version="2.15.0"):
    """Write a file whose layer has an argument that Keras 3 does not know."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                content = content.replace(b'"units"', b'"time_major": false, "units"')
            if name == "metadata.json":
                metadata = json.loads(content)
                content = json.dumps({**metadata, "keras_version": version}).encode()
            new.writestr(name, content)


def test_a_file_of_keras_2_is_named(folder, tmp_path):
    of_keras_2(folder / "model.keras", tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"saved by Keras 2\.15\.0.*load_weights"):
        create(folder, tmp_path / "a.keras")
    of_keras_2(folder / "model.keras", tmp_path / "b.keras", version="3.11.0")
    with pytest.raises(ValueError, match="could not be deserialized"):
        create(folder, tmp_path / "b.keras")


def own_loss(labels, outputs):
    return keras.losses.sparse_categorical_crossentropy(labels, outputs)


class OwnMetric(keras.metrics.SparseCategoricalAccuracy):
    pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": own_loss}, "an object of one's own.*compile=False"),
        (
            {"loss": "sparse_categorical_crossentropy", "metrics": [OwnMetric()]},
            "an object of one's own",
        ),
        ({"loss": "binary_crossentropy"}, "compiled with a loss and metrics that"),
        (
            {
                "loss": "sparse_categorical_crossentropy",
                "metrics": [keras.metrics.AUC()],
            },
            "compiled with a loss and metrics that",
        ),
    ],
)
def test_what_training_would_refuse_is_refused_at_once(
    folder, tmp_path, options, message
):
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(3, "softmax")]
    )
    model.compile("adam", **options)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=f"^Argument `model` must.*{message}"):
        create(folder, tmp_path / "model.keras")
    uncompiled = model_files.load_model(tmp_path / "model.keras")
    uncompiled.save(tmp_path / "uncompiled.keras")
    create(folder, tmp_path / "uncompiled.keras").close()
    for path in sorted((folder / "session").iterdir()):
        path.unlink()
    (folder / "session").rmdir()


def test_weights_can_be_carried_over(folder, tmp_path):
    """The conversion that the messages recommend."""
    model = keras.models.load_model(folder / "model.keras")
    model.save_weights(tmp_path / "w.weights.h5")
    again = image_folders.write_model(tmp_path / "model.keras", seed=1)
    again.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_network_is_found_beside_a_folder_of_its_name(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "LeNet5").mkdir()
    with create(folder, "LeNet5") as session:
        assert session.settings.sample_shape == (64, 64, 3)


def test_an_optimizer_that_has_not_trained_is_loaded_without_a_warning(folder):
    """Keras warns that it skips the optimizer's variables, which are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model_files.load_model(folder / "model.keras", compile=True)
    assert model.optimizer is not None


def test_a_model_whose_training_diverged_is_refused(folder, tmp_path):
    model = keras.models.load_model(folder / "model.keras")
    weights = model.get_weights()
    weights[0].flat[0] = np.nan
    model.set_weights(weights)
    model.save(tmp_path / "nan.keras")
    with pytest.raises(ValueError, match="`model` must have finite weights"):
        create(folder, tmp_path / "nan.keras")


@pytest.mark.parametrize("name", ["initial_model.keras", "model.keras"])
def test_what_a_killed_save_leaves_is_removed(tmp_path, monkeypatch, name):
    """A copy of the folder while Keras writes is what a kill leaves."""
    folder = tmp_path / "session"
    folder.mkdir()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    def save_and_copy(path):
        keras.saving.save_model(model, path)
        shutil.copytree(folder, tmp_path / "killed" / "session")

    monkeypatch.setattr(model, "save", save_and_copy)
    model_files.save_model(model, folder / name)
    assert [path.name for path in folder.iterdir()] == [name]
    left = list((tmp_path / "killed" / "session").iterdir())
    assert len(left) == 1
    image_folders.write(tmp_path / "killed" / "images", 12)
    options = {
        "images": tmp_path / "killed" / "images",
        "classes": image_folders.CLASSES,
        "model": "LeNet5",
        "image_size": (16, 16),
    }
    Session.create(tmp_path / "killed" / "session", **options).close()
    assert not left[0].exists()


def test_a_failed_save_leaves_nothing(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    def fail(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model_files.save_model(model, tmp_path / "model.keras", fail)
    assert list(tmp_path.iterdir()) == []
