"""The README's example of your own strategy, in Table 1."""

import subprocess
import sys

import pandas as pd
import pytest
import table1
from helpers.own_module import write_module


@pytest.mark.slow
def test_table1_with_a_strategy_of_ones_own(tmp_path, cluster_option):
    write_module(tmp_path)
    # In a process of its own, which finds the module in the working folder.
    done = subprocess.run(
        [sys.executable, table1.__file__, "--budget", "20", *cluster_option]
        + ["--strategy", "random", "my_module:SmallestLead", "--output", "output"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
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


def test_a_module_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        table1.main(["--strategy", "nowhere:SmallestLead", "--output", str(tmp_path)])
    assert stopped.value.code == 2
    assert "no module 'nowhere' to import" in capsys.readouterr().err


def test_a_class_that_is_not_there(tmp_path, monkeypatch, cluster_option, capsys):
    """The module is imported by the worker only."""
    write_module(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    options = [*cluster_option, "--output", str(tmp_path)]
    assert table1.main(["--strategy", "my_module:Missing", *options]) == 2
    error = capsys.readouterr().err
    assert "'my_module' has no attribute 'Missing'" in error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("runs/*_0.*"))
