import pytest
from helpers import bad_calls

from dfal_keras import strategies


def test_get_by_name_passes_the_options_on():
    strategy = strategies.get("dfal", num_candidates=7)
    assert isinstance(strategy, strategies.DFAL)
    assert strategy.num_candidates == 7


def test_get_returns_a_strategy_unchanged():
    own = strategies.Random()
    assert strategies.get(own) is own


def test_a_class_of_ones_own_may_have_an_option_named_strategy(tmp_path, monkeypatch):
    (tmp_path / "own_strategies.py").write_text(
        "from dfal_keras.strategies import Random\n"
        "class Own(Random):\n"
        "    def __init__(self, strategy):\n"
        "        self.strategy = strategy\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = strategies.get("own_strategies:Own", strategy="bald")
    assert own.strategy == "bald"


@pytest.mark.parametrize("name", ["DeepFool", "DFAL", "", None, 3, strategies.Random])
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
    ],
)
def test_a_name_of_something_else_is_rejected(name):
    bad_calls.check_rejected("strategy", lambda: strategies.get(name))
