"""The paper's data sets, in the form of `keras.datasets`."""

import os

from dfal_keras import _validation
from dfal_keras.datasets import quick_draw, shoe_bag
from dfal_keras.datasets.mnist import EmbeddedMNIST
from dfal_keras.datasets.prepared_arrays import PreparedDataset

_DATASETS: dict[str, EmbeddedMNIST | PreparedDataset] = {
    "mnist": EmbeddedMNIST(),
    "quick_draw": PreparedDataset(quick_draw.SOURCE),
    "shoe_bag": PreparedDataset(shoe_bag.SOURCE),
}

NAMES = tuple(_DATASETS)


def load_data(name: str, data_dir: str | os.PathLike | None = None) -> tuple:
    """Load one of the paper's data sets.

    MNIST is part of the package. The files of the other two are downloaded to
    `data_dir` if they are missing there, and verified. The arrays, split as in the
    paper, are then written to `data_dir/<name>`, and later calls need only these. The
    images are memory-mapped: they are read from disk when they are used, and processes
    on one machine share them.

    Quick-Draw and Shoe-Bag are sorted by class. Shuffle them before using Keras's
    `validation_split`, which takes the last samples.

    Args:
        name: Name of the data set. `"mnist"`: 60,000 + 10,000 digits of 28x28x1
            pixels, 10 classes (CC BY-SA 3.0). `"quick_draw"`: 444,971 + 111,246
            drawings of 28x28x1 pixels, 4 classes (CC BY 4.0), a download of 436 MB.
            `"shoe_bag"`: 184,792 + 4,000 photos of 64x64x3 pixels, 2 classes, a
            download of 1 GB.
        data_dir: Folder of Quick-Draw and Shoe-Bag. Defaults to `None`: the value of
            the environment variable `DFAL_KERAS_DATA` if it is set, and otherwise
            `dfal_keras` in the folder where Keras stores data sets,
            `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images with pixels in [0, 255],
        of shape `(num_samples, height, width, channels)`, and uint8 labels of shape
        `(num_samples,)`, which are indices into `class_names(name)`.

    Raises:
        ValueError: If `name` is unknown, a file can't be downloaded or is not the
            expected one, or the arrays can't be written.

    Example:
        >>> import dfal_keras as dfal
        >>> (x_train, y_train), (x_test, y_test) = dfal.datasets.load_data("mnist")
        >>> x_train.shape, y_train.shape
        ((60000, 28, 28, 1), (60000,))
    """
    return _dataset(name).load_data(data_dir)


def class_names(name: str) -> tuple[str, ...]:
    """Return the class names of a data set.

    Args:
        name: See `load_data`.

    Returns:
        The names, in the order of the labels.

    Raises:
        ValueError: If `name` is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.class_names("quick_draw")
        ('dolphin', 'cat', 'face', 'angel')
    """
    return _dataset(name).class_names


def is_complete(name: str, data_dir: str | os.PathLike | None = None) -> bool:
    """Return whether a data set is ready to be loaded, without download.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Raises:
        ValueError: If `name` is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.is_complete("mnist")
        True
    """
    return _dataset(name).is_complete(data_dir)


def status(name: str, data_dir: str | os.PathLike | None = None) -> str:
    """Describe which files of a data set exist, and how to get the others.

    Checksums are not computed.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Returns:
        One line: the state, a colon and the details. The state is one of `"complete"`,
        `"not prepared"` (the files exist, the arrays do not), `"invalid"` (a file has a
        wrong size), `"incomplete"` (some files are missing) and `"missing"` (all files
        are missing).

    Raises:
        ValueError: If `name` is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.status("mnist")
        'complete: in the package'
    """
    return _dataset(name).status(data_dir)


def fingerprint(name: str, data_dir: str | os.PathLike | None = None) -> dict:
    """Return a dict that identifies the contents of a data set on this machine.

    Store it with results to check later whether they were computed from the same data.
    It does not depend on the folder. For Quick-Draw and Shoe-Bag the checksum is
    computed from the prepared arrays, stored beside them, and computed again if they
    change. Nothing is downloaded.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Returns:
        A JSON-compatible dict. `"x_train"` and `"x_test"` hold the `"shape"` and
        `"dtype"` of the images, `"class_names"` the names in the order of the labels,
        `"sha256"` a checksum of all images and labels.

    Raises:
        ValueError: If `name` is unknown, or the data set is not prepared.

    Example:
        >>> import dfal_keras as dfal
        >>> found = dfal.datasets.fingerprint("mnist")
        >>> found["x_train"], found["sha256"][:8]
        ({'shape': [60000, 28, 28, 1], 'dtype': 'uint8'}, '06b0d1f1')
    """
    return _dataset(name).fingerprint(data_dir)


def _dataset(name):
    return _DATASETS[_validation.check_choice("name", name, NAMES)]
