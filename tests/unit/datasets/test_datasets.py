import gzip
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import data_folders

from dfal_keras import datasets
from dfal_keras.datasets import mnist as mnist_module
from dfal_keras.datasets import source
from dfal_keras.datasets.__main__ import main


def test_mnist(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert x_train.shape == (60_000, 28, 28, 1)
    assert x_test.shape == (10_000, 28, 28, 1)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert list(np.bincount(y_test)) == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert list(y_train[:5]) == [5, 0, 4, 1, 9]
    assert x_train.mean() == pytest.approx(33.318, abs=1e-3)  # 0.1307 * 255


@pytest.mark.parametrize("name", ["MNIST", "cifar10", None, 3])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="`name` must be one of.*Received: "):
        datasets.load_data(name)


def test_a_corrupted_file_is_named(tmp_path):
    shutil.copytree(mnist_module.FOLDER, tmp_path / "mnist")
    name = "t10k-images-idx3-ubyte.gz"
    path = tmp_path / "mnist" / name
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5000] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ValueError, match=f"corrupted: .*{name}"):
        mnist_module.read_files(tmp_path / "mnist")
    path.unlink()
    with pytest.raises(ValueError, match=f"missing. Expected: .*{name}"):
        mnist_module.read_files(tmp_path / "mnist")


def test_class_names(mnist):
    assert datasets.class_names("mnist") == tuple("0123456789")
    assert datasets.class_names("quick_draw") == ("dolphin", "cat", "face", "angel")
    assert datasets.class_names("shoe_bag") == ("shoe", "bag")
    with pytest.raises(ValueError, match="`name` must be one of.*name='emnist'"):
        datasets.class_names("emnist")


def test_import_is_light():
    heavy = ["tensorflow", "tensorflow_datasets", "keras", "h5py"]
    code = f"import sys, dfal_keras.datasets; print(set({heavy}) & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_no_home_folder_is_a_clear_message(monkeypatch, capsys):
    """As in a container with a numeric user and no HOME."""

    def no_account(uid):
        raise KeyError(uid)

    for name in ("HOME", "KERAS_HOME", "DFAL_KERAS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_account)
    with pytest.raises(ValueError, match="`data_dir` or .*DFAL_KERAS_DATA must be"):
        datasets.is_complete("quick_draw")
    assert main([]) == 2
    assert "DFAL_KERAS_DATA must be" in " ".join(capsys.readouterr().err.split())


def test_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DFAL_KERAS_DATA", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    default = tmp_path / ".keras" / "datasets" / "dfal_keras"
    assert source.data_folder() == default
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "k"))
    assert source.data_folder() == tmp_path / "k" / "datasets" / "dfal_keras"
    monkeypatch.setenv("DFAL_KERAS_DATA", "~/set")
    assert source.data_folder() == tmp_path / "set"
    assert source.data_folder("~/given") == tmp_path / "given"
    assert source.data_folder(tmp_path) == tmp_path
    with pytest.raises(ValueError, match="`data_dir` must be a path. Received.*3"):
        datasets.load_data("quick_draw", data_dir=3)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Replace Quick-Draw by a small data set that is not prepared."""
    source = data_folders.small_quick_draw(tmp_path)
    data_folders.replace_dataset(monkeypatch, source)


def test_status_describes_each_state(small, tmp_path):
    fetch = "python -m dfal_keras.datasets fetch quick_draw --data-dir"
    assert datasets.status("quick_draw", tmp_path / "no") == (
        "missing: dolphin.npy, cat.npy, face.npy, angel.npy not found in "
        f"{tmp_path}/no. Download: {fetch} {tmp_path}/no"
    )
    assert datasets.status("quick_draw", tmp_path) == (
        f"not prepared: the files are in {tmp_path}. Prepare them: {fetch} {tmp_path}"
    )
    (tmp_path / "face.npy").unlink()
    assert datasets.status("quick_draw", tmp_path) == (
        f"incomplete: face.npy not found in {tmp_path}. Download: {fetch} {tmp_path}"
    )
    (tmp_path / "cat.npy").write_bytes(b"12345")
    assert datasets.status("quick_draw", tmp_path) == (
        f"invalid: cat.npy (expected 4,048 bytes, received 5) in {tmp_path}. Delete "
        f"these files, then download them: {fetch} {tmp_path}"
    )
    data_folders.small_quick_draw(tmp_path)
    datasets.load_data("quick_draw", tmp_path)
    assert datasets.status("quick_draw", tmp_path) == (
        f"complete: in {tmp_path}/quick_draw"
    )
    assert datasets.status("mnist") == "complete: in the package"
    with pytest.raises(ValueError, match="`name` must be one of"):
        datasets.status("cifar10")


def test_the_command_in_a_status_names_no_default_folder(small, tmp_path, monkeypatch):
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    assert datasets.status("quick_draw").endswith(
        "Prepare them: python -m dfal_keras.datasets fetch quick_draw"
    )


def test_the_command_line_shows_the_status(small, tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path)]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line == f"quick_draw  {datasets.status('quick_draw', tmp_path)}"


def test_command_line_lists(tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(datasets.NAMES)
    assert "complete" in lines[0]
    assert str(tmp_path) in lines[1]
    assert str(tmp_path) in lines[2]


def test_command_line_fetches(capsys):
    assert main(["fetch", "mnist"]) == 0
    assert capsys.readouterr().out.startswith(
        "mnist: 60,000 + 10,000 images of 28x28x1"
    )


@pytest.mark.parametrize("name", ["quick_draw", "shoe_bag"])
def test_command_line_without_network(name, tmp_path):
    """The command prints one paragraph, exits with 2 and leaves no files."""
    proxies = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "dfal_keras.datasets", "fetch", name]
    done = subprocess.run(
        [*command, "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | proxies | {"no_proxy": ""},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Data set '{name}' is incomplete")
    assert done.stderr.endswith("a folder that contains them.\n")
    assert "\n\n" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
