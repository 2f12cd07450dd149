import concurrent.futures
import dataclasses
import importlib.util
import pathlib
import sys

import numpy as np
import pytest
from experiments.running import problem_training
from helpers import data_folders

from dfal_keras.datasets import quick_draw
from dfal_keras.datasets.prepared_arrays import PreparedDataset

CLASSES = ("dolphin", "cat", "face", "angel")


@pytest.fixture
def source(tmp_path):
    return data_folders.small_quick_draw(tmp_path)


def test_the_counts_are_the_papers():
    source = quick_draw.SOURCE
    assert source.class_names == CLASSES
    assert source.num_images("train") == [97_290, 98_561, 129_332, 119_788]
    assert sum(source.num_images("train")) == 444_971
    assert sum(source.num_images("test")) == 111_246
    assert [file.size for file in source.files] == [
        95_344_672, 96_590_448, 126_746_224, 117_393_104,
    ]  # fmt: skip


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no tensorflow-datasets")
def test_the_checksums_are_those_of_tensorflow_datasets():
    folder = pathlib.Path(importlib.util.find_spec("tensorflow_datasets").origin).parent
    path = folder / "datasets" / "quickdraw_bitmap" / "checksums.tsv"
    listed = path.read_text().splitlines()
    for file in quick_draw.SOURCE.files:
        (url,) = file.urls
        assert f"{url}\t{file.size}\t{file.sha256}\t{file.name}" in listed


def test_load_data(source, tmp_path):
    (x_train, y_train), (x_test, y_test) = PreparedDataset(source).load_data(tmp_path)
    assert isinstance(x_train, np.memmap)
    assert isinstance(x_test, np.memmap)
    assert not x_train.flags.writeable
    assert x_train.dtype == x_test.dtype == y_train.dtype == y_test.dtype == np.uint8
    np.testing.assert_array_equal(y_train, np.repeat(range(4), 4))
    np.testing.assert_array_equal(y_test, range(4))
    for label, name in enumerate(CLASSES):
        drawings = data_folders.DRAWINGS[name].reshape(5, 28, 28, 1)
        np.testing.assert_array_equal(x_train[y_train == label], drawings[:4])
        np.testing.assert_array_equal(x_test[y_test == label], drawings[4:])


def test_drawings_are_upright_and_bright_on_dark(source, tmp_path):
    (x_train, _), _ = PreparedDataset(source).load_data(tmp_path)
    assert np.median(x_train) == 0
    assert (x_train.max(axis=(1, 2, 3)) == 255).all()
    rows, columns, _ = np.nonzero(x_train[0])  # a leaping dolphin
    assert np.ptp(columns) > 1.5 * np.ptp(rows)
    middle = abs(columns - columns.mean()) < 5
    assert rows[middle].mean() < rows[~middle].mean() - 2


def test_prepared_once(source, tmp_path):
    PreparedDataset(source).load_data(tmp_path)
    for file in source.files:
        (tmp_path / file.name).unlink()
    (x_train, _), _ = PreparedDataset(source).load_data(tmp_path)
    assert x_train.shape == (16, 28, 28, 1)
    assert data_folders.names(tmp_path) == [
        "quick_draw", "quick_draw/x_test.npy", "quick_draw/x_train.npy",
    ]  # fmt: skip


@pytest.mark.parametrize("keep", [0, 50, 128, 5000, -1, None])
def test_an_incomplete_array_is_prepared_again(source, tmp_path, keep):
    (expected, _), _ = PreparedDataset(source).load_data(tmp_path)
    expected = expected.copy()
    path = tmp_path / "quick_draw" / "x_train.npy"
    content = path.read_bytes()
    path.write_bytes(content + b"1" if keep is None else content[:keep])
    (x_train, _), _ = PreparedDataset(source).load_data(tmp_path)
    np.testing.assert_array_equal(x_train, expected)
    assert path.read_bytes() == content  # also if the file was too long


def test_prepared_by_several_at_once(source, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        loads = [
            pool.submit(PreparedDataset(source).load_data, tmp_path) for _ in range(4)
        ]
    for load in loads:
        (x_train, _), _ = load.result()
        np.testing.assert_array_equal(
            x_train[-1, ..., 0].ravel(), data_folders.DRAWINGS["angel"][3]
        )
    assert not list(tmp_path.rglob("*.tmp"))


def test_the_workers_share_the_file(source, tmp_path, monkeypatch):
    data_folders.replace_dataset(monkeypatch, source)
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    (x_train, _), _ = problem_training.load_data("quick_draw")
    assert x_train.filename == tmp_path / "quick_draw" / "x_train.npy"


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        del content[-100:]
    elif how == "empty":
        content.clear()
    elif how == "corrupted":
        content[2000] ^= 1
    elif how == "swapped":
        content[:] = path.with_name("face.npy").read_bytes()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", r"damaged.*Expected 4048 bytes. Received: 3948"),
        ("empty", r"damaged.*Expected 4048 bytes. Received: 0"),
        ("corrupted", r"damaged.*Expected sha256 \w{64}. Received: \w{64}"),
        ("swapped", r"damaged.*not the expected one.*Expected sha256"),
    ],
)
def test_damaged_files_are_named(source, tmp_path, how, message):
    damage(tmp_path / "cat.npy", how)
    with pytest.raises(ValueError, match="cat.npy.*Expected") as caught:
        PreparedDataset(source).load_data(tmp_path)
    assert caught.match(message)
    assert not (tmp_path / "quick_draw").exists()


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "more", "float", "flat"])
def test_without_a_checksum_the_format_is_checked(source, tmp_path, how):
    path = tmp_path / "cat.npy"
    rows = np.load(path)
    if how == "text":
        path.write_text("<html>Not found</html>")
    elif how in ("truncated", "empty"):
        damage(path, how)
    else:
        more = np.concatenate([rows, rows])
        np.save(path, {"more": more, "float": rows / 255, "flat": rows.ravel()}[how])
    files = (dataclasses.replace(f, size=None, sha256=None) for f in source.files)
    source = dataclasses.replace(source, files=tuple(files))
    with pytest.raises(ValueError, match=r"cat.npy. Expected 5 uint8.*Received: \S"):
        PreparedDataset(source).load_data(tmp_path)
    assert not list(tmp_path.rglob("x_*"))


def test_a_full_disk_leaves_nothing_half_written(source, tmp_path):
    with (
        data_folders.full_disk(10_000),
        pytest.raises(ValueError, match=r"x_train.npy. Expected.* MB of free space"),
    ):
        PreparedDataset(source).load_data(tmp_path)
    assert not list((tmp_path / "quick_draw").iterdir())
    PreparedDataset(source).load_data(tmp_path)


def test_a_read_only_folder(source, tmp_path):
    with (
        data_folders.read_only(tmp_path) as folder,
        pytest.raises(ValueError, match="can't be written.*data_dir.*Permission"),
    ):
        PreparedDataset(source).load_data(folder)
    PreparedDataset(source).load_data(tmp_path)
    with data_folders.read_only(tmp_path) as folder:
        (x_train, _), _ = PreparedDataset(source).load_data(folder)
        assert x_train.shape == (16, 28, 28, 1)


def test_download(source, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    (tmp_path / "data").mkdir()
    (tmp_path / "cat.npy").replace(tmp_path / "data" / "cat.npy")  # by hand
    with data_folders.server(tmp_path) as address:
        remote = data_folders.served(source, address)
        (x_train, _), _ = PreparedDataset(remote).load_data(tmp_path / "data")
    assert x_train.shape == (16, 28, 28, 1)
    assert data_folders.names(tmp_path / "data") == [
        "angel.npy", "cat.npy", "dolphin.npy", "face.npy",
        "quick_draw", "quick_draw/x_test.npy", "quick_draw/x_train.npy",
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["truncated", "swapped", "missing", "full disk"])
def test_a_failed_download_keeps_complete_files(source, tmp_path, monkeypatch, how):
    monkeypatch.setenv("no_proxy", "*")
    if how == "missing":
        (tmp_path / "cat.npy").unlink()
    else:
        damage(tmp_path / "cat.npy", how)
    message = {
        "truncated": "Expected 4048 bytes. Received: 3948 bytes",
        "swapped": r"Expected sha256 \w{64}. Received: \w{64}",
        "missing": "404",
        "full disk": "File too large",
    }[how]
    limit = 1000 if how == "full disk" else 1_000_000
    with (
        data_folders.server(tmp_path) as address,
        data_folders.full_disk(limit),
        pytest.raises(ValueError, match=f"download failed: .*{message}.*by hand"),
    ):
        PreparedDataset(data_folders.served(source, address)).load_data(
            tmp_path / "data"
        )
    complete = [] if how == "full disk" else ["dolphin.npy"]
    assert data_folders.names(tmp_path / "data") == complete


def test_without_network(source, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with data_folders.server(tmp_path) as address:
        pass  # stopped again
    remote = data_folders.served(source, address)
    with pytest.raises(ValueError, match="incomplete: dolphin.npy.*refused") as caught:
        PreparedDataset(remote).load_data(tmp_path / "data")
    for file in remote.files:
        assert f"{file.name} ({file.urls[0]})" in str(caught.value)
    assert str(tmp_path / "data") in str(caught.value)
    assert not (tmp_path / "data").exists()
