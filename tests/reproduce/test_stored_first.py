"""Without options, a script of runs shows what is stored, and writes nothing."""

import importlib

import numpy as np
import pandas as pd
import pytest
import table1
from experiments import first_run, options
from experiments.analysis import tables, terminal
from experiments.problems import PROBLEMS
from helpers.parameters import slow_after

MNIST = PROBLEMS["mnist-lenet5"]
FOLDER = options.default_output("paper")


def files():
    return {path: path.stat().st_mtime_ns for path in FOLDER.rglob("*.*")}


@pytest.mark.parametrize(
    ("name", "number"),
    slow_after(
        3,
        [
            ("table2", "2110 ± 0 (n=3)"),
            ("table4", "97.80"),  # the paper's
            ("table3", "784.99"),
            ("solvers", "literal"),
            ("speed", "ours, every image"),
            ("compare", "93.53 ± 0.45 (n=5)"),
            ("figure2", "figure2.png"),
            ("claims", "+4.79 [+3.89, +5.69]"),
            ("core_hours", "25.8"),
            ("beyond", "-5.47 [-9.31, -1.64]"),
        ],
    ),
)
def test_a_script_without_options(name, number, capsys):
    before = files()
    assert importlib.import_module(name).main([]) == 0
    shown = capsys.readouterr().out
    assert number in shown
    longest = max(shown.splitlines(), key=len)
    # Lines of a cell whose words do not fit, and paths, may be longer.
    assert len(longest) <= terminal.WIDTH or "/" in longest or name == "beyond"
    assert files() == before


def test_table1_shows_what_is_stored_and_then_runs(monkeypatch, capsys):
    received = []

    def show(rows):
        received.append(rows)
        return 1

    monkeypatch.setattr(first_run, "show", show)
    before = files()
    assert table1.main([]) == 1
    shown = capsys.readouterr().out
    assert "82.77 / 86.04 ±2.35" in shown
    assert "n = 5" in shown
    assert "Without a number of ours: MNIST (VGG8)" in shown
    assert set(received[0]["trial"]) == set(range(5))
    assert files() == before
    assert table1.main(["--preset", "paper", "--stored"]) == 0
    assert len(received) == 1


def test_stored_results_are_written_to_a_folder_that_is_given(tmp_path):
    parser = options.make_parser("")
    assert options.parse(parser, []).read_only
    assert options.parse(parser, ["--stored"]).read_only
    assert not options.parse(parser, ["--stored", "--output", str(tmp_path)]).read_only
    assert not options.parse(parser, ["--trials", "1"]).read_only
    assert options.parse(parser, []).preset == "paper"
    assert options.parse(parser, ["--trials", "1"]).preset == "quick"


def rows(accuracies, strategy="dfal"):
    """Return rows at 100 annotations, one for each trial."""
    return pd.DataFrame(
        {
            "problem": "mnist-lenet5",
            "strategy": strategy,
            "trial": range(len(accuracies)),
            "num_annotations": 100,
            "accuracy": accuracies,
            "source": None,
        }
    )


def test_this_machine_beside_the_stored_trial_of_the_same_seed():
    stored = pd.concat([rows([0.8, 0.9]), rows([0.7], "random")])
    table = tables.this_machine(rows([0.81]), stored, MNIST, 100)
    assert table.loc["DFAL"].to_dict() == {
        "paper": "82.77",
        "stored": "85.00 ± 7.07 (n=2)",
        "this machine, n = 1": "81.00",
        "stored, same seed": "80.00",
        "difference": "+1.00",
    }
    assert table.loc["RANDOM", "difference"] == ""  # not run here


def test_a_compact_table_names_different_numbers_of_trials():
    both = pd.concat([rows([0.8, 0.9]), rows([0.7], "random")])
    text = terminal.compact(tables.table1(both, MNIST, [100]))
    assert "82.77 / 85.00 ±7.07 (n=2)" in text
    assert "77.56 / 70.00 (n=1)" in text
    text = terminal.compact(tables.table1(rows([0.8, 0.9]), MNIST, [100]))
    assert "n = 2" in text.splitlines()[0]
    assert "82.77 / 85.00 ±7.07\n" in text


def test_a_table_without_a_number_of_ours():
    assert not tables.has_ours(tables.table1(rows([]), MNIST, [100]))
    assert tables.has_ours(tables.table1(rows([0.8]), MNIST, [100]))


@pytest.mark.parametrize("num_columns", [1, 4, 12])
@pytest.mark.parametrize("length", [3, 30, 90])
def test_wide_tables_fit_without_losing_a_cell(num_columns, length):
    cells = np.full((2, num_columns), " ".join(["x" * 8] * (length // 8 + 1)))
    names = [f"column {i}" for i in range(num_columns)]
    table = pd.DataFrame(cells, ["first", "second"], names).rename_axis("row")
    text = terminal.fit(table)
    assert max(map(len, text.splitlines())) <= terminal.WIDTH
    assert text.count("xxxxxxxx") == 2 * num_columns * (length // 8 + 1)
    for i in range(num_columns):
        assert f"column {i}" in text
