"""The table of core-hours, from made-up rows whose sums are known."""

import core_hours as script
import pandas as pd
import pytest
from experiments import runs, store
from experiments.analysis import core_hours
from experiments.methods import PRINTED
from helpers import stored_runs

LENET5 = "mnist-lenet5"


def made_up(strategy, hours, *, budgets=(500, 1000), source=None):
    """Rows of trials that take the given hours, in rounds of equal length."""
    return pd.DataFrame(
        {
            "problem": LENET5,
            "strategy": strategy,
            "trial": trial,
            "source": source,
            "num_annotations": budget,
            "accuracy": 0.9,
            "fit_seconds": 1800 * whole / len(budgets),
            "evaluate_seconds": 900 * whole / len(budgets),
            "query_seconds": 900 * whole / len(budgets),
        }
        for trial, whole in enumerate(hours)
        for budget in budgets
    )


def column(*tables):
    return core_hours.lay_out(pd.concat(tables, ignore_index=True))["MNIST (LeNet5)"]


def test_trials_are_extrapolated_to_five():
    cells = column(made_up("dfal", [1.0, 2.0]), made_up("random", [0.5]))
    assert cells["DFAL"] == "7.5 (n=2)"
    assert cells["RANDOM"] == "2.5 (n=1)"
    assert cells["BALD"] == "not run"
    assert cells["whole panel, from these runs"] == ""


def test_a_whole_panel_is_added_up():
    tables = [made_up(name, [1.0]) for name in map(str, PRINTED)]
    tables.append(made_up("dfal_no_adversarial", [3.0]))  # not of the paper's panel
    assert column(*tables)["whole panel, from these runs"] == ""
    tables.append(made_up("full", [0.4], budgets=[60_000]))
    cells = column(*tables)
    assert cells["All"] == "2.0 (n=1)"
    assert cells["DFAL without adversarial examples (ours)"] == "15.0 (n=1)"
    assert cells["whole panel, from these runs"] == "37.0"


def test_only_finished_runs_count_and_only_up_to_1000():
    partial = made_up("dfal", [9.0], budgets=(250, 500))
    longer = made_up("dfal", [4.0], budgets=(500, 1000, 1500, 2000)).assign(trial=1)
    transfer = made_up("dfal", [8.0], source="mnist-vgg8").assign(trial=2)
    assert column(partial, longer, transfer)["DFAL"] == "10.0 (n=1)"
    assert column(partial)["DFAL"] == "not run"
    variant = made_up("dfal_no_adversarial", [9.0], budgets=(150, 300))  # of a study
    assert "DFAL without adversarial examples (ours)" not in column(partial, variant)


def test_it_reads_a_store(tmp_path, capsys):
    kept = store.Store(tmp_path / "runs")
    rows = pd.DataFrame({"num_annotations": [1000], "accuracy": [0.5]})
    stored_runs.store_rows(
        kept, runs.Run.named(LENET5, "egl", 3), rows
    )  # 100 times 10 s
    assert script.main(["--output", str(tmp_path)]) == 0
    written = (tmp_path / "tables/core_hours.md").read_text()
    assert "1.4 (n=1)" in written  # hours of five trials
    assert "1.4 (n=1)" in capsys.readouterr().out
    assert (tmp_path / "tables/core_hours.csv").exists()


@pytest.mark.parametrize("argument", ["--outptu", "--preset"])
def test_bad_options_are_refused(argument, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        script.main([argument, str(tmp_path)])
    assert stopped.value.code == 2
