import gzip
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from experiments import results, runs, scheduling
from experiments.options import make_parser, parse
from helpers import data_folders

from dfal_keras import datasets
from dfal_keras.datasets import mnist as module
from dfal_keras.datasets import prepared_arrays, source
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
    assert x_train.mean() == pytest.approx(33.318, abs=1e-3)  # the usual 0.1307 * 255


@pytest.mark.parametrize("name", ["MNIST", "cifar10", None, 3])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="`name` must be one of.*Received: "):
        datasets.load_data(name)


def test_a_corrupted_file_is_named(tmp_path):
    shutil.copytree(module.FOLDER, tmp_path / "mnist")
    name = "t10k-images-idx3-ubyte.gz"
    path = tmp_path / "mnist" / name
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5000] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ValueError, match=f"corrupted: .*{name}"):
        module.load_data(tmp_path / "mnist")
    path.unlink()
    with pytest.raises(ValueError, match=f"missing. Expected: .*{name}"):
        module.load_data(tmp_path / "mnist")


def test_class_names(mnist):
    assert datasets.class_names("mnist") == tuple("0123456789")
    assert datasets.class_names("quick_draw") == ("dolphin", "cat", "face", "angel")
    assert datasets.class_names("shoe_bag") == ("shoe", "bag")
    with pytest.raises(ValueError, match="`name` must be one of.*Received: 'emnist'"):
        datasets.class_names("emnist")


def test_import_is_light():
    heavy = ["tensorflow", "tensorflow_datasets", "keras", "h5py"]
    code = f"import sys, dfal_keras.datasets; print(set({heavy}) & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_no_home_folder_is_a_clear_message(monkeypatch, capsys):
    """A container started with a number for a user, and without HOME."""

    def no_account(uid):
        raise KeyError(uid)

    for name in ("HOME", "KERAS_HOME", "DFAL_KERAS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_account)
    with pytest.raises(ValueError, match="`data_dir` or .*DFAL_KERAS_DATA must name"):
        datasets.is_complete("quick_draw")
    assert main([]) == 2
    assert "DFAL_KERAS_DATA must name" in " ".join(capsys.readouterr().err.split())


def test_where_data_sets_are(tmp_path, monkeypatch):
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
    """A small Quick-Draw in place of the true one, not prepared."""
    small = data_folders.small_quick_draw(tmp_path)
    monkeypatch.setattr(datasets.quick_draw, "SOURCE", small)
    return small


def test_what_is_here_is_said(small, tmp_path):
    fetch = "python -m dfal_keras.datasets fetch quick_draw --data-dir"
    assert datasets.status("quick_draw", tmp_path / "no") == (
        "not here: dolphin.npy, cat.npy, face.npy, angel.npy expected in "
        f"{tmp_path}/no. To download them: {fetch} {tmp_path}/no"
    )
    assert datasets.status("quick_draw", tmp_path) == (
        f"not prepared: the files are in {tmp_path}. To prepare them: {fetch} "
        f"{tmp_path}"
    )
    (tmp_path / "face.npy").unlink()
    assert datasets.status("quick_draw", tmp_path) == (
        f"incomplete: {tmp_path} lacks face.npy. To get the rest: {fetch} {tmp_path}"
    )
    (tmp_path / "cat.npy").write_bytes(b"12345")
    assert datasets.status("quick_draw", tmp_path) == (
        "of another size: cat.npy (expected 4,048 bytes, received 5) in "
        f"{tmp_path}. To get the right files, delete these and run: {fetch} {tmp_path}"
    )
    data_folders.small_quick_draw(tmp_path)
    prepared_arrays.load(small, tmp_path)
    assert datasets.status("quick_draw", tmp_path) == (
        f"complete: in {tmp_path}/quick_draw"
    )
    assert datasets.status("mnist") == "complete: in the package"
    with pytest.raises(ValueError, match="`name` must be one of"):
        datasets.status("cifar10")


def test_the_command_that_is_named_needs_no_folder_where_none_was_given(
    small, tmp_path, monkeypatch
):
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    said = datasets.status("quick_draw")
    assert said.endswith(
        "To prepare them: python -m dfal_keras.datasets fetch quick_draw"
    )


def test_every_row_of_the_command_line_says_what_is_here(small, tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path)]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line == f"quick_draw  {datasets.status('quick_draw', tmp_path)}"


def test_the_scripts_tell_three_situations_apart(small, tmp_path, monkeypatch, capsys):
    """What `grid` prints before it leaves runs out, and what an empty panel shows."""
    wanted = [runs.Run("quick_draw-lenet5", "random", 0)]
    folder = tmp_path / "data"
    monkeypatch.setenv("DFAL_KERAS_DATA", str(folder))
    for said in "not here", "not prepared", "of another size":
        if said == "not prepared":
            data_folders.small_quick_draw(folder)
        elif said == "of another size":
            (folder / "cat.npy").write_bytes(b"12345")
        options = parse(make_parser(""), ["--output", str(tmp_path / "results")])
        with pytest.raises(scheduling.NothingToRunError):
            scheduling.complete(wanted, options)
        shown = capsys.readouterr().err
        assert f"quick_draw are left out. It is {said}: " in shown
        assert shown.endswith("python -m dfal_keras.datasets fetch quick_draw\n")
        panel = results.why_not_run("quick_draw-lenet5")
        assert panel.startswith(f"data set {said}: ")
    prepared_arrays.load(small, tmp_path)
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    assert results.why_not_run("quick_draw-lenet5").startswith("not run:")


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
    """One paragraph and status 2: no stack trace, nothing left behind."""
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "dfal_keras.datasets", "fetch", name]
    done = subprocess.run(
        [*command, "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | nowhere | {"no_proxy": ""},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Data set '{name}' is not in")
    assert done.stderr.endswith("environment variable DFAL_KERAS_DATA.\n")
    assert "\n\n" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
