"""Fingerprints tell data sets apart, wherever they lie, and follow what changes."""

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
from dfal_keras.datasets import fingerprints, prepared_arrays


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A small Quick-Draw in place of the true one, prepared."""
    small = data_folders.small_quick_draw(tmp_path)
    use(monkeypatch, small)
    prepared_arrays.load(small, tmp_path)
    return small


def use(monkeypatch, source):
    monkeypatch.setattr(getattr(datasets, source.name), "SOURCE", source)


def kept(folder):
    return folder / "quick_draw" / "fingerprint.json"


def count_computations(monkeypatch):
    """Return a list that grows by one when a checksum is computed."""
    calls, compute = [], fingerprints.checksum

    def counted(data):
        calls.append(1)
        return compute(data)

    monkeypatch.setattr(fingerprints, "checksum", counted)
    return calls


def test_mnist(mnist):
    """The constants are those of the arrays, summed up here in another way."""
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
    assert shapes == datasets.mnist.SHAPES


def test_prepared(source, tmp_path):
    (x_train, y_train), (x_test, y_test) = prepared_arrays.load(source, tmp_path)
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
    use(monkeypatch, small)
    prepared_arrays.load(small, tmp_path)
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


@pytest.mark.parametrize("part", prepared_arrays.PARTS)
def test_other_content(source, tmp_path, part):
    """One pixel of an array of the same size, whatever its time of modification."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = tmp_path / "quick_draw" / f"x_{part}.npy"
    time = path.stat().st_mtime_ns
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(time + 1, time + 1))
    second = datasets.fingerprint("quick_draw", tmp_path)
    assert second["sha256"] != first["sha256"]
    assert {**second, "sha256": first["sha256"]} == first


def test_another_size_in_the_same_moment(source, tmp_path, monkeypatch):
    """Arrays of fewer images, with the old ones' time of modification."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = tmp_path / "quick_draw" / "x_train.npy"
    time = path.stat().st_mtime_ns
    x = np.load(path)
    np.save(path, x[:12])
    os.utime(path, ns=(time, time))
    fewer = (dataclasses.replace(file, num_train=3) for file in source.files)
    use(monkeypatch, dataclasses.replace(source, files=tuple(fewer)))
    assert datasets.fingerprint("quick_draw", tmp_path)["sha256"] != first["sha256"]


def test_other_labels_of_the_same_images(source, tmp_path, monkeypatch):
    """The files stay as they are; only what their rows stand for changes."""
    first = datasets.fingerprint("quick_draw", tmp_path)
    dolphin, cat, *rest = source.files
    moved = dataclasses.replace(dolphin, num_train=3)
    taken = dataclasses.replace(cat, num_train=5)
    use(monkeypatch, dataclasses.replace(source, files=(moved, taken, *rest)))
    assert datasets.fingerprint("quick_draw", tmp_path)["sha256"] != first["sha256"]


def test_classes_exchanged(source, tmp_path, monkeypatch):
    first = datasets.fingerprint("quick_draw", tmp_path)
    dolphin, cat, *rest = source.files
    exchanged = dataclasses.replace(source, files=(cat, dolphin, *rest))
    use(monkeypatch, exchanged)
    names_only = datasets.fingerprint("quick_draw", tmp_path)
    assert names_only["class_names"] == ["cat", "dolphin", "face", "angel"]
    assert names_only != first
    for path in (tmp_path / "quick_draw").iterdir():
        path.unlink()
    prepared_arrays.load(exchanged, tmp_path)
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
def test_a_broken_file_is_made_anew(source, tmp_path, content):
    first = datasets.fingerprint("quick_draw", tmp_path)
    path = kept(tmp_path)
    whole = path.read_text()
    if content is None:
        path.unlink()
    elif content == "cut":
        path.write_text(whole[:-4])
    elif content == "no checksum":
        path.write_text(whole.replace(first["sha256"], first["sha256"][:-1]))
    else:
        path.write_bytes(content)
    assert datasets.fingerprint("quick_draw", tmp_path) == first
    assert path.read_text() == whole


def test_a_read_only_folder(source, tmp_path):
    expected = datasets.fingerprint("quick_draw", tmp_path)
    kept(tmp_path).unlink()
    with data_folders.read_only(tmp_path) as folder:
        assert datasets.fingerprint("quick_draw", folder) == expected
        assert not kept(folder).exists()


def test_not_prepared(tmp_path, monkeypatch):
    """Files that could be prepared are not a data set yet, and nothing is fetched."""
    use(monkeypatch, data_folders.small_quick_draw(tmp_path))
    monkeypatch.setattr(prepared_arrays, "load", None)
    for folder in tmp_path, tmp_path / "nothing":
        with pytest.raises(ValueError, match="'quick_draw' must be prepared"):
            datasets.fingerprint("quick_draw", folder)
    with pytest.raises(ValueError, match="`name` must be one of"):
        datasets.fingerprint("cifar10")
    assert not (tmp_path / "quick_draw").exists()


def test_half_an_array_has_none(source, tmp_path):
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
