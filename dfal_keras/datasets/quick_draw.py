"""Quick-Draw: four classes of Google's Quick, Draw! bitmaps, split 80/20 a class.

Of the 28x28 bitmaps of the public `quickdraw_dataset` bucket, the paper takes cats,
faces, angels and dolphins: 444,971 + 111,246 images. Labels and split are those of its
first author's public code; sizes and checksums, tensorflow-datasets'. Background is 0.

Quick, Draw! data is Google's, CC BY 4.0:
https://github.com/googlecreativelab/quickdraw-dataset
"""

import contextlib
import os
from collections.abc import Iterator

import numpy as np

from dfal_keras.datasets import prepared_arrays, source

_URL = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
_HEADER = 80  # bytes of these `.npy` files before the pixels


def _class_file(class_name, num_images, sha256):
    num_train = num_images * 4 // 5
    return source.ClassFile(
        class_name,
        name=f"{class_name}.npy",
        url=f"{_URL}/{class_name}.npy",
        num_train=num_train,
        num_test=num_images - num_train,
        size=_HEADER + num_images * 28 * 28,
        sha256=sha256,
    )


@contextlib.contextmanager
def read(path: str | os.PathLike) -> Iterator:
    """Open one class's file, uint8 of shape `(num_images, 784)`, as images."""
    rows = np.lib.format.open_memmap(path, mode="r")
    if rows.ndim != 2 or rows.shape[1] != 28 * 28:
        raise ValueError(f"shape {rows.shape}")
    yield rows.reshape(-1, 28, 28, 1)


SOURCE = source.Source(
    "quick_draw",
    image_shape=(28, 28, 1),
    files=(
        _class_file(
            "dolphin",
            121_613,
            "053f60ab1ecdccca21bfa9048977adacfaf8626e1c58613c749ae0d967df4dbf",
        ),
        _class_file(
            "cat",
            123_202,
            "21a281839d3f2eef601d57d2338a4eafdf24649f8d0a0e42d3ec3e595911463e",
        ),
        _class_file(
            "face",
            161_666,
            "71d0bf790ed3133f59bc6c48033685de06b431b491cb0f339f2f3e45cd5768d7",
        ),
        _class_file(
            "angel",
            149_736,
            "6076fced5c948a05d37dcb685a63be01c32759bfe6f3a0bd4e3fdf5e0eabe991",
        ),
    ),
    read=read,
)


def load_data(
    data_dir: str | os.PathLike | None = None, source: source.Source = SOURCE
) -> tuple:
    """Load Quick-Draw: see `dfal_keras.datasets.load_data`."""
    return prepared_arrays.load(source, data_dir)
