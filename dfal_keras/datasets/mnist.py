"""MNIST, read from the four official files in the package."""

import gzip
import hashlib
import os
import pathlib

import numpy as np

from dfal_keras.datasets import fingerprints

FOLDER = pathlib.Path(__file__).parent / "mnist"
CLASS_NAMES = tuple("0123456789")

# Shapes and checksum of the arrays that `read_files` returns.
SHAPES = (((60_000, 28, 28, 1), (60_000,)), ((10_000, 28, 28, 1), (10_000,)))
SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"

# Checksums of the files, as listed in tensorflow-datasets.
_FILE_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}


class EmbeddedMNIST:
    """MNIST, with the interface of `prepared_arrays.PreparedDataset`.

    The argument `data_dir` of its methods has no effect.
    """

    class_names = CLASS_NAMES

    def load_data(self, data_dir: str | os.PathLike | None = None) -> tuple:
        """Load the data set: see `dfal_keras.datasets.load_data`."""
        return read_files()

    def is_complete(self, data_dir: str | os.PathLike | None = None) -> bool:
        """Return `True`: the files are part of the package."""
        return True

    def status(self, data_dir: str | os.PathLike | None = None) -> str:
        """Describe the state of the data set: see `dfal_keras.datasets.status`."""
        return "complete: in the package"

    def fingerprint(self, data_dir: str | os.PathLike | None = None) -> dict:
        """Return the fingerprint, without reading the files."""
        shapes = tuple(images for images, _ in SHAPES)
        return fingerprints.from_checksum(shapes, CLASS_NAMES, SHA256)


def read_files(folder: pathlib.Path = FOLDER) -> tuple:
    """Read and verify the four files.

    Args:
        folder: The folder with the files. Defaults to the one in the package.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: see `dfal_keras.datasets.load_data`.

    Raises:
        ValueError: If a file is missing or its checksum differs.
    """
    return tuple(
        (
            _read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")[..., np.newaxis],
            _read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz"),
        )
        for prefix in ("train", "t10k")
    )


def _read_idx(path):
    """Read a uint8 idx file: two zero bytes, data type, number of axes, sizes, data."""
    if not path.is_file():
        raise ValueError(f"MNIST file is missing. Expected: {path}")
    compressed = path.read_bytes()
    expected = _FILE_SHA256[path.name]
    digest = hashlib.sha256(compressed).hexdigest()
    if digest != expected:
        raise ValueError(
            f"MNIST file is corrupted: {path}. Expected sha256 {expected}. "
            f"Received: {digest}"
        )
    content = gzip.decompress(compressed)
    num_axes = content[3]
    sizes = np.frombuffer(content, ">u4", count=num_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * num_axes).reshape(sizes)
