import numpy as np
import pytest
from sklearn.utils import class_weight as sklearn_weights

from dfal_keras.training import class_weights

LABELS = np.array([0, 0, 0, 2, 2, 1])


def test_a_dict_gives_one_to_other_classes():
    found = class_weights.of_samples({0: 0.5, 2: 3}, LABELS, num_classes=3)
    assert found.tolist() == [0.5, 0.5, 0.5, 3, 3, 1]
    assert found.dtype == np.float32


def test_balanced_weights_are_those_of_scikit_learn():
    found = class_weights.of_samples("balanced", LABELS, num_classes=5)
    expected = sklearn_weights.compute_sample_weight("balanced", LABELS)
    assert found == pytest.approx(expected)


def test_a_class_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="`class_weight` must.*below the model's 3"):
        class_weights.of_samples({3: 1.0}, LABELS, num_classes=3)


@pytest.mark.parametrize(
    "value",
    ["even", [1, 2], {-1: 1}, {0: -1}, {0: np.nan}, {0: np.inf}, {0: "1"}, {"0": 1}, 3],
)
def test_bad_weights(value):
    with pytest.raises(
        ValueError, match="`class_weight` must.*Received: class_weight="
    ):
        class_weights.check(value)


@pytest.mark.parametrize("value", [None, "balanced", {}, {0: 1, np.int64(2): 0.5}])
def test_good_weights(value):
    assert class_weights.check(value) is value
