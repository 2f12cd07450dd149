"""Images for browsers."""

import io

import numpy as np
import pytest
from PIL import Image

from dfal_keras.labeling.images import photographs

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("kind", "suffix", "media_type"),
    [
        ("JPEG", "jpg", "image/jpeg"),
        ("MPO", "jpg", "image/jpeg"),  # of phones
        ("MPO", "mpo", "image/jpeg"),
        ("PNG", "png", "image/png"),
    ],
)
def test_files_that_browsers_show_are_sent_as_they_are(
    tmp_path, kind, suffix, media_type
):
    path = tmp_path / f"photo.{suffix}"
    image = Image.fromarray(PIXELS)
    more = {"save_all": True, "append_images": [image]} if kind == "MPO" else {}
    image.save(path, kind, **more)
    with Image.open(path) as opened:
        assert opened.format == kind
    assert photographs.read_original(path) == (path.read_bytes(), media_type)


def test_other_files_are_converted_to_png(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "photo.tiff")
    content, media_type = photographs.read_original(tmp_path / "photo.tiff")
    assert media_type == "image/png"
    np.testing.assert_array_equal(Image.open(io.BytesIO(content)), PIXELS)
