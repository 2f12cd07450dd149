"""The newest file of labels, for commands that name no file."""

import pathlib

import platformdirs

from dfal_keras import _validation
from dfal_keras.labeling import told_tables
from dfal_keras.labeling.formats import csv_files
from dfal_keras.labeling.session import Session

_NAMES = ("queries.csv", "check_queries.csv")
_DOWNLOADED = ("queries*.csv", "check_queries*.csv")


def find(session: Session) -> pathlib.Path:
    """Return the newest file with labels of a session's images that were not told.

    Candidates are `queries.csv` and `check_queries.csv` in the session, and what the
    page saved into the downloads, such as "queries (1).csv": files with checksums that
    all belong to images of the session.

    Args:
        session: The session.

    Raises:
        ValueError: If there is none.
    """
    downloads = platformdirs.user_downloads_path()
    paths = [session.path(name) for name in _NAMES]
    paths += [path for pattern in _DOWNLOADED for path in downloads.glob(pattern)]
    found = [path for path in paths if path.is_file() and _is_new(path, session)]
    if not found:
        raise _validation.ArgumentError(
            "path",
            "must be given if the session's queries.csv, and those that were "
            "downloaded, have no labels that were not told before. Received: nothing, "
            f"and none in {downloads}",
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def is_table(session: Session, path: pathlib.Path) -> bool:
    """Return whether a file is a table of queries, as `find` looks for them."""
    is_own = path.resolve().is_relative_to(session.folder.resolve())
    return path.is_file() and (is_own or any(map(path.match, _DOWNLOADED)))


def _is_new(path, session):
    """Return whether a file has new labels, and all are of images of the session."""
    try:
        answers = csv_files.parse_answers(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    known = set(session.store.hashes)
    belongs = all(answer.sha256 in known for answer in answers)
    return belongs and bool(told_tables.untold(session, path, answers))
