import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from dfal_keras.labeling.images import decoding

RNG = np.random.default_rng(0)
COLORS = RNG.integers(0, 256, (6, 8, 3)).astype("uint8")
GRAYS = RNG.integers(0, 256, (6, 8)).astype("uint8")


def encode(image, suffix="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_give_their_pixels(suffix, options):
    content = encode(COLORS, suffix, **options)
    decoded = decoding.decode(content, (6, 8, 3))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, COLORS)


def test_jpeg_and_gif_give_nearly_their_pixels():
    smooth = np.zeros((16, 16, 3), "uint8")
    smooth[:, 8:] = (200, 40, 90)
    for suffix, options in (("JPEG", {"subsampling": 0}), ("GIF", {})):
        decoded = decoding.decode(encode(smooth, suffix, **options), (16, 16, 3))
        assert np.abs(decoded.astype(int) - smooth).max() <= 8


@pytest.mark.parametrize(
    ("name", "is_image"),
    [
        *((f"a{suffix}", True) for suffix in decoding.SUFFIXES),
        *((f"a{suffix.upper()}", True) for suffix in decoding.SUFFIXES),
        ("a.b.PnG", True),
        ("png", False),
        ("a.png.txt", False),
        ("a.svg", False),
    ],
)
def test_names_of_images(name, is_image):
    assert decoding.is_image_name(name) == is_image


# What shows a stored image upright, by the definition of the EXIF tag.
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("suffix", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_rotation_is_applied(suffix, orientation):
    stored = np.zeros((16, 24), "uint8")
    stored[:8, :8] = 255  # the top left corner
    stored[:8, 16:] = 100  # the top right corner
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "WEBP" else {}
    content = encode(stored, suffix, exif=exif, **options)
    expected = UPRIGHT[orientation](stored)
    decoded = decoding.decode(content, (*expected.shape, 1))[..., 0]
    assert np.abs(decoded.astype(int) - expected).max() <= (
        5 if suffix == "JPEG" else 0
    )


def test_damaged_exif_does_not_matter():
    garbage = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"
    with decoding.without_warnings():
        decoded = decoding.decode(encode(GRAYS, "PNG", exif=garbage), (6, 8, 1))
    np.testing.assert_array_equal(decoded[..., 0], GRAYS)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", ["PNG", "TIFF"])
def test_16_bits_are_scaled_not_clipped(suffix, orientation):
    values = np.array([[0, 128, 129, 300], [256 * 128, 60000, 65535, 257]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(values, suffix, exif=exif)
    assert Image.open(io.BytesIO(content)).mode.startswith("I;16")
    expected = UPRIGHT[orientation](np.rint(values / 65535 * 255))
    for num_channels in (1, 3, 4):
        decoded = decoding.decode(content, (*expected.shape, num_channels))
        np.testing.assert_array_equal(decoded[..., 0], expected)


def test_16_bits_of_the_other_byte_order():
    values = np.array([[0, 300, 65535]], ">u2")
    image = Image.frombytes("I;16B", (3, 1), values.tobytes())
    decoded = decoding.decode(encode(image, "TIFF"), (1, 3, 1))
    assert decoded.ravel().tolist() == [0, 1, 255]


def test_16_bit_colors_are_scaled():
    """A PNG file by hand, as Pillow does not write 16-bit colors."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    pixels = b"\0" + struct.pack(">6H", 0, 300, 65535, 32768, 256, 60000)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    decoded = decoding.decode(content, (1, 2, 3))
    expected = np.array([0, 300, 65535, 32768, 256, 60000]) / 257
    assert np.abs(decoded.ravel() - expected).max() <= 1.2


def tiff(num_bits, pixels, width):
    """Return a gray TIFF file of one row."""
    tags = [
        (256, 3, width),
        (257, 3, 1),
        (258, 3, num_bits),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),  # offset of the pixels
        (277, 3, 1),
        (278, 3, 1),
        (279, 4, len(pixels)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def test_12_bits_are_scaled_as_such():
    bits = "".join(f"{value:012b}" for value in (0, 16, 2048, 4095))
    pixels = int(bits, 2).to_bytes(6, "big")
    decoded = decoding.decode(tiff(12, pixels, 4), (1, 4, 1))
    assert decoded.ravel().tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("values", [np.ones((4, 4), "int32"), np.ones((4, 4), "f4")])
def test_pixels_of_32_bits_have_no_known_range(values):
    with pytest.raises(ValueError, match="no known range"):
        decoding.decode(encode(values, "TIFF"), (4, 4, 1))


def test_gray_and_color_are_converted():
    gray = decoding.decode(encode(GRAYS), (6, 8, 3))
    np.testing.assert_array_equal(gray, np.repeat(GRAYS[..., None], 3, axis=2))
    luma = COLORS @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    decoded = decoding.decode(encode(COLORS), (6, 8, 1))[..., 0]
    assert np.abs(decoded - luma).max() <= 0.51
    opaque = decoding.decode(encode(COLORS), (6, 8, 4))
    np.testing.assert_array_equal(opaque[..., :3], COLORS)
    assert (opaque[..., 3] == 255).all()
    bits = decoding.decode(encode(Image.fromarray(GRAYS > 127)), (6, 8, 1))
    np.testing.assert_array_equal(bits[..., 0], np.where(GRAYS > 127, 255, 0))


def test_palettes_have_their_colors():
    image = Image.fromarray(np.array([[0, 1, 2]], "uint8"), "P")
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 0, 90])
    decoded = decoding.decode(encode(image), (1, 3, 3))
    assert decoded.tolist() == [[[10, 20, 30], [200, 0, 0], [0, 0, 90]]]
    decoded = decoding.decode(encode(image, transparency=1), (1, 3, 3))
    assert decoded.tolist() == [[[10, 20, 30], [255, 255, 255], [0, 0, 90]]]


def test_cmyk_has_its_colors():
    for values, expected in (((0, 255, 255, 0), (255, 0, 0)), ((0,) * 4, (255,) * 3)):
        content = encode(Image.new("CMYK", (16, 16), values), "JPEG")
        for num_channels in (3, 4):
            decoded = decoding.decode(content, (16, 16, num_channels))[..., :3]
            assert np.abs(decoded.astype(int) - expected).max() <= 4


def test_transparent_pixels_are_shown_on_white():
    pixels = np.array([[[0, 0, 0, 0], [10, 20, 30, 255], [0, 100, 200, 51]]], "uint8")
    content = encode(pixels)
    decoded = decoding.decode(content, (1, 3, 3))
    # 51 / 255 is a fifth.
    expected = [[[255, 255, 255], [10, 20, 30], [204, 224, 244]]]
    assert np.abs(decoded.astype(int) - expected).max() <= 1
    assert decoding.decode(content, (1, 3, 1))[0, 0, 0] == 255
    np.testing.assert_array_equal(decoding.decode(content, (1, 3, 4)), pixels)


def test_of_an_animation_the_first_image_is_decoded():
    images = [Image.new("RGB", (4, 4), color) for color in ("red", "green", "blue")]
    for suffix in ("GIF", "TIFF", "WEBP", "PNG"):
        content = encode(images[0], suffix, save_all=True, append_images=images[1:])
        decoded = decoding.decode(content, (4, 4, 3)).astype(int)
        assert np.abs(decoded - (255, 0, 0)).max() <= 3, suffix


@pytest.mark.parametrize("size", [(5, 7), (17, 40), (60, 90)])
def test_images_are_resized_bilinearly_and_antialiased(size):
    image = RNG.integers(0, 256, (31, 45, 3)).astype("uint8")
    decoded = decoding.decode(encode(image), (*size, 3))
    expected = tf.image.resize(image, size, "bilinear", antialias=True)
    assert np.abs(decoded - expected.numpy()).max() <= 1.5


@pytest.mark.parametrize("suffix", ["PNG", "BMP", "GIF", "JPEG", "TIFF", "WEBP"])
def test_truncated_files_are_rejected(suffix):
    content = encode(RNG.integers(0, 256, (60, 60, 3)).astype("uint8"), suffix)
    for num_bytes in (0, 1, 10, len(content) // 2):
        with pytest.raises(ValueError, match=r"^[ -~]+$") as error:
            decoding.decode(content[:num_bytes], (8, 8, 3))
        assert "0x" not in str(error.value)  # no address of an object


@pytest.mark.parametrize("suffix", ["PNG", "GIF", "JPEG", "TIFF", "WEBP"])
def test_damaged_files_are_decoded_or_rejected(suffix):
    content = bytearray(encode(COLORS.repeat(9, 0).repeat(9, 1), suffix))
    for _ in range(60):
        damaged = bytearray(content)
        for position in RNG.integers(0, len(content), 5):
            damaged[position] = RNG.integers(256)
        with decoding.without_warnings():
            try:
                assert decoding.decode(bytes(damaged), (4, 4, 3)).shape == (4, 4, 3)
            except ValueError as error:  # no other exception
                reason = str(error)
            else:
                reason = "none"
        assert reason.splitlines() == [reason]


def test_other_formats_are_not_decoded_whatever_their_suffix_is():
    """Pillow would run Ghostscript for this one."""
    content = encode(Image.new("RGB", (8, 8)), "EPS")
    with pytest.raises(ValueError, match="not an image of the formats BMP, GIF, JPEG"):
        decoding.decode(content, (8, 8, 3))


def test_decompression_bombs_are_rejected(monkeypatch):
    content = encode(Image.new("1", (3000, 3000)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000 * 3000 // 2 - 1)
    with pytest.raises(ValueError, match="decompression bomb"):
        decoding.decode(content, (8, 8, 3))


def test_large_images_cause_no_warning(monkeypatch):
    content = encode(Image.new("1", (300, 300)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300 * 300 - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="decompression bomb"):
            decoding.decode(content, (8, 8, 3))
        with decoding.without_warnings():
            assert not decoding.decode(content, (8, 8, 3)).any()


@pytest.mark.parametrize(
    "shape",
    [
        (8, 8),
        (8, 8, 2),
        (0, 8, 3),
        (8, -8, 3),
        (8.0, 8, 3),
        (None, 8, 3),
        (10**6, 10**6, 3),
        (10**30, 1, 1),
        None,
        8,
    ],
)
def test_sample_shapes_that_are_rejected(shape):
    with pytest.raises(ValueError, match=r"^Argument `size` must be .*Received: size="):
        decoding.check_sample_shape("size", shape)


def test_sample_shapes_become_ints():
    shape = decoding.check_sample_shape("size", [np.int64(8), 9, 3])
    assert shape == (8, 9, 3)
    assert type(shape[0]) is int
