"""Folders of images: which files they hold, and their names as text."""

import dataclasses
import os
import re
import stat

from dfal_keras import _validation
from dfal_keras.labeling.images import decoding

_HIDDEN = (".", "__MACOSX")
# Bytes that are not UTF-8 are shown as \x80 to \xff, and a backslash in a name that
# looks like this as \x5c.
_LOOKS_ESCAPED = re.compile(rb"\\(?=x(?:5c|[89a-f][0-9a-f]))")
_ESCAPED = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files in a folder and its subfolders, sorted by name.

    Attributes:
        images: For each image's name, its size and `mtime_ns`.
        skipped: Names of other files. Names of folders end in `/`.
        broken: Name and reason for each file that is named as an image and can't be
            read, and for each folder that can't be read.
    """

    images: dict[str, tuple[int, int]]
    skipped: list[str]
    broken: list[tuple[str, str]]


def scan(folder: str | os.PathLike, leave_out: str | os.PathLike) -> Listing:
    """List the images in a folder and its subfolders.

    Hidden files and folders, which begin with a dot, and `__MACOSX` are left out. Links
    to files are followed. Links to folders are skipped, as they may form a circle.

    Args:
        folder: The folder.
        leave_out: A subfolder that is not listed.

    Raises:
        ValueError: If the folder can't be read.
    """
    images, skipped, broken = {}, [], []
    subfolders = [""]
    while subfolders:
        subfolder = subfolders.pop()
        try:
            with os.scandir(os.path.join(folder, subfolder)) as opened:
                entries = [e for e in opened if not e.name.startswith(_HIDDEN)]
        except OSError as error:
            if not subfolder:
                raise _validation.ArgumentError(
                    "images",
                    "must be a folder of images. "
                    f"Received: {os.fspath(folder)!r} ({error.strerror})",
                ) from error
            broken.append((encode_name(subfolder), str(error.strerror)))
            continue
        for entry in entries:
            name = subfolder + entry.name
            found = _look_at(entry)
            if isinstance(found, os.stat_result):
                images[encode_name(name)] = (found.st_size, found.st_mtime_ns)
            elif found is not None:
                broken.append((encode_name(name), found))
            elif not os.path.isdir(entry.path):
                skipped.append(encode_name(name))
            elif entry.is_symlink():
                skipped.append(encode_name(f"{name}/"))
            elif not _is_same(entry.path, leave_out):
                subfolders.append(f"{name}/")
    return Listing(dict(sorted(images.items())), sorted(skipped), sorted(broken))


def encode_name(name: str) -> str:
    r"""Return a file's name as text that can be written in UTF-8.

    Bytes that are not UTF-8 are shown with a backslash, such as `\xff`.

    Args:
        name: A name as the functions of `os` return it.
    """
    escaped = _LOOKS_ESCAPED.sub(rb"\\x5c", os.fsencode(name))
    return escaped.decode("utf-8", "backslashreplace")


def decode_name(text: str) -> str:
    """Return the name that `encode_name` was given."""
    name = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return os.fsdecode(name)


def _look_at(entry):
    """Return the stat result of an image, the reason if it is broken, else None."""
    if not decoding.is_image_name(entry.name):
        return None
    try:
        found = entry.stat()
    except OSError as error:
        missing = entry.is_symlink() and isinstance(error, FileNotFoundError)
        return "a link to a missing file" if missing else str(error.strerror)
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    return found if stat.S_ISREG(found.st_mode) else "not a regular file"


def _is_same(path, other):
    return os.path.exists(other) and os.path.samefile(path, other)
