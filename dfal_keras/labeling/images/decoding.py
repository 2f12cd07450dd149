"""Decoding of image files: bytes to uint8 arrays of a model's sample shape.

`keras.utils.load_img` is not used: it ignores EXIF rotation, shows the colors of
transparent pixels, and its bilinear interpolation clips 16-bit images to 8 bits.
"""

import concurrent.futures
import contextlib
import io
import math
import numbers
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dfal_keras import _validation

_T = TypeVar("_T")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# Others that Pillow knows, such as EPS, would start programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_MAX_VALUES = 2**26  # of a sample, such as 4729x4729 pixels in color
_LARGE = 2**25  # pixels of an image that is decoded while no other large one is
_LARGE_IMAGES = concurrent.futures.ThreadPoolExecutor(1)
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # tags of a TIFF file


def set_pixel_bounds(strategy) -> None:
    """Let a strategy clip its adversarial examples to the range of decoded pixels.

    Args:
        strategy: A query strategy. If it has an attribute `bounds` that is `None`, this
            becomes `(0, 255)`.
    """
    if getattr(strategy, "bounds", ()) is None:
        strategy.bounds = (0, 255)


def is_image_name(name: str) -> bool:
    """Return whether a file's name has the suffix of an image, in any case."""
    return name.lower().endswith(SUFFIXES)


def check_sample_shape(name: str, shape) -> tuple[int, int, int]:
    """Return `shape` as `(height, width, channels)`, or raise ValueError.

    Args:
        name: Name of the argument in the error message.
        shape: Integers of at least 1, with 1, 3 or 4 channels, of at most 67,108,864
            values in all.
    """
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    is_valid = (
        len(sizes) == 3
        and all(isinstance(size, numbers.Integral) and int(size) >= 1 for size in sizes)
        and sizes[2] in (1, 3, 4)
        and math.prod(map(int, sizes)) <= _MAX_VALUES
    )
    if not is_valid:
        raise _validation.ArgumentError(
            name,
            f"must be (height, width, channels) of images with 1, 3 "
            f"or 4 channels and at most {_MAX_VALUES:,} values. "
            f"Received: {name}={shape!r:.80}",
        )
    height, width, channels = map(int, sizes)
    return height, width, channels


def decode(content: bytes, sample_shape: tuple[int, int, int]) -> np.ndarray:
    """Decode an image file, and resize it to a model's sample shape.

    * Formats: BMP, GIF, JPEG, PNG, TIFF and WebP, recognized by content. The first
      image of animations and of files with several pages is used.
    * EXIF rotation is applied.
    * Palettes, CMYK and others become RGB. Grayscale is the luma of ITU-R 601-2. Color
      profiles are ignored.
    * With 1 or 3 channels, transparent pixels are shown on white.
    * 16-bit pixels are scaled to 8 bits. Pixels of 32 bits, whose range is unknown, are
      an error.
    * The image is stretched to the new size, bilinearly and antialiased.

    Args:
        content: The bytes of the file.
        sample_shape: `(height, width, channels)`, with 1, 3 or 4 channels.

    Returns:
        uint8 array of shape `sample_shape`.

    Raises:
        ValueError: If the file can't be decoded, or has more than twice
            `PIL.Image.MAX_IMAGE_PIXELS` pixels. The message is a short reason.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (20, 10), "red").save(file, "PNG")
        >>> decode(file.getvalue(), (4, 6, 3))[0, 0]
        array([255,   0,   0], dtype=uint8)
    """
    return read(content, lambda image: _decode(image, sample_shape))


def read(content: bytes, function: Callable[[Image.Image], _T]) -> _T:
    """Open an image file, and return the value of a function of the image.

    Large images are decoded one at a time, in a single thread, because the allocator
    keeps the memory of the largest image of each thread.

    Args:
        content: The bytes of the file.
        function: The function, which must not keep the image.

    Raises:
        ValueError: If it can't be decoded. The message is a short reason.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            is_large = math.prod(image.size) > _LARGE
            if not is_large:
                return function(image)
        return _LARGE_IMAGES.submit(_read, content, function).result()
    except UnidentifiedImageError:
        formats = ", ".join(_FORMATS)
        raise ValueError(f"not an image of the formats {formats}") from None
    # Pillow raises many types of exceptions for damaged files.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(" ".join(reason.split())) from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an open image in RGB, rotated as its EXIF data says."""
    image = _to_8_bits(image)
    ImageOps.exif_transpose(image, in_place=True)
    return _convert(image, 3)


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore Pillow's warnings, of large or slightly damaged images.

    Filters of warnings are those of the process: use it around all threads.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


def _read(content, function):
    """Return the value of a function of an image."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        return function(image)


def _decode(opened, sample_shape):
    """Return the pixels of an open image, with few copies of it."""
    height, width, channels = sample_shape
    image = _to_8_bits(opened)
    ImageOps.exif_transpose(image, in_place=True)
    image = _convert(image, channels)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(sample_shape)


def _to_8_bits(image):
    """Return an image of 8 bits a channel, with its metadata."""
    if image.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits, or of signed 16 bits, have no known range")
    if not image.mode.startswith("I;16"):
        return image  # Pillow scales 16-bit colors when it reads them
    image.load()  # this applies the rotation of a TIFF file, and removes it from EXIF
    tags = getattr(image, "tag_v2", {})
    white = 2 ** tags.get(_BITS_PER_SAMPLE, (16,))[0] - 1  # 12 bits in some TIFF files
    exif = image.getexif()
    values = np.asarray(image).astype(np.uint32)
    if tags.get(_PHOTOMETRIC) == 0:  # 0 is white; Pillow inverts 8-bit images only
        values = white - np.minimum(values, white)
    scaled = Image.fromarray(((values * 255 + white // 2) // white).astype(np.uint8))
    scaled.getexif().update(exif)
    return scaled


def _convert(image, channels):
    """Return a grayscale, RGB or RGBA image."""
    has_transparency = image.has_transparency_data
    # `convert` copies images that have the mode already.
    mode = "RGBA" if has_transparency or channels == 4 else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if channels == 4:
        return image
    if has_transparency:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    return image if channels == 3 else image.convert("L")
