"""The cached arrays are MNIST, whatever the file contains."""

import hashlib
import logging
import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
from experiments.running import problem_training
from helpers import data_folders
from helpers.parameters import slow_after

from dfal_keras.datasets import mnist as mnist_module
from dfal_keras.datasets import mnist_cache

NOBODY = 65534


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """A folder with the file, which takes a second to write. Do not change it."""
    folder = tmp_path_factory.mktemp("cached")
    mnist_cache.load_data(folder)
    return folder


@pytest.fixture
def path(cached, tmp_path):
    """The path of the file, which exists."""
    shutil.copytree(cached, tmp_path, dirs_exist_ok=True)
    return mnist_cache.cached_path(tmp_path)


def is_mnist(loaded, mnist):
    return all(
        np.array_equal(array, expected) and array.dtype == np.uint8
        for pair, expected_pair in zip(loaded, mnist, strict=True)
        for array, expected in zip(pair, expected_pair, strict=True)
    )


def is_shared(loaded):
    return all(isinstance(array, np.memmap) for pair in loaded for array in pair)


def test_load_data(tmp_path, mnist):
    for _ in range(2):
        loaded = mnist_cache.load_data(tmp_path)
        assert is_mnist(loaded, mnist)
        assert is_shared(loaded)
        assert not loaded[0][0].flags.writeable
    path = mnist_cache.cached_path(tmp_path)
    assert data_folders.names(tmp_path) == ["mnist", f"mnist/{path.name}"]
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_written_once(path, tmp_path):
    before = path.stat()
    mnist_cache.load_data(tmp_path)
    after = path.stat()  # its time of access may change
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_worker_uses_it(tmp_path, monkeypatch, mnist):
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    loaded = problem_training.load_data("mnist")
    assert is_shared(loaded)
    assert is_mnist(loaded, mnist)
    assert mnist_cache.cached_path(tmp_path).exists()


def shift_labels(path):
    content = np.fromfile(path, np.uint8)
    content[-10_000:] = np.roll(content[-10_000:], 1)
    return content.tobytes()


INVALID = {
    "empty": lambda path: b"",
    "truncated": lambda path: path.read_bytes()[:-1],
    "longer": lambda path: path.read_bytes() + b"0",
    "another shape": lambda path: bytes(7 * 3),
    "shifted labels": shift_labels,
    "an array file": lambda path: b"\x93NUMPY" + path.read_bytes()[6:],
}


@pytest.mark.parametrize("how", slow_after(2, INVALID))
def test_an_invalid_file_is_written_again(path, tmp_path, mnist, how):
    path.write_bytes(INVALID[how](path))
    loaded = mnist_cache.load_data(tmp_path)
    assert is_mnist(loaded, mnist)
    assert is_shared(loaded)
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "how", slow_after(2, ["group", "everybody", "link", "pipe", "another user"])
)
def test_a_file_that_others_can_change_is_written_again(path, tmp_path, mnist, how):
    """Even if its content is valid."""
    elsewhere = tmp_path / "elsewhere"
    if how == "link":
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
        pointed_to = elsewhere.stat()
    elif how == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif how == "another user":
        if os.geteuid():
            pytest.skip("only root can give a file away")
        os.chown(path, NOBODY, NOBODY)
    else:
        path.chmod({"group": 0o620, "everybody": 0o602}[how])
    before = path.lstat().st_ino
    loaded = mnist_cache.load_data(tmp_path)
    assert is_mnist(loaded, mnist)
    assert is_shared(loaded)
    after = path.lstat()
    assert after.st_ino != before or how == "link"
    assert stat.S_ISREG(after.st_mode)
    assert (after.st_uid, after.st_mode & 0o777) == (os.geteuid(), 0o600)
    if how == "link":  # its target is unchanged
        assert elsewhere.stat() == pointed_to


def test_a_folder_of_another_user(path, tmp_path, mnist, monkeypatch, caplog):
    """The file is not used and not changed."""
    path.write_bytes(shift_labels(path))
    before = path.stat()
    monkeypatch.setattr(os, "geteuid", lambda: before.st_uid + 1)
    loaded = mnist_cache.load_data(tmp_path)
    assert is_mnist(loaded, mnist)
    assert not is_shared(loaded)
    assert "belongs to another user" in caplog.text
    assert path.stat() == before


def test_a_folder_open_to_others_is_closed(path, tmp_path, mnist):
    for mode in 0o777, 0o770, 0o1777:
        path.parent.chmod(mode)
        path.write_bytes(shift_labels(path))
        assert is_mnist(mnist_cache.load_data(tmp_path), mnist)
        assert path.parent.stat().st_mode & 0o7777 == 0o700


def test_a_folder_that_is_a_link(tmp_path, mnist, caplog):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mnist").symlink_to(tmp_path / "elsewhere")
    loaded = mnist_cache.load_data(tmp_path)
    assert is_mnist(loaded, mnist)
    assert not is_shared(loaded)
    assert "is a link" in caplog.text
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_cannot_be_written(tmp_path, mnist, caplog):
    """The arrays are loaded into memory, with a warning."""
    with data_folders.read_only(tmp_path) as folder:
        loaded = mnist_cache.load_data(folder)
    assert is_mnist(loaded, mnist)
    assert not is_shared(loaded)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Permission denied" in caplog.text


def test_a_full_disk(tmp_path, mnist, caplog):
    with data_folders.full_disk(1_000_000):
        loaded = mnist_cache.load_data(tmp_path)
    assert is_mnist(loaded, mnist)
    assert "File too large" in caplog.text
    assert data_folders.names(tmp_path) == ["mnist"]


def test_a_umask_that_lets_the_group_write(tmp_path):
    before = os.umask(0)
    try:
        assert is_shared(mnist_cache.load_data(tmp_path))
    finally:
        os.umask(before)


def test_two_processes_at_once(tmp_path):
    """Both map the complete file, and one file remains."""
    code = (
        "from dfal_keras.datasets import mnist_cache\n"
        f"(x, _), (_, y) = mnist_cache.load_data({str(tmp_path)!r})\n"
        "print(type(x).__name__, x.sum(dtype=int), y.sum(dtype=int))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    printed = [process.communicate() for process in running]
    (x, _), (_, y) = mnist_module.read_files()
    assert printed == [(f"memmap {x.sum(dtype=int)} {y.sum(dtype=int)}\n", "")] * 2
    path = mnist_cache.cached_path(tmp_path)
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(path.parent.iterdir()) == [path]


def test_a_user_without_account_or_home(monkeypatch, mnist, caplog):
    """As in a container with a numeric user and no HOME."""

    def no_account(uid):
        raise KeyError(uid)

    for name in ("HOME", "KERAS_HOME", "DFAL_KERAS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_account)
    assert is_mnist(problem_training.load_data("mnist"), mnist)
    assert "DFAL_KERAS_DATA" in caplog.text
