"""MNIST, from the four official files that the package carries."""

import gzip
import hashlib
import pathlib

import numpy as np

from dfal_keras.datasets import fingerprints

FOLDER = pathlib.Path(__file__).parent / "mnist"
CLASS_NAMES = tuple("0123456789")

# Of the four arrays, as `load_data` returns them.
SHAPES = (((60_000, 28, 28, 1), (60_000,)), ((10_000, 28, 28, 1), (10_000,)))
SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"

# As tensorflow-datasets lists them.
_SHA256 = {
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


def load_data(folder: pathlib.Path = FOLDER) -> tuple:
    """Load MNIST: see `dfal_keras.datasets.load_data`.

    Args:
        folder: Where the four `.gz` files are; by default, in the package.
    """
    return tuple(
        (
            _read(folder, f"{part}-images-idx3-ubyte.gz")[..., np.newaxis],
            _read(folder, f"{part}-labels-idx1-ubyte.gz"),
        )
        for part in ("train", "t10k")
    )


def fingerprint() -> dict:
    """Return what `fingerprints.describe` says of MNIST; nothing is read for it."""
    return fingerprints.describe(tuple(x for x, _ in SHAPES), CLASS_NAMES, SHA256)


def _read(folder, name):
    """Read one idx file: two zero bytes, type, number of axes, sizes, then uint8."""
    path = pathlib.Path(folder) / name
    if not path.is_file():
        raise ValueError(f"MNIST file is missing. Expected: {path}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != _SHA256[name]:
        raise ValueError(
            f"MNIST file is corrupted: {path}. Expected sha256 {_SHA256[name]}. "
            f"Received: {digest}"
        )
    content = gzip.decompress(content)
    num_axes = content[3]
    sizes = np.frombuffer(content, ">u4", count=num_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * num_axes).reshape(sizes)
