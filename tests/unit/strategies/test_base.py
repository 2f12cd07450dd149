import numpy as np
import pytest
from helpers import bad_calls, models

from dfal_keras import strategies
from dfal_keras.strategies import Query, Strategy

NAMES = [
    *("dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random"),
    *("diverse_dfal", "cost_effective_dfal"),
]


class Own(Strategy):
    """A strategy with options of several kinds."""

    def __init__(self, weight, *, color="red"):
        self.weight = weight
        self.color = color
        self.calls = 0
        self._cache = {}

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        """Do nothing."""


class Passing(strategies.DFAL):
    """A strategy that passes options on to its base."""

    def __init__(self, *, color="red", **options):
        super().__init__(**options)
        self.color = color


@pytest.mark.parametrize("name", NAMES)
def test_the_config_has_all_options_and_builds_an_equal_strategy(name):
    strategy = strategies.get(name)
    public = {n: v for n, v in vars(strategy).items() if not n.startswith("_")}
    config = strategy.get_config()
    assert config == {"num_candidates": strategy.num_candidates, **public}
    again = type(strategy).from_config(config)
    assert type(again) is type(strategy)
    assert again.get_config() == config


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_candidates", [None, 7])
def test_a_number_of_candidates_set_later_is_kept(name, num_candidates):
    strategy = strategies.get(name)
    strategy.num_candidates = num_candidates
    again = type(strategy).from_config(strategy.get_config())
    assert again.num_candidates == num_candidates


def test_the_config_of_ones_own_strategy_holds_its_options_only():
    strategy = Own(np.float32(0.5))
    strategy.color = "blue"
    config = {"num_candidates": None, "weight": 0.5, "color": "blue"}
    assert strategy.get_config() == config
    assert type(strategy.get_config()["weight"]) is float
    assert Own.from_config(config).color == "blue"


def test_options_that_are_passed_on_are_in_the_config():
    strategy = Passing(color="green", ord=1)
    config = strategy.get_config()
    assert config == {**strategies.DFAL(ord=1).get_config(), "color": "green"}
    assert Passing.from_config(config).ord == 1


def test_an_option_that_is_no_attribute_has_no_config():
    class Hidden(Own):
        def __init__(self, secret):
            self._secret = secret

    with pytest.raises(NotImplementedError, match=r"Hidden must define.*\['secret'\]"):
        Hidden(3).get_config()


@pytest.mark.parametrize("value", [0, 2.5, "300"])
@pytest.mark.parametrize("name", ["dfal", "random"])
def test_a_bad_number_of_candidates_in_a_config_is_rejected(name, value):
    cls = type(strategies.get(name))
    config = {"num_candidates": value}
    bad_calls.check_rejected("num_candidates", lambda: cls.from_config(config))


class Returning(Strategy):
    """A strategy of a user that returns a given query."""

    def __init__(self, returned):
        self.returned = returned

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        return self.returned


@pytest.mark.parametrize(
    "returned",
    [
        None,
        [0, 1, 2],
        Query([0, 0, 1]),
        Query([0, 1, 20]),
        Query([0, 1, 2, 3]),
        Query([0.0, 0.5, 1.0]),
        Query([0, 1, 2], scores=[1.0, np.nan, 0.0]),
        Query([0, 1, 2], companions=np.zeros((3, 4, 4))),
        Query([0, 1, 2], pseudo_indices=[2], pseudo_labels=[0]),
    ],
)
def test_an_invalid_query_of_ones_own_strategy_is_an_error(returned):
    strategy = Returning(returned)
    with pytest.raises(ValueError, match=r"The strategy Returning must .*Received: "):
        strategy.query(models.linear(3), bad_calls.IMAGES, 3)


def test_a_query_of_lists_is_returned_as_arrays():
    query = Returning(Query([4, 2], scores=[1, 0])).query(
        models.linear(3), bad_calls.IMAGES, 3
    )
    assert query.indices.dtype == np.int64
    assert query.indices.tolist() == [4, 2]
    assert query.scores.tolist() == [1, 0]
