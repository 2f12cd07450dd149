"""The answers in exports of Label Studio.

The formats are those of its documentation: https://labelstud.io/guide/task_format and
https://labelstud.io/guide/export, for JSON and JSON_MIN.
"""

import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

from dfal_keras.labeling.formats import label_studio_questions
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer, without_prefix
from dfal_keras.labeling.formats.label_studio_tasks import IMAGE, URL
from dfal_keras.labeling.formats.notes import Notes

# Fields of JSON_MIN that Label Studio or `label_studio_tasks.write_tasks` adds.
_NO_QUESTIONS = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"),
    *(IMAGE, "file", "sha256", "rank", "score"),
}
# Label Studio stores an uploaded file with eight digits before its name.
_UPLOADED = re.compile(r"/data/upload/\d+/[0-9a-f]{8}-(.*)", re.DOTALL)


def parse_export(
    content: Any,
    *,
    prefix: str = "",
    notes: Notes | None = None,
    classes: Sequence[str] | None = None,
) -> list[Answer]:
    """Return the answers in an export of Label Studio, as JSON or JSON_MIN.

    An image is identified by its task's `sha256` and `file`, else by the address of the
    image. Skipped tasks, and the choice `?`, mean that the annotator can't tell.
    Drafts, predictions and submitted annotations without a choice are ignored.
    JSON_MIN has no skipped tasks.

    Args:
        content: The parsed JSON, a list of tasks.
        prefix: What precedes the file name in the image's address, as in
            `label_studio_tasks.write_tasks`. Defaults to `""`: the file name follows
            `?d=` in addresses of local files, the number of the project in those of
            uploaded files, and the host in others.
        notes: Records what is ignored: results that are not choices, choices of other
            questions, other fields of JSON_MIN, rejected annotations, images with
            several choices. Defaults to `None`: several choices are an error.
        classes: Names of the classes, by which the question for the class is found,
            see `label_studio_questions.choose` and, for JSON_MIN, `choose_field`.
            Defaults to `None`: unknown.

    Returns:
        One answer for each annotation, sorted by the time of the last change.
        Annotators are named by e-mail address, or by number if the export has none.

    Raises:
        ValueError: If the content is no export, or has several choices for an image.
    """
    if not isinstance(content, list):
        raise ValueError(f"expected a list of tasks, received {content!r:.80}")
    question = label_studio_questions.choose(_all_choices(content), classes)
    fields = _all_fields(content)
    field = label_studio_questions.choose_field(fields, classes)
    answers: list[Answer] = []
    for number, task in enumerate(content, start=1):
        if not isinstance(task, dict):
            raise ValueError(
                f"expected task {number} as {{...}}, received {task!r:.80}"
            )
        place = f"task {task.get('id', number)}"
        if isinstance(task.get("data"), dict):
            answers += _parse_task(task, question, place, prefix, notes)
        else:
            others = [name for name in fields if name != field and task.get(name)]
            for name in others:
                _count(notes, f"values of the field {name!r:.40}")
            answers += _parse_short_task(task, field, place, prefix, notes)
    # Some exports list the newest annotations first.
    return sorted(answers, key=lambda answer: answer.time)


def _all_choices(content):
    """Return all choices in an export as JSON, by the name of their question.

    Whatever is no choice is passed over.
    """
    found: dict[str, set[str]] = {}
    for task in content:
        annotations = _annotations(task) if isinstance(task, dict) else None
        for annotation in annotations if isinstance(annotations, list) else ():
            if isinstance(annotation, dict) and not _is_ignored(annotation):
                results = annotation.get("result")
                for result in results if isinstance(results, list) else ():
                    if (choices := _result_choices(result)) is not None:
                        labels = found.setdefault(str(result.get("from_name")), set())
                        labels.update(map(str, choices))
    return found


def _all_fields(content):
    """Return all texts in an export as JSON_MIN, by the name of their field.

    Fields of a task's data stand beside those of its questions.
    """
    found: dict[str, set[str]] = {}
    for task in content:
        if isinstance(task, dict) and not isinstance(task.get("data"), dict):
            for name, value in task.items():
                texts = [
                    each for each in _field_choices(value) if isinstance(each, str)
                ]
                is_usual = name in label_studio_questions.NAMES
                if is_usual or (texts and name not in _NO_QUESTIONS):
                    found.setdefault(name, set()).update(texts)
    return found


def _field_choices(value):
    """Return the choices in a field of JSON_MIN, empty if it has another type."""
    if isinstance(value, dict):  # several choices
        value = value.get("choices")
    choices = [value] if isinstance(value, str) else value
    return choices if isinstance(choices, list) else []


def _is_ignored(annotation):
    """Return whether the choices of an annotation do not count."""
    return _is_rejected(annotation) or annotation.get("was_cancelled")


def _annotations(task):
    """Return the annotations of a task."""
    # Exports of versions before 1.0 have `completions`.
    return task.get("annotations", task.get("completions", []))


def _result_choices(result):
    """Return the choices in a result, `None` if it is of another type."""
    value = result.get("value") if isinstance(result, dict) else None
    choices = value.get("choices") if isinstance(value, dict) else None
    return choices if isinstance(choices, list) else None


def _parse_task(task, question, place, prefix, notes):
    """Return the answers in one task of an export as JSON."""
    annotations = _annotations(task)
    if not isinstance(annotations, list) or not all(
        isinstance(annotation, dict) for annotation in annotations
    ):
        raise ValueError(
            f"{place}: expected a list `annotations`, received {annotations!r:.80}"
        )
    answers = []
    for annotation in annotations:
        if _is_rejected(annotation):
            _count(notes, "annotations that a reviewer rejected")
            continue
        if annotation.get("was_cancelled"):
            labels = [CANT_TELL]
        else:
            labels = _choices(annotation.get("result"), question, place, notes)
        who = _annotator(annotation.get("completed_by"))
        answers += _make_answers(
            task["data"], labels, who, _time(annotation), place, prefix, notes
        )
    return answers


def _time(annotation):
    """Return when an annotation was last changed, as text that sorts by time."""
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _is_rejected(annotation):
    """Return whether the last review of an annotation rejected it."""
    reviews = annotation.get("reviews")
    last = reviews[-1] if isinstance(reviews, list) and reviews else None
    return isinstance(last, dict) and last.get("accepted") is False


def _count(notes, kind):
    if notes is not None:
        notes.left_out[kind] += 1


def _choices(results, question, place, notes):
    """Return the choices of a question in the results of an annotation."""
    if results is not None and not isinstance(results, list):
        raise ValueError(f"{place}: expected a list `result`, received {results!r:.80}")
    labels: list = []
    others = set()
    for result in results or []:
        choices = _result_choices(result)
        if choices is not None and str(result.get("from_name")) == question:
            labels += choices
        elif choices is not None:
            others.add(str(result.get("from_name")))
        elif notes is not None and isinstance(result, dict):
            notes.left_out[f"results of type {result.get('type')!s:.40}"] += 1
        else:
            raise ValueError(
                f"{place}: expected results of type `choices`, received {result!r:.200}"
            )
    for name in sorted(others):
        _count(notes, f"choices of the question {name!r:.40}")
    return labels


def _parse_short_task(task, field, place, prefix, notes):
    """Return the answers in one task of an export as JSON_MIN."""
    if IMAGE not in task and "file" not in task:
        raise ValueError(
            f"{place}: expected the keys `data` and `annotations` (JSON), or `image` "
            f"(JSON_MIN), received {', '.join(map(repr, task)):.200}"
        )
    labels = _field_choices(task.get(field))
    if not labels and task.get(field):
        raise ValueError(f"{place}: expected one choice, received {task[field]!r:.200}")
    who = _annotator(task.get("annotator"))
    return _make_answers(task, labels, who, _time(task), place, prefix, notes)


def _make_answers(data, labels, who, time, place, prefix, notes):
    """Return no answer if there is no choice, else one."""
    labels = _distinct(labels)
    if notes is not None and len(labels) > 1:
        name = data.get("file") or data.get(IMAGE) or place
        notes.conflicts[str(name)] = [str(label) for label in labels]
        return []
    if len(labels) > 1 or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{place}: expected one choice, received {labels!r:.200}")
    checksum = _text(data, "sha256", place)
    file = without_prefix(_text(data, "file", place), prefix)
    if not file and not checksum:
        file = file_name(_text(data, IMAGE, place), prefix)
    if labels and not file and not checksum:
        raise ValueError(f"{place}: expected `sha256`, `file` or `image` in its data")
    return [
        Answer(file, checksum, None if name == CANT_TELL else name, who, time)
        for name in labels
        if name
    ]


def _distinct(labels):
    """Return each label once, without spaces around it."""
    found = []
    for label in labels:
        name = label.strip() if isinstance(label, str) else label
        if name not in found:
            found.append(name)
    return found


def _text(data, name, place):
    """Return a text of the data, empty if it is missing."""
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{place}: expected a text `{name}`, received {value!r:.80}")
    return value or ""


def file_name(address: str, prefix: str = "") -> str:
    """Return the file name in the address of an image.

    Args:
        address: The address of an image in a task.
        prefix: As for `parse_export`. Defaults to `""`.
    """
    is_url = URL.match(address)
    if prefix and address.startswith(prefix):
        name = address.removeprefix(prefix)
    elif not is_url:  # a name, or an address such as s3://bucket/name
        name = re.sub(r"^\w+://[^/]*/", "", address)
    else:
        parts = urllib.parse.urlsplit(address)
        local = urllib.parse.parse_qs(parts.query).get("d")
        if local:
            return local[0]
        uploaded = _UPLOADED.fullmatch(parts.path)
        name = uploaded[1] if uploaded else parts.path.lstrip("/")
    return urllib.parse.unquote(name) if is_url else name


def _annotator(value):
    """Return the name of an annotator, who is exported as a number or with details."""
    if isinstance(value, dict):
        value = value.get("email") or value.get("username") or value.get("id")
    return "" if value is None else str(value)
