"""A data set of one's own, in every table and figure."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from experiments import problem_data, problems
from helpers import data_folders, own_problem

ROOT = pathlib.Path(__file__).parents[2]
STRATEGIES = ["dfal", "ceal", "core_set", "random"]


def script(folder, name, *arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / f"reproduce/{name}.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cluster_option):
    """The folder of Table 1 with some strategies, made by one command."""
    folder = tmp_path_factory.mktemp("own")
    own_problem.write(folder, "own_data")
    options = ["--budget", "20", *cluster_option, "--output", "output"]
    options += ["--problem", "own_data:clusters_6x6"]
    done = script(folder, "table1", *options, "--strategy", *STRATEGIES)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def read_table(folder):
    path = folder / "output/tables/table1_own_data.clusters_6x6.csv"
    table = pd.read_csv(path, index_col=0)
    assert len(table) == 7
    assert table["20: paper"].isna().all()
    return table["20: ours"], path


@pytest.mark.slow
def test_table1_of_the_seven_strategies_from_one_command(tmp_path):
    own_problem.write(tmp_path, "own_data")
    options = ["--budget", "20", "--jobs", "2", "--output", "output"]
    done = script(tmp_path, "table1", "--problem", "own_data:clusters_6x6", *options)
    assert done.returncode == 0, done.stderr
    ours, _ = read_table(tmp_path)
    assert ours.str.endswith("(n=1)").all()


def test_table1_of_some_strategies(finished):
    folder, shown = finished
    ours, path = read_table(folder)
    assert ours[["DFAL", "CEAL", "CORE-SET", "RANDOM"]].str.endswith("(n=1)").all()
    assert ours.isna().sum() == 3
    assert "Table 1, own_data:clusters_6x6: test accuracy" in shown
    assert "--preset paper --problem own_data:clusters_6x6" in shown
    notes = path.with_name(path.name.replace(".csv", ".md")).read_text()
    assert "Ours: mean" in notes
    assert "running maxima" not in notes  # of the paper's numbers


def test_runs_are_stored_with_the_identity_of_the_data(finished):
    folder, _ = finished
    runs = folder / "output/runs"
    assert len(list(runs.glob("own_data.clusters_6x6-*_0.csv"))) == 4
    record = json.loads((runs / "own_data.clusters_6x6-ceal_0.json").read_text())
    made_with = record["settings"]
    assert made_with["problem"] == "own_data:clusters_6x6"
    assert made_with["strategy_options"]["threshold"] == 0.2
    data = made_with["data"]
    assert data["x_train"] == {"shape": [90, 6, 6, 1], "dtype": "uint8"}
    assert data["x_test"]["shape"] == [30, 6, 6, 1]
    assert data["num_classes"] == 3
    rows = pd.read_csv(runs / "own_data.clusters_6x6-random_0.csv")
    assert rows["num_annotations"].tolist() == [10, 20]
    # Three clusters that do not overlap: far above chance.
    assert rows["accuracy"].iloc[-1] > 0.6


@pytest.mark.slow
def test_all_readings_of_the_runs_show_them(finished):
    folder, _ = finished
    own = ["--problem", "own_data:clusters_6x6", "mnist-lenet5"]
    stored = [*own, "--output", "output"]
    for name in ("table2", "figure2"):
        done = script(folder, name, *stored, "--stored")
        assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "output/tables/table2_own_data.clusters_6x6.csv")
    assert table.drop(columns="strategy").isna().all().all()  # no full set, no target
    drawn = pd.read_csv(folder / "output/figures/figure2.csv")
    assert set(drawn["problem"]) == {"own_data:clusters_6x6"}
    assert drawn["strategy"].nunique() == 4
    caption = (folder / "output/figures/figure2.md").read_text()
    assert "MNIST (LeNet5): not run: --problem mnist-lenet5" in caption
    assert script(folder, "claims", *stored).returncode == 0
    # The paper's claims are not about it.
    decided = pd.read_csv(folder / "output/tables/claims_cases.csv")["claim"]
    assert set(decided.astype(str)) == {"19"}
    done = script(folder, "core_hours", *stored)
    assert done.returncode == 0, done.stderr
    hours = pd.read_csv(folder / "output/tables/core_hours.csv", index_col=0)
    assert list(hours) == ["own_data:clusters_6x6", "MNIST (LeNet5)"]
    assert hours["own_data:clusters_6x6"]["DFAL"] == "not run"  # to 1000 annotations


def test_changed_data_of_the_same_name_are_refused(finished, tmp_path):
    folder, _ = finished
    changed = own_problem.PROBLEMS.replace(
        "clusters_6x6 =", "_x, _y = images()\n_x[0][0] += 1\nclusters_6x6 ="
    ).replace("Problem(images,", "Problem((_x, _y),", 1)
    own_problem.write(tmp_path, "own_data", changed)
    own = ["--problem", "own_data:clusters_6x6", "--strategy", "random"]
    output = ["--output", str(folder / "output"), "--budget", "20"]
    path = folder / "output/runs/own_data.clusters_6x6-random_0.csv"
    before = path.read_bytes()
    done = script(tmp_path, "table1", *own, *output, "--stored")
    assert done.returncode == 2
    assert "own_data.clusters_6x6-random_0.json was made with data=" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_a_network_that_can_not_be_used_is_one_line(tmp_path, cluster_option):
    """Checked on a worker, before any run starts."""
    own_problem.write(
        tmp_path,
        "bad_network",
        "mine = Problem(images, lambda shape, n: network(shape, n + 1), 3)",
    )
    own = ["--problem", "bad_network:mine", "--strategy", "random", "dfal"]
    output = ["--output", "output", "--budget", "20", *cluster_option]
    done = script(tmp_path, "table1", *own, *output)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "bad_network:mine: the network must have 3 outputs, one for each class. "
        "Received: outputs of shape (4,)"
    ]
    assert not list(tmp_path.glob("output/runs/*.csv"))


def test_the_documented_part_of_quick_draw(tmp_path, monkeypatch):
    """The beginning of each genuine file, cut off as an HTTP range is."""
    text = (ROOT / "reproduce/README.md").read_text()
    assert (int(re.search(r"--range 0-(\d+)", text)[1]) + 1 - 80) / 784 == 2000
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (123202, 784), }"
    header = b"\x93NUMPY\x01\x00F\x00" + header.ljust(69) + b"\n"
    for name in ("dolphin", "cat", "face", "angel"):
        pixels = data_folders.DRAWINGS[name][:4].tobytes()
        (tmp_path / f"{name}.npy").write_bytes(header + pixels)
    (code,) = re.findall(r"```python\n([^`]*np\.fromfile.*?)```", text, re.DOTALL)
    (tmp_path / "my_drawings.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (x_train, y_train), (x_test, y_test) = problem_data.load(
        problems.get("my_drawings:part")
    )
    assert (x_train.shape, x_test.shape) == ((12, 28, 28, 1), (4, 28, 28, 1))
    for label, name in enumerate(("dolphin", "cat", "face", "angel")):
        found = {
            x.tobytes() for x in (*x_train[y_train == label], *x_test[y_test == label])
        }
        assert found == {x.tobytes() for x in data_folders.DRAWINGS[name][:4]}


@pytest.mark.slow
def test_table3_of_ones_own_problem(tmp_path):
    own_problem.write(tmp_path, "own_timed")
    sizes = ["--labeled", "12", "--unlabeled", "40", "--repeats", "1"]
    sizes += ["--literal-sizes", "16", "18", "20", "24", "28"]
    own = ["--problem", "own_timed:features", "--output", "output"]
    done = script(tmp_path, "table3", *sizes, *own)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "output/timing/table3_own_timed.features.csv")
    assert table["paper (s)"].isna().all()
    assert (table["ours (s)"][:5] >= 0).all()
    assert "on Features" in done.stdout
    assert np.all(
        [path.stem.startswith("table3_own") for path in tmp_path.rglob("*.md")]
    )
    too_many = script(tmp_path, "table3", *sizes, *own, "--unlabeled", "100")
    assert too_many.returncode == 2
    (line,) = too_many.stderr.splitlines()
    assert "must hold at least 112 samples" in line
