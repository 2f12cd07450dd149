"""Writes are atomic: a file has its old or its new content."""

import os
import threading

import numpy as np
import pytest
import tensorflow as tf
from helpers import noise_images

from dfal_keras import _files, pools
from dfal_keras.labeling.views import contact_sheets
from dfal_keras.labeling.views import page as labeling_page
from dfal_keras.learning.labeled_set import LabeledSet


def test_the_file_is_replaced_when_the_context_ends(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with _files.replacing(path, "t") as file:
        file.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_keeps_the_old_file_and_leaves_no_other(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def stop():
        with _files.replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        stop()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_content_is_synced_before_the_name_and_the_folder_after(tmp_path, monkeypatch):
    """This order avoids an empty or missing file after a power failure."""
    events = []
    fsync = os.fsync

    def spy(descriptor):
        is_folder = os.path.isdir(os.readlink(f"/proc/self/fd/{descriptor}"))
        is_renamed = (tmp_path / "file.txt").exists()
        events.append(("folder" if is_folder else "file", is_renamed))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    _files.write_text(tmp_path / "file.txt", "text")
    assert events == [("file", False), ("folder", True)]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    _files.write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_name_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("x" * 255)
    _files.write_text(path, "text")
    assert path.read_text() == "text"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    _files.write_text(tmp_path / "ours", "")
    usual, ours = (tmp_path / name for name in ("usual", "ours"))
    assert ours.stat().st_mode == usual.stat().st_mode


def test_two_writers_of_one_file_do_not_interfere(tmp_path):
    path, failures = tmp_path / "file.txt", []

    def write(letter):
        for _ in range(100):
            try:
                _files.write_text(path, letter * 10_000)
                text = path.read_text()
                assert text in ("a" * 10_000, "b" * 10_000)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=write, args=letter) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert os.listdir(tmp_path) == ["file.txt"]


def _fails(*_, **__):
    raise OSError(28, "No space left on device")


def _save_labeled_set(path):
    LabeledSet.empty().save(path)


def _draw_sheet(path):
    contact_sheets.write_sheets(path, noise_images.make(2))


def _draw_sheets(path):
    contact_sheets.write_sheets(path, noise_images.make(21))


def _write_page(path):
    labeling_page.write_page(path, noise_images.make(2), ["cat", "dog", "owl"])


def _write_text(path):
    _files.write_text(path, "new")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("labeled.npz", _save_labeled_set),
        ("sheet.png", _draw_sheet),
        ("sheets.pdf", _draw_sheets),
        ("queries.html", _write_page),
        ("notes.txt", _write_text),
    ],
)
def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch, name, write):
    path = tmp_path / name
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", _fails)
    with pytest.raises(OSError, match="No space"):
        write(path)
    assert os.listdir(tmp_path) == [name]
    assert path.read_text() == "old"


def test_a_full_disk_leaves_no_part_of_a_pool(tmp_path, monkeypatch):
    images = np.zeros((2, 4, 4, 1), np.uint8)
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(2)
    monkeypatch.setattr(os, "fsync", _fails)
    with pytest.raises(OSError, match="No space"):
        pools.write_pool(dataset, tmp_path / "pool.npy")
    assert not os.listdir(tmp_path)
