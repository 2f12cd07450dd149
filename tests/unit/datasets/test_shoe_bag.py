import pathlib
import shutil
import zipfile

import h5py
import numpy as np
import pytest
from helpers import data_folders

from dfal_keras.datasets import shoe_bag
from dfal_keras.datasets.prepared_arrays import PreparedDataset

FILES = ("shoes_64.hdf5", "handbag_64.hdf5")


@pytest.fixture
def source(tmp_path):
    return data_folders.small_shoe_bag(tmp_path)


def test_the_counts_are_the_papers():
    source = shoe_bag.SOURCE
    assert source.class_names == ("shoe", "bag")
    assert source.num_images("train") == [48_025, 136_767]
    assert sum(source.num_images("train")) == 184_792
    assert sum(source.num_images("test")) == 4_000


def test_load_data(source, tmp_path):
    (x_train, y_train), (x_test, y_test) = PreparedDataset(source).load_data(tmp_path)
    assert isinstance(x_train, np.memmap)
    assert x_train.dtype == x_test.dtype == y_train.dtype == y_test.dtype == np.uint8
    np.testing.assert_array_equal(y_train, [0] * 5 + [1] * 7)
    np.testing.assert_array_equal(y_test, [0, 0, 1, 1])
    for label, name in enumerate(FILES):
        with h5py.File(tmp_path / name) as file:
            np.testing.assert_array_equal(x_train[y_train == label], file["imgs"][:-2])
            np.testing.assert_array_equal(x_test[y_test == label], file["imgs"][-2:])


def rewrite(path, how):
    """Replace the file of the shoes by an invalid one."""
    with h5py.File(path) as file:
        images = file["imgs"][:]
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-500])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("<html>Moved</html>")
    elif how == "swapped":
        shutil.copy(path.with_name(FILES[1]), path)
    elif how == "corrupted":  # compressed: reading detects it
        with h5py.File(path, "w") as file:
            data = file.create_dataset("imgs", data=images, compression="gzip")
            where = data.id.get_chunk_info(0)
        content = bytearray(path.read_bytes())
        content[where.byte_offset : where.byte_offset + where.size] = bytes(where.size)
        path.write_bytes(content)
    elif how == "user block":  # valid HDF5, but not what the project published
        path.write_bytes(bytes(512) + path.read_bytes())
    else:
        with h5py.File(path, "w") as file:
            write_other(file, images, how)


def write_other(file, images, how):
    if how == "group":
        file.create_group("imgs")
    elif how == "name":
        file["images"] = images
    elif how == "float":
        file["imgs"] = images / 255
    elif how == "channels first":
        file["imgs"] = images.transpose(0, 3, 1, 2)
    else:
        write_indirect(file, images, how)


def write_indirect(file, images, how):
    """Write the right images so that HDF5 finds them elsewhere."""
    path = pathlib.Path(file.filename)
    other = path.with_name("other.hdf5")
    with h5py.File(other, "w") as opened:
        opened["imgs"] = images
    if how == "soft link":
        file["data"] = images
        file["imgs"] = h5py.SoftLink("/data")
    elif how == "external link":
        file["imgs"] = h5py.ExternalLink(other.name, "imgs")
    elif how == "external":
        raw = path.with_name("raw.bin")
        raw.write_bytes(images.tobytes())
        storage = [(str(raw), 0, images.nbytes)]
        file.create_dataset("imgs", images.shape, images.dtype, external=storage)
    else:
        layout = h5py.VirtualLayout(images.shape, images.dtype)
        layout[:] = h5py.VirtualSource(other.name, "imgs", images.shape)
        file.create_virtual_dataset("imgs", layout)


@pytest.mark.parametrize(
    "how",
    ["truncated", "empty", "text", "swapped", "corrupted", "user block"]
    + ["group", "name", "float", "channels first"]
    + ["soft link", "external link", "external", "virtual"],
)
def test_other_files_are_named(source, tmp_path, how):
    rewrite(tmp_path / FILES[0], how)
    message = r"shoes_64.hdf5. Expected 7 uint8 images of 64x64x3.*Received: \S"
    with pytest.raises(ValueError, match=message):
        PreparedDataset(source).load_data(tmp_path)
    assert not list(tmp_path.rglob("x_*"))


@pytest.mark.parametrize("how", ["text", "float", "external link"])
def test_no_image_is_read_if_one_file_is_wrong(source, tmp_path, monkeypatch, how):
    """The format of all files is checked before the first image is read."""
    rewrite(tmp_path / FILES[1], how)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", None)
    with pytest.raises(ValueError, match=r"handbag_64.hdf5. Expected 9 uint8 images"):
        PreparedDataset(source).load_data(tmp_path)


def test_text_never_reaches_hdf5(source, tmp_path, monkeypatch):
    rewrite(tmp_path / FILES[0], "text")
    monkeypatch.setattr(h5py, "File", None)
    with pytest.raises(ValueError, match="Received: a file without the signature"):
        PreparedDataset(source).load_data(tmp_path)


def test_https_is_tried_first():
    for file in shoe_bag.SOURCE.files:
        assert [url.partition(":")[0] for url in file.urls] == ["https", "http"]


def test_download(source, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with data_folders.server(tmp_path) as address:
        remote = data_folders.zipped(source, tmp_path, address)
        (x_train, _), _ = PreparedDataset(remote).load_data(tmp_path / "data")
    assert x_train.shape == (12, 64, 64, 3)
    assert data_folders.names(tmp_path / "data") == sorted(
        [*FILES, *(f"{name}.sha256" for name in FILES)]
        + ["shoe_bag", "shoe_bag/x_test.npy", "shoe_bag/x_train.npy"]
    )


@pytest.mark.parametrize("how", ["cut", "damaged", "other", "text", "full disk"])
def test_a_bad_archive_leaves_nothing(source, tmp_path, monkeypatch, how):
    monkeypatch.setenv("no_proxy", "*")
    data_folders.zipped(source, tmp_path, "")
    path = tmp_path / "shoes_64.zip"
    content = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(content[:-1000])
    elif how == "damaged":
        content[9000] ^= 1
        path.write_bytes(content)
    elif how == "text":
        path.write_text("<html>Moved</html>")
    elif how == "other":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "")
    limit = 50_000 if how == "full disk" else 10_000_000
    with data_folders.server(tmp_path) as address, data_folders.full_disk(limit):
        remote = data_folders.served(source, address, ".zip")
        with pytest.raises(ValueError, match=r"download failed: \S.*by hand"):
            PreparedDataset(remote).load_data(tmp_path / "data")
    assert data_folders.names(tmp_path / "data") == []


def test_a_full_disk_leaves_nothing_half_written(source, tmp_path):
    with (
        data_folders.full_disk(100_000),
        pytest.raises(ValueError, match=r"x_train.npy. Expected.* MB of free space"),
    ):
        PreparedDataset(source).load_data(tmp_path)
    assert not list((tmp_path / "shoe_bag").iterdir())
