import math

import pytest
from helpers import image_folders

from dfal_keras.labeling import few_labels


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return image_folders.write_model(tmp_path_factory.mktemp("model") / "model.keras")


@pytest.mark.parametrize("num_samples", [2, 16, 31, 32, 63, 64, 100, 255, 256, 10_000])
@pytest.mark.parametrize("batch_size", [1, 32, 100])
def test_a_training_stops_after_forty_steps_without_progress(
    model, num_samples, batch_size
):
    found = few_labels.training(model, num_samples, batch_size=batch_size)
    num_steps = max(1, math.floor(num_samples / batch_size))  # of an epoch
    assert found.patience >= 5
    assert found.patience * num_steps >= 40
    assert found.patience == 5 or (found.patience - 1) * num_steps < 40


@pytest.mark.parametrize(("batch_size", "expected"), [(32, 8), (100, 25), (3, 1)])
def test_a_last_batch_of_less_than_a_quarter_is_skipped(model, batch_size, expected):
    found = few_labels.training(model, 50, batch_size=batch_size)
    assert found.min_batch_size == expected


def test_what_is_given_is_taken(model):
    given = {"patience": 3, "min_batch_size": 2, "batch_size": 16, "epochs": 7}
    found = few_labels.training(model, 50, **given)
    assert {name: getattr(found, name) for name in given} == given


@pytest.mark.parametrize("name", ["batch_size", "patience", "min_batch_size"])
@pytest.mark.parametrize("value", [0, -1, math.nan, "many"])
def test_bad_options_are_named(model, name, value):
    with pytest.raises(ValueError, match=f"Argument `{name}`"):
        few_labels.training(model, 50, **{name: value})
