"""Tasks for Label Studio, and its exports.

The exports in tests/data are Label Studio's own, see test_label_studio_itself.py.
"""

import json
import pathlib
import urllib.parse
from xml.etree import ElementTree

import pytest
from helpers import queried_images

from dfal_keras.labeling.formats import label_studio, label_studio_tasks
from dfal_keras.labeling.formats.answer import Answer

DATA = pathlib.Path(__file__).parents[3] / "data"
CAT, DOG, OWL = queried_images.CLASSES


def write(tmp_path, queried, **options):
    path = tmp_path / "tasks.json"
    label_studio_tasks.write_tasks(path, queried, **options)
    return json.loads(path.read_text())


def make_task(*annotations, **data):
    return {
        "id": 7,
        "data": {"image": "/a.png", **data},
        "annotations": list(annotations),
    }


def make_annotation(*choices, **options):
    result = {"type": "choices", "from_name": "x", "value": {"choices": list(choices)}}
    return {"result": [result] if choices else [], "was_cancelled": False, **options}


def test_a_task_is_in_the_documented_format(tmp_path):
    queried = queried_images.make(["a b.png"])
    assert write(tmp_path, queried, prefix="https://x.org/i/", model_version="m") == [
        {
            "data": {
                "image": "https://x.org/i/a%20b.png",
                "file": "a b.png",
                "sha256": queried_images.checksum(1),
                "rank": 1,
                "score": 1 / 3,
            },
            "predictions": [
                {
                    "model_version": "m",
                    "score": 0.875,
                    "result": [
                        {
                            "id": "prediction-1",
                            "type": "choices",
                            "from_name": "label",
                            "to_name": "image",
                            "value": {"choices": [DOG]},
                        }
                    ],
                }
            ],
        }
    ]


@pytest.mark.parametrize("score", [None, float("inf"), float("nan")])
def test_what_is_no_number_in_json_is_null(tmp_path, score):
    (task,) = write(tmp_path, queried_images.make(["a.png"], score=score))
    assert task["data"]["score"] is None


@pytest.mark.parametrize(
    "prefix",
    ["", "images/", "s3://bucket/", "https://x.org/i/", "/data/local-files/?d=pool/"],
)
def test_names_are_found_again_in_addresses(tmp_path, prefix):
    """Also without the checksum and the file name in the data."""
    tasks = write(tmp_path, queried_images.make(), prefix=prefix)
    for task in tasks:
        task["data"] = {"image": task["data"]["image"]}
        task["annotations"] = [make_annotation("cat")]
    answers = label_studio.parse_export(tasks, prefix=prefix)
    assert [answer.file for answer in answers] == list(queried_images.NAMES)


@pytest.mark.parametrize("prefix", ["https://x.org/i/", "/data/local-files/?d=pool/"])
def test_addresses_lead_to_the_file(tmp_path, prefix):
    """A server splits the address and decodes the path or the parameter."""
    tasks = write(tmp_path, queried_images.make(), prefix=prefix)
    for name, task in zip(queried_images.NAMES, tasks, strict=True):
        parts = urllib.parse.urlsplit(task["data"]["image"])
        if parts.query:
            assert urllib.parse.parse_qs(parts.query)["d"] == [f"pool/{name}"]
        else:
            assert urllib.parse.unquote(parts.path) == f"/i/{name}"


def test_the_interface_has_one_choice_for_each_class():
    root = ElementTree.fromstring(
        label_studio_tasks.labeling_config(queried_images.CLASSES)
    )
    image, choices = root
    assert (image.tag, image.get("value")) == ("Image", "$image")
    assert choices.get("toName") == image.get("name") == "image"
    assert choices.get("name") == "label"
    assert [choice.get("value") for choice in choices] == list(queried_images.CLASSES)


def test_the_prediction_names_the_tags_of_the_interface(tmp_path):
    root = ElementTree.fromstring(
        label_studio_tasks.labeling_config(queried_images.CLASSES)
    )
    (task,) = write(tmp_path, queried_images.make(["a.png"]))
    (result,) = task["predictions"][0]["result"]
    names = {element.tag: element.get("name") for element in root}
    assert result["from_name"] == names["Choices"]
    assert result["to_name"] == names["Image"]


def test_an_export_as_json_is_read():
    """The newest annotation is the last one, drafts and predictions do not count."""
    content = json.loads((DATA / "label_studio_export.json").read_text())
    answers = label_studio.parse_export(content)
    assert [(answer.file, answer.label, answer.who) for answer in answers] == [
        ("cat 1.png", DOG, "1"),
        ("cat 1.png", CAT, "1"),
        ("cat 1.png", CAT, "2"),
        ("sub/owl,2;.png", DOG, "1"),
        ("sub/owl,2;.png", OWL, "2"),
        ("ü#%&?.png", OWL, "1"),
        ("=1+1.png", DOG, "2"),
        ("=1+1.png", None, "1"),
        ("line\nbreak.png", None, "2"),
    ]
    assert answers[0].sha256 == queried_images.checksum(1)


def test_an_export_as_json_min_is_the_same_without_skipped_tasks():
    content, short = (
        json.loads((DATA / f"label_studio_export.{suffix}").read_text())
        for suffix in ("json", "min.json")
    )
    expected = [
        answer
        for answer in label_studio.parse_export(content)
        if answer.label is not None
    ]
    assert label_studio.parse_export(short) == expected


@pytest.mark.parametrize(
    ("completed_by", "who"),
    [
        (3, "3"),
        ({"id": 3, "email": "ann@example.com", "first_name": ""}, "ann@example.com"),
        (None, ""),
    ],
)
def test_annotators_are_named(completed_by, who):
    task = make_task(make_annotation("cat", completed_by=completed_by))
    assert [answer.who for answer in label_studio.parse_export([task])] == [who]


def test_images_are_identified_by_checksum_then_file_then_address():
    annotation = make_annotation("cat")
    tasks = [
        make_task(annotation, file="f.png", sha256="12"),
        make_task(annotation, file="f.png"),
        make_task(annotation),
    ]
    assert [
        (answer.file, answer.sha256) for answer in label_studio.parse_export(tasks)
    ] == [
        ("f.png", "12"),
        ("f.png", ""),
        ("a.png", ""),
    ]


def test_uploaded_images_have_their_names():
    task = make_task(make_annotation("cat"), image="/data/upload/3/d2727cdd-cat_1.png")
    assert label_studio.parse_export([task])[0].file == "cat_1.png"


def test_the_time_of_the_last_change_decides_the_order():
    task = make_task(
        make_annotation("changed", updated_at="2026-01-03", created_at="2026-01-01"),
        make_annotation("newer", updated_at="2026-01-02", created_at="2026-01-02"),
    )
    labels = [answer.label for answer in label_studio.parse_export([task])]
    assert labels == ["newer", "changed"]


def test_a_choice_of_a_question_mark_is_no_class():
    task = make_task(make_annotation(" ? "))
    assert label_studio.parse_export([task]) == [Answer("a.png", "", None)]


@pytest.mark.parametrize(
    "content",
    [
        [],
        [make_task()],
        [make_task(make_annotation())],
        [{"data": {"image": "/a.png"}, "predictions": [make_annotation("cat")]}],
        [{**make_task(), "drafts": [make_annotation("cat")]}],
        [{"image": "/a.png", "id": 1, "annotator": 1}],
    ],
)
def test_tasks_without_a_choice_have_no_answer(content):
    assert label_studio.parse_export(content) == []


def test_tasks_that_were_just_written_have_no_answer(tmp_path):
    assert label_studio.parse_export(write(tmp_path, queried_images.make())) == []


BOX = {"type": "rectanglelabels", "value": {"rectanglelabels": ["cat"]}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"data": {}}, "expected a list of tasks"),
        ([1], "expected task 1 as"),
        (
            [{"id": 4, "name": "x"}],
            "task 4: expected the keys .* received 'id', 'name'",
        ),
        ([{"id": 4, "data": {}, "annotations": 3}], "task 4: expected a list"),
        ([make_task(make_annotation("cat", "dog"))], "task 7: expected one choice"),
        ([make_task(make_annotation(5))], "task 7: expected one choice"),
        ([make_task({"result": [BOX]})], "task 7: .*`choices`, .*rectanglelabels"),
        ([make_task(make_annotation("cat"), file=3)], "task 7: expected a text `file`"),
        (
            [{"data": {"text": "x"}, "annotations": [make_annotation("cat")]}],
            "task 1: expected `sha256`, `file` or `image`",
        ),
        (
            [{"image": "/a.png", "label": {"choices": ["cat", "dog"]}}],
            "task 1: expected one choice, received \\['cat', 'dog'\\]",
        ),
        ([{"image": "/a.png", "label": 3}], "task 1: expected one choice, received 3"),
    ],
)
def test_errors_name_the_task_and_what_was_received(content, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        label_studio.parse_export(content)
