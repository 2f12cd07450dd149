"""The commands that train a session's model and use it: train, status and predict."""

import pathlib
import sys

import tqdm

from dfal_keras import _validation
from dfal_keras.cli import opened_sessions, query_outputs, session_reports
from dfal_keras.labeling import (
    checking,
    predicting,
    reviewing,
    training,
    training_history,
)
from dfal_keras.labeling.formats import changed_predictions, csv_files
from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.views import learning_curve


def train(
    session: pathlib.Path,
    *,
    held_out: float,
    restarts: int,
    trust: bool = False,
    **options,
) -> None:
    """Train the model of a session.

    Raises:
        ValueError: If an argument is invalid, or there are too few labels.
    """
    with opened_sessions.opened(session, trust) as opened:
        trained = training.train(
            opened,
            held_out_fraction=held_out,
            num_restarts=restarts,
            verbose=int(sys.stderr.isatty()),
            **options,
        )
        print(
            f"trained on {trained.num_training} images, of "
            f"{trained.num_labels - trained.num_held_out} labels, in "
            f"{trained.seconds:.0f} s"
        )
        session_reports.print_metrics(training_history.read(opened.folder).metrics)
    print(f"{session / 'model.keras'}: the new model")


def status(session: pathlib.Path, *, trust: bool = False) -> None:
    """Print labels, open queries and results.

    Raises:
        ValueError: If the folder is not a session.
    """
    with opened_sessions.opened(session, trust) as opened:
        session_reports.print_images(opened)
        labels = list(opened.labels().values())
        print("\nlabels")
        for name in opened.settings.classes:
            print(f"{labels.count(name):8} {name}")
        print(f"{labels.count(CANT_TELL):8} can't tell")
        print(f"{session_reports.num_open(opened):8} queried, not labeled yet")
        past = training_history.read(opened.folder)
        session_reports.print_trainings(past.trainings)
        session_reports.print_metrics(past.metrics)
        found = checking.result(opened)
        session_reports.print_check(found)
        if past.trainings:
            counts = None
            if found is not None:
                counts = found.accuracy.num_right, found.accuracy.num_images
            picture = opened.path("learning_curve.png")
            learning_curve.write_curve(picture, past.trainings, counts)
            print(f"\n{picture}: the learning curve")


def predict(
    session: pathlib.Path,
    *,
    out: pathlib.Path | None,
    sort_into: pathlib.Path | None,
    link: bool,
    review: int,
    trust: bool = False,
) -> None:
    """Write the class of every image of the folder.

    Raises:
        ValueError: If an argument is invalid, or the model is not trained.
    """
    with opened_sessions.opened(session, trust) as opened:
        out = opened.path("predictions.csv") if out is None else out
        # Nothing is written before all arguments are checked.
        _check_out(out)
        _check_unchanged(opened, out)
        _check_sort_into(opened, sort_into, link)
        _validation.check_count("review", review, minimum=0)
        if review:
            opened_sessions.tell_filled_in(opened, "review.csv")
        found = []

        def keep(predictions):
            for each in predictions:
                if sort_into is not None:
                    found.append(each)
                yield each

        total = int(opened.store.is_present.sum())
        with tqdm.tqdm(
            total=total, desc="predicting", leave=False, disable=None
        ) as bar:
            predictions = predicting.predict(opened, progress=bar.update)
            csv_files.write_predictions(out, keep(predictions))
        print(f"{out}: the class of {total} images")
        if sort_into is not None:
            counts = predicting.sort_into(opened, sort_into, found, link=link)
            for name, count in counts.items():
                print(f"{count:8} {sort_into / name}")
        if review:
            _write_review(opened, review)
        if checking.result(opened) is None:
            print(
                "How good is it? The command `check` finds out, with a random sample."
            )


def _write_review(session, num_images):
    """Write a page and a table of what is most likely wrong."""
    queried = reviewing.review(session, num_images)
    table, page = query_outputs.write_table_and_page(
        session,
        queried,
        "review",
        title=query_outputs.REVIEW_TITLE,
        is_review=True,
    )
    num_labels = sum(bool(image.label) for image in queried)
    print(
        f"{page}: {num_labels} labels and {len(queried) - num_labels} predictions that "
        f"are most likely wrong; `tell` what you correct, or {table}"
    )


def _check_sort_into(session, folder, link):
    """Raise ValueError if images can't be sorted into a folder, `None` for none."""
    if folder is not None:
        predicting.check_sort_folder(session, folder)
    elif link:
        raise _validation.ArgumentError(
            "sort_into", "must name the folder for the links. Received: none"
        )


def _check_unchanged(session, path):
    """Raise ValueError if a person changed a file of predictions, to keep the file."""
    labels = {(entry.sha256, entry.label) for entry in session.history.entries}
    change = changed_predictions.find_change(path, labels) if path.exists() else None
    if change:
        raise _validation.ArgumentError(
            "out",
            "must be a file that nobody changed: tell corrections in a file with the "
            "columns `file` and `label`, and remove this one. Received: "
            f"out={str(path)!r}, with {change}",
        )


def _check_out(path):
    """Raise ValueError if a file to write is not new, nor one of predictions."""
    header = ",".join(csv_files.PREDICTION_COLUMNS).encode()
    if path.suffix != ".csv" or not path.parent.is_dir() or path.is_dir():
        is_free = False
    elif path.exists():
        with path.open("rb") as file:
            is_free = file.read(len(header)) == header
    else:
        is_free = True
    if not is_free:
        raise _validation.ArgumentError(
            "out",
            "must be a new .csv file in an existing folder, or one that `predict` "
            f"wrote. Received: out={str(path)!r}",
        )
