import io

import numpy as np
import PIL.Image
import pytest

from dfal_keras.labeling.views import png


@pytest.mark.parametrize("num_channels", [1, 3, 4])
def test_pixels_are_kept(num_channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, num_channels), np.uint8)
    decoded = np.asarray(PIL.Image.open(io.BytesIO(png.encode(image))))
    np.testing.assert_array_equal(decoded, image.squeeze())


def test_floats_are_rounded_and_clipped():
    image = np.array([[[-3.0], [0.4], [99.6], [260.0]]])
    decoded = np.asarray(PIL.Image.open(io.BytesIO(png.encode(image))))
    assert decoded.tolist() == [[0, 0, 100, 255]]


@pytest.mark.parametrize("shape", [(8,), (8, 8), (8, 8, 2), (1, 8, 8, 3)])
def test_other_arrays_are_rejected(shape):
    with pytest.raises(ValueError, match=r"`image` must have shape.*Received: shape"):
        png.encode(np.zeros(shape))
