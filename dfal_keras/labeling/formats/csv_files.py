"""CSV files of queries, for annotators to fill in, and rankings of `query`."""

import csv
import dataclasses
import io
import os
import pathlib
import re
from collections.abc import Iterable, Sequence

from dfal_keras import _files, _validation
from dfal_keras.labeling.formats import label_studio, spreadsheet_cells
from dfal_keras.labeling.formats.answer import CANT_TELL, Answer, without_prefix
from dfal_keras.labeling.formats.queried_image import QueriedImage

COLUMNS = ("rank", "file", "sha256", "score", "predicted", "probability", "label")
PREDICTION_COLUMNS = (
    *("file", "sha256", "class", "by"),
    *("predicted", "probability", "second", "margin"),
)
_SEPARATORS = (",", ";", "\t")
# The columns of a ranking, and those that identify an image in it.
_RANKING_COLUMNS = (COLUMNS[0], "index", *COLUMNS[1:])
_IDENTITY = {"index", "file", "sha256"}
# Columns that name the annotator: ours, and that of Label Studio's CSV export.
_ANNOTATORS = ("who", "annotator")
# Columns that say when a label was given: Label Studio's, and that of labels.csv.
_TIMES = ("updated_at", "time")
# Columns of a session's labels.csv, the history of its answers.
_HISTORY = {"time", "who", "file", "sha256", "label"}
# Columns that name the class: ours, and that of Label Studio's own template.
_LABELS = ("label", "choice")


@dataclasses.dataclass(frozen=True)
class RankedImage:
    """What identifies an image in a ranking.

    Attributes:
        index: Row of an array, `None` for the images of a folder.
        file: Name in a folder, relative to it; `""` for arrays.
        sha256: Checksum of the file's content, in hexadecimal, or `""`.
    """

    index: int | None
    file: str
    sha256: str


def write_queries(path: str | os.PathLike, queried: Sequence[QueriedImage]) -> None:
    """Write `queries.csv`. The write is atomic.

    Annotators fill in the column `label`: the name of a class, or `?` if they can't
    tell. Text that a spreadsheet program would run as a formula is escaped, see
    `dfal_keras.labeling.formats.spreadsheet_cells`.

    Args:
        path: The file to write.
        queried: The queried images, most important first.
    """
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(map(cells, queried))


def cells(image: QueriedImage) -> list[str]:
    """Return the cells of a queried image, one for each of `COLUMNS`."""
    escape = spreadsheet_cells.escape
    return [
        str(image.rank),
        escape(image.file),
        image.sha256,
        "" if image.score is None else f"{image.score:.6g}",
        escape(image.predicted),
        "" if image.probability is None else f"{image.probability:.4f}",
        escape(image.label),
    ]


def write_predictions(path: str | os.PathLike, predictions: Iterable) -> None:
    """Write predictions, one row for each. The write is atomic.

    Args:
        path: The file to write.
        predictions: Each a `labeling.predicting.Prediction`.
    """
    escape = spreadsheet_cells.escape
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(PREDICTION_COLUMNS)
        for each in predictions:
            writer.writerow(
                [
                    escape(each.file),
                    each.sha256,
                    escape(each.label),
                    "you" if each.is_labeled else "model",
                    escape(each.predicted),
                    f"{each.probability:.4f}",
                    escape(each.second),
                    f"{each.margin:.4f}",
                ]
            )


def parse_answers(text: str, *, prefix: str = "") -> list[Answer]:
    """Return the answers in a CSV file.

    The first row names the columns, in any case and order: `label`, with `file` or
    `sha256` or both. `who` (or `annotator`) is optional; if there is a column
    `updated_at` or `time`, answers are sorted by it. Other columns are ignored. Commas,
    semicolons and tabs separate cells.

    The history of a session, `labels.csv`, has the columns `time`, `who`, `file`,
    `sha256` and `label`. The latest row of an image counts, whoever said it: an image
    whose latest label is empty has none.

    Args:
        text: The content of the file.
        prefix: What precedes the names in a column `file`, and as for
            `label_studio.parse_export` in a column `image`. Defaults to `""`.

    Returns:
        One answer for each row with a label; `?` means that the annotator can't tell.

    Raises:
        ValueError: If the text is no such file. The message has the line.
    """
    columns, rows = _read_rows(text)
    is_history = set(columns) >= _HISTORY
    answers = []
    for line, row in rows:
        if len(row) > len(columns) and any(row[len(columns) :]):
            raise ValueError(
                f"line {line}: expected {len(columns)} cells as in the first row, "
                f"received {len(row)}: {row!r:.200}"
            )
        cells = dict(zip(columns, map(spreadsheet_cells.unescape, row), strict=False))
        label = _value(cells, _LABELS).strip()
        if not label and not is_history:
            continue
        file = without_prefix(cells.get("file", ""), prefix) or label_studio.file_name(
            cells.get("image", ""), prefix
        )
        checksum = cells.get("sha256", "").strip().lower()
        if not file and not checksum:
            raise ValueError(
                f"line {line}: expected a `file` or `sha256` for the label {label!r}, "
                "received neither"
            )
        who = _value(cells, _ANNOTATORS).strip()
        time = _value(cells, _TIMES).strip()
        name = None if label == CANT_TELL else label
        answers.append(Answer(file, checksum, name, who, time))
    answers.sort(key=lambda answer: answer.time)
    if is_history:
        latest = {answer.sha256 or answer.file: answer for answer in answers}
        return [answer for answer in latest.values() if answer.label != ""]
    return answers


def column_names(text: str) -> list[str]:
    """Return the names of the columns in a file of answers, in lower case.

    Args:
        text: As for `parse_answers`.

    Raises:
        ValueError: If the text is no such file.
    """
    return _read_rows(text)[0]


def write_ranking(path: str | os.PathLike, rows: list[dict]) -> None:
    """Write a ranking. The write is atomic.

    File names are written as `spreadsheet_cells.escape` gives them.
    """
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _RANKING_COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "file": spreadsheet_cells.escape(row["file"])})


def read_ranking(path: pathlib.Path) -> list[RankedImage]:
    """Return the images of a ranking.

    The file may have a byte-order mark, and semicolons or tabs between columns, as
    spreadsheet programs write them.

    Raises:
        ValueError: If the file is not a ranking.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(",;\t", key=first.count))
            if not _IDENTITY & set(rows.fieldnames or ()):
                raise ValueError(f"none of the columns {', '.join(sorted(_IDENTITY))}")
            return [_ranked_image(row) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise _validation.ArgumentError(
            "exclude",
            "must name rankings that this command wrote. "
            f"Received: {str(path)!r} ({error})",
        ) from error


def _read_rows(text):
    """Return the names of the columns, and the first line and cells of each row."""
    received = []
    first, _, rest = text.partition("\n")
    hint = re.fullmatch(r"sep=(.)\r?", first.strip('"'))  # a line that Excel writes
    separators = _SEPARATORS
    if hint:
        text, separators = rest, (hint[1],)
    for separator in separators:
        rows = _iterate_rows(text, separator)
        try:
            _, header = next(rows, (1, []))
        except ValueError:  # quoted cells that another separator follows
            continue
        columns = [name.strip().lower() for name in header]
        if set(_LABELS) & set(columns) and {"file", "sha256", "image"} & set(columns):
            _check_repeated(columns)
            return columns, rows
        received = max(received, columns, key=len)
    raise ValueError(
        "line 1: expected the columns `label`, and `file` or `sha256`, received "
        f"{', '.join(received)!r:.200}"
    )


def _value(cells, names):
    """Return the cell of the first column that is there."""
    return next((cells[name] for name in names if name in cells), "")


def _iterate_rows(text, separator):
    """Yield the number of the first line and the cells of each row that has any."""
    # `newline=""` keeps line breaks within cells. `strict` refuses an open quote, which
    # would swallow the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for row in reader:
            if any(row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"line {line}: expected cells separated by {separator!r}, received "
            f"something else ({error})"
        ) from error


def _check_repeated(columns):
    """Raise ValueError if a column with a meaning is there twice."""
    for name in ("label", "file", "sha256", *_ANNOTATORS, *_TIMES):
        if columns.count(name) > 1:
            raise ValueError(
                f"line 1: expected one column `{name}`, received {columns.count(name)}"
            )


def _ranked_image(row):
    """Return the image of a row of the file."""
    index, file, sha256 = (row.get(name) or "" for name in ("index", "file", "sha256"))
    if not (index or file or sha256):
        raise ValueError("a row that names no image")
    return RankedImage(
        int(index) if index else None, spreadsheet_cells.unescape(file), sha256
    )
