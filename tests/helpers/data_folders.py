"""Small data sets in the original formats, and folders that cause errors."""

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

from dfal_keras import datasets
from dfal_keras.datasets import quick_draw, shoe_bag
from dfal_keras.datasets.prepared_arrays import PreparedDataset

DRAWINGS = np.load(pathlib.Path(__file__).parents[1] / "data" / "quick_draw.npz")


def small_quick_draw(folder):
    """Write five drawings of each class, four for training; return their `Source`."""
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
    """Write 7 shoes and 9 bags, two of each for testing; return their `Source`.

    The axes have the labels of the iGAN project's files.
    """
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


def replace_dataset(monkeypatch, source):
    """Make `dfal_keras.datasets` use another source for the data set of its name."""
    monkeypatch.setitem(datasets._DATASETS, source.name, PreparedDataset(source))


def served(source, address, suffix=None):
    """Return a copy of a source that is downloaded from another address."""
    files = []
    for file in source.files:
        name = pathlib.Path(file.name)
        url = f"{address}/{name.with_suffix(suffix or name.suffix)}"
        files.append(dataclasses.replace(file, urls=(url,)))
    return dataclasses.replace(source, files=tuple(files))


def zipped(source, folder, address):
    """Write zip archives of the files, and return a source that downloads these."""
    for file in source.files:
        path = folder / file.name
        with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
            archive.write(path, file.name)
    return served(source, address, ".zip")


def names(folder):
    """Return the sorted relative paths of everything in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@contextlib.contextmanager
def server(folder):
    """Serve a folder over HTTP on this machine, and yield the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with running_server(handler) as address:
        yield address


@contextlib.contextmanager
def running_server(handler):
    """Answer HTTP requests on this machine, and yield the address."""
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
    """Limit the size of files, so that writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(folder):
    """Yield a copy of a folder without write permission, even for root."""
    # Other users can't enter pytest's temporary folders.
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
