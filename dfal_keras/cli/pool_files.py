"""Pools from folders of images, `.npy` and `.npz` files."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

import numpy as np

from dfal_keras import _validation, pools
from dfal_keras.cli import argument_names
from dfal_keras.labeling.formats.csv_files import RankedImage
from dfal_keras.labeling.images.store import ImageStore


@dataclasses.dataclass(frozen=True)
class Pool:
    """A pool of images from a file or a folder.

    Attributes:
        images: The pool, of shape `(num_images, ...)`.
        store: The images of a folder, with their names; `None` for arrays.
        skipped: Names of files in the folder that are no images by suffix.
        broken: Name and reason for each image in the folder that can't be read.
    """

    images: np.ndarray
    store: ImageStore | None = None
    skipped: list[str] = dataclasses.field(default_factory=list)
    broken: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def find(self, image: RankedImage) -> int | None:
        """Return the row of an image of an earlier ranking, `None` if it is gone.

        An image of a folder is found by its checksum; by its name, if the ranking has
        none; never by its row.

        Raises:
            ValueError: If the ranking is one of another kind of pool.
        """
        if self.store is None:
            if image.index is None:
                raise _validation.ArgumentError(
                    "exclude",
                    "must name rankings of an array, with rows in "
                    f"the column `index`. Received: no index of {image.file!r}",
                )
            return image.index
        if image.sha256:
            return self.store.find(None, image.sha256)
        if image.file:
            return self.store.find(image.file, None)
        raise _validation.ArgumentError(
            "exclude",
            "must name rankings of a folder, with the column `file` "
            f"or `sha256`. Received: index {image.index} without them",
        )


def load_pool(
    path: str | os.PathLike,
    sample_shape: tuple | None,
    cache: str | os.PathLike,
    progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """Load a pool of images from a file or a folder.

    Args:
        path: A `.npy` or `.npz` file; or a folder of images, with subfolders, which
            `ImageStore` reads.
        sample_shape: Shape of a sample, `(height, width, channels)` for a folder;
            `None` for any size of an axis, or of an array's samples.
        cache: Folder for the images of a folder, decoded, created if it is missing.
            What it holds already is not decoded again.
        progress: As of `ImageStore.refresh`. Defaults to `None`.

    Raises:
        ValueError: If there are no images, or they do not fit `sample_shape`.
    """
    path = pathlib.Path(path or "no name")  # "" would be the working folder
    if is_array(path):
        images = pools.as_pool(path, name="pool", sample_shape=sample_shape)
        return Pool(images)
    if not path.is_dir():
        raise _validation.ArgumentError(
            "pool",
            "must be a folder of images, a .npy file or an .npz file. "
            f"Received: pool={str(path)!r}"
            f"{'' if path.exists() else ', which does not exist'}",
        )
    shape = tuple(sample_shape or ())
    if len(shape) != 3 or None in shape or shape[2] not in (1, 3, 4):
        raise _validation.ArgumentError(
            "pool",
            "may be a folder only for a model of images of a known "
            "size, with 1, 3 or 4 channels; pass `image_size`, or use an array. "
            f"Received: a model for samples of shape {shape}",
        )
    pathlib.Path(cache).mkdir(exist_ok=True)
    with argument_names.renamed(
        images="pool", folder="cache", sample_shape="image_size"
    ):
        store = ImageStore(cache, path, (shape[0], shape[1], shape[2]))
        changes = store.refresh(progress)
    return Pool(store.pool, store, changes.skipped, changes.broken)


def is_array(path: str | os.PathLike) -> bool:
    """Return whether a pool is a file of an array, by its suffix."""
    return pathlib.Path(path).suffix in (".npy", ".npz")
