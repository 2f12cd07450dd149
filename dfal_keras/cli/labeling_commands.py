"""The commands with which a person labels: init, ask, tell, check and label."""

import contextlib
import pathlib
from collections.abc import Sequence

import tqdm

from dfal_keras import _validation
from dfal_keras.cli import (
    argument_names,
    newest_answers,
    opened_sessions,
    progress_bars,
    query_outputs,
    secret_pages,
    session_reports,
)
from dfal_keras.labeling import (
    asking,
    checking,
    reviewing,
    serving,
    telling,
    told_tables,
)
from dfal_keras.labeling.formats import reading
from dfal_keras.labeling.formats.by_folder import read_by_folder
from dfal_keras.labeling.formats.notes import Notes
from dfal_keras.labeling.session import Session


def init(session: pathlib.Path, *, is_trained: bool | None, **options) -> None:
    """Create a session. See `Session.create` for the options.

    Raises:
        ValueError: If an argument is invalid.
    """
    with (
        progress_bars.reading() as progress,
        Session.create(
            session, is_trained=is_trained, progress=progress, **options
        ) as made,
    ):
        session_reports.print_images(made)
        if is_trained is None and not made.settings.is_trained:
            kind = "diverse" if made.settings.is_pretrained else "random"
            print(f"the model is not trained: the first queries are {kind} images")
    print(f"{session}: a new session")


def ask(
    session: pathlib.Path, *, num_queries: int, trust: bool = False, **forms
) -> None:
    """Choose the images to label next, and write them.

    Raises:
        ValueError: If an argument is invalid, or there is nothing to label.
    """
    with opened_sessions.opened(session, trust) as opened:
        opened_sessions.tell_filled_in(opened)
        num_left = session_reports.num_open(opened)
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
    with opened_sessions.opened(session, trust) as opened:
        is_found = path is None
        if path is None:
            path = newest_answers.find(opened)
            print(path)
        notes = Notes()
        if by_folder and prefix:
            raise _validation.ArgumentError(
                "prefix",
                f"must not be given with --by-folder. Received: prefix={prefix!r}",
            )
        if by_folder:
            answers = read_by_folder(path)
        else:
            classes = [*opened.settings.classes, *new_classes]
            answers = reading.read_answers(
                path, prefix=prefix, notes=notes, classes=classes
            )
        answers = telling.identify(opened, answers)
        decided, ties = reading.by_majority(answers, notes)
        for line in notes.lines():
            print(line)
        told = told_tables.untold(opened, path, decided) if is_found else decided
        named = opened_sessions.named(told, who)
        session_reports.print_told(
            telling.tell(opened, named, new_classes=new_classes), ties
        )
        if newest_answers.is_table(opened, path):
            told_tables.remember(opened, path, decided)
        print(f"{session_reports.num_open(opened)} queried images are not labeled yet")


def check(session: pathlib.Path, *, num: int, trust: bool = False) -> None:
    """Ask for a random sample, which is never trained on.

    Raises:
        ValueError: If there are not enough images.
    """
    with opened_sessions.opened(session, trust) as opened:
        opened_sessions.tell_filled_in(opened, "check_queries.csv")
        queried = checking.check(opened, num)
        if queried:
            table, page = query_outputs.write_table_and_page(
                opened, queried, "check_queries"
            )
            print(f"{len(queried)} images of the random sample are not labeled yet")
            print(f"{table}: fill in the column `label`, or")
            print(f"{page}: label them in a browser; then `tell` the labels; or")
            print(f"label {session} --check {num}: the page from a server")
        session_reports.print_check(checking.result(opened))


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

    The page shows queries. With `check` or `review`, it shows this number of images of
    the random sample, or of the labels and predictions that are most likely wrong.

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

    _validation.check_count("num_restarts", restarts)  # not only when it trains

    def show(address):
        print(f"{address}: label the images there; Ctrl-C stops the server", flush=True)
        if not no_browser:
            page = opened.path("open_the_page.html")
            stack.enter_context(secret_pages.opened(page, address))

    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(opened_sessions.opened(session, trust))
        opened_sessions.tell_filled_in(opened)
        options = {"num_restarts": restarts}
        task = _task(opened, check, review, options)
        if task is not None and not task.images:
            print("all of these images are labeled")
        else:
            desk = serving.Desk(opened, num_queries, options, task)
            try:
                server.serve(
                    desk, port=port, who=opened_sessions.user_name(), started=show
                )
            finally:
                desk.close()
                print("all answers are stored")
        if check:
            session_reports.print_check(checking.result(opened))


def _task(session, check, review, options):
    """Return what the page shows in place of queries, `None` for queries."""
    if check and review:
        raise _validation.ArgumentError(
            "review", f"must not be given with `check`. Received: review={review}"
        )
    if check:
        with argument_names.renamed(num="check"):
            queried = checking.check(session, check)
        return serving.Task(queried, "Random sample to label")
    if review:
        with argument_names.renamed(num_images="review"):
            queried = reviewing.review(session, review, **options)
        return serving.Task(queried, query_outputs.REVIEW_TITLE, is_review=True)
    return None


def _reason(session):
    """Return why a query has fewer images than requested."""
    size = session.learner.strategy.num_candidates
    if size is None:
        return "no others are left"
    return f"the strategy chooses from {size} at random (see --num-candidates)"
