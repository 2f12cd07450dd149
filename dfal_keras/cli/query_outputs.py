"""The files that show a query to annotators."""

import pathlib
import re

from dfal_keras import _files
from dfal_keras.labeling import told_tables
from dfal_keras.labeling.formats import csv_files, cvat, label_studio_tasks
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.images import photographs
from dfal_keras.labeling.session import Session
from dfal_keras.labeling.views import contact_sheets
from dfal_keras.labeling.views import page as labeling_page

REVIEW_TITLE = "Labels and predictions to review"


def write(
    session: Session,
    queried: list[QueriedImage],
    *,
    sheets: str,
    with_label_studio: bool,
    with_cvat: bool,
    prefix: str,
) -> None:
    """Write what shows a query to annotators, and print what was written.

    Files of the query before are removed.

    Args:
        session: The session, in whose folder the files are written.
        queried: The images.
        sheets: `"png"`, `"pdf"` or `"none"`, the form of the contact sheets.
        with_label_studio: Whether to write files for Label Studio.
        with_cvat: Whether to write files for CVAT.
        prefix: What Label Studio needs before the name of an image.
    """
    for path in session.folder.iterdir():
        if _WRITTEN.fullmatch(path.name):
            path.unlink()
    table, page = write_table_and_page(session, queried, "queries")
    print(f"{table}: {len(queried)} images; fill in the column `label`, or")
    print(f"{page}: label them in a browser, and save queries.csv there")
    if sheets != "none":
        made = contact_sheets.write_sheets(session.path(f"queries.{sheets}"), queried)
        print(f"{', '.join(map(str, made))}: the images, to look at")
    if with_label_studio:
        _write_label_studio(session, queried, prefix)
    if with_cvat:
        _write_cvat(session, queried)


def write_table_and_page(
    session: Session, queried: list[QueriedImage], name: str, **options
) -> tuple[pathlib.Path, pathlib.Path]:
    """Write a table to fill in, and a page to label its images in a browser.

    Args:
        session: The session, in whose folder the files are written.
        queried: The images.
        name: Name of the files, without their suffixes.
        **options: Options of `labeling.views.page.write_page`.

    Returns:
        The paths of the table and of the page.
    """
    table, page = session.path(f"{name}.csv"), session.path(f"{name}.html")
    csv_files.write_queries(table, queried)
    labels = [Answer(i.file, i.sha256, i.label) for i in queried if i.label]
    told_tables.remember(session, table, labels)
    labeling_page.write_page(
        page,
        queried,
        session.settings.classes,
        photographs=_previews(session, queried),
        **options,
    )
    return table, page


def _previews(session, queried):
    """Return the photographs of queried images, `None` if one can't be read."""
    rows = [session.store.find(None, image.sha256) for image in queried]
    paths = [None if row is None else session.store.path(row) for row in rows]
    if None in paths:
        return None
    try:
        return [photographs.read_preview(path) for path in paths if path is not None]
    except (OSError, ValueError):
        return None


def _write_label_studio(session, queried, prefix):
    tasks, config = (
        session.path("queries_label_studio.json"),
        session.path("queries_label_studio.xml"),
    )
    label_studio_tasks.write_tasks(tasks, queried, prefix=prefix)
    _files.write_text(
        config, label_studio_tasks.labeling_config(session.settings.classes)
    )
    print(f"{tasks}: tasks for Label Studio, and {config.name}, its configuration")


def _write_cvat(session, queried):
    labels, images = session.path("queries_cvat.json"), session.path("queries_cvat.zip")
    cvat.write_labels(labels, session.settings.classes)
    rows = [session.store.find(None, image.sha256) for image in queried]
    cvat.write_images(images, queried, [session.store.path(row) for row in rows])
    print(f"{images}: images for CVAT, and {labels.name}, the labels of its task")


# What this module writes; a user's own files, such as queries_old.png, stay.
_WRITTEN = re.compile(
    r"queries(-\d+)?\.png|queries\.pdf|queries_label_studio\.(json|xml)"
    r"|queries_cvat\.(json|zip)"
)
