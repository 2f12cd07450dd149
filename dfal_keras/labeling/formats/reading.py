"""Answers of annotators: read from any supported file, and decided by majority."""

import codecs
import json
import os
import pathlib
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

from dfal_keras import _validation
from dfal_keras.labeling.formats import csv_files, cvat, label_studio
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer
from dfal_keras.labeling.formats.notes import Notes

# Larger files are refused, so that a small archive does not fill the memory.
_MAX_BYTES = 2**28


def read_answers(
    path: str | os.PathLike,
    *,
    prefix: str = "",
    notes: Notes | None = None,
    classes: Sequence[str] | None = None,
    allow_no_label: bool = False,
) -> list[Answer]:
    """Return the answers in a file, which is recognized by its content.

    | file | see |
    |---|---|
    | CSV, in UTF-8 or UTF-16 with a byte-order mark | `csv_files.parse_answers` |
    | Label Studio: JSON, JSON_MIN, or CSV | `label_studio.parse_export` |
    | CVAT for images 1.1: XML, or the zip archive with it | `cvat.parse_xml` |
    | CVAT, Datumaro 1.0: JSON, or the zip archive with it | `cvat.parse_json` |

    Whether the classes exist is not checked.

    Args:
        path: The file.
        prefix: What precedes the names of images, as in the image addresses of Label
            Studio for tasks that `label_studio_tasks.write_tasks` did not write.
            Defaults to `""`.
        notes: Gets what is left out, such as images with several labels. Defaults to
            `None`: several labels are an error.
        classes: Names of the classes, to find the question for them in an export of
            Label Studio with several questions. Defaults to `None`: unknown.
        allow_no_label: Whether a table may be without any label, as one that is not
            filled in yet. Defaults to `False`.

    Returns:
        The answers, in order of time if the file has times.

    Raises:
        ValueError: If the file is none of these. The message names it, the line or
            image, what was expected and what was received.
    """
    path = pathlib.Path(path)
    try:
        if not path.is_file():
            raise ValueError("there is no such file")
        with path.open("rb") as file:
            if file.read(4) == b"PK\3\4":
                return _parse_archive(path, prefix, notes)
            file.seek(0)
            data = _read_limited(file, path.name)
            return _parse(data, prefix, notes, classes, allow_no_label)
    except (OSError, ValueError) as error:
        raise _validation.ArgumentError(
            "path",
            "must name a CSV file with the columns `label`, and `file` "
            "or `sha256`, or an export of Label Studio or CVAT. "
            f"Received: path={str(path)!r} ({error})",
        ) from error


def by_majority(
    answers: Iterable[Answer], notes: Notes | None = None
) -> tuple[list[Answer], list[Answer]]:
    """Decide on one answer for each image.

    Answers belong to the same image if they have the same checksum, or the same file
    name and one of them has no checksum. The last answer of each annotator counts;
    answers without a name are those of one annotator. The class with the most votes
    wins. "Can't tell" counts only if all annotators say so.

    Args:
        answers: The answers, in order of time.
        notes: Gets the images with several labels by one annotator, of which no time
            says which is the latest. They are neither decided nor ties. Defaults to
            `None`: the last one in `answers` is the latest.

    Returns:
        `(decided, ties)`: an answer for each decided image, with the names of the
        annotators who agree; and one for each image with a tie, with `label=None` and
        the names of all annotators.

    Example:
        >>> from dfal_keras.labeling.formats import reading
        >>> a = reading.Answer("1.png", "", "cat", "Ann")
        >>> b = reading.Answer("1.png", "", "cat", "Bob")
        >>> c = reading.Answer("1.png", "", "dog", "Cem")
        >>> reading.by_majority([a, b, c])
        ([Answer(file='1.png', sha256='', label='cat', who='Ann, Bob')], [])
    """
    decided: list[Answer] = []
    ties: list[Answer] = []
    for group in _group_by_image(list(answers)):
        file = next((answer.file for answer in group if answer.file), "")
        sha256 = next((answer.sha256 for answer in group if answer.sha256), "")
        conflict = [] if notes is None else _conflict(group)
        if notes is not None and conflict:
            notes.conflicts[file or sha256] = conflict
            continue
        latest = {answer.who: answer for answer in group}
        votes = [answer for answer in latest.values() if answer.label is not None]
        counts = Counter(answer.label for answer in votes or latest.values())
        (label, most), *others = counts.most_common(2)
        is_tie = bool(others) and others[0][1] == most
        supporters = [
            answer.who
            for answer in votes or latest.values()
            if answer.who and (is_tie or answer.label == label)
        ]
        result = Answer(
            file=file,
            sha256=sha256,
            label=None if is_tie else label,
            who=", ".join(supporters),
        )
        (ties if is_tie else decided).append(result)
    return decided, ties


def _conflict(group):
    """Return the labels of one annotator if it is unknown which is the latest."""
    for who in dict.fromkeys(answer.who for answer in group):
        own = [answer for answer in group if answer.who == who]
        newest = max(answer.time for answer in own)
        if all(answer.time for answer in own):
            own = [answer for answer in own if answer.time == newest]
        labels = dict.fromkeys(
            CANT_TELL if answer.label is None else answer.label for answer in own
        )
        if len(labels) > 1:
            return list(labels)
    return []


def _group_by_image(answers):
    """Return lists of answers about one image each, in order of the first answer."""
    checksums: dict[str, set[str]] = {}
    for answer in answers:
        if answer.sha256:
            checksums.setdefault(answer.file, set()).add(answer.sha256)
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        known = checksums.get(answer.file, set())
        # A file whose content has changed has several checksums: the name says nothing.
        only_one = next(iter(known)) if answer.file and len(known) == 1 else ""
        checksum = answer.sha256 or only_one
        key = ("", checksum) if checksum else (answer.file, "")
        groups.setdefault(key, []).append(answer)
    return list(groups.values())


def _parse(data, prefix, notes, classes, allow_no_label):
    """Return the answers in the content of a file."""
    text = _decode(data)
    first = text.lstrip()[:1]
    if not first:
        raise ValueError("the file is empty")
    if first == "<":
        return _some_label(
            cvat.parse_xml(data, prefix=prefix, notes=notes), notes, "images"
        )
    if first not in "[{":
        answers = csv_files.parse_answers(text, prefix=prefix)
        if not answers and not allow_no_label:
            columns = ", ".join(csv_files.column_names(text))
            raise ValueError(
                f"expected labels, received rows without, of the columns {columns!r}"
            )
        return answers
    content = _parse_json(text)
    if isinstance(content, dict):
        return _some_label(
            cvat.parse_json(content, prefix=prefix, notes=notes), notes, "items"
        )
    answers = label_studio.parse_export(
        content, prefix=prefix, notes=notes, classes=classes
    )
    keys = {key for task in content for key in task}
    return _some_label(answers, notes, f"tasks with the keys {sorted(keys)!r:.300}")


def _some_label(answers, notes, received):
    """Return answers, or raise ValueError if there is none, nor a conflict."""
    if not answers and (notes is None or not notes.conflicts):
        others = "".join(f", {kind}" for kind in (notes.left_out if notes else ()))
        raise ValueError(f"expected labels, received {received} without{others}")
    return answers


def _parse_archive(path, prefix, notes):
    """Return the answers in a zip archive that CVAT exported."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "annotations.xml" in names:
                data = _extract(archive, "annotations.xml")
                return _some_label(
                    cvat.parse_xml(data, prefix=prefix, notes=notes), notes, "images"
                )
            subsets = [
                name
                for name in names
                if name.startswith("annotations/") and name.endswith(".json")
            ]
            if not subsets:
                hint = "; save a workbook as CSV" if "xl/workbook.xml" in names else ""
                raise ValueError(
                    "expected an archive with annotations.xml or annotations/*.json, "
                    f"received {', '.join(names)!r:.200}{hint}"
                )
            answers = [
                answer
                for name in subsets
                for answer in cvat.parse_json(
                    _parse_json(_decode(_extract(archive, name))),
                    prefix=prefix,
                    notes=notes,
                )
            ]
            return _some_label(answers, notes, "items")
    # Damaged, encrypted, and compressed in an unknown way.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(f"the archive can't be read: {error}") from error


def _extract(archive, name):
    """Return the content of a file in an archive."""
    with archive.open(name) as file:
        return _read_limited(file, name)


def _read_limited(file, name):
    """Return the content of an open file, or raise ValueError if it is too large."""
    data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"expected at most {_MAX_BYTES} bytes in {name}")
    return data


def _decode(data):
    """Return the text of a file, without its byte-order mark."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in data and not is_utf16:
        raise ValueError("expected text, received binary data")
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line}: expected text in UTF-8, received {data[start:][:40]!r}; "
            'spreadsheet programs write it as "CSV UTF-8"'
        ) from error


def _parse_json(text):
    """Return the content of JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"line {error.lineno}: expected JSON, received something else ({error.msg})"
        ) from error
    except RecursionError as error:
        raise ValueError("expected JSON with fewer nested levels") from error
