import functools
import json

import numpy as np
import pytest
from helpers import bad_calls

from dfal_keras import strategies


def test_get_by_name_passes_the_options_on():
    strategy = strategies.get("dfal", num_candidates=7)
    assert isinstance(strategy, strategies.DFAL)
    assert strategy.num_candidates == 7


@pytest.mark.parametrize(
    "name", ["core_set", "CoreSet", "CORE_SET", "coreset", strategies.CoreSet]
)
def test_get_by_the_name_of_the_class_or_the_class(name):
    strategy = strategies.get(name, time_limit=5)
    assert type(strategy) is strategies.CoreSet
    assert strategy.time_limit == 5


def test_get_returns_a_strategy_unchanged():
    own = strategies.Random()
    assert strategies.get(own) is own


def test_a_class_of_ones_own_may_have_an_option_named_strategy(tmp_path, monkeypatch):
    (tmp_path / "module_of_test_registry.py").write_text(
        "from dfal_keras.strategies import Random\n"
        "class Own(Random):\n"
        "    def __init__(self, strategy):\n"
        "        self.strategy = strategy\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = strategies.get("module_of_test_registry:Own", strategy="bald")
    assert own.strategy == "bald"


@pytest.mark.parametrize("name", ["DeepFool", "", None, 3, strategies.Strategy, int])
def test_an_unknown_name_is_rejected_with_the_known_ones(name):
    message = bad_calls.check_rejected("strategy", lambda: strategies.get(name))
    assert "one of 'dfal', 'bald'" in message


@pytest.mark.parametrize(
    "name",
    [
        b"dfal",
        ":",
        "nowhere:Strategy",
        ".here:Mine",  # relative
        "os:path",  # a module
        "os:getcwd",  # a function
        "json:JSONDecoder",  # no method `query`
        "dfal_keras.strategies:Strategy",  # abstract
        {},
        {"class_name": "DFAL"},
        {"class_name": "DFAL", "config": None},
        {"class_name": "DeepFool", "config": {}},
        {"class_name": "DFAL", "config": {}, "module": "dfal_keras"},
        {"class_name": strategies.DFAL, "config": {}},
    ],
)
def test_a_name_of_something_else_is_rejected(name):
    bad_calls.check_rejected("strategy", lambda: strategies.get(name))


class Needy(strategies.Random):
    """A strategy with an option that must be given."""

    def __init__(self, table):
        self.table = table


@pytest.mark.parametrize(
    "strategy",
    [
        "skactiveml",
        strategies.WithCompanions,
        Needy,
        {"class_name": "SkActiveML", "config": {"num_candidates": 5}},
        {
            "class_name": "dfal_keras.strategies.companions:WithCompanions",
            "config": {"companions": "copies"},
        },
    ],
)
def test_options_that_are_missing_are_named(strategy):
    message = bad_calls.check_rejected("strategy", lambda: strategies.get(strategy))
    assert "must be given with '" in message


def test_an_option_that_must_be_given_can_be():
    assert strategies.get(Needy, table=3).table == 3
    assert strategies.get("skactiveml", query_strategy="badge").num_candidates == 300


@pytest.mark.parametrize("strategy", [strategies.DFAL(), {"class_name": "DFAL"}])
def test_options_of_what_has_its_options_are_rejected(strategy):
    bad_calls.check_rejected("strategy", lambda: strategies.get(strategy, ord=1))


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.DFAL(ord=np.inf, bounds=(0, 255), max_steps=np.int64(7)),
        strategies.BALD(num_samples=3),
        strategies.CEAL(max_ratio=2),
        strategies.CoreSet(features="outputs"),
        strategies.EGL(expectation="uniform"),
        strategies.Uncertainty(batch_size=9),
        strategies.Random(),
        strategies.DiverseDFAL(oversampling=np.float32(1.5), max_steps=7),
        strategies.CostEffectiveDFAL(max_share=0.25, ord=1),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_a_serialized_strategy_is_built_again(strategy):
    serialized = json.loads(json.dumps(strategies.serialize(strategy)))
    again = strategies.get(serialized)
    assert serialized["class_name"] == type(strategy).__name__
    assert type(again) is type(strategy)
    assert json.loads(json.dumps(strategies.serialize(again))) == serialized
    assert again.num_candidates == strategy.num_candidates


def test_a_strategy_of_ones_own_is_serialized_by_its_module(tmp_path, monkeypatch):
    (tmp_path / "serialized_of_test_registry.py").write_text(
        "from dfal_keras.strategies import DFAL\nclass Own(DFAL):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = strategies.get("serialized_of_test_registry:Own", ord=1)
    serialized = strategies.serialize(own)
    assert serialized["class_name"] == "serialized_of_test_registry:Own"
    again = strategies.get(serialized)
    assert type(again) is type(own)
    assert again.ord == 1


def test_what_can_not_be_serialized():
    class Local(strategies.Random):
        pass

    class WithoutConfig:
        def query(self):
            """Do nothing."""

    for strategy in (Local(), WithoutConfig()):
        call = functools.partial(strategies.serialize, strategy)
        bad_calls.check_rejected("strategy", call)
