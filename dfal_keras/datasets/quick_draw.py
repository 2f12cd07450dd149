"""Quick-Draw: drawings of four classes from Google's Quick, Draw!, split 80/20.

The paper uses cats, faces, angels and dolphins of the 28x28 bitmaps in the public
bucket `quickdraw_dataset`: 444,971 training and 111,246 test images. The order of the
classes and the split of each class follow the public code of the paper's first author,
the sizes and checksums are those in tensorflow-datasets. The background is 0.

The Quick, Draw! data is (c) Google, licensed under CC BY 4.0:
https://github.com/googlecreativelab/quickdraw-dataset
"""

import contextlib
import os
from collections.abc import Iterator

import numpy as np

from dfal_keras.datasets.source import ClassFile, Source

# The folder of the files of all classes.
BITMAPS = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
_HEADER_SIZE = 80  # bytes before the pixels of these `.npy` files


def _class_file(class_name, num_images, sha256):
    num_train = num_images * 4 // 5
    return ClassFile(
        class_name,
        name=f"{class_name}.npy",
        urls=(f"{BITMAPS}/{class_name}.npy",),
        num_train=num_train,
        num_test=num_images - num_train,
        size=_HEADER_SIZE + num_images * 28 * 28,
        sha256=sha256,
    )


@contextlib.contextmanager
def read(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """Open the file of a class, a uint8 array of shape `(num_images, 784)`.

    Yields:
        The memory-mapped images, of shape `(num_images, 28, 28, 1)`.
    """
    rows = np.lib.format.open_memmap(path, mode="r")
    if rows.ndim != 2 or rows.shape[1] != 28 * 28:
        raise ValueError(f"shape {rows.shape}")
    yield rows.reshape(-1, 28, 28, 1)


SOURCE = Source(
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
