"""Files for CVAT, and its exports."""

import json
import zipfile

import pytest
from helpers import cvat_exports, queried_images

from dfal_keras.labeling.formats import cvat
from dfal_keras.labeling.formats.answer import Answer


def make_xml(images, meta=""):
    return f"<annotations><meta>{meta}</meta>{images}</annotations>".encode()


def make_json(*items, labels=("cat", "dog")):
    names = [{"name": name, "parent": "", "attributes": []} for name in labels]
    return {"info": {}, "categories": {"label": {"labels": names}}, "items": items}


def make_item(*label_ids, **options):
    annotations = [
        {"id": 0, "type": "label", "attributes": {}, "group": 0, "label_id": label_id}
        for label_id in label_ids
    ]
    return {"id": "a", "annotations": annotations, **options}


def test_labels_are_those_of_the_label_constructor(tmp_path):
    cvat.write_labels(tmp_path / "labels.json", ["cat", 'owl "ü"'])
    assert json.loads((tmp_path / "labels.json").read_text()) == [
        {"name": "cat", "type": "tag", "attributes": []},
        {"name": 'owl "ü"', "type": "tag", "attributes": []},
        {"name": "?", "type": "tag", "attributes": []},
    ]


def test_images_are_archived_under_their_names(tmp_path):
    queried = queried_images.make()
    paths = [tmp_path / str(query.rank) for query in queried]
    for path in paths:
        path.write_bytes(path.name.encode())
    cvat.write_images(tmp_path / "images.zip", queried, paths)
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert archive.testzip() is None
        content = {name: archive.read(name) for name in archive.namelist()}
    assert content == {query.file: str(query.rank).encode() for query in queried}


def test_a_missing_image_leaves_no_archive(tmp_path):
    with pytest.raises(FileNotFoundError):
        cvat.write_images(
            tmp_path / "images.zip", queried_images.make(["a.png"]), [tmp_path / "a"]
        )
    assert list(tmp_path.iterdir()) == []


def test_an_export_of_a_task_is_read():
    assert cvat.parse_xml(cvat_exports.task()) == [
        Answer("shelf/1.jpg", "", "is_full", "ann"),
        Answer('sub/ü & "2".jpg', "", "is_empty", "ann"),
        Answer("4.jpg", "", None, "ann"),
    ]


def test_an_export_of_a_project_has_an_annotator_for_each_task():
    assert cvat.parse_xml(cvat_exports.project()) == [
        Answer("1.jpg", "", "cat", "bob"),
        Answer("1.jpg", "", "dog", "CVAT task 73"),
    ]


def test_an_export_as_datumaro_is_read():
    content = json.loads(cvat_exports.datumaro())
    assert cvat.parse_json(content) == [
        Answer("shelf/1.PNG", "", "is_full"),
        Answer("3.png", "", None),
    ]


def test_tags_of_a_model_are_left_out():
    images = """<image name="a"><tag label="cat" source="auto"/></image>
    <image name="b"><tag label="cat" source="auto"/><tag label="dog"/></image>
    <image name="c"><tag label="cat" source="semi-auto"/></image>
    <image name="d"><tag label="cat" source="file"/></image>"""
    answers = cvat.parse_xml(make_xml(images))
    assert [(answer.file, answer.label) for answer in answers] == [
        ("b", "dog"),
        ("c", "cat"),
        ("d", "cat"),
    ]


def test_a_tag_that_is_set_twice_is_one():
    image = '<image name="a"><tag label="cat"/><tag label=" cat "/></image>'
    assert cvat.parse_xml(make_xml(image)) == [Answer("a", "", "cat")]


def test_an_item_without_a_path_has_its_identifier():
    assert cvat.parse_json(make_json(make_item(1))) == [Answer("a", "", "dog")]


def test_images_without_tags_have_no_answer():
    assert cvat.parse_xml(make_xml('<image name="a"></image>')) == []
    assert cvat.parse_json(make_json(make_item())) == []


BOX = '<box label="cat" xtl="0" ytl="0" xbr="1" ybr="1"/>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html><body/></html>", "expected <annotations> .* received <html>"),
        (make_xml('<track id="0" label="cat"/>'), "expected <annotations> with <im"),
        (make_xml(f'<image name="a">{BOX}</image>'), "expected tags of images, .*box"),
        (
            make_xml('<image name="a"><tag label="cat"/><tag label="dog"/></image>'),
            "image 'a': expected one tag, received \\['cat', 'dog'\\]",
        ),
        (make_xml('<image><tag label="cat"/></image>'), "image '': expected a name"),
        (make_xml('<image name="a"><tag/></image>'), "image 'a': expected a .* label"),
        (b"<annotations>\n<image name=", "line 2: expected XML"),
        (b"<annotations>\n\n", "line 3: expected XML"),
        (
            b'<?xml version="1.0" encoding="x"?><a/>',
            "line 1: expected XML in UTF-8, .*x",
        ),
    ],
)
def test_errors_in_xml_say_what_was_received(data, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        cvat.parse_xml(data)


def billion_laughs(levels=9):
    entities = ['<!ENTITY lol0 "lol">'] + [
        f'<!ENTITY lol{level} "{f"&lol{level - 1};" * 10}">'
        for level in range(1, levels + 1)
    ]
    image = f'<image name="a"><tag label="&lol{levels};"/></image>'
    document = f"<!DOCTYPE annotations [{''.join(entities)}]>"
    return f"<?xml version='1.0'?>{document}<annotations>{image}</annotations>".encode()


@pytest.mark.parametrize(
    "data",
    [
        billion_laughs(),
        billion_laughs(0),
        billion_laughs().decode().encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE annotations SYSTEM "http://127.0.0.1/x.dtd"><annotations/>',
    ],
)
def test_entities_are_refused(data):
    with pytest.raises(ValueError, match="^expected .* received XML with a document"):
        cvat.parse_xml(data)


def test_many_nested_elements_are_no_problem():
    depth = 100_000
    data = b"<annotations>" + b"<a>" * depth + b"</a>" * depth + b"</annotations>"
    with pytest.raises(ValueError, match="^expected <annotations> with"):
        cvat.parse_xml(data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "expected `categories` and `items` .*'categories'"),
        ({"categories": [], "items": []}, "expected `categories` and `items`"),
        (make_json(labels=[]) | {"items": 3}, "expected `categories` and `items`"),
        (make_json(3), "expected `categories` and `items`"),
        (make_json({"id": "a"}), "expected `categories` and `items` .*'annotations'"),
        (
            make_json(make_item(2)),
            "expected a `label_id` of at least 0 and below 2, .*2",
        ),
        (make_json(make_item(-1)), "expected a `label_id` of at least 0"),
        (make_json(make_item("cat")), "expected a `label_id` of at least 0 .*'cat'"),
        (make_json(make_item(0, 1)), "image 'a': expected one tag, .*'cat', 'dog'"),
        (make_json(make_item(0, image={"path": 3})), "image 3: expected a name"),
    ],
)
def test_errors_in_json_say_what_was_received(content, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        cvat.parse_json(content)
