"""Many runs in one process: none of them affects the next."""

import gc

import pytest
from experiments import protocol, runs, store
from experiments.problems import PROBLEMS
from experiments.running import execution, problem_training, ticks
from tensorflow.python.framework import func_graph

SHORT = {**protocol.TRAINING, "num_restarts": 1, "epochs": 2}
SAME = ["round", "num_annotations", "num_labeled", "accuracy", "loss"]


@pytest.fixture(autouse=True)
def short(monkeypatch, mnist):
    """Train for two epochs on 500 digits, with trainings that no other test uses."""
    (x, y), (x_test, y_test) = mnist
    few = (x[:500], y[:500]), (x_test[:100], y_test[:100])
    monkeypatch.setattr(problem_training, "load_data", lambda name: few)
    monkeypatch.setattr(protocol, "TRAINING", SHORT)
    problem_training.make_training.cache_clear()
    yield
    problem_training.make_training.cache_clear()


def perform(folder, strategy, trial=0):
    """Perform a run; return its rows."""
    run = runs.Run.named("mnist-lenet5", strategy, trial)
    execution.perform(run, (30,), folder, lambda row: None)
    return shown(store.Store(folder).rows(run))


def shown(rows):
    """Return rows without the columns of seconds."""
    return rows.filter(items=SAME).to_csv()


def num_graphs():
    gc.collect()
    return sum(isinstance(each, func_graph.FuncGraph) for each in gc.get_objects())


@pytest.mark.slow
def test_ten_runs_leave_as_many_graphs_as_two(tmp_path):
    """Graphs, each of more than ten megabytes, are not garbage-collected."""
    after = []
    for trial in range(5):
        for strategy in ("dfal", "bald"):
            perform(tmp_path, strategy, trial)
            after.append(num_graphs())
    assert after[1] > 0
    assert after[1:] == [after[1]] * 9


@pytest.mark.slow
def test_a_run_does_not_depend_on_the_runs_before_it(tmp_path):
    names = ("dfal", "bald", "egl", "ceal")
    first = {name: perform(tmp_path / "first", name) for name in names}
    for name in reversed(names):
        assert perform(tmp_path / "again", name) == first[name], name


def test_one_training_a_problem():
    problem, other = PROBLEMS["mnist-lenet5"], PROBLEMS["mnist-vgg8"]
    train = problem_training.make_training(problem)
    assert problem_training.make_training(problem) is train
    assert problem_training.make_training(other) is not train
    assert problem_training.new_training(problem) is not train


@pytest.mark.slow
def test_long_trainings_tick_and_end_in_the_same_rows(tmp_path, monkeypatch):
    first, first_full = (perform(tmp_path / "first", name) for name in ("egl", "full"))
    monkeypatch.setattr(ticks, "LONG", 0)
    monkeypatch.setattr(ticks, "_INTERVAL", 0)
    reported = []
    for name in ("egl", "full"):
        run = runs.Run.named("mnist-lenet5", name, 0)
        execution.perform(run, (30,), tmp_path / "again", reported.append)
    kept = store.Store(tmp_path / "again")
    for name, rows in (("egl", first), ("full", first_full)):
        run = runs.Run.named("mnist-lenet5", name, 0)
        assert shown(kept.rows(run)) == rows
    seen = [
        (message["run"], message.get("restart"), message.get("epoch"))
        for message in reported
    ]
    epochs = [("mnist-lenet5_egl_0", 1, 1), ("mnist-lenet5_egl_0", 1, 2)]
    assert seen[:3] == [*epochs, ("mnist-lenet5_egl_0", None, None)]
    assert seen[-3:-1] == [("mnist-lenet5_full_0", 1, epoch) for epoch in (1, 2)]
    assert problem_training.make_training(run.problem, **SHORT).callbacks == []


def test_short_trainings_do_not_tick(tmp_path, monkeypatch):
    monkeypatch.setattr(ticks, "_INTERVAL", 0)
    reported = []
    run = runs.Run.named("mnist-lenet5", "random", 0)
    execution.perform(run, (20,), tmp_path, reported.append)
    assert not any("epoch" in message for message in reported)


def test_ticks_count_restarts_and_are_a_second_apart(monkeypatch):
    now, reported = [0.0], []
    monkeypatch.setattr(ticks.time, "monotonic", lambda: now[0])
    callback = ticks.Ticks(2, reported.append)
    for _ in range(4):  # two trainings of two restarts
        callback.on_train_begin()
        for epoch in range(3):
            callback.on_epoch_end(epoch)
            now[0] += 0.5
    found = [(message["restart"], message["epoch"]) for message in reported]
    assert found == [(1, 1), (1, 3), (2, 2), (1, 1), (1, 3), (2, 2)]
    assert {message["num_restarts"] for message in reported} == {2}
