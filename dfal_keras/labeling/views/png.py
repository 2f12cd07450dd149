"""Images as PNG files in memory."""

import io

import numpy as np

from dfal_keras import _validation


def encode(image: np.ndarray) -> bytes:
    r"""Return an image as the content of a PNG file.

    Args:
        image: Array of shape `(height, width, channels)` with 1, 3 or 4 channels and
            pixels from 0 to 255, which are rounded and clipped.

    Raises:
        ValueError: If the array is no such image.

    Example:
        >>> encode(np.zeros((2, 2, 3)))[:4]
        b'\x89PNG'
    """
    import PIL.Image

    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise _validation.ArgumentError(
            "image",
            "must have shape (height, width, channels) with 1, 3 or "
            f"4 channels. Received: shape {image.shape}",
        )
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(
        file, "png"
    )
    return file.getvalue()
