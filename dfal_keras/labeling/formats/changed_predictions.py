"""Find out whether a person changed a file of predictions."""

import csv
import pathlib
from collections.abc import Collection

from dfal_keras.labeling.formats import csv_files, spreadsheet_cells

_CLASS = "class"


def find_change(path: pathlib.Path, labels: Collection[tuple[str, str]]) -> str | None:
    """Return what was changed in a file that `csv_files.write_predictions` wrote.

    A class is either the predicted one, or was an image's label at some time.

    Args:
        path: The file.
        labels: The checksum and the label of each answer that was ever told.

    Returns:
        What was changed, for an error; `None` if nothing was.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, None) != list(csv_files.PREDICTION_COLUMNS):
                return "other columns"
            for row in reader:
                cells = map(spreadsheet_cells.unescape, row)
                found = dict(zip(csv_files.PREDICTION_COLUMNS, cells, strict=True))
                is_predicted = found[_CLASS] == found["predicted"]
                if not is_predicted and (found["sha256"], found[_CLASS]) not in labels:
                    return f"the class {found[_CLASS]!r:.80} of {found['file']!r:.200}"
    except (OSError, ValueError, csv.Error) as error:
        return f"a row that can't be read ({error})"
    return None
