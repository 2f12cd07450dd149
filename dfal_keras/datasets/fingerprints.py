"""Fingerprints: which data a data set holds, in a form that can be stored."""

import contextlib
import hashlib
import json
import os
import re

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import prepared_arrays
from dfal_keras.datasets import source as sources

_FILE = "fingerprint.json"


def describe(shapes: tuple, class_names: tuple, sha256: str) -> dict:
    """Return the fingerprint of uint8 images whose checksum is known.

    Args:
        shapes: The shapes of the images to train and to test with.
        class_names: The classes in the order of their labels.
        sha256: What `checksum` returns of images and labels.

    Returns:
        A dict of lists, strings and dicts, equal to its copy that went through JSON.
    """
    images = {
        f"x_{part}": {"shape": list(shape), "dtype": "uint8"}
        for part, shape in zip(prepared_arrays.PARTS, shapes, strict=True)
    }
    return {**images, "class_names": list(class_names), "sha256": sha256}


def checksum(data: tuple) -> str:
    """Return the SHA-256 of all images and labels, in hexadecimal digits.

    Args:
        data: `(x_train, y_train), (x_test, y_test)`; their bytes count in this order.
    """
    digest = hashlib.sha256()
    for arrays in data:
        for array in arrays:
            digest.update(np.ascontiguousarray(array))  # type: ignore[arg-type]
    return digest.hexdigest()


def of_prepared(
    source: sources.Source, data_dir: str | os.PathLike | None = None
) -> dict:
    """Return the fingerprint of prepared arrays, computed once and kept beside them.

    The kept one holds as long as the arrays' files have the same sizes and times of
    modification.

    Args:
        source: What the data set is made from.
        data_dir: See `dfal_keras.datasets.load_data`.

    Raises:
        ValueError: If the arrays are not prepared.
    """
    folder = sources.data_folder(data_dir)
    # The state is read before the arrays: if these are replaced in between, what is
    # kept does not fit them, and is computed again by the next call.
    state = _state(source, folder)
    if state is None or prepared_arrays.find(source, folder) is None:
        raise ValueError(
            f"Data set {source.name!r} must be prepared before it has a fingerprint. "
            f"Received: {prepared_arrays.status(source, data_dir)}"
        )
    data = prepared_arrays.load(source, data_dir)
    path = folder / source.name / _FILE
    sha256 = _kept(path, state)
    if sha256 is None:
        sha256 = checksum(data)
        with contextlib.suppress(OSError):  # a read-only folder: computed every time
            text = json.dumps({"sha256": sha256, "of": state}, indent=2)
            _files.write_text(path, f"{text}\n")
    shapes = tuple(x.shape for x, _ in data)
    return describe(shapes, source.class_names, sha256)


def _state(source, folder):
    """Return what the checksum follows from, or `None` if a file is missing."""
    state = {}
    for part in prepared_arrays.PARTS:
        try:
            status = prepared_arrays.array_path(source, folder, part).stat()
        except OSError:
            return None
        state[part] = {
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "counts": source.counts(part),  # the labels follow from these
        }
    return state


def _kept(path, state):
    """Return the checksum kept in a file, or `None` if it is broken or stale."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        sha256, of = kept["sha256"], kept["of"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_whole = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
    return sha256 if is_whole and of == state else None
