"""The labeling page: one HTML file in which people label the images of a query."""

import base64
import csv
import hashlib
import html
import importlib.resources
import io
import json
import os
import string
from collections.abc import Sequence

from dfal_keras import _files, _validation
from dfal_keras.labeling.formats import csv_files, spreadsheet_cells
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.views import png

_SMALL = 128  # pixels; images up to this size are enlarged without smoothing


def write_page(
    path: str | os.PathLike,
    queried: Sequence[QueriedImage],
    classes: Sequence[str],
    *,
    title: str = "Images to label",
    photographs: Sequence[bytes] | None = None,
    is_review: bool = False,
) -> None:
    """Write a page with which to label images in a browser. The write is atomic.

    The file holds everything, images included, and works without a network or a
    server: open it in a browser. Its button `Save queries.csv` downloads the answers
    with the columns rank, file, sha256, score, predicted, probability and label. A
    label is the name of a class, empty for images that are not answered, or `?` for
    images of which the annotator can't tell the class. The browser keeps the answers
    when the page is reloaded.

    Args:
        path: The file to write.
        queried: The images to label, in the order in which they are shown.
        classes: The names of the classes.
        title: The heading of the page. Defaults to `"Images to label"`.
        photographs: The images as JPEG files, to show in place of the pixels that the
            network takes. Defaults to `None`.
        is_review: Whether existing labels are reviewed, too: the page then goes to the
            next image, not to the next one without a label. Defaults to `False`.

    Raises:
        ValueError: If there are no images or classes, if class names are empty,
            equal or `?`, if an image is labeled with another class, or if a sample
            is no image of 1, 3 or 4 channels.
    """
    text = render_page(
        queried, classes, title=title, photographs=photographs, is_review=is_review
    )
    _files.write_text(path, text)


def render_page(
    queried: Sequence[QueriedImage],
    classes: Sequence[str],
    *,
    title: str = "Images to label",
    photographs: Sequence[bytes] | None = None,
    is_review: bool = False,
    is_served: bool = False,
    can_train: bool = True,
) -> str:
    """Return the HTML of a page; see `write_page`.

    Args:
        queried: As for `write_page`.
        classes: As for `write_page`.
        title: As for `write_page`.
        photographs: As for `write_page`.
        is_review: As for `write_page`.
        is_served: Whether the page is that of `labeling.views.server`: it loads the
            original images from there, and sends answers to it. Defaults to `False`.
        can_train: Whether a served page has a button to train and ask again. Defaults
            to `True`.

    Raises:
        ValueError: As for `write_page`.
    """
    check_queried(queried, classes)
    data = _page_data(queried, classes, photographs, is_served)
    data |= {"is_review": is_review, "can_train": can_train}
    style, script = _read("page.css"), _read("page.js")
    server = "img-src 'self'; connect-src 'self'" if is_served else "img-src data:"
    # Only this style and this script apply. Nothing is loaded but from the server.
    policy = (
        f"default-src 'none'; {server}; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    return string.Template(_read("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
        data=_to_script_json(data),
        script=script,
    )


def class_keys(classes: Sequence[str]) -> list[str]:
    """Return the digits to type for each class, all of the same length.

    Up to ten classes have the keys 1 to 9 and 0, or their names if these are digits.
    More have their numbers, with leading zeros.
    """
    if all(len(name) == 1 and name in string.digits for name in classes):
        return list(classes)
    if len(classes) <= 10:
        return list("1234567890"[: len(classes)])
    width = len(str(len(classes)))
    return [f"{number:0{width}}" for number in range(1, len(classes) + 1)]


def check_queried(queried: Sequence[QueriedImage], classes: Sequence[str]) -> None:
    """Raise ValueError if these images and classes can't be those of a page."""
    if not queried:
        raise _validation.ArgumentError("queried", "must hold images. Received: none")
    is_name = [isinstance(name, str) and name.strip() for name in classes]
    if not classes or not all(is_name) or CANT_TELL in classes:
        raise _validation.ArgumentError(
            "classes",
            "must hold names that are neither empty nor "
            f"'{CANT_TELL}'. Received: classes={classes!r:.200}",
        )
    if len(set(classes)) < len(classes):
        raise _validation.ArgumentError(
            "classes", f"must hold different names. Received: classes={classes!r:.200}"
        )
    known = {*classes, CANT_TELL, ""}
    for image in queried:
        if image.label not in known:
            raise _validation.ArgumentError(
                "queried",
                "must hold labels that are among `classes`. "
                f"Received: label={image.label!r} for {image.file!r}",
            )


def _page_data(queried, classes, photographs, is_served):
    """Return what the script of the page reads."""
    keys = class_keys(classes)
    data = {
        "header": ",".join(csv_files.COLUMNS),
        "classes": [
            {
                "name": name,
                "key": key,
                "cell": _to_line([spreadsheet_cells.escape(name)]),
            }
            for name, key in zip(classes, keys, strict=True)
        ],
        "images": [
            _image_data(image, photograph, is_served)
            for image, photograph in zip(
                queried, photographs or [None] * len(queried), strict=True
            )
        ],
        "is_served": is_served,
        "query": query_name(queried),
    }
    # Answers are kept for this query, and for no other page of the same browser.
    digest = hashlib.sha256(json.dumps(data).encode()).hexdigest()
    return {**data, "storage_key": f"dfal-keras-{digest}"}


def query_name(queried: Sequence[QueriedImage]) -> str:
    """Return a text that names a query: a checksum of its images."""
    return hashlib.sha256("".join(i.sha256 for i in queried).encode()).hexdigest()


def _image_data(image, photograph, is_served):
    """Return what the page shows and saves of an image."""
    *cells, _ = csv_files.cells(image)  # the page adds the label
    example = image.adversarial_example
    return {
        "file": image.file,
        "label": image.label,
        "predicted": None
        if image.probability is None
        else f"{image.predicted} ({image.probability:.0%})",
        "image": _address(image, photograph, is_served),
        "thumbnail": f"input/{image.sha256}" if is_served else None,
        "sha256": image.sha256,
        "example": None if example is None or is_served else _to_address(example),
        "example_predicted": image.adversarial_predicted,
        "is_small": max(image.image.shape[:2]) <= _SMALL
        and photograph is None
        and not is_served,
        "cells": _to_line(cells) + ",",
    }


def _address(image, photograph, is_served):
    """Return the address of the picture to label."""
    if is_served:
        return f"image/{image.sha256}"
    if photograph is not None:
        return f"data:image/jpeg;base64,{base64.b64encode(photograph).decode()}"
    return _to_address(image.image)


def _to_line(cells):
    """Return cells as a line of a CSV file, without its end."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().removesuffix("\r\n")


def _to_address(image):
    """Return an image as a data address with its PNG file."""
    return f"data:image/png;base64,{base64.b64encode(png.encode(image)).decode()}"


def _read(name):
    """Return a text file that stands beside this module."""
    folder = importlib.resources.files("dfal_keras.labeling.views")
    return folder.joinpath(name).read_text("utf-8")


def _digest(text):
    """Return the hash that a content security policy names a text by."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _to_script_json(data):
    """Return JSON that can stand in a script element: without HTML."""
    text = json.dumps(data)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
