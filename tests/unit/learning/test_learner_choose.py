"""`ActiveLearner.choose`: a query without training."""

import tracemalloc

import keras
import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras.strategies import Query, Strategy


class Watched:
    """A pool that counts the images that are read."""

    def __init__(self, shape):
        self.shape, self.dtype, self.num_read = shape, np.dtype("uint8"), 0

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        num_rows = len(np.arange(len(self))[rows])
        self.num_read += num_rows
        return np.zeros((num_rows, *self.shape[1:]), "uint8")


class First(Strategy):
    """Choose the first candidates, and remember what it was called with."""

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        self.model, self.num_labeled = model, len(x_labeled or ())
        return Query(np.arange(num_queries))


def flat(*shape):
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("has_model", [False, True])
def test_random_reads_no_image_and_takes_no_memory(has_model):
    pool = Watched((2000, 224, 224, 3))
    learner = dfal.ActiveLearner(strategy="random", pool=pool)
    learner.add_labels(np.arange(1000), np.arange(1000) % 2)
    model = flat(224, 224, 3) if has_model else None
    tracemalloc.start()
    query = learner.choose(20, model=model)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(query.indices.tolist())) == 20
    assert query.indices.min() >= 1000
    assert pool.num_read == 0
    assert peak < 50e6


def test_it_does_not_train_and_passes_the_model(blobs):
    x, y = blobs
    strategy, model = First(), flat(*x.shape[1:])

    def train(x, y, seed):
        raise NotImplementedError

    learner = dfal.ActiveLearner(train, strategy, pool=x)
    learner.add_labels([0, 2], y[[0, 2]])
    query = learner.choose(3, model=model, exclude=[1, 4])
    assert query.indices.tolist() == [3, 5, 6]
    assert strategy.model is model
    assert strategy.num_labeled == 2
    assert learner.model is None
    assert learner.ignored.tolist() == []
    assert learner.open_query is query
    assert learner.choose(1) is query  # until it is answered
    learner.tell(query.indices, y[query.indices])
    assert learner.round == 1
    assert learner.choose(2, model=model).indices.tolist() == [1, 4]


def test_ask_trains_then_chooses(shared_train, blobs):
    x, y = blobs
    asked = dfal.ActiveLearner(shared_train, "dfal", num_queries=4, seed=3, pool=x)
    first = asked.ask().indices
    asked.tell(first, y[first])
    expected = asked.ask().indices
    chosen = dfal.ActiveLearner(strategy="dfal", num_initial=4, seed=3, pool=x)
    assert chosen.choose(10).indices.tolist() == first.tolist()
    chosen.tell(first, y[first])
    model = shared_train(*chosen.labeled.arrays(x), seed=asked.training_seed(0))
    assert chosen.choose(4, model=model).indices.tolist() == expected.tolist()


def test_what_is_left_of_a_query_follows_the_next_one(blobs, tmp_path):
    x, y = blobs
    learner = dfal.ActiveLearner(strategy=First(), pool=x)
    model = flat(*x.shape[1:])
    learner.choose(4, model=model)
    assert learner.choose(2, model=model, add_to_open=True).indices.tolist() == [
        *(4, 5),
        *(0, 1, 2, 3),
    ]
    assert learner.round == 1
    assert not learner.is_partly_answered
    learner.tell([5, 1], y[[5, 1]])
    assert learner.is_partly_answered
    query = learner.choose(3, model=model, add_to_open=True)
    assert query.indices.tolist() == [6, 7, 8, 4, 0, 2, 3]
    assert learner.round == 2
    learner.save(tmp_path / "learner.npz")
    learner = dfal.ActiveLearner.load(tmp_path / "learner.npz", pool=x)
    assert learner.open_query.indices.tolist() == query.indices.tolist()
    learner.tell(query.indices, y[query.indices])
    assert learner.round == 3
    assert not learner.is_partly_answered
    assert learner.labeled.indices.tolist() == [5, 1, *query.indices]


def test_the_candidates_after_what_is_left_are_others(blobs):
    """A second query of the same round would draw the same candidates again."""
    x, _ = blobs
    strategy = First()
    strategy.num_candidates = 20
    learner = dfal.ActiveLearner(strategy=strategy, pool=x)
    model = flat(*x.shape[1:])
    first = learner.choose(20, model=model).indices
    second = learner.choose(20, model=model, add_to_open=True).indices
    assert second[20:].tolist() == first.tolist()
    other = dfal.ActiveLearner(strategy=strategy, pool=x)
    same = other.choose(20, model=model, exclude=first).indices
    assert set(second[:20].tolist()) != set(same.tolist())


def test_only_what_is_left_remains_if_there_is_nothing_to_choose(blobs):
    x, y = blobs
    learner = dfal.ActiveLearner(strategy=First(), pool=x)
    query = learner.choose(4)
    learner.tell(query.indices[:1], y[query.indices[:1]])
    others = np.setdiff1d(np.arange(len(x)), query.indices)
    left = learner.choose(5, exclude=others, add_to_open=True)
    assert left.indices.tolist() == query.indices[1:].tolist()
    assert learner.round == 0


def test_random_queries_without_a_model_are_rounds_after_the_first(blobs):
    x, y = blobs
    learner = dfal.ActiveLearner(pool=x)
    for expected in (0, 1, 2):
        query = learner.choose(3)
        learner.tell(query.indices, y[query.indices])
        assert learner.round == expected
    assert learner.labeled.num_annotations == 9


def test_without_a_function_that_trains(blobs, tmp_path):
    x, y = blobs
    learner = dfal.ActiveLearner(pool=x)
    query = learner.ask()  # drawn at random
    learner.tell(query.indices, y[query.indices])
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(tmp_path / "learner.npz", pool=x)
    for each in (learner, loaded):
        with pytest.raises(ValueError, match=r"Argument `train` .* Received: train=N"):
            each.ask()
    with pytest.raises(ValueError, match="Argument `train`"):
        learner.fit(x, y, budget=20)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"num_queries": 0}, "num_queries"),
        ({"num_queries": 1.5}, "num_queries"),
        ({"exclude": [10**6]}, "exclude"),
        ({"exclude": [-1]}, "exclude"),
        ({"exclude": 3}, "exclude"),
        ({"model": "model.keras"}, "model"),
    ],
)
def test_bad_arguments(blobs, options, name):
    learner = dfal.ActiveLearner(pool=blobs[0])
    with pytest.raises(ValueError, match=f"Argument `{name}`"):
        learner.choose(**options)
    assert learner.open_query is None


def test_no_pool_and_no_candidate(blobs):
    with pytest.raises(ValueError, match="Argument `pool`.*`choose`"):
        dfal.ActiveLearner().choose(1)
    x, _ = blobs
    with pytest.raises(ValueError, match="Argument `pool`.*unlabeled"):
        dfal.ActiveLearner(pool=x).choose(1, exclude=range(len(x)))


@pytest.mark.parametrize("has_model", [False, True])
@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"strategy": "nope"}, "strategy"),
        ({"exclude": [99]}, "exclude"),
        ({"add_to_open": "x"}, "add_to_open"),
        ({"num_queries": 0}, "num_queries"),
    ],
)
def test_a_refused_query_changes_nothing(options, name, has_model):
    learner = dfal.ActiveLearner(strategy=First(), pool=np.zeros((9, 4, 4, 1)))
    learner.add_labels([0, 1], [0, 1])
    model = flat(4, 4, 1) if has_model else None
    left = learner.choose(3, model=model)
    learner.tell(left.indices[:1], [0])
    before = learner.round, learner.training_seed(learner.round)
    arguments = {"num_queries": 2, "add_to_open": True, **options}
    with pytest.raises(ValueError, match=f"Argument `{name}`"):
        learner.choose(model=model, **arguments)
    assert (learner.round, learner.training_seed(learner.round)) == before
    assert (learner.open_query.indices == left.indices[1:]).all()
