"""Fingerprints: dicts that identify the contents of a data set."""

import contextlib
import hashlib
import json
import pathlib
import re

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets.source import SPLITS


def from_checksum(shapes: tuple, class_names: tuple, sha256: str) -> dict:
    """Return the fingerprint of uint8 images with a given checksum.

    Args:
        shapes: The shapes of the training images and of the test images.
        class_names: The names of the classes, in the order of their labels.
        sha256: The result of `checksum`.

    Returns:
        A dict of lists, strings and dicts. A round trip through JSON leaves it equal.
    """
    images = {
        f"x_{split}": {"shape": list(shape), "dtype": "uint8"}
        for split, shape in zip(SPLITS, shapes, strict=True)
    }
    return {**images, "class_names": list(class_names), "sha256": sha256}


def checksum(data: tuple) -> str:
    """Return the SHA-256 of all images and labels as a hexadecimal string.

    Args:
        data: `(x_train, y_train), (x_test, y_test)`, hashed in this order.
    """
    digest = hashlib.sha256()
    for arrays in data:
        for array in arrays:
            digest.update(np.ascontiguousarray(array))  # type: ignore[arg-type]
    return digest.hexdigest()


def cached_checksum(data: tuple, path: pathlib.Path, state: dict) -> str:
    """Return the checksum of `data`, computed once and stored in a file.

    If the file can't be written, the checksum is computed in every call.

    Args:
        data: See `checksum`.
        path: Path of the JSON file with the stored checksum.
        state: JSON-compatible dict that changes whenever `data` may have changed. The
            stored checksum is used only if it was computed for an equal `state`.
    """
    sha256 = _read_checksum(path, state)
    if sha256 is None:
        sha256 = checksum(data)
        with contextlib.suppress(OSError):  # such as a read-only folder
            text = json.dumps({"sha256": sha256, "of": state}, indent=2)
            _files.write_text(path, f"{text}\n")
    return sha256


def _read_checksum(path, state):
    """Return the stored checksum, or `None` if the file is invalid or outdated."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        sha256, stored_state = stored["sha256"], stored["of"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_valid = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
    return sha256 if is_valid and stored_state == state else None
