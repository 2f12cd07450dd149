"""Many runs in one process: none of them affects the next."""

import gc

import pytest
from experiments import protocol, runs, store
from experiments.problems import PROBLEMS
from experiments.running import execution, problem_training
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
    """Perform a run; return its rows without the columns of seconds."""
    run = runs.Run.named("mnist-lenet5", strategy, trial)
    execution.perform(run, (30,), folder, lambda row: None)
    return store.Store(folder).rows(run)[SAME].to_csv()


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
