"""What tables said when they were told, so that only what changed is told again."""

import datetime
import json
import pathlib
from collections.abc import Iterable, Sequence

from dfal_keras import _files
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer
from dfal_keras.labeling.session import Session

_FILE = "told_tables.json"


def remember(session: Session, path: pathlib.Path, answers: Iterable[Answer]) -> None:
    """Store the labels of a table that was told, or written.

    Args:
        session: The session.
        path: The table.
        answers: All labels in it, with the checksums of their images.
    """
    tables = _read(session)
    tables[_key(session, path)] = {a.sha256: _label(a) for a in answers}
    kept = {k: v for k, v in tables.items() if (session.folder / k).exists()}
    _files.write_text(session.path(_FILE), json.dumps(kept) + "\n")


def untold(
    session: Session, path: pathlib.Path, answers: Sequence[Answer]
) -> list[Answer]:
    """Return the answers in a table that were not told yet.

    If the table was told or written before, these are the labels that changed since. If
    not, they are those that are newer than the latest answer of their image. A label
    that the image has already is never among them.

    Args:
        session: The session.
        path: The table.
        answers: The labels in it, with the checksums of their images.
    """
    before = _read(session).get(_key(session, path))
    modified = path.stat().st_mtime
    latest = {entry.sha256: entry for entry in session.history.entries}

    def is_untold(answer):
        entry = latest.get(answer.sha256)
        if entry is None or entry.label == _label(answer):
            return entry is None
        if before is not None:
            return before.get(answer.sha256) != _label(answer)
        return modified > _seconds(entry.time)

    return [answer for answer in answers if is_untold(answer)]


def _label(answer):
    return CANT_TELL if answer.label is None else answer.label


def _key(session, path):
    """Return the name of a table, relative if the session may move with it."""
    path, folder = path.resolve(), session.folder.resolve()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _seconds(time):
    """Return a time in ISO 8601 as seconds; the earliest if it is none."""
    try:
        return datetime.datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError, OSError):
        return -float("inf")


def _read(session):
    """Return the labels by checksum of each table; none if the file is damaged."""
    try:
        tables = json.loads(session.path(_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(tables, dict):
        return {}
    return {name: rows for name, rows in tables.items() if isinstance(rows, dict)}
