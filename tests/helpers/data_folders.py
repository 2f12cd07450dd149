"""Small data sets in the true formats, and folders in which things go wrong."""

import contextlib
import dataclasses
import functools
import hashlib
import http.server
import os
import pathlib
import resource
import shutil
import tempfile
import threading
import zipfile

import h5py
import numpy as np

from dfal_keras.datasets import quick_draw, shoe_bag

DRAWINGS = np.load(pathlib.Path(__file__).parents[1] / "data" / "quick_draw.npz")


def small_quick_draw(folder):
    """Five genuine drawings a class: four to train with, one to test."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for file in quick_draw.SOURCE.files:
        path = folder / file.name
        np.save(path, DRAWINGS[file.class_name])
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        counts = {"num_train": 4, "num_test": 1, "size": len(content), "sha256": digest}
        files.append(dataclasses.replace(file, **counts))
    return dataclasses.replace(quick_draw.SOURCE, files=tuple(files))


def small_shoe_bag(folder):
    """Seven shoes, nine bags, the last two of each for the test; with iGAN's labels."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    files = []
    for file, count in zip(shoe_bag.SOURCE.files, (7, 9), strict=True):
        images = rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
        with h5py.File(folder / file.name, "w") as opened:
            data = opened.create_dataset("imgs", data=images)
            for axis, label in enumerate(("batch", "height", "width", "channel")):
                data.dims[axis].label = label
        files.append(dataclasses.replace(file, num_train=count - 2, num_test=2))
    return dataclasses.replace(shoe_bag.SOURCE, files=tuple(files))


def served(source, address, suffix=None):
    """The same data set, to be downloaded from somewhere else."""
    files = []
    for file in source.files:
        name = pathlib.Path(file.name)
        url = f"{address}/{name.with_suffix(suffix or name.suffix)}"
        files.append(dataclasses.replace(file, url=url))
    return dataclasses.replace(source, files=tuple(files))


def zipped(source, folder, address):
    """The same data set, in archives that are made here."""
    for file in source.files:
        path = folder / file.name
        with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
            archive.write(path, file.name)
    return served(source, address, ".zip")


def names(folder):
    """Everything below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@contextlib.contextmanager
def server(folder):
    """Serve a folder on this machine; yields the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


@contextlib.contextmanager
def full_disk(num_bytes):
    """No file can grow beyond a size: writing fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(folder):
    """A copy of a folder that can be read, but not be written to, even by root."""
    # Not in pytest's folder, which only its owner can enter.
    copy = pathlib.Path(tempfile.mkdtemp())
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # nobody
        yield copy
    finally:
        os.seteuid(user)
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(copy)
