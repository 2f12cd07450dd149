"""Sessions as commands open them: with trust, and with the labels filled in."""

import contextlib
import dataclasses
import getpass
import pathlib
from collections.abc import Iterable, Iterator

from dfal_keras.cli import progress_bars, session_reports, trusted_sessions
from dfal_keras.labeling import telling, told_tables
from dfal_keras.labeling.formats import reading
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.formats.notes import Notes
from dfal_keras.labeling.session import Session


@contextlib.contextmanager
def opened(folder: pathlib.Path, trust: bool) -> Iterator[Session]:
    """Open a session, and print what changed in its folder of images."""
    trust = trust or trusted_sessions.contains(folder)
    with progress_bars.reading() as progress:
        session = Session(folder, progress, trust=trust)
    with session:
        for count, what in (
            (session.changes.num_added, "new"),
            (session.changes.num_moved, "moved"),
            (session.changes.num_removed, "removed"),
            (session.changes.num_returned, "back"),
        ):
            if count:
                print(f"{count} images are {what}")
        yield session


def tell_filled_in(session: Session, name: str = "queries.csv") -> None:
    """Tell the labels filled into a table, before the table is written again."""
    path = session.path(name)
    if path.exists():
        notes = Notes()
        read = reading.read_answers(path, notes=notes, allow_no_label=True)
        found = telling.identify(session, read)
        answers, ties = reading.by_majority(found, notes)
        for line in notes.lines():
            print(line)
        untold = told_tables.untold(session, path, answers)
        if untold:
            print(f"{path}: labels that were not told yet")
            session_reports.print_told(telling.tell(session, named(untold)), ties)
            told_tables.remember(session, path, answers)


def named(answers: Iterable[Answer], who: str | None = None) -> list[Answer]:
    """Return answers with the name of an annotator, the user's if there is none."""
    return [
        dataclasses.replace(answer, who=who or answer.who or user_name())
        for answer in answers
    ]


def user_name() -> str:
    """Return the name of the user, empty if there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return ""
