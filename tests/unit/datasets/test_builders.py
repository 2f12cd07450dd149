import sys
import time

import numpy as np
import pytest
from helpers import data_folders

if sys.version_info < (3, 11):
    pytest.skip("no tensorflow-datasets", allow_module_level=True)

import tensorflow_datasets as tfds

from dfal_keras.datasets import builders
from dfal_keras.datasets.prepared_arrays import PreparedDataset

NAMES = {
    builders.QuickDraw: ["angel.npy", "cat.npy", "dolphin.npy", "face.npy"],
    builders.ShoeBag: ["handbag_64.hdf5", "shoes_64.hdf5"],
}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Use a data folder of this test, and no proxy."""
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(params=[builders.QuickDraw, builders.ShoeBag], ids=lambda cls: cls.name)
def small(request, tmp_path, monkeypatch):
    """Make a builder small. Its files are nowhere, and its server does not answer.

    Returns:
        The class, and a function that writes the files to a folder.
    """
    with data_folders.server(tmp_path) as address:
        pass  # stopped again
    make = {
        builders.QuickDraw: data_folders.small_quick_draw,
        builders.ShoeBag: data_folders.small_shoe_bag,
    }[request.param]
    source = data_folders.served(make(tmp_path / "example"), address)
    monkeypatch.setattr(request.param, "SOURCE", source)
    return request.param, make


def load(tmp_path, cls, manual_dir=None):
    """Load all images of the test set as tensorflow-datasets does, by label."""
    options = {}
    if manual_dir is not None:
        config = tfds.download.DownloadConfig(manual_dir=manual_dir)
        options["download_and_prepare_kwargs"] = {"download_config": config}
    dataset = tfds.load(
        cls.name,
        split="test",
        data_dir=tmp_path / "tfds",
        as_supervised=True,
        **options,
    )
    pairs = [(int(label), image) for image, label in tfds.as_numpy(dataset)]
    return [
        np.stack([image for found, image in pairs if found == label])
        for label in range(len(cls.SOURCE.files))
    ]


def check_images(found, source, folder):
    """Compare with the test images of each class, in any order."""
    _, (x_test, y_test) = PreparedDataset(source).load_data(folder)
    for label, images in enumerate(found):
        expected = x_test[y_test == label]
        assert sorted(image.tobytes() for image in images) == sorted(
            image.tobytes() for image in expected
        )


def test_registered():
    assert tfds.builder_cls("quick_draw") is builders.QuickDraw
    assert tfds.builder_cls("shoe_bag") is builders.ShoeBag


def test_the_examples(small, tmp_path):
    cls, make = small
    make(tmp_path / "data")
    builder = tfds.builder(cls.name, data_dir=tmp_path / "tfds")
    builder.download_and_prepare()
    source = cls.SOURCE
    assert builder.info.features["label"].names == list(source.class_names)
    sizes = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert sizes == {
        split: sum(source.num_images(split)) for split in ("train", "test")
    }


def test_files_in_the_data_folder(small, tmp_path):
    cls, make = small
    make(tmp_path / "data")
    check_images(load(tmp_path, cls), cls.SOURCE, tmp_path / "example")


def test_arrays_in_the_data_folder(small, tmp_path):
    """The files can be deleted once the arrays are prepared."""
    cls, make = small
    make(tmp_path / "data")
    PreparedDataset(cls.SOURCE).load_data()
    for name in NAMES[cls]:
        (tmp_path / "data" / name).unlink()
    check_images(load(tmp_path, cls), cls.SOURCE, tmp_path / "example")


def test_files_in_the_manual_folder(small, tmp_path):
    """They are only read, and nothing is written to the data folder."""
    cls, make = small
    make(tmp_path / "manual")
    found = load(tmp_path, cls, tmp_path / "manual")
    check_images(found, cls.SOURCE, tmp_path / "example")
    assert data_folders.names(tmp_path / "manual") == NAMES[cls]
    assert not (tmp_path / "data").exists()


def test_a_manual_folder_of_other_data_sets(small, tmp_path):
    """tensorflow-datasets has one such folder for all data sets."""
    cls, make = small
    make(tmp_path / "data")
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "other.tar").touch()
    found = load(tmp_path, cls, tmp_path / "manual")
    check_images(found, cls.SOURCE, tmp_path / "example")
    assert data_folders.names(tmp_path / "manual") == ["other.tar"]


def test_a_damaged_file_in_the_manual_folder(small, tmp_path):
    cls, make = small
    make(tmp_path / "manual")
    path = tmp_path / "manual" / NAMES[cls][-1]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=f"damaged.*{path.name}. Expected"):
        load(tmp_path, cls, tmp_path / "manual")


def test_files_that_are_missing_are_downloaded_to_the_data_folder(
    small, tmp_path, monkeypatch
):
    cls, make = small
    remote = tmp_path / "remote"
    with data_folders.server(remote) as address:
        source = make(remote)
        if cls is builders.ShoeBag:
            source = data_folders.zipped(source, remote, address)
        else:
            source = data_folders.served(source, address)
        monkeypatch.setattr(cls, "SOURCE", source)
        found = load(tmp_path, cls)
    check_images(found, cls.SOURCE, tmp_path / "data")
    assert set(NAMES[cls]) < set(data_folders.names(tmp_path / "data"))


def test_without_network_the_answer_takes_seconds(small, tmp_path):
    """With the message of the package. tensorflow-datasets would retry for minutes."""
    cls, _ = small
    start = time.monotonic()
    with pytest.raises(ValueError, match="is incomplete: .*refused.*Expected files"):
        load(tmp_path, cls)
    assert time.monotonic() - start < 15
