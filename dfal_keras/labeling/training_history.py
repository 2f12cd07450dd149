"""history.csv and metrics.json: the trainings of a session.

Both are written before the model's file is replaced, and hold its checksum. After an
interrupted training the files may not match `model.keras`; such an entry is ignored.
"""

import dataclasses
import json
import math
import pathlib

from dfal_keras import _files
from dfal_keras.labeling import session_tables


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


@dataclasses.dataclass(frozen=True)
class TrainingHistory:
    """The trainings of a session.

    Attributes:
        trainings: The trainings, the latest last.
        metrics: Results of the latest model by class; empty if there are none.
    """

    trainings: list[TrainingRecord]
    metrics: dict[str, ClassMetrics]


def read(folder: pathlib.Path) -> TrainingHistory:
    """Return the trainings of a session.

    Raises:
        ValueError: If history.csv or metrics.json is damaged.
    """
    trainings = session_tables.read_table(
        folder / "history.csv",
        lambda row: TrainingRecord(**{n: parse(row[n]) for n, parse in _PARSE.items()}),
        _EXPECTED,
    )
    if not trainings:
        return TrainingHistory([], {})
    checksum = _files.sha256(folder / "model.keras")
    if trainings[-1].model != checksum:
        trainings.pop()
    return TrainingHistory(trainings, _read_metrics(folder / "metrics.json", checksum))


def write(
    folder: pathlib.Path,
    trainings: list[TrainingRecord],
    metrics: dict[str, ClassMetrics],
) -> None:
    """Write history.csv and metrics.json, each atomically."""
    rows = map(dataclasses.astuple, trainings)
    session_tables.write_table(folder / "history.csv", list(_PARSE), rows)
    classes = {label: dataclasses.asdict(values) for label, values in metrics.items()}
    for values in classes.values():
        if math.isnan(values["recall"]):
            values["recall"] = None  # JSON has no NaN
    content = {"model": trainings[-1].model, "classes": classes}
    _files.write_text(
        folder / "metrics.json", json.dumps(content, indent=2, ensure_ascii=False)
    )


def _read_metrics(path, checksum):
    """Return the results by class, empty if they are of another model."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["model"] != checksum:
            return {}
        return {
            label: ClassMetrics(
                int(values["num_labels"]),
                int(values["num_held_out"]),
                math.nan if values["recall"] is None else float(values["recall"]),
            )
            for label, values in content["classes"].items()
        }
    except _DAMAGED as error:
        raise ValueError(f"{_EXPECTED}. Received: {path} ({error})") from error


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
    *(OSError, ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, RecursionError),  # of infinite numbers, of nested lists
)

_EXPECTED = (
    "A session's history.csv and metrics.json must be as the command `train` wrote "
    "them; delete a damaged one to begin anew"
)
