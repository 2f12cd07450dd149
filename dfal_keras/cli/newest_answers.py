"""The newest file of labels, for commands that name no file."""

import pathlib

import platformdirs

from dfal_keras import _validation
from dfal_keras.labeling.formats import csv_files
from dfal_keras.labeling.session import Session


def find(session: Session) -> pathlib.Path:
    """Return the newest file with labels of a session's images.

    Candidates are `queries.csv` and `check_queries.csv` in the session, and what the
    page saved into the downloads, such as "queries (1).csv": files with checksums that
    all belong to images of the session.

    Args:
        session: The session.

    Raises:
        ValueError: If there is none.
    """
    downloads = platformdirs.user_downloads_path()
    paths = [session.path("queries.csv"), session.path("check_queries.csv")]
    paths += [*downloads.glob("queries*.csv"), *downloads.glob("check_queries*.csv")]
    found = [path for path in paths if path.is_file() and _belongs(path, session)]
    if not found:
        raise _validation.ArgumentError(
            "path",
            "must be given if there are no labels in the session's queries.csv, nor in "
            f"one that was downloaded. Received: nothing, and none in {downloads}",
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def _belongs(path, session):
    """Return whether a file has labels, all of images of the session."""
    try:
        answers = csv_files.parse_answers(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    known = set(session.store.hashes)
    return bool(answers) and all(answer.sha256 in known for answer in answers)
