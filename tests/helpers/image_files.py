"""Small image files, and what a store of them must hold."""

import hashlib
import os
import pathlib

import numpy as np
from PIL import Image

from dfal_keras.labeling.images import decoding


def write(path, color):
    """Write a PNG file of one color, older than the clock's step; return its path."""
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 10), color).save(path, "PNG")
    set_age(path)
    return pathlib.Path(path)


def set_age(path, seconds=100):
    """Set the time of a file's last change to the past."""
    changed = os.stat(path).st_mtime - seconds
    os.utime(path, (changed, changed))


def colors(count, seed=0):
    """Return different colors."""
    values = np.random.default_rng(seed).choice(256**3, count, replace=False)
    return [(int(v) >> 16, int(v) >> 8 & 255, int(v) & 255) for v in values]


def check(store, images, sample_shape):
    """Check that a store holds exactly the images of a folder, and their pixels.

    The folder has only valid images, with different contents, and no links.
    """
    expected = {}
    for path in images.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            name = path.relative_to(images).as_posix()
            expected[name] = hashlib.sha256(content).hexdigest()
            row = store.find(None, expected[name])
            assert store.hashes[row] == expected[name]
            assert store.path(row) == path
            pixels = decoding.decode(content, sample_shape)
            np.testing.assert_array_equal(store.pool[row], pixels)
    assert {
        store.names[i]: store.hashes[i] for i in np.flatnonzero(store.is_present)
    } == (expected)
    assert len(set(store.hashes)) == len(store.hashes) == len(store.pool)
