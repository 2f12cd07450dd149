"""Images for browsers: the original file, or a smaller copy of it."""

import io
import pathlib

from PIL import Image

from dfal_keras.labeling.images import decoding

# Formats that browsers show, and their types.
_TYPES = {
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG of phones, with more images behind the first
    "PNG": "image/png",
    "WEBP": "image/webp",
}


def read_original(path: pathlib.Path) -> tuple[bytes, str]:
    """Return the content of an image file, and its media type.

    Formats that browsers do not show, such as TIFF, are converted to PNG.

    Args:
        path: The file.

    Raises:
        ValueError: If the file is no image.
        OSError: If it can't be read.
    """
    content = path.read_bytes()

    def convert(image):
        kind = _TYPES.get(image.format or "")
        if kind is not None:
            return content, kind
        file = io.BytesIO()
        decoding.to_rgb(image).save(file, "PNG", compress_level=1)  # fast
        return file.getvalue(), "image/png"

    return decoding.read(content, convert)


def read_preview(path: pathlib.Path, size: int = 1024) -> bytes:
    """Return an image file as a JPEG file of at most `size` pixels a side.

    Raises:
        ValueError: If the file is no image.
        OSError: If it can't be read.
    """

    def shrink(image):
        image.draft("RGB", (2 * size, 2 * size))  # decodes a large JPEG faster
        shown = decoding.to_rgb(image)
        shown.thumbnail((size, size), Image.Resampling.BILINEAR)
        file = io.BytesIO()
        shown.save(file, "JPEG", quality=85)
        return file.getvalue()

    return decoding.read(path.read_bytes(), shrink)
