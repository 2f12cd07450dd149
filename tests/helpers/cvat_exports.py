"""Exports in the formats that CVAT documents, with content of our own.

The names of elements and keys are those of CVAT's documentation ("CVAT for images 1.1"
and "Datumaro 1.0"); all values are made up here.
"""

import json
from xml.etree import ElementTree


def add(parent, tag, text=None, /, **attributes):
    """Add an element, and return it."""
    element = ElementTree.SubElement(parent, tag, attributes)
    element.text = None if text is None else str(text)
    return element


def add_user(parent, kind, name):
    """Add an owner or an assignee, an empty element for nobody."""
    user = add(parent, kind)
    if name:
        add(user, "username", name)
        add(user, "email", f"{name}@example.org")


def add_labels(parent, labels):
    group = add(parent, "labels")
    for label in labels:
        element = add(group, "label")
        add(element, "name", label)
        add(element, "type", "tag")
        add(element, "attributes")


def add_task(parent, number, name, size, assignee):
    task = add(parent, "task")
    add(task, "id", number)
    add(task, "name", name)
    add(task, "size", size)
    add(task, "mode", "annotation")
    add_user(task, "owner", "olga")
    add_user(task, "assignee", assignee)
    return task


def add_image(root, number, name, tag=None, **attributes):
    image = add(
        root, "image", id=str(number), name=name, width="32", height="24", **attributes
    )
    if tag is not None:
        add(image, "tag", label=tag, source="manual")
    return image


def as_bytes(root):
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def task() -> bytes:
    """A task of "ann": two tags, one of them beside a box, no tag, and "can't tell"."""
    root = ElementTree.Element("annotations")
    add(root, "version", "1.1")
    meta = add(root, "meta")
    described = add_task(meta, 71, "jars", 4, "ann")
    job = add(add(described, "segments"), "segment")
    add(job, "id", 712)
    add_labels(described, ["is_empty", "is_full", "?"])
    add(meta, "dumped", "2001-02-03 04:05:06+00:00")
    add_image(root, 0, "shelf/1.jpg", "is_full")
    second = add_image(root, 1, 'sub/ü & "2".jpg', "is_empty")
    add(second.find("tag"), "attribute", "good", name="quality")
    corners = {"xtl": "5.50", "ytl": "6.50", "xbr": "7.50", "ybr": "8.50"}
    add(second, "box", label="is_empty", source="manual", occluded="0", **corners)
    add_image(root, 2, "3.jpg")
    add_image(root, 3, "4.jpg", "?")
    return as_bytes(root)


def project() -> bytes:
    """A project of two tasks, with an image of the same name in each."""
    root = ElementTree.Element("annotations")
    add(root, "version", "1.1")
    described = add(add(root, "meta"), "project")
    add(described, "id", 5)
    add(described, "name", "pets")
    tasks = add(described, "tasks")
    add_task(tasks, 72, "monday", 1, "bob")
    add_task(tasks, 73, "tuesday", 1, None)
    add_user(described, "owner", "olga")
    add_user(described, "assignee", None)
    add_labels(described, ["cat", "dog"])
    add_image(root, 0, "1.jpg", "cat", subset="all", task_id="72")
    add_image(root, 0, "1.jpg", "dog", subset="all", task_id="73")
    return as_bytes(root)


def datumaro() -> bytes:
    """A task as `task`, without the second image: names without suffixes, and paths."""
    labels = ["is_empty", "is_full", "?"]

    def tag(label):
        return {"id": 0, "type": "label", "group": 0, "label_id": labels.index(label)}

    box = {"id": 1, "type": "bbox", "group": 0, "label_id": 0, "bbox": [5.5, 6.5, 2, 2]}
    items = [
        ("shelf/1", "shelf/1.PNG", [tag("is_full"), box]),
        ("2", "2.png", []),
        ("3", "3.png", [tag("?")]),
    ]
    names = [{"name": label, "parent": "", "attributes": []} for label in labels]
    content = {
        "info": {},
        "categories": {"label": {"labels": names}, "points": {"items": []}},
        "items": [
            {
                "id": name,
                "annotations": annotations,
                "attr": {"frame": frame},
                "image": {"path": path, "size": [24, 32]},
            }
            for frame, (name, path, annotations) in enumerate(items)
        ],
    }
    return json.dumps(content).encode()
