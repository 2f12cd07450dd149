"""Fingerprints depend on the contents of a data set, not on its folder."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import data_folders

from dfal_keras import datasets
from dfal_keras.datasets import fingerprints
from dfal_keras.datasets import mnist as mnist_module
from dfal_keras.datasets.prepared_arrays import PreparedDataset
from dfal_keras.datasets.source import SPLITS


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Replace Quick-Draw by a small data set, and prepare it."""
    small = data_folders.small_quick_draw(tmp_path)
    data_folders.replace_dataset(monkeypatch, small)
    datasets.load_data("quick_draw", tmp_path)
    return small


def stored_file(folder):
    return folder / "quick_draw" / "fingerprint.json"


def count_computations(monkeypatch):
    """Return a list to which each computation of a checksum appends an item."""
    calls, compute = [], fingerprints.checksum

    def counted(data):
        calls.append(1)
        return compute(data)

    monkeypatch.setattr(fingerprints, "checksum", counted)
    return calls


def test_mnist(mnist):
    """The constants match the arrays."""
    (x_train, y_train), (x_test, y_test) = mnist
    content = b"".join(a.tobytes() for a in (x_train, y_train, x_test, y_test))
    expected = {
        "x_train": {"shape": list(x_train.shape), "dtype": str(x_train.dtype)},
        "x_test": {"shape": list(x_test.shape), "dtype": str(x_test.dtype)},
        "class_names": list("0123456789"),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert datasets.fingerprint("mnist") == expected
    shapes = tuple(tuple(array.shape for array in pair) for pair in mnist)
    assert shapes == mnist_module.SHAPES


def test_prepared(source, tmp_path):
    (x_train, y_train), (x_test, y_test) = datasets.load_data("quick_draw", tmp_path)
    content = b"".join(a.tobytes() for a in (x_train, y_train, x_test, y_test))
    found = datasets.fingerprint("quick_draw", tmp_path)
    assert found == {
        "x_train": {"shape": [16, 28, 28, 1], "dtype": "uint8"},
        "x_test": {"shape": [4, 28, 28, 1], "dtype": "uint8"},
        "class_names": ["dolphin", "cat", "face", "angel"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert json.loads(json.dumps(found)) == found


def test_shoe_bag(tmp_path, monkeypatch):
    small = data_folders.small_shoe_bag(tmp_path)
    data_folders.replace_dataset(monkeypatch, small)
    datasets.load_data("shoe_bag", tmp_path)
    found = datasets.fingerprint("shoe_bag", tmp_path)
    assert found["x_train"] == {"shape": [12, 64, 64, 3], "dtype": "uint8"}
    assert found["class_names"] == ["shoe", "bag"]


def test_another_folder_is_the_same(source, tmp_path):
    shutil.copytree(tmp_path / "quick_draw", tmp_path / "other" / "quick_draw")
    first = datasets.fingerprint("quick_draw", tmp_path)
    assert datasets.fingerprint("quick_draw", tmp_path / "other") == first


def test_computed_once(source, tmp_path, monkeypatch):
    calls = count_computations(monkeypatch)
    first = datasets.fingerprint("quick_draw", tmp_path)
    assert datasets.fingerprint("quick_draw", tmp_path) == first
    assert len(calls) == 1


@pytest.mark.parametrize("split", SPLITS)
def test_other_content(source, tmp_path, split):
    """One other pixel, in an array of the same size."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = tmp_path / "quick_draw" / f"x_{split}.npy"
    time = path.stat().st_mtime_ns
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(time + 1, time + 1))
    second = datasets.fingerprint("quick_draw", tmp_path)
    assert second["sha256"] != first["sha256"]
    assert {**second, "sha256": first["sha256"]} == first


def test_another_size_with_the_same_time(source, tmp_path, monkeypatch):
    """Fewer images, with the same time of modification."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = tmp_path / "quick_draw" / "x_train.npy"
    time = path.stat().st_mtime_ns
    x = np.load(path)
    np.save(path, x[:12])
    os.utime(path, ns=(time, time))
    fewer = (dataclasses.replace(file, num_train=3) for file in source.files)
    fewer = dataclasses.replace(source, files=tuple(fewer))
    data_folders.replace_dataset(monkeypatch, fewer)
    assert datasets.fingerprint("quick_draw", tmp_path)["sha256"] != first["sha256"]


def test_other_labels_of_the_same_images(source, tmp_path, monkeypatch):
    """Other numbers of images per class change the labels, not the arrays."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    dolphin, cat, *rest = source.files
    moved = dataclasses.replace(dolphin, num_train=3)
    taken = dataclasses.replace(cat, num_train=5)
    other = dataclasses.replace(source, files=(moved, taken, *rest))
    data_folders.replace_dataset(monkeypatch, other)
    assert datasets.fingerprint("quick_draw", tmp_path)["sha256"] != first["sha256"]


def test_classes_exchanged(source, tmp_path, monkeypatch):
    first = datasets.fingerprint("quick_draw", tmp_path)
    dolphin, cat, *rest = source.files
    exchanged = dataclasses.replace(source, files=(cat, dolphin, *rest))
    data_folders.replace_dataset(monkeypatch, exchanged)
    names_only = datasets.fingerprint("quick_draw", tmp_path)
    assert names_only["class_names"] == ["cat", "dolphin", "face", "angel"]
    assert names_only != first
    for path in (tmp_path / "quick_draw").iterdir():
        path.unlink()
    datasets.load_data("quick_draw", tmp_path)
    assert datasets.fingerprint("quick_draw", tmp_path)["sha256"] != first["sha256"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b'{"sha256": "0"}',
        b'{"sha256": 7, "of": {}}',
        None,
        "cut",
        "no checksum",
    ],
)
def test_an_invalid_file_is_written_again(source, tmp_path, content):
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = stored_file(tmp_path)
    valid = path.read_text()
    if content is None:
        path.unlink()
    elif content == "cut":
        path.write_text(valid[:-4])
    elif content == "no checksum":
        path.write_text(valid.replace(first["sha256"], first["sha256"][:-1]))
    else:
        path.write_bytes(content)
    assert datasets.fingerprint("quick_draw", tmp_path) == first
    assert path.read_text() == valid


def test_a_read_only_folder(source, tmp_path):
    expected = datasets.fingerprint("quick_draw", tmp_path)
    stored_file(tmp_path).unlink()
    with data_folders.read_only(tmp_path) as folder:
        assert datasets.fingerprint("quick_draw", folder) == expected
        assert not stored_file(folder).exists()


def test_not_prepared(tmp_path, monkeypatch):
    """Nothing is downloaded or prepared."""
    source = data_folders.small_quick_draw(tmp_path)
    data_folders.replace_dataset(monkeypatch, source)
    monkeypatch.setattr(PreparedDataset, "load_data", None)
    for folder in tmp_path, tmp_path / "nothing":
        with pytest.raises(ValueError, match="'quick_draw' must be prepared"):
            datasets.fingerprint("quick_draw", folder)
    with pytest.raises(ValueError, match="`name` must be one of"):
        datasets.fingerprint("cifar10")
    assert not (tmp_path / "quick_draw").exists()


def test_an_incomplete_array_has_no_fingerprint(source, tmp_path):
    datasets.fingerprint("quick_draw", tmp_path)
    path = tmp_path / "quick_draw" / "x_test.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="must be prepared"):
        datasets.fingerprint("quick_draw", tmp_path)


def test_it_needs_no_tensorflow(tmp_path):
    code = (
        "import sys\n"
        "from dfal_keras import datasets\n"
        "datasets.fingerprint('mnist')\n"
        f"try: datasets.fingerprint('shoe_bag', {str(tmp_path)!r})\n"
        "except ValueError: pass\n"
        "print({'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
