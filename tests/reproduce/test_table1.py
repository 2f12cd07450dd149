import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import table1
from experiments import files, problems, results, runs, store
from experiments.analysis import tables
from experiments.options import make_parser, parse
from experiments.problems import PROBLEMS
from experiments.running import execution
from helpers.made_up_rows import made_up

SMALL = ["--trials", "1", "--budget", "30", "--strategy", "dfal", "random"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cluster_option):
    """The output of a small table, made once by the script's `main`."""
    folder = tmp_path_factory.mktemp("results")
    assert table1.main([*SMALL, *cluster_option, "--output", str(folder)]) == 0
    return folder


def test_every_run_is_stored(finished):
    names = {path.name for path in (finished / "runs").iterdir() if path.is_file()}
    assert names == {
        f"mnist-lenet5_{strategy}_0{suffix}"
        for strategy in ("dfal", "random")
        for suffix in (".csv", ".json", ".npz")
    }
    names = {path.name for path in (finished / "tables").iterdir()}
    assert names == {"table1_mnist-lenet5.csv", "table1_mnist-lenet5.md"}
    rows = store.Store(finished / "runs").rows(
        runs.Run.named("mnist-lenet5", "dfal", 0)
    )
    assert list(rows["num_annotations"]) == [10, 20, 30]
    assert list(rows["num_labeled"]) == [10, 30, 50]
    assert rows["accuracy"].between(0.1, 0.9).all()
    assert (rows["fit_seconds"] > 0).all()
    record = json.loads((finished / "runs/mnist-lenet5_dfal_0.json").read_text())
    assert record["settings"]["training"]["num_restarts"] == 5
    assert {"dfal_keras", "tensorflow", "keras", "commit"} <= set(
        record["environments"][0]
    )


def test_a_finished_run_is_not_run_again(finished, capfd):
    before = {path: path.stat().st_mtime_ns for path in finished.glob("runs/*.npz")}
    assert table1.main([*SMALL, "--output", str(finished)]) == 0
    assert before == {
        path: path.stat().st_mtime_ns for path in finished.glob("runs/*.npz")
    }
    shown = capfd.readouterr().out
    assert "runs to do" not in shown
    assert "Table 1, MNIST (LeNet5)" in shown
    assert "python reproduce/table1.py --preset paper" in shown


def test_an_interrupted_run_goes_on_to_the_same_rows(finished, tmp_path):
    """The run is interrupted after a round."""
    run = runs.Run.named("mnist-lenet5", "dfal", 0)
    rows = []
    with pytest.raises(KeyboardInterrupt):
        execution.perform(run, (30,), tmp_path, interrupt_after(2, rows))
    assert len(store.Store(tmp_path).rows(run)) == 2
    execution.perform(run, (30,), tmp_path, rows.append)
    assert [row["round"] for row in rows] == [0, 1, 2]
    whole = store.Store(finished / "runs").rows(run)
    resumed = store.Store(tmp_path).rows(run)
    same = ["round", "num_annotations", "num_labeled", "accuracy", "loss"]
    # Rounding depends on the number of threads. test_scheduling compares all bits.
    pd.testing.assert_frame_equal(whole[same], resumed[same], rtol=1e-3)


def interrupt_after(num_rounds, rows):
    def report_round(row):
        rows.append(row)
        if len(rows) == num_rounds:
            raise KeyboardInterrupt

    return report_round


def test_runs_under_other_settings_are_not_mixed_in(
    finished, tmp_path, cluster_option, capsys
):
    path = tmp_path / "runs/mnist-lenet5_random_0.json"
    record = json.loads((finished / "runs" / path.name).read_text())
    record["settings"]["training"]["patience"] = 6
    files.write(path, json.dumps(record))
    options = ["--strategy", "random", "--trials", "1", "--budget", "10"]
    options += [*cluster_option, "--output", str(tmp_path)]
    assert table1.main(options) == 2
    shown = capsys.readouterr().err
    assert "training=" in shown
    assert "use another --output" in shown
    assert not list(tmp_path.glob("**/*.npz"))


def test_cells_are_means_over_trials_and_blank_where_not_run():
    rows = pd.DataFrame(
        {
            "problem": "mnist-lenet5",
            "strategy": ["dfal", "dfal", "dfal", "random"],
            "trial": [0, 1, 0, 0],
            "num_annotations": [100, 100, 500, 100],
            "accuracy": [0.80, 0.82, 0.75, 0.771],
            "source": None,
        }
    )
    table = tables.table1(rows, PROBLEMS["mnist-lenet5"], [100, 500])
    assert table.loc["DFAL", "100: paper"] == "82.77"
    assert table.loc["DFAL", "100: ours"] == "81.00 ± 1.41 (n=2)"
    assert table.loc["DFAL", "500: ours"] == "75.00 (n=1)"
    assert table.loc["DFAL", "500: ours, best so far"] == "80.00 (n=1)"
    assert table.loc["RANDOM", "100: ours"] == "77.10 (n=1)"
    assert table.loc["RANDOM", "500: ours"] == ""
    none = pd.DataFrame(columns=store.COLUMNS)
    assert (tables.table1(none, PROBLEMS["mnist-vgg8"], [100])["100: ours"] == "").all()


def test_a_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "table.md"
    files.write(path, "first")

    def full_disk(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        files.write(path, "second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--strategy", "dfla"],
        ["--problem", "mnist"],
        ["--preset", "fast"],
        ["--trials", "0"],
        ["--trials", "two"],
        ["--jobs", "-1"],
        ["--budget", "5"],
        ["--budget", "25"],
        ["--color"],
    ],
)
def test_bad_options_are_refused(arguments, tmp_path, capsys):
    output = tmp_path / "results"
    with pytest.raises(SystemExit) as stopped:
        table1.main([*arguments, "--output", str(output)])
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not output.exists()


def test_help_needs_no_tensorflow():
    script = Path(table1.__file__)
    code = (
        "import sys, runpy; sys.argv = ['table1.py', '--help']\n"
        f"sys.path.insert(0, {str(script.parent)!r})\n"
        f"try: runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--preset" in done.stdout


def test_presets_are_filled_in(tmp_path):
    options = parse(make_parser("Table"), ["--output", str(tmp_path)])
    assert (options.num_trials, options.budget) == (1, 100)
    grid = runs.learning_runs(parse(make_parser("Table"), ["--preset", "paper"]))
    assert len(grid) == len(set(map(str, grid)))
    assert {run.trial for run in grid} == set(range(5))
    assert np.all([run.problem in PROBLEMS.values() for run in grid])


@pytest.mark.parametrize(
    ("reached", "budget", "expected"),
    [
        (1300, 1000, [100, 500, 800, 1000]),
        (1000, 1000, [100, 500, 800, 1000]),
        (500, 1000, [100, 500]),
        (200, 1000, [100, 200]),  # a column of ours, where the paper has none
        (60, 1000, [60]),
        (300, 100, [100]),
        (0, 1000, [100, 500, 800, 1000]),  # nothing is stored
        (0, 60, [60]),
    ],
)
def test_the_columns_are_the_papers_and_the_last_that_was_reached(
    reached, budget, expected
):
    panel = PROBLEMS["mnist-lenet5"]
    rows = made_up("dfal", [[90] * (reached // 10)], step=10)
    full = made_up("full", [[99]], step=60_000)
    transfer = made_up("dfal", [[90] * 90], step=10, source="mnist-vgg8")
    others = pd.concat([rows, full, transfer])
    assert tables.budgets_of_table1(others, panel, budget) == expected


def test_problems_without_numbers_are_named_by_the_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("DFAL_KERAS_DATA", str(tmp_path))
    small = [problems.get(f"quick_draw_small-{each}") for each in ("lenet5", "vgg8")]
    text = results.not_run([*small, PROBLEMS["mnist-vgg8"]])
    assert text.count("reproduce/drawings.py") == 1
    assert text.count("--problem mnist-vgg8") == 1
    for problem in small:
        assert text.count(problem.title) == 1
    assert results.not_run([]) == ""
