"""The table of all strategies, against accuracies with known means."""

import pandas as pd
import pytest
import which_strategy
from benchmarks import report
from experiments.analysis import strategy_table
from experiments.problems import PROBLEMS
from experiments.studies.newer import WITH_COPIES
from helpers.made_up_rows import made_up

MNIST = PROBLEMS["mnist-lenet5"]


@pytest.fixture
def table():
    rows = pd.concat(
        [
            made_up("random", [[60, 70, 80], [62, 72, 82], [64, 74, 84]]),
            made_up("random_copies", [[65, 75, 85]]),
            made_up("badge", [[70, 80, 90], [70, 80]]),
            made_up("dfal", [[75, 85, 95]]),
        ]
    )
    return strategy_table.lay_out(rows, MNIST, {"random": 0.0123})


def test_accuracies_and_intervals(table):
    """The means are 70, 72 and 74; t is 4.303 with two degrees of freedom."""
    random = table.loc["RANDOM"]
    assert (random["n"], random["mean"]) == ("1", "75.0")
    assert (random["at 100"], random["at 300"]) == ("65.0", "85.0")
    half = 4.303 * 2 / 3**0.5
    assert random["alone: n"] == "3"
    assert random["alone: mean"] == f"72.0 [{72 - half:.1f}, {72 + half:.1f}]"
    assert random["seconds"] == "0.012"


def test_only_trials_that_reached_300_count(table):
    badge = table.loc["BADGE"]
    assert (badge["alone: n"], badge["alone: mean"]) == ("1", "80.0")


def test_the_best_come_first_and_blanks_last(table):
    """BADGE is better alone; but strategies with companions come first."""
    assert list(table.index[:3]) == ["DFAL", "RANDOM", "BADGE"]
    cells = table.iloc[3:].drop(columns="needs")
    assert (cells == "").all(axis=None)


def test_the_adversarial_examples_of_dfal_are_its_companions(table):
    assert (table.loc["DFAL", "n"], table.loc["DFAL", "at 300"]) == ("1", "95.0")
    assert table.loc["DFAL", "alone: mean"] == ""


def test_each_method_is_in_one_line():
    rows = [
        made_up(method.name, [[number, number, number]])
        for number, method in enumerate(strategy_table.METHODS)
    ]
    rows += [
        made_up(copies.name, [[50 + number] * 3])
        for number, copies in enumerate(WITH_COPIES.values())
    ]
    table = strategy_table.lay_out(pd.concat(rows), MNIST, {})
    shown = table[["mean", "alone: mean"]].stack()
    assert shown[shown != ""].is_unique
    assert (shown != "").sum() == len(rows)


def test_a_strategy_was_run_also_if_only_with_copies():
    rows = made_up("random_copies", [[65, 75, 85]])
    found = strategy_table.was_run(strategy_table.lay_out(rows, MNIST, {}))
    assert list(found.index[found]) == ["RANDOM"]


def test_each_strategy_says_what_it_needs(table):
    assert (table["needs"] != "").all()


def test_seconds_of_a_query_are_those_of_the_smallest_labeled_set(tmp_path):
    assert report.query_seconds(tmp_path) == {}
    pd.DataFrame(
        {"strategy": ["dfal", "dfal"], "labeled": [500, 100], "query": [9, 1]}
    ).to_csv(tmp_path / "speed_rounds.csv")
    assert report.query_seconds(tmp_path) == {"dfal": 1}


@pytest.mark.parametrize(
    "options", [("--strategy", "dfal"), ("--budget", "100"), ("--problem", "none")]
)
def test_options_that_the_table_does_not_follow_are_refused(capsys, options):
    with pytest.raises(SystemExit, match="2"):
        which_strategy.main(list(options))
    error = capsys.readouterr().err
    assert f"argument {options[0]}: " in error
    assert options[1] in error.rpartition("eceived")[2]


def test_the_script_shows_what_is_stored(capsys):
    assert which_strategy.main(["--problem", MNIST.name]) == 0
    shown = capsys.readouterr().out
    assert "RANDOM" in shown
    assert "Blank cells were not run" in shown
