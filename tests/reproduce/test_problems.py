"""Problems by name, subsets of their data, and bad input."""

import doctest
import json
import subprocess
import sys

import claims
import core_hours
import figure2
import figure3
import numpy as np
import pandas as pd
import pytest
import table1
import table2
import table3
import table4
from experiments import (
    options,
    paper,
    problem_data,
    problems,
    protocol,
    results,
    runs,
    store,
)
from experiments.analysis import learning_curves, plots, tables
from experiments.methods import DFAL
from experiments.running import estimate, execution, problem_training
from helpers import own_problem, stored_runs
from helpers.made_up_rows import LENET5, VGG8, made_up

SUBSET = f"{LENET5}-max5"
SHORT = {**protocol.TRAINING, "num_restarts": 1, "epochs": 3}
SAME = ["round", "num_annotations", "num_labeled", "accuracy", "loss"]


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """Write a module that was not imported before; return a function for names."""
    name = f"own_{abs(hash(request.node.nodeid))}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def write(code=own_problem.PROBLEMS):
        own_problem.write(tmp_path, name, code)
        return name

    return write


def refused(script, arguments, capsys):
    """The last line of the error with which a script ends before it runs."""
    with pytest.raises(SystemExit) as stopped:
        script.main([*arguments, "--output", "results"])
    shown = capsys.readouterr()
    assert stopped.value.code == 2
    assert shown.out == ""
    return shown.err.splitlines()[-1]


def test_the_example_of_problem():
    assert doctest.testmod(problems).attempted == 3
    assert doctest.testmod(problems).failed == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "No module named"),
        ("1 / 0", "can't import '{}': ZeroDivisionError: division by zero"),
        ("mine = Problem(images, network, 1)", "Argument `num_classes` must be an"),
        ("mine = Problem('fashion', network, 3)", "Argument `dataset` must be one of"),
        ("mine = Problem(images, network, 3, -1)", "Argument `ceal_threshold` must be"),
        ("mine = Problem(images, 3, 3)", "Argument `network` must be a function"),
        ("mine = Problem(images, 'ResNet', 3)", "Argument `network` must be one of"),
        ("mine = Problem(images, network, 3, title='')", "Argument `title` must be"),
        ("other = 1", "has no 'mine'"),
        ("mine = 7", "must be a Problem of experiments.problems"),
        ("mine = table", "must be a Problem of experiments.problems"),
        ("mine = Problem(3, network, 3)", "Argument `dataset` must be (x_train, y_"),
        ("def mine(): raise KeyError('x')", "{}:mine raised KeyError: 'x'"),
        ("mine = Problem(lambda: 1 / 0, network, 3)", "the data can't be loaded: Zero"),
        ("mine = Problem(lambda: (1, 2), network, 3)", "the data must be (x_train"),
        ("mine = Problem(images, network, 2)", "y_train` must hold class indices of"),
        (
            "(x, y), t = images()\nmine = Problem(((x, y[1:]), t), network, 3)",
            "Argument `y_train` must hold 90 integer class indices",
        ),
        (
            "a, (u, v) = images()\nmine = Problem((a, (u[:, :3], v)), network, 3)",
            "Argument `x_test` must have samples of shape (6, 6, 1)",
        ),
        (
            "a, b = table()\na[0][3, 1] = np.nan\nmine = Problem((a, b), network, 3)",
            "Argument `x_train` must hold finite numbers",
        ),
        (
            "import pathlib\nmine = Problem(pathlib.Path('no.npz'), network, 3)",
            "the data can't be loaded: FileNotFoundError",
        ),
        (
            "mine = Problem(images, network, 3, title='MNIST (LeNet5)')",
            "have the same title, MNIST (LeNet5)",
        ),
    ],
)
def test_a_problem_that_can_not_be_used_is_one_line(code, message, module, capsys):
    name = "no_such_module" if code is None else module(code)
    line = refused(table1, ["--problem", f"{name}:mine"], capsys)
    assert "error: argument --problem: " in line
    assert message.format(name) in line


@pytest.mark.parametrize("text", ["mnist", "mnist-lenet5-max5", ":mine", "module:"])
@pytest.mark.parametrize("script", [table1, table2, table3, table4, claims, core_hours])
def test_names_that_are_not_problems(script, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "argument --problem: " in refused(script, ["--problem", text], capsys)


@pytest.mark.parametrize("text", ["0", "-3", "many"])
def test_limits_that_are_not_counts(text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--max-per-class" in refused(figure2, ["--max-per-class", text], capsys)


def test_only_ceal_needs_a_threshold(module, capsys, tmp_path):
    name = module("mine = Problem(images, network, NUM_CLASSES)")
    own = ["--problem", f"{name}:mine"]
    line = refused(table1, own, capsys)
    assert line.startswith(f"{name}:mine has no CEAL threshold: set `ceal_threshold`")
    with pytest.raises(SystemExit) as stopped:
        table1.main([*own, "--strategy", "random", "dfal", "--dry-run"])
    assert stopped.value.code == 0
    assert "2 of 2 runs to do" in capsys.readouterr().out
    # What reads runs does not need it.
    assert claims.main([*own, "--output", str(tmp_path / "results")]) == 0
    assert core_hours.main([*own, "--output", str(tmp_path / "results")]) == 0


def test_a_path_of_arrays_is_relative_to_the_module(module, tmp_path):
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:4], y_test=y[:4])
    name = module(
        "import pathlib\nmine = Problem(pathlib.Path('data.npz'), network, 2)"
    )
    (x_train, y_train), (x_test, _) = problem_data.load(problems.get(f"{name}:mine"))
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    assert x_test.shape == (4, 2)


def perform(run, folder, budget=20):
    execution.perform(run, (budget,), folder, lambda row: None)
    return store.Store(folder).rows(run)


def test_arrays_of_features_and_the_subset_of_them(module, tmp_path, monkeypatch):
    monkeypatch.setattr(protocol, "TRAINING", SHORT)
    name = f"{module()}:features"
    whole, subset = perform(runs.Run.named(name, "dfal", 0), tmp_path), f"{name}-max9"
    assert whole["num_annotations"].tolist() == [10, 20]
    limited = perform(runs.Run.named(subset, "random", 0), tmp_path)
    assert limited["num_annotations"].tolist() == [10, 20]
    with np.load(tmp_path / f"{runs.Run.named(subset, 'random', 0)}.npz") as saved:
        assert saved["indices"].max() < 27  # rows of the subset: 9 of 3 classes
    full = perform(runs.Run.named(subset, "full", 0), tmp_path)
    assert full["num_labeled"].tolist() == [27]
    made_with = runs.Run.named(subset, "random", 0).settings
    assert made_with["max_per_class"] == 9
    assert made_with["data"] == runs.Run.named(name, "dfal", 0).settings["data"]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("lambda s, n: network(s, 4)", "must have 3 outputs, one for each class"),
        ("lambda s, n: None", "the network can't be used: TypeError"),
        ("lambda s, n: 1 / 0", "the network can't be used: ZeroDivisionError"),
        ("lambda s, n: network((2, 2, 1), n)", "the network can't be used: ValueError"),
        ("logits", "the network must end in a softmax. Received: outputs that are not"),
        ("network((6, 6, 1), 3)", "`network` must be a function of input_shape"),
    ],
)
def test_networks_that_can_not_be_used(network, message, module):
    name = module(
        "def logits(shape, n):\n"
        "    import keras\n"
        "    layers = [keras.Input(shape), keras.layers.Flatten()]\n"
        "    return keras.Sequential([*layers, keras.layers.Dense(n)])\n"
        f"mine = Problem(images, {network}, NUM_CLASSES)"
    )
    one = problems.get(f"{name}:mine")
    with pytest.raises(ValueError, match=message) as raised:
        problem_training.check_problem(one, 10, problem_data.fingerprint(one))
    assert len(str(raised.value).splitlines()) == 1


def test_a_worker_checks_the_budget_and_the_data(module):
    one = problems.get(f"{module()}:clusters_6x6")
    data = problem_data.fingerprint(one)
    problem_training.check_problem(one, 90, data)
    with pytest.raises(ValueError, match="at least 100 samples, .*Received: 90"):
        problem_training.check_problem(one, 100, data)
    problem_training.check_problem(one.subset(10), 30, data)
    with pytest.raises(ValueError, match="at least 40 samples, .*Received: 30"):
        problem_training.check_problem(one.subset(10), 40, data)
    with pytest.raises(ValueError, match="must be the same in every process"):
        problem_training.check_problem(one, 90, data | {"sha256": "0"})


def test_the_first_samples_of_each_class():
    labels = np.array([2, 2, 0, 2, 1, 0, 0, 2])
    assert problem_data.first_of_each_class(labels, 2).tolist() == [0, 1, 2, 4, 5]
    assert problem_data.first_of_each_class(labels, 9).tolist() == list(range(8))


def test_a_subset_of_mnist_are_its_first_digits(mnist):
    (x, y), (x_test, _) = mnist
    (few, labels), (tested, _) = problem_training.load_problem(problems.get(SUBSET))
    assert few.shape == (50, 28, 28, 1)
    assert np.bincount(labels).tolist() == [5] * 10
    assert len(tested) == len(x_test)  # whole
    for digit in range(10):
        np.testing.assert_array_equal(few[:][labels == digit], x[y == digit][:5])


def test_subsets_and_whole_data_sets_do_not_meet(tmp_path):
    kept = store.Store(tmp_path)
    whole, subset = (runs.Run.named(name, "random", 0) for name in (LENET5, SUBSET))
    assert "max_per_class" not in whole.settings
    assert subset.settings["max_per_class"] == 5
    stored_runs.store_rows(kept, subset, made_up("random", [[50]]))
    for suffix in (".csv", ".json"):
        kept.files(subset).path(suffix).rename(kept.files(whole).path(suffix))
    with pytest.raises(ValueError, match="made with max_per_class=5, now it is None"):
        kept.files(whole).check(whole.settings)


def test_every_committed_run_is_accepted():
    """Their names and settings are what they were, byte for byte."""
    kept = store.Store(options.default_output("paper") / "runs")
    records = sorted(kept.folder.glob("*.json"))
    assert len(records) >= 7
    for path in records:
        stored = json.loads(path.read_text())["settings"]
        names = {key: stored[key] for key in ("problem", "strategy", "trial", "source")}
        run = runs.Run.named(**names)
        assert f"{run}.json" == path.name
        if not problem_data.is_complete(run.problem):  # of drawings
            del stored["data"]
        assert json.dumps(run.settings) == json.dumps(stored)  # in this order
        assert len(kept.finished(run)) == len(kept.rows(run)) > 0


@pytest.fixture
def unsaved(monkeypatch):
    """Do not draw figures to files, which takes seconds."""
    monkeypatch.setattr(plots, "save", lambda figure, path: plots.plt.close(figure))


def test_every_table_and_figure_says_that_it_is_of_a_subset(tmp_path, capsys, unsaved):
    kept, note = store.Store(tmp_path / "runs"), "At most 5 training images a class"
    for strategy in ("dfal", "random"):
        rows = made_up(strategy, [[50]])
        stored_runs.store_rows(kept, runs.Run.named(SUBSET, strategy, 0), rows)
        transfer = runs.Run.named(f"{VGG8}-max5", strategy, 0, source=SUBSET)
        stored_runs.store_rows(kept, transfer, rows)
    asked = ["--max-per-class", "5", "--stored", "--output", str(tmp_path)]
    for script in (table1, table2, table4, figure2, figure3):
        assert script.main(asked) == 0
    limit = ["--max-per-class", "5", "--problem", LENET5, "--output", str(tmp_path)]
    assert claims.main(limit) == 0
    assert core_hours.main(limit) == 0
    pages = {path.stem: path.read_text() for path in tmp_path.rglob("*.md")}
    assert {f"table1_{SUBSET}", "table4", "figure2", "figure3"} <= pages.keys()
    assert [name for name, page in pages.items() if note not in page] == []
    # The paper's numbers stand beside them.
    table = pd.read_csv(tmp_path / f"tables/table1_{SUBSET}.csv", index_col=0)
    assert table.loc["DFAL", "100: paper"] == 82.77
    assert table.loc["DFAL", "100: ours"] == "50.00 (n=1)"
    transfers = pd.read_csv(tmp_path / "tables/table4.csv")
    assert transfers["DFAL: ours"].dropna().tolist() == ["50.00 (n=1)"]
    assert transfers["DFAL: paper"].dropna().tolist() == [97.80]


def test_a_subset_is_named_by_its_options(capsys):
    with pytest.raises(SystemExit):
        table1.main(["--max-per-class", "5", "--strategy", "random", "--dry-run"])
    assert f"{SUBSET}_random_0: from 0 to 100" in capsys.readouterr().out
    parsed = options.parse(options.make_parser(""), ["--max-per-class", "5"])
    assert parsed.problems == (problems.get(SUBSET),)
    command = f"--preset paper --problem {LENET5} --max-per-class 5"
    assert command in estimate.whole_protocol(parsed)
    text = f"not run: --problem {LENET5} --max-per-class 5"
    assert results.why_not_run(problems.get(SUBSET)) == text


def test_transfers_between_networks_of_ones_own(module, capsys, tmp_path, unsaved):
    name = module()
    first, wide, other = (
        f"{name}:{attribute}" for attribute in ("clusters_6x6", "wide_6x6", "features")
    )
    given = [problems.get(each) for each in (first, wide, other, LENET5)]
    assert runs.other_networks(given[0], given) == [given[1]]
    assert runs.other_networks(given[2], given) == []
    subset = given[0].subset(5)
    assert runs.other_networks(given[1].subset(5), (subset, given[0])) == [subset]
    kept = store.Store(tmp_path / "runs")
    transfer = runs.Run.named(wide, "dfal", 0, source=first)
    stored_runs.store_rows(kept, transfer, made_up("dfal", [[50]]))
    output = ["--stored", "--output", str(tmp_path)]
    assert table4.main(["--problem", first, wide, *output]) == 0
    table = pd.read_csv(tmp_path / "tables/table4.csv", index_col=0)
    assert (
        table.loc[f"{first} to Clusters (wide)", "DFAL: ours"].tolist()[0]
        == "50.00 (n=1)"
    )
    assert figure3.main(["--problem", first, wide, *output]) == 0
    drawn = pd.read_csv(tmp_path / "figures/figure3.csv")
    assert (drawn["problem"] == wide).all()
    capsys.readouterr()
    for script in (table4, figure3):
        with pytest.raises(SystemExit) as stopped:
            script.main(["--problem", first, *output])
        assert stopped.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("No transfers: ")


def test_full_set_accuracy_of_ones_own_is_the_target(module):
    name = f"{module()}:features"
    rows = made_up("random", [[60, 80, 95]], problem=name)
    problem = problems.get(name)
    table, target = tables.table2(rows, problem)
    assert np.isnan(target)
    assert (table == "").all().all()
    full = made_up("full", [[90]], problem=name)
    table, target = tables.table2(pd.concat([rows, full]), problem)
    assert target == 89.5
    assert table.loc["RANDOM", "annotations: ours, mean"] == "300 (n=1)"
    assert (
        learning_curves.target(made_up("random", [[1]]), problems.get(LENET5)) == 98.54
    )


def test_the_paper_prints_nothing_of_ones_own(module):
    own = problems.get(f"{module()}:features")
    assert own.is_own
    assert not own.is_printed
    assert paper.accuracies(own, DFAL) == {}
    assert paper.accuracies(own, DFAL, own) == {}
    assert paper.full_set(own) is paper.target(own) is None
    assert paper.counts(own) == {}
    subset, whole = problems.get(SUBSET), problems.get(LENET5)
    assert subset.is_printed
    assert (subset.is_whole, whole.is_whole) == (False, True)
    assert paper.full_set(subset) == paper.full_set(whole) == 99.04


def test_help_names_the_options():
    done = subprocess.run(
        [sys.executable, table1.__file__, "--help"], capture_output=True, text=True
    )
    assert "module:name" in done.stdout
    assert "--max-per-class N" in done.stdout
