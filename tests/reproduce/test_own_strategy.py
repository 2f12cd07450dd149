"""The README's example of your own strategy, in Table 1."""

import pathlib
import subprocess
import sys

import pandas as pd
import pytest
import table1 as script
from helpers.own_module import write_module

ROOT = pathlib.Path(__file__).parents[2]


def table1(folder, *arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / "reproduce/table1.py"), *arguments]
        + ["--budget", "20", "--jobs", "1", "--output", "output"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_table1_with_a_strategy_of_ones_own(tmp_path):
    write_module(tmp_path)
    done = table1(tmp_path, "--strategy", "random", "my_module:SmallestLead")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "output/tables/table1_mnist-lenet5.csv", index_col=0)
    assert "SmallestLead" in table.index
    assert table.loc["SmallestLead", "20: ours"].endswith("(n=1)")
    assert pd.isna(table.loc["DFAL", "20: ours"])
    rows = pd.read_csv(
        tmp_path / "output/runs/mnist-lenet5_my_module.SmallestLead_0.csv"
    )
    assert rows["num_annotations"].tolist() == [10, 20]
    # Trials are paired: the same initial set and weights for every strategy.
    random = pd.read_csv(tmp_path / "output/runs/mnist-lenet5_random_0.csv")
    assert random["accuracy"][0] == rows["accuracy"][0]


def test_a_strategy_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main(["--strategy", "nowhere:SmallestLead", "--output", str(tmp_path)])
    assert stopped.value.code == 2
    assert "no module 'nowhere' to import" in capsys.readouterr().err
    write_module(tmp_path)
    done = table1(tmp_path, "--strategy", "my_module:Missing")
    assert done.returncode == 2
    assert "my_module:Missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("output/runs/*_0.*"))
