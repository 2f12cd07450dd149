"""Files to create a task in CVAT from, and the answers in what it exports.

The formats are those of its documentation, https://docs.cvat.ai/docs/dataset_management:
"CVAT for images 1.1" (XML) and "Datumaro 1.0" (JSON), which CVAT downloads as zip
archives. A class is a tag of the image.

Tasks are created without the model's predictions, because an export does not tell
confirmed predictions from those that no annotator has seen.
"""

import json
import os
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from dfal_keras import _files
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer, without_prefix
from dfal_keras.labeling.formats.notes import Notes
from dfal_keras.labeling.formats.queried_image import QueriedImage


def write_labels(path: str | os.PathLike, classes: Sequence[str]) -> None:
    """Write the labels of a task: the classes, and `?` for "can't tell".

    Paste the file into the tab "Raw" of the label constructor, or pass it to
    `cvat-cli task create --labels`. The write is atomic.

    Args:
        path: The JSON file to write.
        classes: Names of the classes.
    """
    labels = [
        {"name": name, "type": "tag", "attributes": []}
        for name in (*classes, CANT_TELL)
    ]
    _files.write_text(path, json.dumps(labels, indent=1, ensure_ascii=False) + "\n")


def write_images(
    path: str | os.PathLike,
    queried: Sequence[QueriedImage],
    paths: Sequence[str | os.PathLike],
) -> None:
    """Write a zip archive of the queried images to upload when creating a task.

    CVAT keeps the subfolders in the names of an archive's files. It drops those of
    images that are selected one by one. The write is atomic.

    Args:
        path: The archive to write.
        queried: The queried images.
        paths: The image files, in the same order.
    """
    with (
        _files.replacing(path) as file,
        # Images are compressed already.
        zipfile.ZipFile(file, "w", strict_timestamps=False) as archive,
    ):
        for image, source in zip(queried, paths, strict=True):
            archive.write(source, image.file)


def parse_xml(
    data: bytes, *, prefix: str = "", notes: Notes | None = None
) -> list[Answer]:
    """Return the answers in an export as "CVAT for images 1.1".

    The annotator is the assignee of the image's task or job. Without an assignee, each
    task is an annotator of its own. Images without a tag have no answer. Tags with
    `source="auto"`, which a model has set, are ignored.

    Args:
        data: The content of `annotations.xml`.
        prefix: What precedes the names of images. Defaults to `""`.
        notes: Gets what is left out. Defaults to `None`: several tags are an error.

    Returns:
        One answer for each image with a tag; the tag `?` means "can't tell".

    Raises:
        ValueError: If the content is something else, or an image has several tags.
    """
    root = _parse_tree(data)
    images = root.findall("image")
    if root.tag != "annotations" or not images:
        raise ValueError(
            "expected <annotations> with <image> elements, as in an export as CVAT for "
            f"images 1.1, received <{root.tag}> without"
        )
    annotators = _annotators(root)
    only_one = next(iter(annotators.values())) if len(annotators) == 1 else ""
    answers = []
    for image in images:
        labels = [
            tag.get("label", "")
            for tag in image.findall("tag")
            if tag.get("source") != "auto"
        ]
        who = annotators.get(image.get("task_id"), only_one)
        answers += _make_answers(image.get("name", ""), labels, who, prefix, notes)
    if not answers and any(len(image) > len(image.findall("tag")) for image in images):
        raise ValueError("expected tags of images, received boxes or other shapes only")
    return answers


def parse_json(
    content: Any, *, prefix: str = "", notes: Notes | None = None
) -> list[Answer]:
    """Return the answers in an export as "Datumaro 1.0".

    This format has neither annotators nor the source of a tag.

    Args:
        content: The parsed JSON.
        prefix: As for `parse_xml`. Defaults to `""`.
        notes: As for `parse_xml`. Defaults to `None`.

    Returns:
        One answer for each image with a tag; the tag `?` means "can't tell".

    Raises:
        ValueError: If the content is something else, or an image has several tags.
    """
    try:
        names = [label["name"] for label in content["categories"]["label"]["labels"]]
        answers = []
        for item in content["items"]:
            labels = [
                names[_check_label_id(annotation["label_id"], len(names))]
                for annotation in item["annotations"]
                if annotation["type"] == "label"
            ]
            # The identifier is the name without its suffix.
            name = item.get("image", {}).get("path") or item["id"]
            answers += _make_answers(name, labels, "", prefix, notes)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            "expected `categories` and `items` as in an export as Datumaro 1.0, "
            f"received something else ({error!r})"
        ) from error
    return answers


def _parse_tree(data):
    """Return the root element of XML without a document type.

    Entities can be declared in a document type only. Without it, a small file cannot
    expand to a large one or read other files.
    """
    parser, builder = expat.ParserCreate(), ElementTree.TreeBuilder()
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(
            f"line {error.lineno}: expected XML, received something else ({error})"
        ) from error
    except LookupError as error:  # the declared encoding
        raise ValueError(f"line 1: expected XML in UTF-8, received {error}") from error
    return builder.close()


def _refuse_document_type(name, *_):
    raise ValueError(
        "expected an export as CVAT for images 1.1, received XML with a document type "
        f"({name})"
    )


def _annotators(root):
    """Return the annotator of each task or job, by its number."""
    annotators = {}
    for kind in ("task", "job"):
        for element in root.findall(f"meta//{kind}"):
            number = element.findtext("id", "")
            assignee = element.findtext("assignee/username", "")
            annotators[number] = assignee or (f"CVAT {kind} {number}" if number else "")
    return annotators


def _check_label_id(label_id, num_labels):
    """Return an index of a label."""
    if not isinstance(label_id, int) or not 0 <= label_id < num_labels:
        raise ValueError(
            f"expected a `label_id` of at least 0 and below {num_labels}, received "
            f"{label_id!r:.80}"
        )
    return label_id


def _make_answers(name, labels, who, prefix, notes):
    """Return no answer if there is no tag, else one."""
    distinct = {label.strip() for label in labels}
    if len(distinct) > 1 and notes is not None:
        notes.conflicts[str(name)] = sorted(distinct)
        return []
    if len(distinct) > 1:
        raise ValueError(
            f"image {name!r}: expected one tag, received {sorted(distinct)}"
        )
    if "" in distinct or (distinct and not (name and isinstance(name, str))):
        raise ValueError(f"image {name!r}: expected a name and a label, received none")
    return [
        Answer(
            without_prefix(name, prefix), "", None if label == CANT_TELL else label, who
        )
        for label in distinct
    ]
