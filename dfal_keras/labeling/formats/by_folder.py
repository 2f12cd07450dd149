"""Labels from a folder with a subfolder of images for each class, as in Keras."""

import os
import pathlib

from dfal_keras import _files, _validation
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.images import folder as image_folder


def read_by_folder(path: str | os.PathLike) -> list[Answer]:
    """Return an answer for each image in a folder with a subfolder for each class.

    Images are identified by checksum, so they may be copies of a session's images.

    Args:
        path: The folder. The folders of the classes may have subfolders.

    Raises:
        ValueError: If no class has images.
    """
    path = pathlib.Path(path)
    names = image_folder.scan(path, path / ".none").images if path.is_dir() else {}
    found = [
        Answer(name, _files.sha256(path / image_folder.decode_name(name)), label)
        for name in names
        for label, slash, _ in [name.partition("/")]
        if slash
    ]
    if not found:
        raise _validation.ArgumentError(
            "path",
            "must be a folder with a subfolder of images for each class. "
            f"Received: path={str(path)!r}",
        )
    return found
