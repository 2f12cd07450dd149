"""What the commands of a session print."""

import math
from collections.abc import Mapping, Sequence

from dfal_keras import stopping
from dfal_keras.labeling.checking import CheckResult
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session
from dfal_keras.labeling.telling import Told
from dfal_keras.labeling.training_history import ClassMetrics, TrainingRecord

_MAX_NAMES = 5  # names of files in a message


def print_images(session: Session) -> None:
    """Print how many images there are, and what is left out."""
    store, changes = session.store, session.changes
    print(f"{int(store.is_present.sum())} images in {session.settings.images}")
    if changes.broken:
        print(f"{len(changes.broken)} images can't be read and are left out:")
        for name, reason in changes.broken[:_MAX_NAMES]:
            print(f"    {name}: {reason}")
    if changes.skipped:
        print(f"{len(changes.skipped)} files are no images: {_some(changes.skipped)}")


def print_told(told: Told, ties: list[Answer]) -> None:
    """Print what was done with answers, and which images have no majority."""
    for count, what in (
        (told.num_labeled, "labels added"),
        (told.num_corrected, "labels corrected"),
        (told.num_unknown, 'images marked "can\'t tell"'),
        (told.num_unchanged, "answers told before"),
    ):
        if count:
            print(f"{count} {what}")
    if told.missing:
        missing = _some(told.missing)
        print(f"{len(told.missing)} images are not in the folder: {missing}")
    if told.conflicts:
        print(
            f"{len(told.conflicts)} images with several labels: {_some(told.conflicts)}"
        )
    if ties:
        names = [answer.file or answer.sha256 for answer in ties]
        print(f"{len(ties)} images without a majority, asked again: {_some(names)}")


def print_trainings(trainings: Sequence[TrainingRecord]) -> None:
    """Print the results of all trainings, and whether they change little."""
    if not trainings:
        print("\nnot trained yet")
        return
    print("\ntrainings: labels, accuracy on those held out, agreement with the last")
    for row in trainings:
        accuracy, agreement = _percent(row.accuracy), _number(row.agreement)
        print(f"{row.num_labels:8} {accuracy:>8} {agreement:>6}")
    agreements = [row.agreement for row in trainings if not math.isnan(row.agreement)]
    if stopping.has_stabilized(agreements):
        print("The last models agree: more labels seem to bring little.")


def print_metrics(metrics: Mapping[str, ClassMetrics]) -> None:
    """Print the results of the latest model by class."""
    if metrics:
        print("\nlatest model: labels, of these held out, recall")
    for name, row in metrics.items():
        recall = _percent(row.recall)
        print(f"{row.num_labels:8} {row.num_held_out:8} {recall:>8} {name}")


def print_check(found: CheckResult | None) -> None:
    """Print how good the predictions are on the random sample, if it is labeled."""
    if found is None:
        return
    print("\nrandom sample: right, images, 95 % interval")
    rows = [("accuracy", found.accuracy)]
    rows += [(f"recall of {name}", each) for name, each in found.recalls.items()]
    for name, each in rows:
        low, high = each.interval
        share = each.num_right / each.num_images if each.num_images else math.nan
        interval = f"{100 * low:.1f} to {100 * high:.1f} %"
        print(f"{_percent(share):>8} {each.num_images:8} {interval:>18} {name}")
    more = found.accuracy.num_to_halve
    print(f"{more} more labels would halve the interval of the accuracy.")


def num_open(session: Session) -> int:
    """Return how many queried images are not answered."""
    query = session.learner.open_query
    return 0 if query is None else len(query.indices)


def _some(names):
    """Return the first names, and how many there are besides."""
    listed = ", ".join(names[:_MAX_NAMES])
    rest = len(names) - _MAX_NAMES
    return f"{listed} and {rest} more" if rest > 0 else listed


def _percent(value):
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _number(value):
    return "-" if math.isnan(value) else f"{value:.3f}"
