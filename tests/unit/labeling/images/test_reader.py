import hashlib
import os
import pathlib
import stat
import tempfile
import threading
import time

import numpy as np
import pytest
from helpers import image_files
from PIL import Image

from dfal_keras.labeling.images import decoding
from dfal_keras.labeling.images import reader as image_reader

SHAPE = (10, 12, 3)


def test_a_file_is_read(tmp_path):
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    image = image_reader.read_image(path, SHAPE)
    assert image.reason == ""
    assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.state == (path.stat().st_size, path.stat().st_mtime_ns)
    assert (image.pixels == (1, 2, 3)).all()


def test_known_contents_are_not_decoded(tmp_path, monkeypatch):
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    sha256 = image_reader.read_image(path, SHAPE).sha256
    monkeypatch.setattr(decoding, "decode", None)
    assert image_reader.read_image(path, SHAPE, {sha256}).pixels is None


def test_the_time_of_a_file_that_was_just_written_does_not_count(tmp_path):
    """It may be written again with the same size, within a step of the clock."""
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    path.touch()
    assert image_reader.read_image(path, SHAPE).state == (path.stat().st_size, 0)


def test_the_time_of_a_file_that_changes_meanwhile_does_not_count(
    tmp_path, monkeypatch
):
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    fstat = os.fstat
    calls = []

    def change_after_the_first(descriptor):
        found = fstat(descriptor)
        if not calls:
            os.utime(path, (0, found.st_mtime - 50))
        calls.append(descriptor)
        return found

    monkeypatch.setattr(os, "fstat", change_after_the_first)
    assert image_reader.read_image(path, SHAPE).state[1] == 0


def test_checksum_and_pixels_belong_together_while_a_file_changes(tmp_path):
    path = tmp_path / "a.png"
    contents = [
        image_files.write(tmp_path / f"{i}.png", (i, i, i)).read_bytes()
        for i in range(20)
    ]
    values = {hashlib.sha256(c).hexdigest(): i for i, c in enumerate(contents)}
    path.write_bytes(contents[0])
    is_done = threading.Event()

    def change():
        while not is_done.is_set():
            for content in contents:
                with path.open("r+b") as file:
                    file.write(content[:40])
                    file.write(content[40:])
                    file.truncate()

    thread = threading.Thread(target=change)
    thread.start()
    num_read = 0
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        image = image_reader.read_image(path, SHAPE)
        if image.sha256 in values:
            assert (image.pixels == values[image.sha256]).all()
            num_read += 1
    is_done.set()
    thread.join()
    assert num_read


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image of the formats"),
        (b"text", "not an image of the formats"),
        (None, "No such file or directory"),
    ],
)
def test_files_that_can_not_be_read(tmp_path, content, reason):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    image = image_reader.read_image(path, SHAPE)
    assert reason in image.reason
    assert image.pixels is None


def test_huge_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_reader, "_MAX_FILE_SIZE", 50)
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    assert image_reader.read_image(path, SHAPE).reason == "larger than 512 MiB"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_file_without_permission_is_named():
    # Other users can't enter pytest's temporary folders.
    with tempfile.TemporaryDirectory() as folder:
        path = image_files.write(pathlib.Path(folder, "a.png"), (1, 2, 3))
        pathlib.Path(folder).chmod(0o755)
        path.chmod(stat.S_IWUSR)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)  # nobody
            reason = image_reader.read_image(path, SHAPE).reason
        finally:
            os.seteuid(user)
    assert reason == "Permission denied"


def test_results_have_the_order_of_the_files(tmp_path):
    paths = []
    for i in range(60):
        path = tmp_path / f"{i}.png"
        size = 900 if i % 7 == 0 else 4  # slow and fast ones
        Image.new("L", (size, size), i).save(path)
        paths.append(path)
    images = image_reader.read_in_order(paths, (2, 2, 1), {})
    assert [int(image.pixels[0, 0, 0]) for image in images] == list(range(60))


def test_few_results_are_in_memory(tmp_path):
    path = image_files.write(tmp_path / "a.png", (1, 2, 3))
    taken = []
    paths = (taken.append(i) or path for i in range(1000))
    images = image_reader.read_in_order(paths, SHAPE, {})
    next(images)
    assert len(taken) <= 9
    images.close()
    assert np.isscalar(len(taken))
