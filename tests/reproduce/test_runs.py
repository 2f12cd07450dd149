"""Runs: their names, their budgets, and which of them a table needs."""

import itertools

import pytest
from experiments import protocol, runs
from experiments.options import make_parser, parse
from experiments.problems import PROBLEMS
from experiments.runs import other_networks
from helpers import own_problem


def options(*arguments):
    return parse(make_parser("Table"), arguments)


OWN = """
clusters = Problem(images, network, NUM_CLASSES)
clusters_dfal_1 = Problem(images, network, NUM_CLASSES, title="Other")
"""


@pytest.fixture(scope="module")
def own_problems(tmp_path_factory):
    """Names of problems of a module, with and without a limit."""
    folder = tmp_path_factory.mktemp("own")
    own_problem.write(folder, "own_runs", OWN)
    with pytest.MonkeyPatch.context() as patch:
        own_problem.import_from(folder, "own_runs", patch)
        yield ["own_runs:clusters", "own_runs:clusters_dfal_1-max3"]


def test_every_run_has_a_name_of_its_own(own_problems):
    problems = [*PROBLEMS, "mnist-lenet5-max7", *own_problems]
    strategies = ["dfal", "dfal_q1", "full", "my_module:Own", "a.package:Own_2"]
    sources = [None, "shoe_bag-lenet5", "mnist-vgg8-max10", *own_problems]
    places = list(itertools.product(problems, strategies, (1, 12), sources))
    names = [str(runs.Run.named(*place)) for place in places]
    assert len(set(names)) == len(names)
    assert not [name for name in names if ":" in name]  # not in files on Windows


def test_a_run_is_found_by_its_names(own_problems):
    for source in (None, own_problems[1]):
        names = {"problem": own_problems[0], "strategy": "a.package:Own_2"}
        names |= {"trial": 12, "source": source}
        run = runs.Run.named(**names)
        assert run.names == names
        assert runs.Run.named(**names) == run
    assert str(run) == (
        "own_runs.clusters-a.package.Own_2_12_from_own_runs.clusters_dfal_1-max3"
    )
    assert str(runs.Run.named("mnist-lenet5", "full", 3)) == "mnist-lenet5_full_3"


@pytest.mark.parametrize(
    ("problem", "strategy", "name"),
    [("mnist", "dfal", "problem"), ("mnist-lenet5", "timed", "strategy")],
)
def test_other_names_are_not_those_of_runs(problem, strategy, name):
    with pytest.raises(ValueError, match=f"Argument `{name}` must be one of"):
        runs.Run.named(problem, strategy, 0)


def test_every_data_set_has_two_networks():
    for problem in PROBLEMS.values():
        (other,) = other_networks(problem)
        assert other_networks(other) == [problem]
        assert other.dataset == problem.dataset
        assert other.network != problem.network


def test_budgets_that_are_missing():
    learning = runs.Run.named("mnist-lenet5", "dfal", 0)
    full = runs.Run.named("mnist-lenet5", "full", 0)
    transfer = runs.Run.named("mnist-lenet5", "dfal", 0, source="mnist-vgg8")
    assert learning.missing((100,), {90}) == (100,)
    assert learning.missing((100,), {90, 100}) == ()
    assert learning.missing((100,), {110}) == ()
    assert full.missing((100_000,), set()) == (100_000,)
    assert full.missing((100_000,), {60_000}) == ()
    assert transfer.missing((50, 100), {100}) == (50,)


def test_a_run_stops_at_the_budget_and_a_transfer_is_trained_at_several():
    asked = options("--preset", "paper", "--budget", "250")
    own, transfer = (
        runs.Run.named("mnist-lenet5", "dfal", 0),
        runs.transfer_runs(asked)[-1],
    )
    assert own.budgets(asked) == (250,)
    assert transfer.budgets(asked) == (100, 200)
    asked = options("--preset", "paper", "--budget", "50")
    assert transfer.budgets(asked) == (50,)


def test_transfers_come_after_their_sources():
    arguments = ["--preset", "paper", "--problem", "mnist-lenet5", "--trials", "2"]
    wanted = runs.transfer_runs(options(*arguments, "--strategy", "random", "egl"))
    assert list(map(str, wanted)) == [
        "mnist-lenet5_random_0",
        "mnist-lenet5_random_1",
        "mnist-vgg8_random_0_from_mnist-lenet5",
        "mnist-vgg8_random_1_from_mnist-lenet5",
    ]


def test_the_round_of_a_number_of_annotations():
    assert [protocol.round_at(number) for number in (10, 20, 1000)] == [0, 1, 99]
