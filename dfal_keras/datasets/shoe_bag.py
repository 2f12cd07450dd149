"""Shoe-Bag: the shoes and handbags of the iGAN project, 64x64 pixels in color.

50,025 shoes and 138,767 handbags; the last 2,000 of each are the test set, as in the
public code of the paper's first author: 184,792 + 4,000 images.

The addresses are those that the iGAN project names
(https://github.com/junyanz/iGAN/tree/master/train_dcgan). They were not tried where
this was written, and no checksums are published: what is checked is that the files
hold as many images as they should, of the right shape and type.

The shoes are UT Zappos50K's (Yu and Grauman, for academic, non-commercial use); the
handbags were collected from Amazon by Zhu et al., "Generative Visual Manipulation on
the Natural Image Manifold", ECCV 2016. Neither comes with a free license.
"""

import contextlib
import os
from collections.abc import Iterator

from dfal_keras.datasets import prepared_arrays, source

_URL = "http://efrosgans.eecs.berkeley.edu/iGAN/datasets"
_NUM_TEST = 2000


def _class_file(class_name, stem, num_images):
    return source.ClassFile(
        class_name,
        name=f"{stem}.hdf5",
        url=f"{_URL}/{stem}.zip",
        num_train=num_images - _NUM_TEST,
        num_test=_NUM_TEST,
    )


@contextlib.contextmanager
def read(path: str | os.PathLike) -> Iterator:
    """Open one class's file: HDF5 with one data set `imgs`."""
    import h5py

    with h5py.File(path, "r") as file:
        images = file["imgs"]
        if not isinstance(images, h5py.Dataset):
            raise TypeError("imgs is no data set")
        yield images


SOURCE = source.Source(
    "shoe_bag",
    image_shape=(64, 64, 3),
    files=(
        _class_file("shoe", "shoes_64", 50_025),
        _class_file("bag", "handbag_64", 138_767),
    ),
    read=read,
)


def load_data(
    data_dir: str | os.PathLike | None = None, source: source.Source = SOURCE
) -> tuple:
    """Load Shoe-Bag: see `dfal_keras.datasets.load_data`."""
    return prepared_arrays.load(source, data_dir)
