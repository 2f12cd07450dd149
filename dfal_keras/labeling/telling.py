"""Tell: add or correct labels of a session."""

import collections
import dataclasses
import datetime
from collections.abc import Iterable, Sequence

from dfal_keras import _validation
from dfal_keras.labeling import settings
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer, check_text
from dfal_keras.labeling.label_history import RETRACTED, Entry, is_unknown
from dfal_keras.labeling.session import Session


@dataclasses.dataclass(frozen=True)
class Told:
    """What was done with answers.

    Attributes:
        num_labeled: Number of images that got a label, and had none.
        num_corrected: Number of images whose label, or "can't tell", changed.
        num_unknown: Number of images that got "can't tell", and had no label.
        num_unchanged: Number of images whose answer was told before.
        missing: Names of images that are not in the folder.
        conflicts: Names of images with several labels, of which none is added.
    """

    num_labeled: int
    num_corrected: int
    num_unknown: int
    num_unchanged: int
    missing: list[str]
    conflicts: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def count(
        cls, kinds: Iterable[str], missing: list[str], conflicts: list[str]
    ) -> "Told":
        """Count the kinds of answers, as `_kind` returns them."""
        counts = collections.Counter(kinds)
        return cls(
            num_labeled=counts["labeled"],
            num_corrected=counts["corrected"],
            num_unknown=counts["unknown"],
            num_unchanged=counts["unchanged"],
            missing=missing,
            conflicts=conflicts,
        )


def tell(
    session: Session,
    answers: Sequence[Answer],
    *,
    new_classes: Sequence[str] = (),
    apply: bool = True,
) -> Told:
    """Add or correct labels. The latest answer of an image counts.

    Args:
        session: The session.
        answers: At most one answer for each image. Images are found by checksum;
            by name only if an answer has none.
        new_classes: Names to add to the classes. Existing names have no effect, so an
            interrupted command can be repeated.
        apply: Whether to apply the answers to the learner now. Otherwise they are
            stored, and `Session.catch_up` applies them. Defaults to `True`.

    Returns:
        A `Told`. See `Session` for an example.

    Raises:
        ValueError: If a label is not the name of a class, or no image is in the folder.
            No answer is added.
    """
    known_classes = session.settings.classes
    added = [name for name in new_classes if str(name).strip() not in known_classes]
    classes = settings.check_classes([*known_classes, *added], "new_classes")
    rows, missing, conflicts = _find(session, answers, classes)
    if added:
        session.set_classes(classes)
    kinds = []
    entries = []
    now = _now()
    for row, answer in sorted(rows.items()):
        label = CANT_TELL if answer.label is None else answer.label
        before = session.label(row)
        kinds.append(_kind(before, label))
        if before != label:
            image = session.store.names[row], session.store.hashes[row]
            entries.append(Entry(now, answer.who, *image, label))
    session.record(entries, apply=apply)
    return Told.count(kinds, missing, conflicts)


def identify(session: Session, answers: Iterable[Answer]) -> list[Answer]:
    """Return answers with the checksums of the session's images.

    Answers about the same image have the same checksum then, whatever name or checksum
    they give. Those about other images are returned as they are.

    Args:
        session: The session.
        answers: The answers.
    """
    found = []
    for answer in answers:
        row = session.store.find(answer.file or None, answer.sha256 or None)
        if row is not None:
            answer = dataclasses.replace(answer, sha256=session.store.hashes[row])
        found.append(answer)
    return found


def retract(
    session: Session, file: str, sha256: str, who: str, *, apply: bool = True
) -> None:
    """Remove the label of an image, as if it had never been answered.

    Args:
        session: The session.
        file: Name of the image.
        sha256: Its checksum.
        who: Name of the annotator.
        apply: As for `tell`. Defaults to `True`.
    """
    check_text("who", who)
    if session.history.label(sha256):
        entry = Entry(_now(), who, file, sha256, RETRACTED)
        session.record([entry], apply=apply)


def _now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _kind(before: str | None, label: str) -> str:
    """Return what an answer does to an image with the answer `before`, if any.

    Returns:
        `"labeled"`, `"corrected"`, `"unknown"` or `"unchanged"`; see `Told`.
    """
    if before == label:
        return "unchanged"
    if before is not None:
        return "corrected"
    return "unknown" if is_unknown(label) else "labeled"


def _find(session, answers, classes):
    """Return the answers by row, images that are not there, and those in conflict."""
    rows: dict[int, Answer] = {}
    missing = []
    conflicts: dict[int, set] = {}
    for answer in answers:
        check_text("who", answer.who)
        if answer.label is not None and answer.label not in classes:
            raise _validation.ArgumentError(
                "new_classes",
                "must hold the labels that are not among the classes "
                f"{', '.join(classes)}. Received: {answer.label!r} for "
                f"{answer.file or answer.sha256}",
            )
        row = session.store.find(answer.file or None, answer.sha256 or None)
        if row is None:
            missing.append(answer.file or answer.sha256)
        elif row in rows and rows[row].label != answer.label:
            conflicts.setdefault(row, {rows[row].label}).add(answer.label)
        else:
            rows[row] = answer
    if answers and not rows:
        raise _validation.ArgumentError(
            "answers",
            "must be about images of the session. Received: "
            f"{', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}, which are "
            f"not in {session.store.images}",
        )
    names = []
    for row, labels in conflicts.items():
        del rows[row]
        said = ", ".join(sorted(CANT_TELL if name is None else name for name in labels))
        names.append(f"{session.store.names[row]} ({said})")
    return rows, missing, names
