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


@pytest.mark.parametrize("name", ["history.csv", "metrics.json"])
def test_damaged_files_are_refused_by_name(trained, name):
    folder, row = trained
    training_history.write(folder, [row], METRICS)
    (folder / name).write_text((folder / name).read_text()[:-90])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        training_history.read(folder)
