import numpy as np
import pytest
from helpers.kcenter_checks import check
from skactiveml.pool import k_greedy_center

from dfal_keras import kcenter


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_scikit_activeml(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(200, 12))
    selected = rng.choice(200, 15, replace=False)
    labels = np.full(200, np.nan)
    labels[selected] = 0
    expected, _ = k_greedy_center(features, labels, batch_size=20)

    result = kcenter.greedy(features, selected, 20)

    np.testing.assert_array_equal(result.centers, expected)
    check(features, selected, 20, 0, result)


def test_greedy_without_selected_starts_closest_to_the_mean():
    features = np.array([[0.0], [4.0], [5.0], [11.0]])
    result = kcenter.greedy(features, [], 3)
    np.testing.assert_array_equal(result.centers, [2, 3, 0])
    assert result.radius == 1


def test_greedy_gives_ties_to_the_lowest_index():
    features = np.array([[0.0], [-1.0], [1.0], [-1.0], [1.0]])
    np.testing.assert_array_equal(kcenter.greedy(features, [0], 3).centers, [1, 2, 3])


@pytest.mark.parametrize("selected", [[], [0, 2]])
def test_greedy_never_chooses_a_point_twice(selected):
    features = np.ones((6, 2))
    result = kcenter.greedy(features, selected, 4)
    check(features, selected, 4, 0, result)
    assert result.radius == 0
    assert result.proven
