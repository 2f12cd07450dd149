"""Runs: their names, their budgets, and which of them a table needs."""

import pytest
from experiments import protocol, runs
from experiments.options import make_parser, parse
from experiments.problems import PROBLEMS
from experiments.runs import other_networks


def options(*arguments):
    return parse(make_parser("Table"), arguments)


@pytest.mark.parametrize(
    "source",
    [None, "shoe_bag-lenet5", "mnist-vgg8-max10", "my_module:own_2", "a.b:c-max3"],
)
@pytest.mark.parametrize(
    "strategy", ["dfal", "core_set", runs.FULL, "my_module:Own", "a.package:Own_2"]
)
def test_a_run_is_parsed_from_its_name(strategy, source):
    own = ["my_module:own", "a_2.package:own_dfal_1", "a.b:c-max100"]
    for problem in [*PROBLEMS, "mnist-lenet5-max7", *own]:
        run = runs.Run(problem, strategy, 12, source)
        assert runs.Run.parse(str(run)) == run
        assert ":" not in str(run)  # not in names of files on Windows


def test_runs_of_different_problems_have_different_names():
    one = runs.Run("a:b", "c_d:E", 0)
    other = runs.Run("a:b_c", "d:E", 0)
    assert str(one) != str(other)


@pytest.mark.parametrize(
    "name",
    ["", "table1_mnist-lenet5", "mnist-lenet5_dfal", "mnist_dfal_0", "claims"]
    + ["mnist-lenet5_dfal_0_from_mnist", "mnist-lenet5__0"],
)
def test_other_names_are_not_those_of_runs(name):
    with pytest.raises(ValueError, match="`name` must be the name of a run"):
        runs.Run.parse(name)


def test_every_data_set_has_two_networks():
    for problem in PROBLEMS:
        (other,) = other_networks(problem)
        assert other_networks(other) == [problem]
        assert PROBLEMS[other].dataset == PROBLEMS[problem].dataset
        assert PROBLEMS[other].network != PROBLEMS[problem].network


def test_budgets_that_are_missing():
    learning = runs.Run("mnist-lenet5", "dfal", 0)
    full = runs.Run("mnist-lenet5", runs.FULL, 0)
    transfer = runs.Run("mnist-lenet5", "dfal", 0, source="mnist-vgg8")
    assert runs.missing_budgets(learning, (100,), {90}) == (100,)
    assert runs.missing_budgets(learning, (100,), {90, 100}) == ()
    assert runs.missing_budgets(learning, (100,), {110}) == ()
    assert runs.missing_budgets(full, (100_000,), set()) == (100_000,)
    assert runs.missing_budgets(full, (100_000,), {60_000}) == ()
    assert runs.missing_budgets(transfer, (50, 100), {100}) == (50,)


def test_a_run_stops_at_the_budget_and_a_transfer_is_trained_at_several():
    asked = options("--preset", "paper", "--budget", "250")
    own, transfer = runs.Run("mnist-lenet5", "dfal", 0), runs.transfer_runs(asked)[-1]
    assert runs.budgets_of(own, asked) == (250,)
    assert runs.budgets_of(transfer, asked) == (100, 200)
    asked = options("--preset", "paper", "--budget", "50")
    assert runs.budgets_of(transfer, asked) == (50,)


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
