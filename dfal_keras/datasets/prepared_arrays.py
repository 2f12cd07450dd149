"""Arrays on disk, split as in the paper: written once, then memory-mapped.

The folder `<data_dir>/<name>` holds `x_train.npy` and `x_test.npy`, the images class
after class. Each appears by a rename, whole or not at all, also when several processes
prepare them at once. Labels follow from the counts.
"""

import logging
import math
import os
import pathlib
import shlex

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import source as sources

PARTS = ("train", "test")


def load(source: sources.Source, data_dir: str | os.PathLike | None = None) -> tuple:
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
        for x, counts in zip(images, map(source.counts, PARTS), strict=True)  # type: ignore[arg-type]
    )


def array_path(source: sources.Source, folder: pathlib.Path, part: str) -> pathlib.Path:
    """Return where the images of `"train"` or `"test"` are, or are to be."""
    return folder / source.name / f"x_{part}.npy"


def find(source: sources.Source, folder: pathlib.Path) -> tuple | None:
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


def status(source: sources.Source, data_dir: str | os.PathLike | None = None) -> str:
    """Return what of a data set is on this machine, and what to do about the rest.

    Args:
        source: What the data set is made from.
        data_dir: See `dfal_keras.datasets.load_data`.
    """
    folder = sources.data_folder(data_dir)
    if find(source, folder) is not None:
        return f"complete: in {folder / source.name}"
    lacking, other = [], []
    for file in source.files:
        path = folder / file.name
        if not path.is_file():
            lacking.append(file.name)
        elif not sources.has_size(path, file):
            other.append(
                f"{file.name} (expected {file.size:,} bytes, received "
                f"{path.stat().st_size:,})"
            )
    command = f"python -m dfal_keras.datasets fetch {source.name}"
    if data_dir is not None:
        command = f"{command} --data-dir {shlex.quote(str(folder))}"
    if other:
        return (
            f"of another size: {', '.join(other)} in {folder}. To get the right files, "
            f"delete these and run: {command}"
        )
    if not lacking:
        return f"not prepared: the files are in {folder}. To prepare them: {command}"
    if len(lacking) < len(source.files):
        return (
            f"incomplete: {folder} lacks {', '.join(lacking)}. To get the rest: "
            f"{command}"
        )
    return (
        f"not here: {', '.join(lacking)} expected in {folder}. To download them: "
        f"{command}"
    )


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
