"""Tables and exports as other programs write them, and what is left out of them."""

import json

import pytest

from dfal_keras.labeling.formats import reading
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.formats.notes import Notes

EXPECTED = [Answer("a;b.png", "", "cat"), Answer("c.png", "", "a\tb")]


def read(tmp_path, content, **options):
    path = tmp_path / "file"
    is_text = isinstance(content, str)
    path.write_text(content if is_text else json.dumps(content), "utf-8")
    return reading.read_answers(path, **options)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\n", "sep={}\r\n", '"sep={}"\n'])
def test_quoted_cells_with_any_separator(tmp_path, separator, first):
    rows = [["file", "label"], ["a;b.png", "cat"], ["c.png", "a\tb"]]
    lines = [separator.join(f'"{cell}"' for cell in row) for row in rows]
    text = first.format(separator) + "\n".join(lines)
    assert read(tmp_path, text) == EXPECTED


def test_an_error_in_a_row_is_still_one(tmp_path):
    with pytest.raises(ValueError, match="line 3"):
        read(tmp_path, 'file;label\na.png;cat\n"b.png"x;dog\n')


def test_label_studio_csv_of_its_own_template(tmp_path):
    text = (
        "image,id,choice,annotator\n"
        "/data/upload/3/0a1b2c3d-a.png,1,cat,7\n"
        "/data/local-files/?d=images/b.png,2,dog,7\n"
    )
    expected = [Answer("a.png", "", "cat", "7"), Answer("images/b.png", "", "dog", "7")]
    assert read(tmp_path, text) == expected


def task(name, *results, key="annotations", **annotation):
    return {"data": {"image": name}, key: [{"result": list(results), **annotation}]}


def choice(label, question="choice"):
    return {"type": "choices", "from_name": question, "value": {"choices": [label]}}


BOX = {"type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["cat"]}}
COMMENT = {"type": "textarea", "value": {"text": ["blurred"]}}


def test_other_results_are_left_out_with_a_count(tmp_path):
    notes = Notes()
    tasks = [
        task("a.png", choice("cat"), BOX, COMMENT),
        task("b.png", BOX, choice("dog"), choice("day", "time")),
        task("c.png", choice("dog"), reviews=[{"accepted": False}]),
        task("d.png", choice("dog"), reviews=[{"accepted": False}, {"accepted": True}]),
        task("e.png", choice("dog"), choice("cat")),
    ]
    found = read(tmp_path, tasks, notes=notes)
    assert [(a.file, a.label) for a in found] == [
        ("a.png", "cat"),
        ("b.png", "dog"),
        ("d.png", "dog"),
    ]
    assert notes.left_out == {
        "results of type rectanglelabels": 2,
        "results of type textarea": 1,
        "choices of the question 'time'": 1,
        "annotations that a reviewer rejected": 1,
    }
    assert notes.conflicts == {"e.png": ["dog", "cat"]}
    assert len(notes.lines()) == 6


def test_completions_of_old_exports(tmp_path):
    found = read(tmp_path, [task("a.png", choice("cat"), key="completions")])
    assert [(a.file, a.label) for a in found] == [("a.png", "cat")]


DATUMARO = {
    "categories": {"label": {"labels": [{"name": "cat"}]}},
    "items": [{"id": "a", "annotations": [{"type": "bbox", "label_id": 0}]}],
}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"id": 1, "image": "a.png", "animal": "cat"}], "animal"),
        ([task("a.png")], "annotations"),
        ([task("a.png", BOX)], "rectanglelabels"),
        (DATUMARO, "expected labels"),
        ("<annotations><image name='a.png'/></annotations>", "expected labels"),
        (
            [{"data": {"image": "a"}, "annotations": [{"result": float("nan")}]}],
            "resul",
        ),
    ],
)
def test_tasks_without_labels_are_an_error_that_says_what_is_there(
    tmp_path, content, message
):
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, content, notes=Notes())
    assert str(error.value).count("\n") == 0


def test_conflicts_in_cvat_are_listed(tmp_path):
    tags = "<tag label='{}'/>"
    text = "<annotations>" + "".join(
        f"<image name='{name}'>{''.join(map(tags.format, labels * 2))}</image>"
        for name, labels in {
            "a": ["cat"],
            "b": ["cat", "dog"],
            "c": ["dog"] * 2,
        }.items()
    )
    notes = Notes()
    found = read(tmp_path, text + "</annotations>", notes=notes)
    assert [(a.file, a.label) for a in found] == [("a", "cat"), ("c", "dog")]
    assert notes.conflicts == {"b": ["cat", "dog"]}
