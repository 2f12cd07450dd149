"""Every Python block of the README runs, in order, as one session."""

import pathlib
import re

import speed
from experiments import paper, runs, store, tables

README = pathlib.Path(__file__).parents[2] / "README.md"
RESULTS = README.parent / "reproduce/results/paper"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_python_blocks_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(blocks("python")) == 5
    session = {}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), session)
    assert len(session["query"].indices) == 5
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert session["result"].norms.shape == (100,)


def test_every_command_is_tested_somewhere():
    """Each line of a bash block, and the test or step of CI that runs it."""
    commands = [line for block in blocks("bash") for line in block.splitlines() if line]
    assert {line.split("  ")[0] for line in commands} == set(COMMANDS)
    for test in filter(None, COMMANDS.values()):
        file, _, name = test.partition("::")
        text = (README.parent / file).read_text()
        assert name in text, test


COMMANDS = {
    'pip install -e ".[reproduce]" && python reproduce/table1.py': (
        "tests/reproduce/test_table1.py::main("
    ),
    "python -m dfal_keras query --model model.keras --pool images/ --out queries.csv": (
        "tests/unit/cli/test_query.py::test_as_a_command"
    ),
    "python reproduce/table1.py --strategy dfal random my_module:SmallestLead": (
        "tests/reproduce/test_own_strategy.py::test_table1_with_a_strategy_of_ones_own"
    ),
    "dask scheduler --host 127.0.0.1 &": "tests/reproduce/test_cluster.py::as_typed",
    "dask worker tcp://127.0.0.1:8786 --nthreads 1 --nworkers 2 &": (
        "tests/reproduce/test_cluster.py::as_typed"
    ),
    "python reproduce/table1.py --preset paper --cluster tcp://127.0.0.1:8786": (
        "tests/reproduce/test_cluster.py::as_typed"
    ),
    "python -m dfal_keras.datasets": "tests/unit/datasets/test_datasets.py::main(",
    "python -m dfal_keras.datasets fetch quick_draw": (
        "tests/unit/datasets/test_datasets.py::fetch"
    ),
}


def table_of(heading):
    """The cells of the first table below a heading, without its own heading."""
    text = README.read_text().split(f"{heading}\n")[1]
    lines = re.search(r"(\|.*\n)+", text).group().splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_speeds_are_those_that_were_measured():
    tables = speed.read(RESULTS)
    measured = speed.summary(tables).to_numpy().tolist()
    shown = table_of("## Speed")
    assert len(shown) > 5
    for row in shown:
        assert row in measured


def test_durations_are_those_of_the_stored_runs():
    kept = store.Store(RESULTS)
    names = {name: strategy for strategy, name in paper.STRATEGY_NAMES.items()}
    shown = table_of("## How long it takes")
    assert len(shown) >= 2
    for name, minutes in shown:
        rows = kept.rows(runs.Run("mnist-lenet5", names[name], 0))
        assert rows["num_annotations"].iloc[-1] == 1000
        seconds = rows.filter(like="_seconds").to_numpy().sum()
        assert minutes == f"{seconds / 60:.0f}"


def test_oddities_are_those_of_the_tables():
    text = README.read_text().split("### Oddities of the paper")[1]
    for oddity in paper.ODDITIES:
        assert f"| {oddity.place} | {oddity.text} |" in text


def test_results_are_those_of_the_stored_runs():
    """Every cell of the README's table, made again from the rows that are committed."""
    text = README.read_text().split("### Results so far")[1].split("### ")[0]
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line[:1] == "|"]
    shown = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines[2:]}
    wanted = [
        runs.Run("mnist-lenet5", strategy, trial)
        for strategy in (*paper.STRATEGIES, runs.FULL)
        for trial in range(5)
    ]
    rows, refused = store.Store(RESULTS).load(wanted)
    assert not refused
    table = tables.table1(rows, "mnist-lenet5", paper.TABLE1_BUDGETS, full=True)
    assert list(shown) == list(table.index)
    for strategy, cells in shown.items():
        assert cells == list(table.loc[strategy])
