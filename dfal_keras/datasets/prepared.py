"""Arrays on disk, split as in the paper: written once, then memory-mapped.

The folder `<data_dir>/<name>` holds `x_train.npy` and `x_test.npy`, the images class
after class. Each appears by a rename, whole or not at all, also when several processes
prepare them at once. Labels follow from the counts.
"""

import logging
import math
import pathlib

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import source as sources

PARTS = ("train", "test")


def load(source: sources.Source, data_dir=None) -> tuple:
    """Map a data set's arrays; prepare, and before that download, what is not there.

    Args:
        source: What the data set is made from.
        data_dir: See `dfal_keras.datasets.load_data`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, as `load_data` does.

    Raises:
        ValueError: If files are missing and can't be downloaded, are not what they
            should be, or if the folder can't be written to.
    """
    folder = sources.data_folder(data_dir)
    images = find(source, folder)
    if images is None:
        paths = _obtain(source, folder)
        for part in PARTS:
            _write(source, part, folder, paths)
        images = find(source, folder)
    return tuple(
        (x, np.repeat(np.arange(len(source.files), dtype=np.uint8), counts))
        for x, counts in zip(images, map(source.counts, PARTS), strict=True)
    )


def array_path(source: sources.Source, folder: pathlib.Path, part: str) -> pathlib.Path:
    """Return where the images of `"train"` or `"test"` are, or are to be."""
    return folder / source.name / f"x_{part}.npy"


def find(source: sources.Source, folder: pathlib.Path):
    """Return the memory-mapped `(x_train, x_test)`, or `None` if they aren't whole."""
    images = []
    for part in PARTS:
        file = array_path(source, folder, part)
        try:
            x = np.lib.format.open_memmap(file, mode="r")
        except (OSError, ValueError):  # not there, or shorter than its header says
            return None
        whole = file.stat().st_size == x.offset + x.nbytes
        if not whole or x.shape != _shape(source, part) or x.dtype != np.uint8:
            return None
        images.append(x)
    return tuple(images)


def status(source: sources.Source, folder: pathlib.Path) -> str:
    """Say in a few words what of a data set is on this machine."""
    if find(source, folder) is not None:
        return f"complete, in {folder / source.name}"
    there = [
        file.name for file in source.files if sources.has_size(folder / file.name, file)
    ]
    missing = [file.name for file in source.files if file.name not in there]
    if not missing:
        return f"files in {folder}, to be checked and prepared by the first use"
    if not there:
        return f"not here: needs {', '.join(missing)} in {folder}"
    return f"incomplete: {', '.join(missing)} missing in {folder}, or of another size"


def _obtain(source, folder):
    """Return the paths of the classes' files, downloaded if need be, and verified."""
    paths = [folder / file.name for file in source.files]
    if not all(path.is_file() for path in paths):
        from dfal_keras.datasets import download  # loads tensorflow-datasets

        download.fetch(source, folder)
    for path, file in zip(paths, source.files, strict=True):
        logging.getLogger(__name__).info("Checking %s", path)
        sources.verify(path, file)
    return paths


def _write(source, part, folder, paths):
    """Write an array, whole or not at all."""
    target = array_path(source, folder, part)
    logging.getLogger(__name__).info("Preparing %s", target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Plain writes: a full disk is an OSError then. Through a memory map it would
        # be a signal that ends the process.
        with _files.replacing(target) as output:
            header = {"descr": "|u1", "fortran_order": False}
            header["shape"] = _shape(source, part)
            np.lib.format.write_array_header_1_0(output, header)
            for file, path in zip(source.files, paths, strict=True):
                for images in sources.chunks(source, file, path, part):
                    output.write(images)
    except OSError as error:
        size = math.prod(_shape(source, part)) / 1e6
        raise ValueError(
            f"Array can't be written: {target}. Expected a folder with {size:,.0f} MB "
            "of space; another one can be given as `data_dir` or in the environment "
            f"variable {sources.VARIABLE}. Received: {error}"
        ) from error


def _shape(source, part):
    return (sum(source.counts(part)), *source.image_shape)
