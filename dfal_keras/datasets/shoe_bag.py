"""Shoe-Bag: shoes and handbags of the iGAN project, 64x64 pixels in color.

The data set has 50,025 shoes and 138,767 handbags. As in the public code of the paper's
first author, the last 2,000 images of each class are the test set: 184,792 training and
4,000 test images.

The download addresses are those listed by the iGAN project
(https://github.com/junyanz/iGAN/tree/master/train_dcgan), over https if the server
answers there; downloading from them has not been tested. No checksums are published:
the format of the files and the number, shape and dtype of the images are checked, and
the checksum of a download is recorded (see `verification`).

The shoes are from UT Zappos50K (Yu and Grauman, for academic, non-commercial use). The
handbags were collected from Amazon by Zhu et al., "Generative Visual Manipulation on
the Natural Image Manifold", ECCV 2016. Neither is under a free license.
"""

import contextlib
import os
from collections.abc import Iterator

from dfal_keras.datasets.source import ClassFile, Source

_URL = "efrosgans.eecs.berkeley.edu/iGAN/datasets"
_NUM_TEST = 2000
_SIGNATURE = b"\x89HDF\r\n\x1a\n"  # the first bytes of an HDF5 file


def _class_file(class_name, stem, num_images):
    return ClassFile(
        class_name,
        name=f"{stem}.hdf5",
        urls=tuple(f"{scheme}://{_URL}/{stem}.zip" for scheme in ("https", "http")),
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

    with open(path, "rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise ValueError("a file without the signature of HDF5")
    with h5py.File(path, "r") as file:
        images = _get_dataset(file, "imgs")
        if images is None:
            raise ValueError("an HDF5 file without a dataset imgs of its own")
        yield images


def _get_dataset(file, name):
    """Return a dataset whose data is in the file itself, or `None`.

    Links, external storage and virtual datasets would read other files of the machine.
    """
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return None
    data = file[name]
    is_own = (
        isinstance(data, h5py.Dataset) and not data.external and not data.is_virtual
    )
    return data if is_own else None


SOURCE = Source(
    "shoe_bag",
    image_shape=(64, 64, 3),
    files=(
        _class_file("shoe", "shoes_64", 50_025),
        _class_file("bag", "handbag_64", 138_767),
    ),
    read=read,
)
