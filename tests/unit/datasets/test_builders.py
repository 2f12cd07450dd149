import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers import data_folders

from dfal_keras.datasets import builders, download


def test_registered():
    assert tfds.builder_cls("quick_draw") is builders.QuickDraw
    assert tfds.builder_cls("shoe_bag") is builders.ShoeBag


def test_four_files_are_downloaded_and_verified():
    infos = builders.QuickDraw.url_infos
    assert [(url.rsplit("/")[-1], info.size) for url, info in infos.items()] == [
        ("dolphin.npy", 95_344_672),
        ("cat.npy", 96_590_448),
        ("face.npy", 126_746_224),
        ("angel.npy", 117_393_104),
    ]
    assert all(len(info.checksum) == 64 for info in infos.values())


def quick_draw(tmp_path, monkeypatch):
    """Return the builder of a small data set, downloaded from a folder."""
    source = data_folders.small_quick_draw(tmp_path / "remote")
    source = data_folders.served(source, f"file://{tmp_path / 'remote'}")
    monkeypatch.setattr(builders.QuickDraw, "SOURCE", source)
    monkeypatch.setattr(builders.QuickDraw, "url_infos", download.url_infos(source))
    return tfds.builder("quick_draw", data_dir=tmp_path / "tfds")


def test_quick_draw(tmp_path, monkeypatch):
    builder = quick_draw(tmp_path, monkeypatch)
    builder.download_and_prepare()
    sizes = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert sizes == {"train": 16, "test": 4}
    assert builder.info.features["label"].names == ["dolphin", "cat", "face", "angel"]
    for image, label in tfds.as_numpy(
        builder.as_dataset(split="test", as_supervised=True)
    ):
        drawings = data_folders.DRAWINGS[builder.info.features["label"].names[label]]
        np.testing.assert_array_equal(image, drawings[4].reshape(28, 28, 1))


def test_quick_draw_is_verified(tmp_path, monkeypatch):
    builder = quick_draw(tmp_path, monkeypatch)
    np.save(tmp_path / "remote" / "cat.npy", np.zeros((5, 784), np.uint8))
    with pytest.raises(Exception, match="cat.npy.*wrong checksum"):
        builder.download_and_prepare()


@pytest.mark.parametrize("manual", [True, False])
def test_shoe_bag(tmp_path, monkeypatch, manual):
    """Use the files in `manual_dir`, or download them if it is empty."""
    source = data_folders.small_shoe_bag(tmp_path / "remote")
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(
        builders.ShoeBag,
        "SOURCE",
        data_folders.zipped(source, tmp_path / "remote", f"file://{tmp_path}/remote"),
    )
    builder = tfds.builder("shoe_bag", data_dir=tmp_path / "tfds")
    folder = tmp_path / ("remote" if manual else "empty")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=folder)
    )
    sizes = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert sizes == {"train": 12, "test": 4}
    assert (tmp_path / "tfds" / "downloads" / "shoe_bag").exists() != manual
