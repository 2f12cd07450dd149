import numpy as np
import pytest

from dfal_keras import strategies
from dfal_keras.strategies.uncertainty import entropy


def test_entropy_has_its_closed_form():
    rows = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [1e-40, 1, 0, 0]])
    expected = [0, np.log(4), np.log(2), 0]
    assert entropy(rows) == pytest.approx(expected, abs=1e-12)
    assert not np.signbit(entropy(rows[0]))


def test_uncertainty_queries_the_highest_entropy_first_and_certain_samples_last():
    def model(images):  # certain of the first five
        return images * 1000

    x = np.eye(3, dtype="float32")[np.arange(10) % 3]
    x[5:] = 1 / 3 + np.arange(5)[:, None] * np.array([1e-4, 0, -1e-4])
    query = strategies.Uncertainty().query(model, x, 10)
    assert list(query.indices[:5]) == [5, 6, 7, 8, 9]
    assert query.scores[0] == pytest.approx(np.log(3))
    assert query.scores[5:] == pytest.approx(np.zeros(5))
