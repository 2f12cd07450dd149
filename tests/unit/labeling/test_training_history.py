import dataclasses
import math

import pytest

from dfal_keras import _files
from dfal_keras.labeling import training_history
from dfal_keras.labeling.training_history import ClassMetrics, TrainingRecord

METRICS = {"=cat": ClassMetrics(12, 2, 0.5), "dog": ClassMetrics(1, 0, math.nan)}


@pytest.fixture
def trained(tmp_path):
    """A folder with a model, and the row of its training."""
    (tmp_path / "model.keras").write_bytes(b"a model")
    checksum = _files.sha256(tmp_path / "model.keras")
    row = TrainingRecord(
        "2026-01-01T00:00:00+00:00", 20, 26, 4, 0.75, 0.123, 1.5, checksum
    )
    return tmp_path, row


def test_nothing_is_read_before_the_first_training(tmp_path):
    assert training_history.read(tmp_path).trainings == []
    assert training_history.read(tmp_path).metrics == {}


def test_trainings_are_read_as_written(trained):
    folder, row = trained
    rows = [dataclasses.replace(row, model="before"), row]
    training_history.write(folder, rows, METRICS)
    assert training_history.read(folder).trainings == rows
    assert training_history.read(folder).metrics.keys() == METRICS.keys()
    assert training_history.read(folder).metrics["=cat"] == METRICS["=cat"]
    assert math.isnan(training_history.read(folder).metrics["dog"].recall)


def test_a_training_whose_model_is_not_in_place_is_left_out(trained):
    folder, row = trained
    training_history.write(
        folder, [row, dataclasses.replace(row, model="killed")], METRICS
    )
    assert training_history.read(folder).trainings == [row]
    assert training_history.read(folder).metrics == {}


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *(('"num_labels": 7', f'"num_labels": {x}') for x in ("1e999", "[]", NESTED)),
        *(('"num_held_out": 5', f'"num_held_out": {x}') for x in ("1e999", '"x"')),
        *(('"recall": 0.5', f'"recall": {x}') for x in ("[]", '"x"', NESTED)),
        ('"model"', '"other"'),
        ('"classes": {', '"classes": [{}], "others": {'),
    ],
)
def test_damaged_metrics_are_refused_by_name(trained, before, after):
    folder, row = trained
    training_history.write(folder, [row], {"cat": ClassMetrics(7, 5, 0.5)})
    path = folder / "metrics.json"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=r"metrics\.json"):
        training_history.read(folder)


@pytest.mark.parametrize("name", ["history.csv", "metrics.json"])
def test_damaged_files_are_refused_by_name(trained, name):
    folder, row = trained
    training_history.write(folder, [row], METRICS)
    (folder / name).write_text((folder / name).read_text()[:-90])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        training_history.read(folder)
