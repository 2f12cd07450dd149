"""Every Python block of the README runs, in order, as one session."""

import pathlib
import re

import paper
import report
import runs
import store

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_python_blocks_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 3
    session = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), session)
    assert len(session["query"].indices) == 10
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert session["result"].norms.shape == (100,)


def test_commands_name_files_that_exist():
    scripts = re.findall(r"python (\S+\.py)", README.read_text())
    assert scripts
    for script in scripts:
        assert (README.parent / script).is_file()


def test_results_are_those_of_the_stored_runs():
    """Every cell of the README's table, made again from the rows that are committed."""
    text = README.read_text().split("### Results so far")[1].split("### ")[0]
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line[:1] == "|"]
    shown = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines[2:]}
    rows = store.Store(README.parent / "reproduce/results/paper").load(
        [
            runs.Run("mnist-lenet5", strategy, trial)
            for strategy in paper.STRATEGIES
            for trial in range(5)
        ]
    )
    table = report.table1(rows, "mnist-lenet5", paper.TABLE1_BUDGETS)
    columns = [name for name in table if not name.endswith("best so far")]
    assert list(shown) == list(table.index)
    for strategy, cells in shown.items():
        assert cells == list(table.loc[strategy, columns])
