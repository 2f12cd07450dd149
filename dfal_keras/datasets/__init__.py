"""The paper's data sets, in the tuple form of `keras.datasets`."""

import os

from dfal_keras.datasets import (
    fingerprints,
    mnist,
    prepared_arrays,
    quick_draw,
    shoe_bag,
    source,
)

_MODULES = {"mnist": mnist, "quick_draw": quick_draw, "shoe_bag": shoe_bag}
_CLASS_NAMES = {
    "mnist": mnist.CLASS_NAMES,
    "quick_draw": quick_draw.SOURCE.class_names,
    "shoe_bag": shoe_bag.SOURCE.class_names,
}

NAMES = tuple(_MODULES)


def load_data(name: str, data_dir: str | os.PathLike | None = None) -> tuple:
    """Load one of the paper's data sets.

    MNIST is embedded in the package. The files of the other two are downloaded to
    `data_dir`, unless you put them there; they are checked, and once rewritten to
    `data_dir/<name>`, split as in the paper. From then on these arrays are all that is
    needed. They are memory-mapped: nothing is read before it is used, and the processes
    of a machine share what was read.

    Quick-Draw and Shoe-Bag come class after class. Shuffle them before Keras's
    `validation_split`, which takes the last samples as they come.

    Args:
        name: `"mnist"`: 60,000 + 10,000 digits of 28x28x1 pixels, 10 classes (CC BY-SA
            3.0). `"quick_draw"`: 444,971 + 111,246 drawings of 28x28x1 pixels, 4
            classes (CC BY 4.0), a download of 436 MB. `"shoe_bag"`: 184,792 + 4,000
            photos of 64x64x3 pixels, 2 classes, a download of 1 GB.
        data_dir: Folder for the files of the latter two. By default, what the
            environment variable `DFAL_KERAS_DATA` says, and otherwise `dfal_keras` in
            the folder where Keras puts its own data sets, `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images with pixels in [0, 255],
        of shape `(num_samples, height, width, channels)`, and uint8 labels of shape
        `(num_samples,)`, the positions of the classes in `class_names(name)`.

    Raises:
        ValueError: If the name is unknown; if a file is missing and can't be
            downloaded, or is not the one that it should be; if arrays have to be
            prepared and the folder can't be written to.

    Example:
        >>> import dfal_keras as dfal
        >>> (x_train, y_train), (x_test, y_test) = dfal.datasets.load_data("mnist")
        >>> x_train.shape, y_train.shape
        ((60000, 28, 28, 1), (60000,))
    """
    _check(name)
    if name == "mnist":
        return mnist.load_data()
    return _MODULES[name].load_data(data_dir)


def class_names(name: str) -> tuple:
    """Return what the labels of a data set stand for.

    Args:
        name: See `load_data`.

    Returns:
        The classes' names, in the order of their labels.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.class_names("quick_draw")
        ('dolphin', 'cat', 'face', 'angel')
    """
    _check(name)
    return _CLASS_NAMES[name]


def is_complete(name: str, data_dir: str | os.PathLike | None = None) -> bool:
    """Return whether a data set is on this machine, ready to be loaded.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.is_complete("mnist")
        True
    """
    _check(name)
    if name == "mnist":
        return True
    folder = source.data_folder(data_dir)
    return prepared_arrays.find(_MODULES[name].SOURCE, folder) is not None


def status(name: str, data_dir: str | os.PathLike | None = None) -> str:
    """Return what of a data set is on this machine, and what to do about the rest.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Returns:
        One line, which begins with one of `"complete"`, `"not prepared"` (the files
        are there, the arrays are not), `"of another size"` (a file is not as long as it
        should be), `"incomplete"` (some files are missing) and `"not here"`, then a
        colon and the details. Checksums are not computed for it.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.datasets.status("mnist")
        'complete: in the package'
    """
    _check(name)
    if name == "mnist":
        return "complete: in the package"
    return prepared_arrays.status(_MODULES[name].SOURCE, data_dir)


def fingerprint(name: str, data_dir: str | os.PathLike | None = None) -> dict:
    """Return what identifies the data that a data set holds on this machine.

    Store it beside results, to tell whether they were made with the same data. It does
    not depend on the folder. For MNIST it is known; for the other two it is computed
    from the prepared arrays, kept beside them, and computed again when they change.

    Args:
        name: See `load_data`.
        data_dir: See `load_data`.

    Returns:
        A dict that can be written as JSON: `"x_train"` and `"x_test"` with the
        `"shape"` and `"dtype"` of the images, `"class_names"` in the order of their
        labels, and `"sha256"`, a checksum over all images and labels.

    Raises:
        ValueError: If the name is unknown, or the data set is not prepared on this
            machine. Nothing is downloaded.

    Example:
        >>> import dfal_keras as dfal
        >>> found = dfal.datasets.fingerprint("mnist")
        >>> found["x_train"], found["sha256"][:8]
        ({'shape': [60000, 28, 28, 1], 'dtype': 'uint8'}, '06b0d1f1')
    """
    _check(name)
    if name == "mnist":
        return mnist.fingerprint()
    return fingerprints.of_prepared(_MODULES[name].SOURCE, data_dir)


def _check(name):
    if not isinstance(name, str) or name not in _MODULES:
        raise ValueError(
            f"Argument `name` must be one of {sorted(_MODULES)}. Received: {name!r}"
        )
