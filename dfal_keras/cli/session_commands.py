"""The commands of a session, which print what they do."""

import contextlib
import dataclasses
import getpass
import math
import pathlib
import webbrowser
from collections.abc import Callable, Iterator, Sequence

import tqdm

from dfal_keras import _validation, stopping
from dfal_keras.cli import (
    newest_answers,
    progress_bars,
    query_outputs,
    trusted_sessions,
)
from dfal_keras.labeling import (
    asking,
    checking,
    predicting,
    reviewing,
    serving,
    telling,
    training,
    training_history,
)
from dfal_keras.labeling.formats import csv_files, reading
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer
from dfal_keras.labeling.formats.by_folder import read_by_folder
from dfal_keras.labeling.formats.notes import Notes
from dfal_keras.labeling.session import Session
from dfal_keras.labeling.telling import Told
from dfal_keras.labeling.views import learning_curve
from dfal_keras.labeling.views import page as labeling_page

_MAX_NAMES = 5  # names of files in a message
_REVIEW_TITLE = "Labels and predictions to review"


def init(session: pathlib.Path, *, is_trained: bool | None, **options) -> None:
    """Begin a session. See `Session.create` for the options.

    Raises:
        ValueError: If an argument is invalid.
    """
    with (
        progress_bars.reading() as progress,
        Session.create(
            session, is_trained=is_trained, progress=progress, **options
        ) as made,
    ):
        _print_images(made)
        if is_trained is None and not made.settings.is_trained:
            print("the model is not trained: diverse images are asked first")
    print(f"{session}: a new session")


def ask(
    session: pathlib.Path, *, num_queries: int, trust: bool = False, **forms
) -> None:
    """Choose the images to label next, and write them.

    Raises:
        ValueError: If an argument is invalid, or there is nothing to label.
    """
    with _opened(session, trust) as opened:
        _tell_filled_in(opened)
        num_left = _num_open(opened)
        with tqdm.tqdm(
            unit=" images", desc="choosing", leave=False, disable=None
        ) as bar:
            queried = asking.ask(
                opened, num_queries, progress=bar.update, report=tqdm.tqdm.write
            )
        num_new = len(queried) - num_left
        if num_left:
            place = ", and come last" if num_new else ""
            print(f"{num_left} images of the last query are not labeled yet{place}")
        if num_new < num_queries and (num_new or not num_left):
            print(f"{num_new} images in place of {num_queries}: {_reason(opened)}")
        query_outputs.write(opened, queried, **forms)


def tell(
    session: pathlib.Path,
    *,
    path: pathlib.Path | None,
    new_classes: Sequence[str],
    who: str | None,
    prefix: str = "",
    by_folder: bool = False,
    trust: bool = False,
) -> None:
    """Add or correct labels.

    Raises:
        ValueError: If an argument is invalid. No label is added then.
    """
    with _opened(session, trust) as opened:
        if path is None:
            path = newest_answers.find(opened)
            print(path)
        notes = Notes()
        if by_folder:
            answers = read_by_folder(path)
        else:
            answers = reading.read_answers(path, prefix=prefix, notes=notes)
        decided, ties = reading.by_majority(answers)
        for line in notes.lines():
            print(line)
        named = _named(decided, who)
        _print_told(telling.tell(opened, named, new_classes=new_classes), ties)
        print(f"{_num_open(opened)} images are asked and not labeled yet")


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
    with _opened(session, trust) as opened:
        trained = training.train(
            opened,
            held_out_fraction=held_out,
            num_restarts=restarts,
            verbose=1,
            **options,
        )
        print(
            f"trained on {trained.num_training} images, of "
            f"{trained.num_labels - trained.num_held_out} labels, in "
            f"{trained.seconds:.0f} s"
        )
        _print_metrics(opened)
    print(f"{session / 'model.keras'}: the new model")


def status(session: pathlib.Path, *, trust: bool = False) -> None:
    """Print labels, open questions and results.

    Raises:
        ValueError: If the folder is not a session.
    """
    with _opened(session, trust) as opened:
        _print_images(opened)
        labels = list(opened.labels().values())
        print("\nlabels")
        for name in opened.settings.classes:
            print(f"{labels.count(name):8} {name}")
        print(f"{labels.count(CANT_TELL):8} can't tell")
        print(f"{_num_open(opened):8} asked, not labeled yet")
        _print_history(training_history.read_trainings(opened.folder))
        _print_metrics(opened)
        found = checking.result(opened)
        _print_check(found)
        trainings = training_history.read_trainings(opened.folder)
        if trainings:
            counts = None
            if found is not None:
                counts = found.accuracy.num_right, found.accuracy.num_images
            picture = opened.path("learning_curve.png")
            learning_curve.write_curve(picture, trainings, counts)
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
    out = session / "predictions.csv" if out is None else out
    _check_out(out)
    with _opened(session, trust) as opened:
        if review:
            _tell_filled_in(opened, "review.csv")
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
    table, page = session.path("review.csv"), session.path("review.html")
    csv_files.write_queries(table, queried)
    labeling_page.write_page(
        page,
        queried,
        session.settings.classes,
        title=_REVIEW_TITLE,
        photographs=query_outputs.previews(session, queried),
        is_review=True,
    )
    num_labels = sum(bool(image.label) for image in queried)
    print(
        f"{page}: {num_labels} labels and {len(queried) - num_labels} predictions that "
        f"are most likely wrong; `tell` what you correct, or {table}"
    )


def check(session: pathlib.Path, *, num: int, trust: bool = False) -> None:
    """Ask for a random sample, which is never trained on.

    Raises:
        ValueError: If there are not enough images.
    """
    with _opened(session, trust) as opened:
        _tell_filled_in(opened, "check_queries.csv")
        queried = checking.check(opened, num)
        table, page = (
            opened.path("check_queries.csv"),
            opened.path("check_queries.html"),
        )
        if queried:
            csv_files.write_queries(table, queried)
            labeling_page.write_page(
                page,
                queried,
                opened.settings.classes,
                photographs=query_outputs.previews(opened, queried),
            )
            print(f"{len(queried)} images of the random sample are not labeled yet")
            print(f"{table}: fill in the column `label`, or")
            print(f"{page}: label them in a browser; then `tell` the labels; or")
            print(f"label {session} --check {num}: the page from a server")
        _print_check(checking.result(opened))


def label(
    session: pathlib.Path,
    *,
    num_queries: int,
    restarts: int,
    port: int,
    no_browser: bool,
    check: int = 0,
    review: int = 0,
    trust: bool = False,
) -> None:
    """Serve the page to label images with, until it is interrupted.

    The page shows queries; or, with `check` or `review`, so many images of the random
    sample, or of the labels and predictions that are most likely wrong.

    Raises:
        ValueError: If an argument is invalid, or there is nothing to label.
    """
    try:
        from dfal_keras.labeling.views import server
    except ImportError as error:
        raise ValueError(
            'The command `label` needs Flask and waitress: pip install "dfal-keras'
            f'[label]" ({error})'
        ) from error

    def show(address):
        print(f"{address}: label the images there; Ctrl-C ends it", flush=True)
        if not no_browser:
            webbrowser.open(address)

    with _opened(session, trust) as opened:
        _tell_filled_in(opened)
        task = _task(opened, check, review)
        if task is not None and not task.images:
            print("all of these images are labeled")
        else:
            options = {"num_restarts": restarts}
            desk = serving.Desk(opened, num_queries, options, task)
            try:
                server.serve(desk, port=port, who=_user(), started=show)
            finally:
                desk.close()
                print("all answers are stored")
        if check:
            _print_check(checking.result(opened))


def _task(session, check, review):
    """Return what the page shows in place of queries, `None` for queries."""
    if check and review:
        raise _validation.ArgumentError(
            "review", f"can't be used with a check. Received: review={review}"
        )
    if check:
        queried = checking.check(session, check)
        return serving.Task(queried, "Random sample to label")
    if review:
        queried = reviewing.review(session, review)
        return serving.Task(queried, _REVIEW_TITLE, is_review=True)
    return None


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


def _print_check(found):
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
    print(f"{more} labels more would halve the interval of the accuracy.")


@contextlib.contextmanager
def _opened(folder, trust) -> Iterator[Session]:
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


def _tell_filled_in(session, name="queries.csv"):
    """Tell the labels that were filled into a table, which is written anew."""
    path = session.path(name)
    if path.exists():
        answers, ties = reading.by_majority(reading.read_answers(path))
        untold = telling.untold(session, answers)
        if untold:
            print(f"{path}: labels that were not told yet")
            _print_told(telling.tell(session, _named(untold)), ties)


def _named(answers, who=None):
    """Return answers with the name of an annotator."""
    return [
        dataclasses.replace(answer, who=who or answer.who or _user())
        for answer in answers
    ]


def _print_images(session):
    """Print how many images there are, and what is left out."""
    store, changes = session.store, session.changes
    print(f"{int(store.is_present.sum())} images in {session.settings.images}")
    if changes.broken:
        print(f"{len(changes.broken)} images can't be read and are left out:")
        for name, reason in changes.broken[:_MAX_NAMES]:
            print(f"    {name}: {reason}")
    if changes.skipped:
        print(f"{len(changes.skipped)} files are no images: {_some(changes.skipped)}")


def _print_told(told: Told, ties: list[Answer]):
    for count, what in (
        (told.num_labeled, "labels added"),
        (told.num_corrected, "labels corrected"),
        (told.num_unknown, "images that nobody can tell"),
        (told.num_unchanged, "answers told before"),
    ):
        if count:
            print(f"{count} {what}")
    if told.missing:
        print(f"{len(told.missing)} images are not there: {_some(told.missing)}")
    if told.conflicts:
        print(
            f"{len(told.conflicts)} images with several labels: {_some(told.conflicts)}"
        )
    if ties:
        names = [answer.file or answer.sha256 for answer in ties]
        print(f"{len(ties)} images without a majority, asked again: {_some(names)}")


def _print_history(trainings):
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


def _print_metrics(session):
    metrics = training_history.read_metrics(session.folder)
    if metrics:
        print("\nlatest model: labels, of these held out, recall")
    for name, row in metrics.items():
        recall = _percent(row.recall)
        print(f"{row.num_labels:8} {row.num_held_out:8} {recall:>8} {name}")


def _reason(session):
    """Return why a query is smaller than what was asked for."""
    size = session.learner.strategy.num_candidates
    if size is None:
        return "no others are left"
    return f"the strategy chooses from {size} at random (see --num-candidates)"


def _num_open(session):
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


def _user():
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return ""


COMMANDS: dict[str, Callable] = {
    "init": init,
    "import": tell,
    "ask": ask,
    "tell": tell,
    "train": train,
    "status": status,
    "predict": predict,
    "check": check,
    "label": label,
}
