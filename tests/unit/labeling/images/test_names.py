"""Names of images that other programs have changed."""

import unicodedata

import pytest

from dfal_keras.labeling.images.names import NameIndex

NAMES = ["a/é.png", "a/x.png", "b/x.png", "top.png", "c/12345678-cat.png", "d\\e.png"]
ROWS = {name: row for row, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *((name, name) for name in NAMES),
        (unicodedata.normalize("NFD", "a/é.png"), "a/é.png"),
        ("./a/x.png", "a/x.png"),
        ("a\\x.png", "a/x.png"),
        (".\\a\\x.png", "a/x.png"),
        ("photos/a/x.png", "a/x.png"),
        ("/home/ada/photos/a/x.png", "a/x.png"),
        ("C:\\Users\\ada\\b\\x.png", "b/x.png"),
        ("other/top.png", "top.png"),
        ("0a1b2c3d-top.png", "top.png"),
        ("upload/3/0a1b2c3d-top.png", "top.png"),
        ("12345678-cat.png", "c/12345678-cat.png"),
        (" a/x.png\t", "a/x.png"),
        ("photos/top.png ", "top.png"),
        ("é.png", "a/é.png"),  # its folder is lost
        ("x.png", None),  # two fit
        ("c/x.png", None),
        ("no.png", None),
        ("", None),
        (" ", None),
        ("/", None),
        ("0a1b2c3d-", None),
        ("png", None),
        ("op.png", None),
    ],
)
def test_names_are_found_where_one_image_fits(given, expected):
    row = NameIndex(ROWS).find(given)
    assert (None if row is None else NAMES[row]) == expected


def test_two_files_whose_names_differ_in_their_spaces_only():
    index = NameIndex({"a.png": 0, "a.png ": 1})
    assert [index.find(name) for name in ("a.png", "a.png ", " a.png")] == [0, 1, None]


def test_files_with_equal_content_are_one_image():
    assert NameIndex({"a/x.png": 0, "b/x.png": 0}).find("x.png") == 0


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_two_files_whose_names_differ_in_their_form_only(form):
    index = NameIndex({unicodedata.normalize(f, "é.png"): f for f in ("NFC", "NFD")})
    assert index.find(unicodedata.normalize(form, "é.png")) == form
    assert index.find("photos/" + unicodedata.normalize(form, "é.png")) is None
