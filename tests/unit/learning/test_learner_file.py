"""Saved learners: strategies, pools, and files of earlier versions."""

import logging
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest
from experiments import runs
from experiments.running import execution
from helpers import bad_calls

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.learning.labeled_set import stored_name
from dfal_keras.strategies import Query, Strategy

STORED_RUNS = pathlib.Path(__file__).parents[3] / "reproduce/results/paper/runs"
POOL = np.random.default_rng(0).integers(0, 256, (60, 4)).astype("uint8")


def train(x, y, seed):
    return lambda images: images


class Own:
    """A strategy without a config."""

    def query(self, model, x_unlabeled, num_queries, *, x_labeled, rng):
        return Query(np.arange(num_queries))


class Importable(Strategy):
    """A strategy whose class can be imported under a name that tests register."""

    def __init__(self, weight=1):
        self.weight = weight

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        return Query(np.arange(num_queries))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "learner.npz"


def save(path, strategy="dfal", pool=POOL):
    """Save a learner with six labels."""
    learner = dfal.ActiveLearner(train, strategy, num_initial=6, pool=pool)
    if pool is not None:
        indices = learner.ask().indices
        learner.tell(indices, indices % 2)
    learner.save(path)
    return learner


def load(path, strategy=None, **options):
    return dfal.ActiveLearner.load(path, train, strategy, **options)


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.DFAL(ord=np.inf, bounds=(0, 255)),
        strategies.CoreSet(method="greedy"),
        strategies.Random(),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_the_saved_strategy_is_built_again(path, strategy, caplog):
    strategy.num_candidates = 17
    save(path, strategy)
    found = load(path).strategy
    assert type(found) is type(strategy)
    assert found.num_candidates == 17
    expected = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in strategy.get_config().items()
    }
    assert found.get_config() == expected
    load(path, strategy)
    assert caplog.text == ""


def test_a_strategy_of_ones_own_is_imported(path, tmp_path, monkeypatch):
    (tmp_path / "module_of_test_learner_file.py").write_text(
        "from dfal_keras.strategies import Uncertainty\n"
        "class Own(Uncertainty):\n"
        "    pass\n"
    )
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        save(path, strategies.get("module_of_test_learner_file:Own", batch_size=7))
        assert load(path).strategy.batch_size == 7
    monkeypatch.delitem(sys.modules, "module_of_test_learner_file")
    message = bad_calls.check_rejected("strategy", lambda: load(path))
    assert "module_of_test_learner_file:Own" in message
    assert load(path, "dfal").strategy.ord == 2


def test_a_given_strategy_is_used_and_a_difference_is_logged(path, caplog):
    save(path, strategies.DFAL(ord=1))
    assert load(path, strategies.DFAL(ord=1)).strategy.ord == 1
    assert caplog.text == ""
    assert type(load(path, "bald").strategy) is strategies.BALD
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text
    assert "DFAL(" in caplog.text
    assert "BALD(" in caplog.text
    caplog.clear()
    assert load(path, strategies.DFAL(ord=2)).strategy.ord == 2
    (record,) = caplog.records
    assert (
        "'DFAL(ord=1)'. The learner continues with 'DFAL(ord=2)'" in record.getMessage()
    )
    caplog.clear()
    few = strategies.DFAL(ord=1)
    few.num_candidates = 5
    assert load(path, few).strategy.num_candidates == 5
    assert "num_candidates=5" in caplog.text


def with_local_class():
    class Local(strategies.Random):
        pass

    return Local()


@pytest.mark.parametrize("make", [Own, with_local_class, lambda: Importable(object())])
def test_a_strategy_that_can_not_be_built_again_must_be_given(path, make, caplog):
    strategy = make()
    save(path, strategy)
    message = bad_calls.check_rejected("strategy", lambda: load(path), path.parent)
    assert type(strategy).__name__ in message
    assert load(path, strategy).strategy is strategy
    assert caplog.text == ""
    load(path, "random")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("pool", [POOL, None], ids=["with a pool", "without"])
def test_another_pool_is_refused_and_a_longer_one_accepted(path, pool):
    save(path, "random", pool=POOL)
    learner = load(path, pool=pool)
    learner.save(path)  # also the fingerprint that it was loaded with
    for other in (np.zeros_like(POOL), POOL[:-1], POOL[::-1], POOL * 1.0):
        bad_calls.check_rejected("pool", lambda other=other: load(path, pool=other))
    longer = np.concatenate([POOL, POOL + 1])
    learner = load(path, pool=longer)
    learner.ignore(range(60))
    assert (learner.ask().indices >= 60).all()
    learner.save(path)
    bad_calls.check_rejected("pool", lambda: load(path, pool=POOL))
    load(path, pool=longer)


def test_simulated_rounds_go_on_with_the_same_pool(path):
    labels = np.arange(60) % 2
    save(path, "random")
    for other in (np.zeros_like(POOL), POOL[:-1]):
        learner = load(path)
        call = learner.rounds
        bad_calls.check_rejected(
            "x",
            lambda call=call, other=other: call(other, labels[: len(other)], budget=10),
        )
    load(path).fit(POOL, labels, budget=10)


def as_before(path, **changed):
    """Rewrite a file as earlier versions did, with other entries."""
    with np.load(path) as stored:
        arrays = dict(stored)
    new = ("strategy", "pool_dtype", "pool_rows", "pool_digests")
    for name in (*new, "query_is_open", "num_before"):
        del arrays[name]
    open_only = [n for n in arrays if n.startswith("query_")] + ["next_round"]
    if not changed:
        for name in open_only:
            del arrays[name]
    np.savez(path, **{**arrays, **changed})


def test_a_file_of_before_needs_a_strategy_and_a_pool_of_its_shape(path):
    learner = save(path, "random")
    as_before(path)
    bad_calls.check_rejected("strategy", lambda: load(path))
    bad_calls.check_rejected("pool", lambda: load(path, "random", pool=POOL[:-1]))
    loaded = load(path, "random", pool=POOL)
    assert (loaded.labeled.indices == learner.labeled.indices).all()
    assert loaded.open_query is None
    assert (loaded.ask().indices == learner.ask().indices).all()
    loaded.save(path)
    assert load(path).strategy.num_candidates is None
    bad_calls.check_rejected("pool", lambda: load(path, pool=np.zeros_like(POOL)))


def test_the_open_query_of_a_file_of_before(path):
    """It held only the samples that were not answered."""
    learner = save(path, "random")
    query = learner.ask()
    learner.tell(query.indices[:4], [0, 1, None, 1])
    learner.save(path)
    rest = {name: value for name, value in vars(learner.open_query).items()}
    rest = {f"query_{stored_name(n)}": v for n, v in rest.items() if v is not None}
    as_before(path, **rest)
    loaded = load(path, "random", pool=POOL)
    assert (loaded.open_query.indices == query.indices[4:]).all()
    for each in (learner, loaded):
        each.tell(query.indices[4:], query.indices[4:] % 2)
    assert (loaded.labeled.indices == learner.labeled.indices).all()
    assert loaded.round == learner.round == 1
    assert (loaded.ask().indices == learner.ask().indices).all()


def strategy_of(path):
    return path.stem.partition("_")[2].rpartition("_")[0]


def names_its_strategy(path):
    with np.load(path) as arrays:
        return "strategy" in arrays


STORED = {path: names_its_strategy(path) for path in sorted(STORED_RUNS.glob("*.npz"))}


@pytest.mark.parametrize(
    "stored", [path for path in STORED if STORED[path]], ids=lambda stored: stored.stem
)
def test_stored_runs_name_their_strategy(stored):
    run = runs.Run.named("mnist-lenet5", strategy_of(stored), 0)
    expected = execution.make_strategy(run)
    learner = load(stored)
    assert type(learner.strategy) is type(expected)
    assert learner.strategy.get_config() == expected.get_config()
    assert learner.num_queries == run.method.num_queries
    check_progress(learner, stored)


@pytest.mark.parametrize(
    "stored",
    [path for path in STORED if not STORED[path]],
    ids=lambda stored: stored.stem,
)
def test_stored_runs_of_before_are_still_read(stored, tmp_path):
    """Older files do not name their strategy."""
    bad_calls.check_rejected("strategy", lambda: load(stored))
    learner = load(stored, strategy_of(stored))
    check_progress(learner, stored)
    learner.save(tmp_path / "learner.npz")
    again = load(tmp_path / "learner.npz")
    for name, array in vars(learner.labeled).items():
        assert (getattr(again.labeled, name) == array).all(), name


def check_progress(learner, stored):
    """Compare a learner with the last row of its run."""
    last = pd.read_csv(stored.with_suffix(".csv")).iloc[-1]
    assert learner.labeled.num_annotations == last["num_annotations"]
    assert learner.round == last["round"]


@pytest.mark.parametrize("name", ["other", "query_is_oqen"])
def test_an_entry_that_no_version_writes_is_refused(path, name):
    save(path)
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **arrays, **{name: np.zeros(3)})
    message = bad_calls.check_rejected("path", lambda: load(path))
    assert name in message
