"""The contract of both searches."""

import dataclasses
import functools

import numpy as np
import pytest
from helpers import bad_calls

from dfal_keras import kcenter


def test_order_of_the_points_does_not_matter():
    rng = np.random.default_rng(1)
    features, selected = rng.normal(size=(80, 5)), np.arange(6)
    order = rng.permutation(80)
    position = np.argsort(order)
    expected = kcenter.greedy(features, selected, 8)
    result = kcenter.greedy(features[order], position[selected], 8)
    np.testing.assert_array_equal(order[result.centers], expected.centers)
    expected = kcenter.robust(features, selected, 8, max_outliers=2)
    result = kcenter.robust(features[order], position[selected], 8, max_outliers=2)
    assert result.radius == expected.radius
    assert result.proven
    assert expected.proven


def test_result_is_frozen():
    result = kcenter.greedy([[0.0], [1.0]], [0], 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.radius = 0.0


POINTS = {"features": np.arange(8.0).reshape(4, 2), "selected": [0], "num_centers": 2}
BAD_POINTS = [
    (name, value)
    for name, values in {
        "features": (
            np.arange(4.0),
            np.zeros((4, 2, 2)),
            np.empty((0, 2)),
            np.empty((4, 0)),
            [["a"], ["b"], ["c"]],
            [[0.0], [np.nan], [1.0]],
            [[0.0], [np.inf], [1.0]],
        ),
        "selected": (
            [4],
            [-1],
            [1, 1],
            [0.5],
            [[0], [1]],
            np.array([True, False, False, False]),
            None,
            [2**70],
        ),
        "num_centers": (0, 4, 1.5, True),
    }.items()
    for value in values
]
BAD_OPTIONS = [
    (name, value)
    for name, values in {
        "max_outliers": (-1, np.nan, np.inf),
        "formulation": ("loose", None),
        "solver": ("gurobi", ["scip"]),
        "time_limit": (0, np.nan, np.inf),
        "process": (1, "scip"),
    }.items()
    for value in values
]


@pytest.mark.parametrize("search", [kcenter.greedy, kcenter.robust])
@pytest.mark.parametrize(("name", "value"), BAD_POINTS)
def test_bad_points_are_rejected(search, name, value):
    call = functools.partial(search, **{**POINTS, name: value})
    bad_calls.check_rejected(name, call)


@pytest.mark.parametrize(("name", "value"), BAD_OPTIONS)
def test_a_bad_option_is_rejected(name, value):
    search = functools.partial(kcenter.robust, **POINTS)
    bad_calls.check_option_rejected(search, name, value)
