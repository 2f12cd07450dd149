"""Data sets of downloaded files, prepared as memory-mapped arrays.

The folder `<data_dir>/<name>` holds `x_train.npy` and `x_test.npy`, the images sorted
by class. The labels follow from the number of images of each class. Each file is
written atomically, so several processes can prepare a data set at the same time.
"""

import logging
import math
import os
import shlex

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import fingerprints, verification
from dfal_keras.datasets.source import (
    DATA_DIR_VARIABLE,
    SPLITS,
    Source,
    data_folder,
    image_batches,
)

_LOGGER = logging.getLogger(__name__)


class PreparedDataset:
    """A data set that is downloaded and prepared on first use.

    Args:
        source: `Source` of the data set.
    """

    def __init__(self, source: Source):
        self.source = source

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels."""
        return self.source.class_names

    def load_data(self, data_dir: str | os.PathLike | None = None) -> tuple:
        """Load the data set: see `dfal_keras.datasets.load_data`."""
        folder = data_folder(data_dir)
        data = self._map(folder)
        if data is None:
            self._prepare(folder)
            data = self._map(folder)
        return data

    def is_complete(self, data_dir: str | os.PathLike | None = None) -> bool:
        """Return whether both arrays exist: see `dfal_keras.datasets.is_complete`."""
        return self._map(data_folder(data_dir)) is not None

    def status(self, data_dir: str | os.PathLike | None = None) -> str:
        """Describe the state of the data set: see `dfal_keras.datasets.status`."""
        folder = data_folder(data_dir)
        if self.is_complete(data_dir):
            return f"complete: in {folder / self.source.name}"
        command = f"python -m dfal_keras.datasets fetch {self.source.name}"
        if data_dir is not None:
            command = f"{command} --data-dir {shlex.quote(str(folder))}"
        missing, wrong_size = self._check_files(folder)
        if wrong_size:
            return (
                f"invalid: {', '.join(wrong_size)} in {folder}. Delete these files, "
                f"then download them: {command}"
            )
        if not missing:
            return f"not prepared: the files are in {folder}. Prepare them: {command}"
        kind = "incomplete" if len(missing) < len(self.source.files) else "missing"
        return (
            f"{kind}: {', '.join(missing)} not found in {folder}. Download: {command}"
        )

    def fingerprint(self, data_dir: str | os.PathLike | None = None) -> dict:
        """Return the fingerprint: see `dfal_keras.datasets.fingerprint`."""
        folder = data_folder(data_dir)
        # The state is read first: if the arrays are replaced before they are mapped,
        # the stored checksum is outdated and the next call computes it again.
        state = self._state(folder)
        data = self._map(folder)
        if state is None or data is None:
            raise ValueError(
                f"Data set {self.source.name!r} must be prepared to compute its "
                f"fingerprint. Received: {self.status(data_dir)}"
            )
        path = folder / self.source.name / "fingerprint.json"
        sha256 = fingerprints.cached_checksum(data, path, state)
        shapes = tuple(x.shape for x, _ in data)
        return fingerprints.from_checksum(shapes, self.class_names, sha256)

    def _array_path(self, split, folder):
        return folder / self.source.name / f"x_{split}.npy"

    def _map(self, folder):
        """Memory-map the arrays. Return `None` if one is missing or incomplete."""
        data = []
        for split in SPLITS:
            path = self._array_path(split, folder)
            try:
                x = np.lib.format.open_memmap(path, mode="r")
            except (OSError, ValueError):  # missing, or shorter than its header says
                return None
            expected = self.source.shape(split)
            has_size = path.stat().st_size == x.offset + x.nbytes
            if not has_size or x.shape != expected or x.dtype != np.uint8:
                return None
            labels = np.arange(len(self.source.files), dtype=np.uint8)
            data.append((x, np.repeat(labels, self.source.num_images(split))))
        return tuple(data)

    def _check_files(self, folder):
        """Return the names of missing files, and those of files of a wrong size."""
        missing, wrong_size = [], []
        for file in self.source.files:
            path = folder / file.name
            if not path.is_file():
                missing.append(file.name)
            elif not file.has_expected_size(path):
                wrong_size.append(
                    f"{file.name} (expected {file.size:,} bytes, received "
                    f"{path.stat().st_size:,})"
                )
        return missing, wrong_size

    def _state(self, folder):
        """Return what the checksum depends on, or `None` if an array is missing."""
        state = {}
        for split in SPLITS:
            try:
                status = self._array_path(split, folder).stat()
            except OSError:
                return None
            state[split] = {
                "size": status.st_size,
                "mtime_ns": status.st_mtime_ns,
                "counts": self.source.num_images(split),  # the labels follow from these
            }
        return state

    def _prepare(self, folder):
        """Download missing files, verify all, and write the arrays."""
        paths = [folder / file.name for file in self.source.files]
        if not all(path.is_file() for path in paths):
            from dfal_keras.datasets import download  # imports Pooch

            download.fetch_missing(self.source, folder)
        for path, file in zip(paths, self.source.files, strict=True):
            _LOGGER.info("Checking %s", path)
            verification.verify(self.source, file, path)
        for split in SPLITS:
            self._write_array(split, folder, paths)

    def _write_array(self, split, folder, paths):
        """Write the images of a split to its array file."""
        target = self._array_path(split, folder)
        shape = self.source.shape(split)
        _LOGGER.info("Preparing %s", target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Not through a memory map: on a full disk, writing to it raises no OSError
            # but ends the process with a signal.
            with _files.replacing(target) as output:
                np.lib.format.write_array_header_1_0(
                    output, {"descr": "|u1", "fortran_order": False, "shape": shape}
                )
                for file, path in zip(self.source.files, paths, strict=True):
                    for images in image_batches(self.source, file, path, split):
                        output.write(images)
        except OSError as error:
            raise ValueError(
                f"Array can't be written: {target}. Expected a writable folder with "
                f"{math.prod(shape) / 1e6:,.0f} MB of free space. To use another one, "
                "set the argument `data_dir` or the environment variable "
                f"{DATA_DIR_VARIABLE}. Received: {error}"
            ) from error
