"""Shoe-Bag: shoes and handbags of the iGAN project, 64x64 pixels in color.

The data set has 50,025 shoes and 138,767 handbags. As in the public code of the paper's
first author, the last 2,000 images of each class are the test set: 184,792 training and
4,000 test images.

The download addresses are those listed by the iGAN project
(https://github.com/junyanz/iGAN/tree/master/train_dcgan); downloading from them has not
been tested. No checksums are published, so only the number, shape and dtype of the
images are checked.

The shoes are from UT Zappos50K (Yu and Grauman, for academic, non-commercial use). The
handbags were collected from Amazon by Zhu et al., "Generative Visual Manipulation on
the Natural Image Manifold", ECCV 2016. Neither is under a free license.
"""

import contextlib
import os
from collections.abc import Iterator

from dfal_keras.datasets.source import ClassFile, Source

_URL = "http://efrosgans.eecs.berkeley.edu/iGAN/datasets"
_NUM_TEST = 2000


def _class_file(class_name, stem, num_images):
    return ClassFile(
        class_name,
        name=f"{stem}.hdf5",
        url=f"{_URL}/{stem}.zip",
        num_train=num_images - _NUM_TEST,
        num_test=_NUM_TEST,
    )


@contextlib.contextmanager
def read(path: str | os.PathLike) -> Iterator:
    """Open the file of a class, an HDF5 file with the dataset `imgs`.

    Yields:
        The images, an `h5py.Dataset` of shape `(num_images, 64, 64, 3)`.
    """
    import h5py  # keeps `import dfal_keras.datasets` light

    with h5py.File(path, "r") as file:
        images = file["imgs"]
        if not isinstance(images, h5py.Dataset):
            raise TypeError("imgs is not an HDF5 dataset")
        yield images


SOURCE = Source(
    "shoe_bag",
    image_shape=(64, 64, 3),
    files=(
        _class_file("shoe", "shoes_64", 50_025),
        _class_file("bag", "handbag_64", 138_767),
    ),
    read=read,
)
