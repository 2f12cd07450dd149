import numpy as np
import pytest

from dfal_keras.labeling.images.pixel_file import PixelFile

SHAPE = (2, 3, 1)


def image(value):
    return np.full(SHAPE, value, "uint8")


def write(path, values, start=0):
    file = PixelFile(path, SHAPE)
    with file.locked():
        file.seek(start)
        for value in values:
            file.append(image(value))
        assert file.commit() == start + len(values)
    return file


def test_numpy_reads_the_file(tmp_path):
    path = tmp_path / "pool.npy"
    file = write(path, range(5))
    for _ in range(3):
        start = len(np.load(path))
        write(path, range(start, start + 50), start)
    values = np.load(path)
    assert values.dtype == np.uint8
    assert values.shape == (155, *SHAPE)
    assert (values[:, 1, 2, 0] == np.arange(155)).all()
    np.testing.assert_array_equal(file.rows(155), values)


def test_rows_are_mapped_and_read_only(tmp_path):
    rows = write(tmp_path / "pool.npy", [1, 2]).rows(2)
    assert isinstance(rows, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 0
    assert PixelFile(tmp_path / "none.npy", SHAPE).rows(0).shape == (0, *SHAPE)


def test_leftovers_are_overwritten_and_maps_stay_valid(tmp_path):
    path = tmp_path / "pool.npy"
    before = write(path, [1, 2]).rows(2)
    write(path, [70, 80, 90], start=2)  # counted by nobody
    file = write(path, [3], start=2)
    assert [int(row[0, 0, 0]) for row in file.rows(3)] == [1, 2, 3]
    assert file.num_complete_rows() == 3
    assert [int(row[0, 0, 0]) for row in before] == [1, 2]


def test_an_image_that_is_cut_off_does_not_count(tmp_path):
    path = tmp_path / "pool.npy"
    file = write(path, [1, 2, 3])
    path.write_bytes(path.read_bytes()[:-1])
    assert file.num_complete_rows() == 2
    assert len(file.rows(2)) == 2
    with pytest.raises(ValueError, match=r"pool.npy must hold 3.*damaged after 2"):
        file.rows(3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:50],
        lambda content: b"nonsense" + content[8:],
        lambda content: content[:20] + b"\xff" * 20 + content[40:],
        lambda content: content.replace(b"|u1", b"<f4"),
        lambda content: content.replace(b"(3, ", b"(-,("),
    ],
)
def test_a_damaged_header_is_found(tmp_path, damage):
    path = tmp_path / "pool.npy"
    file = write(path, [1, 2, 3])
    path.write_bytes(damage(path.read_bytes()))
    assert file.num_complete_rows() == 0
    with pytest.raises(ValueError, match="damaged after 0 images"):
        file.rows(1)


def test_another_shape_is_rejected(tmp_path):
    path = tmp_path / "pool.npy"
    write(path, [1])
    with pytest.raises(ValueError, match=r"`sample_shape` must be \(2, 3, 1\).*Rec"):
        PixelFile(path, (2, 3, 3)).num_complete_rows()


def test_one_process_writes_at_a_time(tmp_path):
    path = tmp_path / "pool.npy"
    file = write(path, [1])
    with (
        file.locked(),
        pytest.raises(ValueError, match="in use by another process"),
        PixelFile(path, SHAPE).locked(),
    ):
        pass
    write(path, [2], start=1)


def test_a_file_that_is_not_locked_can_not_be_written(tmp_path):
    with pytest.raises(RuntimeError, match="not locked"):
        PixelFile(tmp_path / "pool.npy", SHAPE).append(image(1))


def test_large_numbers_fit_into_the_header(tmp_path):
    file = PixelFile(tmp_path / "pool.npy", (10**6, 10**6, 4))
    with file.locked():
        file._num_rows = 10**12
        file._write_header()
    with (tmp_path / "pool.npy").open("rb") as written:
        np.lib.format.read_magic(written)
        shape, _, _ = np.lib.format.read_array_header_1_0(written)
        assert written.tell() == 128
    assert shape == (10**12, 10**6, 10**6, 4)
