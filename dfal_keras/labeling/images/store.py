"""The images of a folder, decoded once, with rows that never change."""

import collections
import dataclasses
import math
import os
import pathlib
import shutil
from collections.abc import Callable

import numpy as np

from dfal_keras import _validation
from dfal_keras.labeling.images import decoding
from dfal_keras.labeling.images import folder as image_folder
from dfal_keras.labeling.images import reader as image_reader
from dfal_keras.labeling.images import table as image_table
from dfal_keras.labeling.images.names import NameIndex
from dfal_keras.labeling.images.pixel_file import PixelFile
from dfal_keras.labeling.images.table import ImageRow

_NUM_PER_COMMIT = 1000  # at most so many images are decoded again after a kill


@dataclasses.dataclass(frozen=True)
class Changes:
    """What has changed in a folder of images.

    Attributes:
        num_added: Number of new images.
        num_moved: Number of images whose file was renamed or moved.
        num_removed: Number of images whose files were removed.
        num_returned: Number of removed images that are in the folder again.
        skipped: Names of files without the suffix of an image, and of linked folders.
        broken: Name and reason for each image that can't be read.
    """

    num_added: int
    num_moved: int
    num_removed: int
    num_returned: int
    skipped: list[str]
    broken: list[tuple[str, str]]


class ImageStore:
    r"""The images of a folder, decoded once, with rows that never change.

    A row of the pool is identified by the SHA-256 checksum of a file's content. Files
    with equal content share a row. Rows are only appended: if a file is removed or
    changed, its row keeps the pixels, and `is_present` is false until a file with this
    content is there again.

    `images.csv` lists the files, see `labeling.images.table`. `pool.npy` holds the
    pixels. Images are appended to `pool.npy` first. They are valid once `images.csv` is
    replaced, after every 1,000 images, so a process may be killed at any moment. Rows
    that `pool.npy` lacks are read from the image files again. `images.csv` can't be
    restored from other files.

    Names are relative paths with `/`. Bytes that are not UTF-8 are shown as `\xff`.

    Args:
        folder: An existing folder, for `images.csv` and `pool.npy`.
        images: The folder of images, read by `refresh`. It is another folder. See
            `folder.scan` for what is listed, `decoding.decode` for how files are
            read.
        sample_shape: `(height, width, channels)` to which the images are decoded, with
            1, 3 or 4 channels.

    Attributes:
        names: The file name of each row; the last known one of a removed file.
        hashes: The checksum of each row, in hexadecimal.
        is_present: Bool array, whether a file with this content is in the folder.

    Raises:
        ValueError: If an argument is invalid, or the files in `folder` are damaged or
            for another `sample_shape`.

    Example:
        >>> import pathlib
        >>> from PIL import Image
        >>> for folder in ("images", "store"):
        ...     pathlib.Path(folder).mkdir()
        >>> Image.new("RGB", (20, 20), "red").save("images/a.png")
        >>> store = ImageStore("store", "images", (8, 8, 3))
        >>> store.refresh().num_added
        1
        >>> store.names, store.pool.shape
        (['a.png'], (1, 8, 8, 3))
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        images: str | os.PathLike,
        sample_shape: tuple[int, int, int],
    ):
        self._folder, self._images = pathlib.Path(folder), pathlib.Path(images)
        self._sample_shape = decoding.check_sample_shape("sample_shape", sample_shape)
        if (
            not self._folder.is_dir()
            or self._folder.resolve() == self._images.resolve()
        ):
            raise _validation.ArgumentError(
                "folder",
                "must be an existing folder other than that of the "
                f"images. Received: folder={os.fspath(folder)!r}",
            )
        self._table = self._folder / "images.csv"
        self._pixels = PixelFile(self._folder / "pool.npy", self._sample_shape)
        self._pool: np.ndarray | None = None
        self._use(self._read_table())

    @property
    def images(self) -> pathlib.Path:
        """The folder of images."""
        return self._images

    def files(self, row: int) -> list[str]:
        """Return the names of the files with a row's content."""
        return list(self._rows[row].files)

    def path_of_name(self, name: str) -> pathlib.Path:
        """Return the path of a file by its name."""
        return self._path(name)

    @property
    def pool(self) -> np.ndarray:
        """The pixels: uint8, `(num_rows, *sample_shape)`, memory-mapped, read-only."""
        if self._pool is None:
            self._pool = self._pixels.rows(len(self._rows))
        return self._pool

    def refresh(self, progress: Callable[[int, int], None] | None = None) -> Changes:
        """Look for changes in the folder of images, and decode what is new.

        Rows are assigned in the order of names. A file whose size and time have not
        changed since it was read is not read again.

        Args:
            progress: Called with the number of files read so far and of all files to
                read. Defaults to `None`.

        Raises:
            ValueError: If the folder holds no image that can be read, or another
                process refreshes the store.
        """
        if not self._rows:
            self._check_not_empty(self._scan())  # before any file is written
        with self._pixels.locked(), decoding.without_warnings():
            rows = self._read_table()
            before = [(row.is_present, row.name) for row in rows]
            self._restore(rows)
            listing = self._scan()
            found, failed = self._find_rows(rows, listing, progress)
            listing.broken.extend(failed)
            self._check_not_empty(dataclasses.replace(listing, images=found))
            _assign_files(rows, found)
            self._commit(rows)
        self._use(rows)
        return _changes(before, rows, listing)

    def find(self, name: str | None, content_hash: str | None) -> int | None:
        """Return the row of an image, or `None` if it is unknown.

        Args:
            name: Name of its file, as `NameIndex` finds it. If several images had this
                name, the one in the folder is returned, or else the newest.
            content_hash: Checksum of its content. If it is given, the name is ignored:
                other images may have the same name.
        """
        if content_hash:
            return self._row_of_hash.get(content_hash.lower())
        return self._names.find(name or "")

    def path(self, row: int) -> pathlib.Path | None:
        """Return the path of a row's file, or `None` if there is none."""
        if not self._rows[row].is_present:
            return None
        paths = (self._path(name) for name in self._rows[row].files)
        return next((path for path in paths if path.is_file()), None)

    def _path(self, name):
        return self._images / image_folder.decode_name(name)

    def _scan(self):
        return image_folder.scan(self._images, self._folder)

    def _use(self, rows: list[ImageRow]) -> None:
        """Show these rows to callers."""
        self._rows = rows
        self._pool = None  # a damaged file is no error until it is used
        self.names = [row.name for row in rows]
        self.hashes = [row.sha256 for row in rows]
        self.is_present = np.array([row.is_present for row in rows], bool)
        self._row_of_hash = {row.sha256: i for i, row in enumerate(rows)}
        by_presence = sorted(range(len(rows)), key=lambda i: rows[i].is_present)
        self._names = NameIndex(
            {name: i for i in by_presence for name in rows[i].files}
        )

    def _read_table(self):
        """Return the rows of images.csv."""
        num_rows = self._pixels.num_complete_rows()  # checks the shape, too
        if self._table.exists():
            return image_table.read_table(self._table)
        if num_rows:
            raise ValueError(
                f"{self._table} must exist, as pool.npy does; restore a copy of it. "
                "Received: a folder without it"
            )
        return []

    def _commit(self, rows):
        """Make rows valid, after their pixels."""
        self._pixels.commit()
        image_table.write_table(self._table, rows)

    def _restore(self, rows):
        """Open the file of pixels at its end; if it was damaged, complete it first."""
        if not rows:
            image_table.write_table(
                self._table, []
            )  # exists whenever pool.npy is not empty
        num_complete = min(self._pixels.num_complete_rows(), len(rows))
        lacking = rows[num_complete:]
        for row in lacking:  # before anything is overwritten
            self._read_again(row, num_complete, known={row.sha256})
        self._pixels.seek(num_complete)
        for row in lacking:
            self._pixels.append(self._read_again(row, num_complete).pixels)

    def _read_again(self, row, num_complete, known=()):
        """Return the content of a row, from any of its files."""
        for name in row.files:
            image = image_reader.read_image(self._path(name), self._sample_shape, known)
            if image.sha256 == row.sha256:
                return image
        raise ValueError(
            f"{self._folder / 'pool.npy'} must hold the images of images.csv; restore "
            f"a copy of it. Received: a file that is damaged after {num_complete} "
            f"images. It lacks {row.name!r}, which is not in {self._images} any more"
        )

    def _find_rows(self, rows, listing, progress):
        """Return the row of each image in the folder; add rows for new contents.

        Also returns the names of broken images, with the reason.
        """
        known = {(n, *row.files[n]): i for i, row in enumerate(rows) for n in row.files}
        row_of_hash = {row.sha256: i for i, row in enumerate(rows)}
        keys = {name: (name, *state) for name, state in listing.images.items()}
        found = {name: known[key] for name, key in keys.items() if key in known}
        to_read = [name for name in keys if name not in found]
        if not rows:
            self._check_space(len(to_read))
        paths = map(self._path, to_read)
        images = image_reader.read_in_order(paths, self._sample_shape, row_of_hash)
        broken = []
        for done, (name, image) in enumerate(zip(to_read, images, strict=True), 1):
            if progress is not None:
                progress(done, len(to_read))
            if image.reason:
                broken.append((name, image.reason))
                continue
            is_new = image.sha256 not in row_of_hash
            if is_new:
                row_of_hash[image.sha256] = len(rows)
                rows.append(ImageRow(image.sha256, {}))
                self._pixels.append(image.pixels)
            found[name] = row_of_hash[image.sha256]
            rows[found[name]].files[name] = image.state
            if is_new and len(rows) % _NUM_PER_COMMIT == 0:
                self._commit(rows)
        return found, broken

    def _check_space(self, num_images):
        """Raise ValueError if the pixels of new images do not fit on the disk."""
        needed = num_images * math.prod(self._sample_shape)
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise _validation.ArgumentError(
                "sample_shape",
                f"must be small enough for {num_images} images "
                f"in {free / 1e9:.1f} GB of {self._folder}. Received: "
                f"sample_shape={self._sample_shape}, for {needed / 1e9:.1f} GB",
            )

    def _check_not_empty(self, listing):
        """Raise ValueError if a listing has no images."""
        if listing.images:
            return
        reasons = [f"{name!r} ({reason})" for name, reason in listing.broken]
        reasons += [f"{name!r} (no suffix of an image)" for name in listing.skipped]
        more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        raise _validation.ArgumentError(
            "images",
            "must be a folder with images of the suffixes "
            f"{', '.join(decoding.SUFFIXES)}. Received: images={str(self._images)!r}, "
            f"which holds {', '.join(reasons[:3]) or 'no file'}{more}",
        )


def _assign_files(rows, found):
    """Set the files of each row, from the row of each file."""
    names = collections.defaultdict(list)
    for name, index in sorted(found.items()):
        names[index].append(name)
    for i, row in enumerate(rows):
        here = names[i]
        shown = row.name if row.name in here or not here else here[0]
        row.files = {name: row.files[name] for name in dict.fromkeys([shown, *here])}
        row.is_present = bool(here)


def _changes(before, rows, listing):
    """Compare rows with (is_present, name) of the rows before."""
    counts = collections.Counter()
    for (was_present, old_name), row in zip(before, rows, strict=False):
        counts["removed"] += was_present and not row.is_present
        counts["returned"] += row.is_present and not was_present
        counts["moved"] += row.is_present and was_present and row.name != old_name
    return Changes(
        num_added=len(rows) - len(before),
        num_moved=counts["moved"],
        num_removed=counts["removed"],
        num_returned=counts["returned"],
        skipped=listing.skipped,
        broken=sorted(listing.broken),
    )
