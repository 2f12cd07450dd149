"""Download the first drawings of some classes, without the rest of their files."""

import http.client
import math
import urllib.request

import numpy as np
from tqdm import tqdm

from dfal_keras import _files
from dfal_keras.datasets import quick_draw
from experiments.drawings import Drawings

_TIMEOUT = 60  # seconds


def fetch(drawings: Drawings, address: str = quick_draw.BITMAPS) -> None:
    """Download the first drawings of each class and write their file.

    Args:
        drawings: What to download.
        address: Where the `.npy` files of all classes are. Defaults to Google's bucket.

    Raises:
        ValueError: If a class can't be downloaded. Nothing is written.
    """
    with tqdm(drawings.class_names, desc=str(drawings), unit="class") as classes:
        arrays = {name: _first(f"{address}/{name}.npy", drawings) for name in classes}
    drawings.path.parent.mkdir(parents=True, exist_ok=True)
    with _files.replacing(drawings.path) as file:
        np.savez_compressed(file, **arrays)


def _first(url, drawings):
    """Return the first images of a `.npy` file, and read no further."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            count = drawings.num_images
            size = count * math.prod(shape[1:])
            content = file.read(size)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ValueError(f"{url} can't be downloaded: {error}") from error
    if dtype != np.uint8 or len(content) < size:
        raise ValueError(f"{url} must hold {count} uint8 images. Received: {shape}")
    return np.frombuffer(content, np.uint8).reshape(count, *shape[1:])
