"""history.csv and metrics.json: the trainings of a session.

Both are written before the model's file is replaced, and hold its checksum. After an
interrupted training the files may not match `model.keras`; such an entry is ignored.
"""

import csv
import dataclasses
import io
import json
import math
import pathlib

from dfal_keras import _files


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """One training of a session.

    Attributes:
        time: When it ended, in ISO 8601, in UTC.
        num_labels: Number of labels, those held out included.
        num_training: Size of the training set: labels, adversarial examples and
            pseudo-labels, without what is held out.
        num_held_out: Number of labels that the model was tested on.
        accuracy: Accuracy on these, in [0, 1]; NaN if there are none.
        agreement: Agreement with the model before, Cohen's kappa of their predictions;
            NaN if there is none.
        seconds: Duration.
        model: Checksum of the model's file.
    """

    time: str
    num_labels: int
    num_training: int
    num_held_out: int
    accuracy: float
    agreement: float
    seconds: float
    model: str


@dataclasses.dataclass(frozen=True)
class ClassMetrics:
    """Results of the latest model on the held-out labels of one class.

    Attributes:
        num_labels: Number of labels, those held out included.
        num_held_out: Number of labels that the model was tested on.
        recall: The fraction of these that is predicted right; NaN if there are none.
    """

    num_labels: int
    num_held_out: int
    recall: float


def read_trainings(folder: pathlib.Path) -> list[TrainingRecord]:
    """Return the trainings of a session.

    Raises:
        ValueError: If history.csv is damaged.
    """
    path = folder / "history.csv"
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        trainings = [
            TrainingRecord(**{name: parse(row[name]) for name, parse in _PARSE.items()})
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ValueError(_DAMAGED.format(path, error)) from error
    if trainings and trainings[-1].model != _files.sha256(folder / "model.keras"):
        trainings.pop()
    return trainings


def read_metrics(folder: pathlib.Path) -> dict[str, ClassMetrics]:
    """Return the results of the latest model by class, empty if there are none.

    Raises:
        ValueError: If metrics.json is damaged.
    """
    path = folder / "metrics.json"
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["model"] != _files.sha256(folder / "model.keras"):
            return {}
        return {
            label: ClassMetrics(
                values["num_labels"],
                values["num_held_out"],
                math.nan if values["recall"] is None else values["recall"],
            )
            for label, values in content["classes"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(_DAMAGED.format(path, error)) from error


def write_trainings(
    folder: pathlib.Path,
    trainings: list[TrainingRecord],
    metrics: dict[str, ClassMetrics],
) -> None:
    """Write history.csv and metrics.json, each atomically."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_PARSE)
    writer.writerows(map(dataclasses.astuple, trainings))
    _files.write_text(folder / "history.csv", text.getvalue())
    classes = {label: dataclasses.asdict(values) for label, values in metrics.items()}
    for values in classes.values():
        if math.isnan(values["recall"]):
            values["recall"] = None  # JSON has no NaN
    content = {"model": trainings[-1].model, "classes": classes}
    _files.write_text(
        folder / "metrics.json", json.dumps(content, indent=2, ensure_ascii=False)
    )


_PARSE = {
    "time": str,
    "num_labels": int,
    "num_training": int,
    "num_held_out": int,
    "accuracy": float,
    "agreement": float,
    "seconds": float,
    "model": str,
}

_DAMAGED = (
    "A session's history.csv and metrics.json must be as the command `train` wrote "
    "them. Delete a damaged one to begin anew. Received: {} ({})"
)
