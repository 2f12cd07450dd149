import base64
import dataclasses
import io
import json
import pathlib
import re

import numpy as np
import PIL.Image
import pytest
from helpers import noise_images

from dfal_keras.labeling.formats import csv_files
from dfal_keras.labeling.views import page as labeling_page

CLASSES = ["cat", "dog", "owl"]


def written(tmp_path, queried, classes=CLASSES, **options):
    """Return the text of a page, and the data in it."""
    path = tmp_path / "queries.html"
    labeling_page.write_page(path, queried, classes, **options)
    text = path.read_text("utf-8")
    data = re.search(r'<script type="application/json".*?>(.*?)</script>', text)
    return text, json.loads(data[1])


def pixels(address):
    file = io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))
    return np.asarray(PIL.Image.open(file))


@pytest.mark.parametrize("num_channels", [1, 3, 4])
def test_the_page_holds_the_images(tmp_path, num_channels):
    queried = noise_images.make(3, num_channels=num_channels)
    _, data = written(tmp_path, queried)
    for image, shown in zip(queried, data["images"], strict=True):
        np.testing.assert_array_equal(pixels(shown["image"]), image.image.squeeze())
        example = pixels(shown["example"])
        error = np.abs(example - image.adversarial_example.squeeze().clip(0, 255))
        assert error.max() <= 0.5
        assert example.std() > 0


def test_images_without_adversarial_examples(tmp_path):
    queried = noise_images.make(2, examples=False)
    _, data = written(tmp_path, queried)
    assert [image["example"] for image in data["images"]] == [None, None]


def test_nothing_is_loaded_from_elsewhere(tmp_path):
    text, _ = written(tmp_path, noise_images.make(3))
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in text
    assert "://" not in text  # base64 has no colon
    assert not re.search(r'\b(src|href|action)="', text)


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        (["cat"], ["1"]),
        (CLASSES, ["1", "2", "3"]),
        (["2", "0", "7"], ["2", "0", "7"]),
        (["2", "0", "10"], ["1", "2", "3"]),
        ([f"c{i}" for i in range(10)], list("1234567890")),
        ([str(i) for i in range(10)], list("0123456789")),
        (
            [f"c{i}" for i in range(11)],
            ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"],
        ),
    ],
)
def test_keys_of_classes(classes, keys):
    assert labeling_page.class_keys(classes) == keys


def test_keys_of_many_classes_are_different_and_equally_long():
    keys = labeling_page.class_keys([f"c{i}" for i in range(1000)])
    assert keys[0] == "0001"
    assert keys[-1] == "1000"
    assert len(set(keys)) == 1000


def test_answers_are_kept_for_one_query(tmp_path):
    queried = noise_images.make(3)
    variants = [
        (queried, CLASSES),
        (queried[:2], CLASSES),
        (queried, [*CLASSES, "hen"]),
        (noise_images.make(3, seed=1), CLASSES),
    ]
    keys = [written(tmp_path, *variant)[1]["storage_key"] for variant in variants]
    assert len(set(keys)) == 4
    assert written(tmp_path, *variants[0])[1]["storage_key"] == keys[0]


def test_the_page_saves_what_csv_files_writes(tmp_path):
    names = ["=1+1", 'a "quoted", b', "line\nbreak", "\rreturn", "'=a", "-1", " "]
    queried = [
        dataclasses.replace(image, file=name, predicted=name, label="=1, dog")
        for image, name in zip(noise_images.make(len(names)), names, strict=True)
    ]
    queried[0] = dataclasses.replace(queried[0], score=None, label="")
    _, data = written(tmp_path, queried, ["=1, dog"])
    cells = {"": "", "=1, dog": data["classes"][0]["cell"]}
    lines = [image["cells"] + cells[image["label"]] for image in data["images"]]
    csv_files.write_queries(tmp_path / "queries.csv", queried)
    expected = (tmp_path / "queries.csv").read_bytes().decode()
    assert "\r\n".join([data["header"], *lines, ""]) == expected


@pytest.mark.parametrize(
    "classes", [[], ["cat", ""], ["cat", " "], ["cat", "?"], ["cat", 3], ["cat", "cat"]]
)
def test_impossible_classes_are_rejected(tmp_path, classes):
    with pytest.raises(ValueError, match=r"`classes` must hold .*Received: classes="):
        labeling_page.write_page(tmp_path / "a.html", noise_images.make(1), classes)
    assert not list(tmp_path.iterdir())


def test_impossible_images_are_rejected(tmp_path):
    path = tmp_path / "a.html"
    with pytest.raises(ValueError, match=r"`queried` must hold images.*Received: none"):
        labeling_page.write_page(path, [], CLASSES)
    (hen,) = noise_images.make(1, label="hen")
    with pytest.raises(ValueError, match=r"labels that are among.*label='hen' for"):
        labeling_page.write_page(path, [hen], CLASSES)
    with pytest.raises(ValueError, match=r"1, 3 or 4 channels. Received: shape"):
        labeling_page.write_page(path, noise_images.make(1, num_channels=2), CLASSES)
    assert not list(tmp_path.iterdir())


def luminance(color):
    """Return the relative luminance of a color, as WCAG 2.1 defines it."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(
        channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def color_schemes():
    folder = pathlib.Path(labeling_page.__file__).parent
    style = (folder / "page.css").read_text()
    schemes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#\w{6})", scheme)) for scheme in schemes]


@pytest.mark.parametrize("scheme", color_schemes(), ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("text", "page"),
        ("text", "panel"),
        ("text", "chosen"),
        ("muted", "page"),
        ("muted", "panel"),
        ("on-accent", "accent"),
        ("accent", "panel"),
        ("unsure", "panel"),
    ],
)
def test_text_has_the_contrast_that_wcag_asks_for(scheme, front, back):
    low, high = sorted(luminance(scheme[name]) for name in (front, back))
    assert (high + 0.05) / (low + 0.05) >= 4.5
