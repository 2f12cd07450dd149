import dataclasses
import re
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import PIL.Image
import pytest
from helpers import models, noise_images
from matplotlib import font_manager

from dfal_keras.cli.main import main
from dfal_keras.labeling.views import contact_sheets

CODE = """
import sys
from helpers import noise_images
from dfal_keras.labeling.views import contact_sheets
assert "matplotlib.figure" not in sys.modules
contact_sheets.write_sheets("sheet.png", noise_images.make(1))
"""


def test_a_sheet_needs_no_other_import_of_matplotlib(tmp_path):
    paths = [str(path) for path in sys.path]  # with `helpers`
    code = f"import sys\nsys.path[:] = {paths}\n{CODE}"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "sheet.png").is_file()


def blocks(path, num_rows, num_columns):
    """Return the parts of a picture, as `[row][column]`."""
    picture = np.asarray(PIL.Image.open(path).convert("RGB"))
    return [
        np.array_split(row, num_columns, axis=1)
        for row in np.array_split(picture, num_rows)
    ]


def is_blank(part):
    return bool((part == 255).all())


def has_gray(part, level):
    return bool((part == level).all(axis=2).any())


@pytest.fixture(params=[None, "tight"])
def margins(request, monkeypatch):
    # The figures of `reproduce` trim their margins, in the same process.
    monkeypatch.setitem(matplotlib.rcParams, "savefig.bbox", request.param)
    # A matplotlibrc in the working folder may ask for LaTeX.
    monkeypatch.setitem(matplotlib.rcParams, "text.usetex", bool(request.param))


@pytest.mark.parametrize("num_channels", [1, 3, 4])
def test_examples_and_differences_stand_beside_their_images(
    tmp_path, num_channels, margins
):
    pixels = np.full((8, 8, num_channels), 100, np.uint8)
    queried = noise_images.make(5, image=pixels, adversarial_example=None)
    for i, change in ((1, 50.0), (4, -40.0)):
        queried[i] = dataclasses.replace(
            queried[i], adversarial_example=pixels + change
        )
    (path,) = contact_sheets.write_sheets(tmp_path / "sheet.png", queried)
    parts = blocks(path, 3, 6)
    assert [[is_blank(part) for part in row] for row in parts] == [
        [False, True, True, False, False, False],
        [False, True, True, False, True, True],
        [False, False, False, True, True, True],
    ]
    if num_channels < 4:  # transparent images blend into the page
        assert has_gray(parts[0][3], 100)
        assert has_gray(parts[0][4], 150)
        assert has_gray(parts[2][1], 60)


@pytest.mark.parametrize("examples", [True, False])
@pytest.mark.parametrize(
    ("num_images", "names"),
    [
        (1, ["queries.png"]),
        (20, ["queries.png"]),
        (41, ["queries-1.png", "queries-2.png", "queries-3.png"]),
    ],
)
def test_pages_of_png(tmp_path, num_images, names, examples):
    queried = noise_images.make(num_images, size=8, examples=examples)
    paths = contact_sheets.write_sheets(tmp_path / "queries.png", queried)
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for path in paths:
        width, height = PIL.Image.open(path).size
        assert width == 1600
        assert height <= 2000


def test_pages_of_pdf(tmp_path):
    queried = noise_images.make(41, size=8)
    path = tmp_path / "queries.pdf"
    assert contact_sheets.write_sheets(path, queried) == [path]
    assert path.read_bytes().count(b"/Type /Page ") == 3
    assert [file.name for file in tmp_path.iterdir()] == ["queries.pdf"]


def test_an_image_keeps_its_proportions(tmp_path):
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:] = (255, 0, 0)
    queried = noise_images.make(1, image=wide, examples=False)
    (path,) = contact_sheets.write_sheets(tmp_path / "sheet.png", queried)
    red = (np.asarray(PIL.Image.open(path))[:, :, :3] == (255, 0, 0)).all(axis=2)
    height, width = (np.ptp(indices) + 1 for indices in red.nonzero())
    assert width / height == pytest.approx(4, rel=0.03)
    assert red.sum() == height * width


def test_captions_show_any_name(tmp_path, monkeypatch):
    name = "folder/" + "a" * 40 + "$x_1$\n\x00猫.png"
    drawn = []
    axes_type = matplotlib.axes.Axes
    original = axes_type.text

    def text(self, x, y, caption, **options):
        drawn.append(caption)
        return original(self, x, y, caption, **options)

    monkeypatch.setattr(axes_type, "text", text)
    queried = noise_images.make(1, file=name, predicted="$\\frac{", size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contact_sheets.write_sheets(tmp_path / "sheet.png", queried)
    assert drawn[0].split("\n") == [
        "1. aaaaaaaaaaaa…\\n\\x00猫.png",
        "predicted $\\frac{",
    ]
    assert drawn[1] == "adversarial\npredicted owl"
    assert drawn[2].startswith("difference\nnorm ")


@pytest.mark.parametrize(("letter", "is_other"), [("E", False), ("Ⓔ", True)])
def test_a_character_comes_from_a_font_that_has_it(letter, is_other, tmp_path, caplog):
    """DejaVu Sans, the default, has no letters in circles; STIX of matplotlib has."""
    queried = noise_images.make(1, size=8, predicted=letter)
    (path,) = contact_sheets.write_sheets(tmp_path / "sheet.pdf", queried)
    names = set(re.findall(rb"/BaseFont /\w+\+(\S+)", path.read_bytes()))
    assert len(names - {b"DejaVuSans"}) == is_other
    assert not caplog.records


def test_characters_that_no_font_has_are_logged_once(tmp_path, caplog, monkeypatch):
    manager = font_manager.fontManager
    own = [font for font in manager.ttflist if "mpl-data" in font.fname]
    monkeypatch.setattr(manager, "ttflist", own)
    queried = noise_images.make(21, size=8, file="folder\n/猫\n.png", predicted="Ⓔ")
    contact_sheets.write_sheets(tmp_path / "sheet.png", queried)
    (record,) = caplog.records
    assert record.getMessage() == ("No installed font has 猫 (U+732B): drawn as boxes.")


@pytest.mark.parametrize("shape", [(8,), (8, 8), (8, 8, 2)])
def test_samples_that_are_not_images_are_rejected(tmp_path, shape):
    queried = noise_images.make(1, image=np.zeros(shape), examples=False)
    with pytest.raises(ValueError, match=r"`queried` must hold.*Received: shape"):
        contact_sheets.write_sheets(tmp_path / "sheet.png", queried)
    assert not list(tmp_path.iterdir())


def test_other_files_are_rejected(tmp_path):
    queried = noise_images.make(1)
    for name in ("sheet.jpg", "sheet", "sheet.PNG"):
        with pytest.raises(ValueError, match=r"'.pdf', '.png'.*Received: path="):
            contact_sheets.write_sheets(tmp_path / name, queried)
    with pytest.raises(ValueError, match=r"at least 1"):
        contact_sheets.write_sheets(tmp_path / "sheet.png", [])
    assert not list(tmp_path.iterdir())


STRATEGIES = """
import numpy as np
from dfal_keras.strategies import Query, Strategy

class OneExample(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        examples = np.asarray(x_unlabeled[1:2], np.float32) + 50
        return Query(
            np.arange(2), companions=examples, companion_rows=np.array([1])
        )

class NoExamples(Strategy):
    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        return Query(np.arange(2), None, np.empty((0, 8, 8, 1)), np.empty(0, int))
"""


@pytest.mark.parametrize(
    ("name", "num_columns", "blank"),
    [
        ("OneExample", 6, [False, True, True, False, False, False]),
        ("NoExamples", 4, [False, False, True, True]),
    ],
)
@pytest.mark.parametrize("white", [1, 255])
def test_missing_adversarial_examples_are_left_blank(
    tmp_path, monkeypatch, name, num_columns, blank, white
):
    (tmp_path / "own_strategies.py").write_text(STRATEGIES)
    monkeypatch.syspath_prepend(tmp_path)
    models.linear(2, input_shape=(8, 8, 1)).save(tmp_path / "model.keras")
    pixels = np.full((5, 8, 8, 1), 0.6 * white, "float32")
    np.save(tmp_path / "pool.npy", pixels)
    arguments = ["--model", tmp_path / "model.keras", "--pool"]
    arguments += [tmp_path / "pool.npy", "--out", tmp_path / "out.csv"]
    arguments += ["--num-queries", 2, "--strategy", f"own_strategies:{name}"]
    assert main(["query", *map(str, arguments)]) == 0
    (row,) = blocks(tmp_path / "out.png", 1, num_columns)
    assert [is_blank(part) for part in row] == blank
    assert has_gray(row[0], 153)
