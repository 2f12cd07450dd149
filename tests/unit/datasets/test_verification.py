"""Recorded checksums. Published ones: `test_quick_draw.py`."""

import hashlib
import subprocess

import h5py
import pytest
from helpers import data_folders

from dfal_keras.datasets.prepared_arrays import PreparedDataset


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to which Shoe-Bag has been downloaded."""
    monkeypatch.setenv("no_proxy", "*")
    fetch(tmp_path)
    return tmp_path / "data"


def fetch(tmp_path):
    """Download and prepare the small data set of `tmp_path / "remote"`."""
    source = data_folders.small_shoe_bag(tmp_path / "remote")
    change = tmp_path / "change"
    if change.exists():
        alter(tmp_path / "remote" / change.read_text())
    with data_folders.server(tmp_path / "remote") as address:
        remote = data_folders.zipped(source, tmp_path / "remote", address)
        return PreparedDataset(remote).load_data(tmp_path / "data")


def alter(path):
    """Invert one pixel, and leave a valid file."""
    with h5py.File(path, "r+") as file:
        file["imgs"][3, 2, 1, 0] ^= 255


def test_the_checksum_of_a_download_is_recorded(folder):
    for name in "shoes_64.hdf5", "handbag_64.hdf5":
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert (folder / f"{name}.sha256").read_text() == f"{digest}  {name}\n"
        command = ["sha256sum", "--check", f"{name}.sha256"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_published_checksums_are_not_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    source = data_folders.small_quick_draw(tmp_path / "remote")
    with data_folders.server(tmp_path / "remote") as address:
        PreparedDataset(data_folders.served(source, address)).load_data(tmp_path)
    assert not list(tmp_path.rglob("*.sha256"))


def remove_arrays(folder):
    for path in (folder / "shoe_bag").iterdir():
        path.unlink()


def test_an_altered_file_is_named(folder, tmp_path):
    remove_arrays(folder)
    alter(folder / "handbag_64.hdf5")
    message = r"not the one that was downloaded first: \S*/handbag_64.hdf5. Expected"
    with pytest.raises(ValueError, match=message) as caught:
        fetch(tmp_path)
    recorded = (folder / "handbag_64.hdf5.sha256").read_text()[:64]
    received = hashlib.sha256((folder / "handbag_64.hdf5").read_bytes()).hexdigest()
    assert recorded != received
    assert f"sha256 {recorded}, recorded in {folder}" in str(caught.value)
    assert f"Received: {received}. Delete handbag_64.hdf5 to" in str(caught.value)
    assert data_folders.names(folder / "shoe_bag") == []


def test_a_later_download_that_differs_is_named(folder, tmp_path):
    """It is kept, and used once the user deletes the record."""
    remove_arrays(folder)
    (folder / "shoes_64.hdf5").unlink()
    (tmp_path / "change").write_text("shoes_64.hdf5")
    for _ in range(2):  # again, when the file is there
        with pytest.raises(ValueError, match=r"downloaded first: \S*/shoes_64.hdf5"):
            fetch(tmp_path)
    assert data_folders.names(folder / "shoe_bag") == []
    (folder / "shoes_64.hdf5.sha256").unlink()
    (x_train, _), _ = fetch(tmp_path)
    with h5py.File(tmp_path / "remote" / "shoes_64.hdf5") as file:
        assert (x_train[3] == file["imgs"][3]).all()


def test_the_same_file_downloaded_again(folder, tmp_path):
    remove_arrays(folder)
    before = (folder / "shoes_64.hdf5.sha256").read_text()
    (folder / "shoes_64.hdf5").unlink()
    fetch(tmp_path)
    assert (folder / "shoes_64.hdf5.sha256").read_text() == before


def test_an_invalid_record_is_named(folder, tmp_path):
    remove_arrays(folder)
    (folder / "shoes_64.hdf5.sha256").write_text("abc")
    with pytest.raises(ValueError, match=r"shoes_64.hdf5.sha256. Received: 'abc'"):
        fetch(tmp_path)
