import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from dfal_keras import pools
from dfal_keras.pools import array_files

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1)).astype("uint8")


def npy(header, data=b"", version=(1, 0)):
    """Return a .npy file with any header."""
    header = header.encode().ljust(100)
    size = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return np.lib.format.magic(*version) + size + header + data


def header(shape, dtype="|u1"):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"


def packed(content, name="x.npy"):
    """Return an .npz file of one member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def check_rejected(path, reason):
    with pytest.raises(ValueError, match=r"^Argument `pool` must be a \.npy") as error:
        pools.as_pool(path, name="pool")
    message = str(error.value)
    assert "\n" not in message
    assert f"Received: {path} (" in message
    assert re.search(reason, message), message


HEADERS = {
    "negative": (header((-1, 4, 4, 1)), r"shape \(-1, 4, 4, 1\)"),
    "negative twice": (header((-2, -2, 4, 1)), r"shape \(-2, -2, 4, 1\)"),
    "too many": (header((21, 4, 4, 1)), r"shape \(21, 4, 4, 1\).* holds 320 bytes"),
    "overflowing": (header((2**62, 4, 4, 1)), "but it holds 320 bytes"),
    "overflowing to 0": (header((2**32, 2**32, 1, 1)), "but it holds 320 bytes"),
    "beyond 64 bits": (header((10**30, 4, 4, 1)), "but it holds 320 bytes"),
    "none of 10**30": (header((0, 10**30, 4, 1)), "."),
    "wider": (header((20, 4, 4, 1), "<f8"), "dtype float64, but it holds 320 bytes"),
    "objects": (header((20, 4, 4, 1), "|O"), "."),
    "no shape": ("{'descr': '|u1', 'fortran_order': False}", "."),
    "not closed": ("{'descr': '|u1', 'fortran_order': (False", "."),
    "code": ("__import__('os').abort()", "."),
    "nothing": ("", "."),
}


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("name", HEADERS)
def test_absurd_headers_are_rejected(tmp_path, name, version, suffix):
    text, reason = HEADERS[name]
    content = npy(text, IMAGES.tobytes(), version)
    path = tmp_path / f"pool{suffix}"
    path.write_bytes(packed(content) if suffix == ".npz" else content)
    check_rejected(path, reason)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_unknown_versions_are_rejected(tmp_path, suffix):
    content = npy(header((20, 4, 4, 1)), IMAGES.tobytes(), (3, 0))
    path = tmp_path / f"pool{suffix}"
    path.write_bytes(packed(content) if suffix == ".npz" else content)
    check_rejected(path, r"version \(3, 0\)")


def write_bomb(path, num_images):
    """Write an .npz file of black images of 100 kB each, block by block."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as file,
    ):
        file.write(npy(header((num_images, 100, 1000, 1))))
        for _ in range(num_images):
            file.write(bytes(100_000))


def test_a_bomb_is_rejected_before_it_takes_memory(tmp_path):
    path = tmp_path / "pool.npz"
    write_bomb(path, 1000)
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    try:
        check_rejected(path, r"bytes become 100,000,\d{3}; save the array as a \.npy")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_header_may_not_be_a_bomb(tmp_path):
    """NumPy reads a header before it checks its size."""
    path = tmp_path / "pool.npz"
    content = np.lib.format.magic(2, 0) + struct.pack("<I", 10**8) + b" " * 10**8
    path.write_bytes(packed(content))
    check_rejected(path, "bytes become 100,000,")


def test_sizes_that_lie_are_rejected(tmp_path):
    """The sizes in a zip file's directory need not be those of its members."""
    path = tmp_path / "pool.npz"
    write_bomb(path, 1000)
    size = struct.pack("<I", 100_000 * 1000 + 110)
    content = path.read_bytes()
    assert size in content
    path.write_bytes(content.replace(size, struct.pack("<I", 110 + 320)))
    check_rejected(path, ".")


def test_small_arrays_may_be_compressed_well(tmp_path):
    black = np.zeros((600, 100, 1000, 1), "uint8")
    np.savez_compressed(tmp_path / "pool.npz", x=black)
    assert (tmp_path / "pool.npz").stat().st_size < black.size / 900
    np.testing.assert_array_equal(pools.as_pool(tmp_path / "pool.npz"), black)


@pytest.mark.parametrize("kind", ["text", "npy", "empty", "other member", "encrypted"])
def test_what_is_no_archive_of_arrays_is_rejected(tmp_path, kind):
    path = tmp_path / "pool.npz"
    np.savez(path, x=IMAGES)
    encrypted = bytearray(path.read_bytes())
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    contents = {
        "text": b"text",
        "npy": npy(header((20, 4, 4, 1)), IMAGES.tobytes()),
        "empty": b"",
        "other member": packed(IMAGES.tobytes(), "x.txt"),
        "encrypted": bytes(encrypted),
    }
    path.write_bytes(contents[kind])
    check_rejected(path, ".")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8", "?"])
def test_valid_files_are_read(tmp_path, dtype, order):
    images = np.asarray(IMAGES.astype(dtype), order=order)
    np.save(tmp_path / "pool.npy", images)
    np.savez(tmp_path / "one.npz", images)
    np.savez_compressed(tmp_path / "more.npz", y=np.zeros(3), x=images)
    for name in ("pool.npy", "one.npz", "more.npz"):
        read = array_files.read(tmp_path / name, "pool")
        assert read.dtype == dtype
        np.testing.assert_array_equal(read, images)
    assert isinstance(array_files.read(tmp_path / "pool.npy", "pool"), np.memmap)
