"""The README of the data sets: code runs, numbers and names match the modules."""

import pathlib
import re
import sys

import pytest
from helpers import data_folders

from dfal_keras import datasets
from dfal_keras.datasets import mnist, quick_draw, shoe_bag
from dfal_keras.datasets.__main__ import main

README = pathlib.Path(datasets.__file__).with_name("README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_block_prints_what_it_shows(capsys):
    block = blocks("python")[0]
    exec(block, {})
    shown = [line[2:] for line in block.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == shown


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no tensorflow-datasets")
def test_the_second_block_registers_the_builders():
    imports, _, load = blocks("python")[1].rpartition("\n\n")
    session = {}
    exec(imports, session)
    (name,) = re.findall(r'tfds.load\("(\w+)"', load)
    builder = session["tfds"].builder_cls(name)
    assert builder.__module__ == "dfal_keras.datasets.builders"


def test_the_table_has_the_numbers_of_images():
    (train, _), (test, _) = mnist.SHAPES
    assert f'`"mnist"` | {train[0]:,} + {test[0]:,}, 28x28x1' in README
    for source in quick_draw.SOURCE, shoe_bag.SOURCE:
        train, test = (sum(source.num_images(split)) for split in ("train", "test"))
        shape = "x".join(map(str, source.image_shape))
        numbers = f"{train:,} + {test:,}, {shape} | {', '.join(source.class_names)}"
        assert f'`"{source.name}"` | {numbers}' in README
        assert all(f"`{file.name}`" in README for file in source.files)


def test_the_sizes_are_right():
    downloads = sum(file.size for file in quick_draw.SOURCE.files)
    assert f"download of {downloads / 1e6:.0f} MB from Google" in README
    sizes = []
    for source in quick_draw.SOURCE, shoe_bag.SOURCE:
        height, width, channels = source.image_shape
        count = sum(map(sum, map(source.num_images, ("train", "test"))))
        sizes.append(count * height * width * channels)
    assert f"({sizes[0] / 1e6:.0f} MB and {sizes[1] / 1e9:.1f} GB)" in README
    assert f"uncompressed file ({70_000 * 785 / 1e6:.0f} MB)" in README


@pytest.mark.parametrize("line", blocks("bash")[0].splitlines())
def test_the_commands_run(line, tmp_path, monkeypatch):
    source = data_folders.small_quick_draw(tmp_path)
    data_folders.replace_dataset(monkeypatch, source)
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    command, _, _ = line.partition("#")
    assert command.split()[:3] == ["python", "-m", "dfal_keras.datasets"]
    assert main(command.split()[3:]) == 0
