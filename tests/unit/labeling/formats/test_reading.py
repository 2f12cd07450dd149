"""Answers from any file, and the majority of several annotators."""

import io
import json
import pathlib
import zipfile

import numpy as np
import pytest
from helpers import cvat_exports, queried_images
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dfal_keras.labeling.formats import csv_files, label_studio_tasks, reading
from dfal_keras.labeling.formats.reading import Answer

DATA = pathlib.Path(__file__).parents[3] / "data"
CAT, DOG, OWL = queried_images.CLASSES
TEXT = "file,label\nä.png,cat\nb.png,?\n"
TWO = [Answer("ä.png", "", "cat"), Answer("b.png", "", None)]


def write(tmp_path, data, name="file"):
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def make_archive(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # Without the time: archives are in the names of tests, on which all test
            # processes have to agree.
            info = zipfile.ZipInfo(name.replace("__", "/").replace("_", "."))
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-with-mark"]
)
def test_text_in_unicode_is_read(tmp_path, encoding):
    if encoding == "utf-16-le-with-mark":  # "Unicode text" of Excel
        data = ("\ufeff" + TEXT.replace(",", "\t")).encode("utf-16-le")
    else:
        data = TEXT.encode(encoding)
    assert reading.read_answers(write(tmp_path, data)) == TWO


def test_filled_in_queries_are_read(tmp_path):
    path = tmp_path / "queries.csv"
    queried = queried_images.make(label=CAT)
    csv_files.write_queries(path, queried)
    assert reading.read_answers(path) == [
        Answer(query.file, query.sha256, CAT) for query in queried
    ]


@pytest.mark.parametrize("name", ["json", "min.json", "csv"])
def test_exports_of_label_studio_are_read(name):
    """All formats agree: JSON alone has the skipped tasks."""
    decided, ties = reading.by_majority(
        reading.read_answers(DATA / f"label_studio_export.{name}")
    )
    labels = {answer.file: answer.label for answer in decided}
    skipped = {"line\nbreak.png": None} if name == "json" else {}
    assert labels == {"cat 1.png": CAT, "ü#%&?.png": OWL, "=1+1.png": DOG} | skipped
    assert [answer.file for answer in ties] == ["sub/owl,2;.png"]


def test_addresses_without_a_file_name_need_the_prefix(tmp_path):
    annotation = {"result": [{"value": {"choices": ["cat"]}}]}
    data = {"image": "https://x.org/i/sub/a%20b.png"}
    content = json.dumps([{"data": data, "annotations": [annotation]}])
    path = write(tmp_path, content)
    found = reading.read_answers(path, prefix="https://x.org/i/")
    assert found == [Answer("sub/a b.png", "", "cat")]


def test_exports_of_cvat_are_read_as_they_are_and_in_archives(tmp_path):
    for content, name in (
        (cvat_exports.task(), "annotations_xml"),
        (cvat_exports.datumaro(), "annotations__default_json"),
    ):
        expected = reading.read_answers(write(tmp_path, content))
        assert len(expected) in (2, 3)
        archive = make_archive(**{name: content, "images__a_jpg": b""})
        assert reading.read_answers(write(tmp_path, archive)) == expected


def test_the_name_of_a_file_does_not_matter(tmp_path):
    content = cvat_exports.task()
    expected = reading.read_answers(write(tmp_path, content))
    path = write(tmp_path, b"\n  " + content.partition(b"\n")[2], "labels.csv")
    assert reading.read_answers(path) == expected


def make_png():
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \r\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (make_png(), "expected text, received binary data"),
        (b"file\0,label\n", "expected text, received binary data"),
        (
            "file,label\na,b\nMüller,cat\n".encode("latin-1"),
            "line 3: .*UTF-8.*M\\\\xfc",
        ),
        (TEXT.encode("utf-16-le"), "received binary data"),
        (b"\xff\xfef", "line 1: expected text in UTF-8"),
        (b"hello", "line 1: expected the columns `label`"),
        (b"{", "line 1: expected JSON"),
        (b'[\n{"a": 1},\n]', "line [23]: expected JSON"),  # 2 since Python 3.13
        (b"[" * 100_000, "fewer nested levels"),
        (b"{}", "expected `categories` and `items`"),
        (b"[3]", "expected task 1"),
        (b"<html>\n", "line 2: expected XML"),
        (b"PK\3\4", "the archive can't be read"),
        (make_archive(xl__workbook_xml=b""), "save a workbook as CSV"),
        (make_archive(a_txt=b""), "expected an archive with annotations.xml .*a.txt"),
        (make_archive(annotations__a_json=b"["), "line 1: expected JSON"),
        (make_archive(annotations_xml=b"<a>"), "line 1: expected XML"),
    ],
)
def test_other_files_are_refused(tmp_path, data, message):
    path = write(tmp_path, data)
    with pytest.raises(ValueError, match=message) as caught:
        reading.read_answers(path)
    assert str(caught.value).startswith("Argument `path` must name a CSV file with")
    assert f"Received: path={str(path)!r} (" in str(caught.value)


def test_a_damaged_archive_is_refused(tmp_path):
    data = bytearray(make_archive(annotations_xml=b"<annotations/>" * 50))
    data[60] ^= 255
    with pytest.raises(ValueError, match="the archive can't be read"):
        reading.read_answers(write(tmp_path, bytes(data)))


def test_a_large_file_in_a_small_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_MAX_BYTES", 2**20)
    path = write(tmp_path, make_archive(annotations_xml=b" " * (2**20 + 1)))
    assert path.stat().st_size < 2**11
    with pytest.raises(ValueError, match="expected at most 1048576 bytes in annot"):
        reading.read_answers(path)


def test_a_large_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_MAX_BYTES", len(TEXT.encode()))
    assert reading.read_answers(write(tmp_path, TEXT)) == TWO
    with pytest.raises(ValueError, match="expected at most 30 bytes in file"):
        reading.read_answers(write(tmp_path, TEXT + "x"))


@pytest.mark.parametrize(
    ("size", "message"),
    [(2**28, "received binary data"), (2**28 + 1, "expected at most 268435456 bytes")],
)
def test_files_of_256_mb_are_read_and_larger_ones_are_not(tmp_path, size, message):
    path = tmp_path / "answers.csv"
    with path.open("wb") as file:
        file.truncate(size)  # zeros, which take no space on the disk
    with pytest.raises(ValueError, match=message):
        reading.read_answers(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "no"):
        with pytest.raises(ValueError, match="`path` must .*there is no such file"):
            reading.read_answers(path)


def vote(*votes):
    """Return the answers of annotators about one image."""
    return [
        Answer("a.png", "12", None if label == "?" else label, who)
        for who, label in votes
    ]


@pytest.mark.parametrize(
    ("votes", "label", "who"),
    [
        ([("ann", "cat")], "cat", "ann"),
        ([("ann", "cat"), ("bob", "dog"), ("cem", "cat")], "cat", "ann, cem"),
        ([("ann", "cat"), ("ann", "dog")], "dog", "ann"),
        ([("ann", "cat"), ("bob", "dog"), ("ann", "dog")], "dog", "ann, bob"),
        ([("ann", "?"), ("bob", "?"), ("cem", "dog")], "dog", "cem"),
        ([("ann", "?"), ("bob", "?")], None, "ann, bob"),
        ([("ann", "cat"), ("ann", "?")], None, "ann"),
        ([("", "cat"), ("", "dog")], "dog", ""),
        ([("", "cat"), ("ann", "cat")], "cat", "ann"),
        (
            [("a", "cat"), ("b", "dog"), ("c", "owl"), ("d", "cat")],
            "cat",
            "a, d",
        ),
    ],
)
def test_the_class_with_the_most_votes_wins(votes, label, who):
    assert reading.by_majority(vote(*votes)) == (
        [Answer("a.png", "12", label, who)],
        [],
    )


@pytest.mark.parametrize(
    ("votes", "who"),
    [
        ([("ann", "cat"), ("bob", "dog")], "ann, bob"),
        ([("ann", "cat"), ("bob", "dog"), ("cem", "?")], "ann, bob"),
        ([("ann", "cat"), ("bob", "cat"), ("bob", "dog")], "ann, bob"),
        ([("a", "cat"), ("b", "dog"), ("c", "owl")], "a, b, c"),
        ([("a", "cat"), ("b", "dog"), ("c", "dog"), ("d", "cat")], "a, b, c, d"),
    ],
)
def test_ties_are_returned(votes, who):
    assert reading.by_majority(vote(*votes)) == ([], [Answer("a.png", "12", None, who)])


def test_images_are_matched_by_checksum_then_by_name():
    told = [
        Answer("old.png", "12", "cat", "ann"),
        Answer("new.png", "12", "cat", "bob"),  # moved
        Answer("new.png", "", "dog", "cem"),  # has no checksum
        Answer("", "12", "cat", "dan"),  # has no name
        Answer("other.png", "", "owl", "ann"),
    ]
    assert reading.by_majority(told) == (
        [
            Answer("old.png", "12", "cat", "ann, bob, dan"),
            Answer("other.png", "", "owl", "ann"),
        ],
        [],
    )


def test_a_file_that_has_changed_is_another_image():
    told = [
        Answer("a.png", "12", "cat", "ann"),
        Answer("a.png", "34", "dog", "bob"),
        Answer("a.png", "", "owl", "cem"),
    ]
    assert reading.by_majority(told)[0] == told


def test_images_without_answers_are_none():
    assert reading.by_majority([]) == ([], [])


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("?12"))
    )
)
def test_the_majority_is_that_of_a_literal_count(told):
    decided, ties = reading.by_majority(
        Answer(file, "", None if label == "?" else label, who)
        for file, who, label in told
    )
    expected = {}
    for file in {file for file, _, _ in told}:
        latest = {who: label for name, who, label in told if name == file}
        counts = {one: list(latest.values()).count(one) for one in "12"}
        if counts["1"] == counts["2"]:
            expected[file] = "tie" if counts["1"] else None
        else:
            expected[file] = max(counts, key=counts.get)
    found = {answer.file: answer.label for answer in decided}
    found |= {answer.file: "tie" for answer in ties}
    assert found == expected
    assert len(decided) + len(ties) == len(expected)


def test_answers_of_written_tasks_come_back(tmp_path):
    """From the tasks through an annotator to the answers."""
    path = tmp_path / "tasks.json"
    queried = queried_images.make()
    label_studio_tasks.write_tasks(path, queried, prefix="/data/local-files/?d=")
    tasks = json.loads(path.read_text())
    for task in tasks:
        result = task["predictions"][0]["result"]
        task["annotations"] = [{"result": result, "completed_by": 1}]
    path.write_text(json.dumps(tasks))
    assert reading.read_answers(path) == [
        Answer(query.file, query.sha256, query.predicted, "1") for query in queried
    ]
