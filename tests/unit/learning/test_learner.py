import copy
import dataclasses

import numpy as np
import pytest
from helpers import models
from helpers.parameters import slow_after

import dfal_keras as dfal
from dfal_keras.learning.labeled_set import LabeledSet
from dfal_keras.strategies import Query, Strategy


def rows(history):
    """Return all results of the rounds except for their times."""
    return [
        {
            name: value
            for name, value in dataclasses.asdict(finished).items()
            if not name.endswith("seconds")
        }
        for finished in history
    ]


@pytest.mark.parametrize(
    ("strategy", "labels_per_annotation"),
    [
        ("dfal", 2),
        (dfal.strategies.DFAL(adversarial=False), 1),
        ("random", 1),
        ("uncertainty", 1),
    ],
)
def test_accounting(shared_train, blobs, strategy, labels_per_annotation):
    learner = dfal.ActiveLearner(shared_train, strategy, num_queries=10)
    for k, finished in enumerate(learner.rounds(*blobs, budget=60)):
        assert finished.round == k
        assert finished.num_annotations == 10 + 10 * k
        assert finished.num_labeled == 10 + labels_per_annotation * 10 * k
    assert k == 5
    indices = learner.labeled.indices
    assert len(set(indices)) == len(indices) == 60
    assert (learner.labeled.labels == blobs[1][indices]).all()


def test_adversarial_examples_share_the_labels_of_their_samples(shared_train, blobs):
    learner = dfal.ActiveLearner(shared_train, "dfal")
    learner.fit(*blobs, budget=30)
    labeled = learner.labeled
    originals = blobs[0][labeled.indices[10:]].astype("float32")
    distance = np.abs(labeled.companions - originals).max(axis=(1, 2, 3))
    assert (labeled.companion_labels == labeled.labels[10:]).all()
    assert (distance > 0).all()
    x, y = labeled.arrays(blobs[0])
    assert x.dtype == np.float32
    assert x.shape == (50, 4, 4, 1)
    assert (x[:30] == blobs[0][labeled.indices]).all()
    assert (y == np.concatenate([labeled.labels, labeled.companion_labels])).all()


@pytest.mark.parametrize("strategy", ["dfal", "random", "uncertainty"])
def test_same_seed_same_rounds(shared_train, blobs, strategy):
    def run(seed):
        learner = dfal.ActiveLearner(shared_train, strategy, seed=seed)
        return rows(learner.fit(*blobs, budget=40, test_data=blobs)), learner.labeled

    (first, labeled), (again, labeled_again) = run(0), run(0)
    assert first == again
    assert (labeled.indices == labeled_again.indices).all()
    assert set(labeled.indices) != set(run(1)[1].indices)


def test_trials_are_paired_across_strategies(shared_train, blobs):
    """A seed gives all strategies the same initial set and initial weights."""
    first = [
        rows(dfal.ActiveLearner(shared_train, name, seed=4).fit(*blobs, budget=10))
        for name in ("dfal", "random", "uncertainty")
    ]
    assert first[0] == first[1] == first[2]


@pytest.mark.parametrize("strategy", ["dfal", "random", "uncertainty"])
def test_saved_after_any_round_it_continues_with_the_same_rounds(
    shared_train, blobs, strategy, tmp_path
):
    whole = dfal.ActiveLearner(shared_train, strategy, seed=3)
    expected = rows(whole.fit(*blobs, budget=50, test_data=blobs))
    for num_rounds in range(1, 5):
        learner = dfal.ActiveLearner(shared_train, strategy, seed=3)
        running = learner.rounds(*blobs, budget=50, test_data=blobs)
        for _ in range(num_rounds):
            next(running)
        learner.save(tmp_path / "learner.npz")
        resumed = dfal.ActiveLearner.load(
            tmp_path / "learner.npz", shared_train, strategy
        )
        rest = rows(resumed.fit(*blobs, budget=50, test_data=blobs))
        assert rest == expected[num_rounds:]
        assert (resumed.labeled.indices == whole.labeled.indices).all()
    assert [path.name for path in tmp_path.iterdir()] == ["learner.npz"]


def test_rounds_count_the_adversarial_examples_that_exist(halves):
    """With a model that can be fooled on some samples only."""
    labels = np.arange(20) % 2

    def run(budget):
        learner = dfal.ActiveLearner(
            lambda x, y, seed: models.half_flat, "dfal", num_queries=5, num_initial=2
        )
        return learner.fit(halves, labels, budget=budget), learner.labeled

    history, labeled = run(17)
    positions = np.flatnonzero(halves[labeled.indices, 0] > 0)
    positions = positions[positions >= 2]  # the initial set has no examples
    assert sorted(labeled.companion_rows) == positions.tolist()
    assert 5 <= len(positions) <= 7
    for finished in history:
        num_adversarial = int((positions < finished.num_annotations).sum())
        assert finished.num_labeled == finished.num_annotations + num_adversarial
        _, short = run(finished.num_annotations)
        for ours, expected in zip(
            labeled.first(finished.num_annotations).arrays(halves),
            short.arrays(halves),
            strict=True,
        ):
            assert (ours == expected).all()
    originals = halves[labeled.indices[labeled.companion_rows]]
    distances = np.linalg.norm(labeled.companions - originals, axis=1)
    assert (distances > 0).all()
    expected = labels[labeled.indices[labeled.companion_rows]]
    assert (labeled.companion_labels == expected).all()


class Draws(Strategy):
    """Record the candidates, and what the strategy's generator would draw."""

    num_candidates = 50

    def __init__(self):
        self.shown, self.drawn, self.numbers = [], [], []

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        self.shown.append(np.sort(x_unlabeled[:].ravel()))
        left = np.setdiff1d(np.arange(200), x_labeled[:])
        again = copy.deepcopy(rng)
        self.drawn.append(np.sort(again.choice(left, 50, replace=False)))
        self.numbers.append(int(rng.integers(2**31)))
        return Query(np.arange(num_queries))


def test_every_draw_is_independent_of_every_other():
    """The seeds of all rounds and purposes differ."""
    x = np.arange(200, dtype="float32")[:, None]
    draws, seeds = Draws(), []

    def train(x, y, seed):
        seeds.append(seed)
        return lambda images: images

    learner = dfal.ActiveLearner(train, draws, num_queries=1, num_initial=4, seed=5)
    learner.fit(x, np.zeros(200, int), budget=9)
    assert len(seeds) == 6
    assert len(draws.numbers) == 5
    assert len({*seeds, *draws.numbers}) == 11
    # Each round draws new candidates.
    for before, after in zip(draws.shown[:-1], draws.shown[1:], strict=True):
        assert len(np.intersect1d(before, after)) < 30
    # The strategy's generator would not draw the same candidates.
    for shown, drawn in zip(draws.shown, draws.drawn, strict=True):
        assert (shown != drawn).any()


def test_a_larger_budget_continues_a_finished_run(shared_train, blobs, tmp_path):
    whole = dfal.ActiveLearner(shared_train, "dfal", seed=3)
    expected = rows(whole.fit(*blobs, budget=40))
    part = dfal.ActiveLearner(shared_train, "dfal", seed=3)
    part.fit(*blobs, budget=20)
    part.save(tmp_path / "learner.npz")
    resumed = dfal.ActiveLearner.load(tmp_path / "learner.npz", shared_train, "dfal")
    assert rows(resumed.fit(*blobs, budget=40)) == expected[1:]


def test_labels_of_samples_not_queried_and_of_the_test_set_have_no_effect(
    shared_train, blobs
):
    x, y = blobs
    learner = dfal.ActiveLearner(shared_train, "dfal", seed=0)
    learner.fit(x, y, budget=40, test_data=(x, y))
    wrong = (y + 1) % 3
    wrong[learner.labeled.indices] = y[learner.labeled.indices]
    other = dfal.ActiveLearner(shared_train, "dfal", seed=0)
    other.fit(x, wrong, budget=40, test_data=(x, wrong))
    assert (other.labeled.indices == learner.labeled.indices).all()


def test_a_budget_between_two_rounds_is_kept_exactly(shared_train, blobs):
    history = dfal.ActiveLearner(shared_train, "random").fit(*blobs, budget=25)
    assert [finished.num_annotations for finished in history] == [10, 20, 25]


@pytest.mark.parametrize(
    "strategy",
    slow_after(
        4,
        [
            *("dfal", "bald", "egl", "core_set"),
            *("ceal", "uncertainty", "diverse_dfal", "cost_effective_dfal"),
        ],
    ),
)
def test_everything_is_traced_once_over_a_whole_run(
    tiny_train, blobs, strategy, traced_functions
):
    learner = dfal.ActiveLearner(tiny_train, strategy)
    learner.fit(*blobs, budget=45, test_data=blobs)
    counts = [each.experimental_get_tracing_count() for each in traced_functions]
    assert set(counts) == {1}
    # Two for training, on uint8 and float32 images, if there are adversarial examples.
    assert 2 <= len(counts) <= 4


class Recorder(Strategy):
    """Record the candidates and labeled samples, and pseudo-label the last sample."""

    num_candidates = 50

    def __init__(self):
        self.shown, self.labeled = [], []

    def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
        self.shown.append(x_unlabeled[:].ravel())
        self.labeled.append(x_labeled[:].ravel())
        last = np.array([len(x_unlabeled) - 1])
        return Query(
            np.arange(num_queries), pseudo_indices=last, pseudo_labels=last * 0
        )


def test_what_a_strategy_is_shown():
    """The candidates are K unlabeled samples, and indices refer to the pool."""
    x = np.arange(200, dtype="float32")[:, None]
    y = np.zeros(200, int)
    recorder = Recorder()
    trained_on = []

    def train(x, y, seed):
        trained_on.append(x.ravel())
        return lambda images: images

    learner = dfal.ActiveLearner(train, recorder, num_queries=5, num_initial=4)
    history = learner.fit(x, y, budget=24)
    assert [finished.num_labeled for finished in history] == [4, 10, 15, 20, 25]
    asked = learner.labeled.indices
    for k, (shown, labeled) in enumerate(
        zip(recorder.shown, recorder.labeled, strict=True)
    ):
        assert len(set(shown)) == 50
        assert not set(shown) & set(labeled)
        assert (labeled == asked[: 4 + 5 * k]).all()
        assert (asked[4 + 5 * k : 9 + 5 * k] == shown[:5]).all()
        # The pseudo-label is used in the next training only.
        assert (trained_on[k + 1][: 9 + 5 * k] == asked[: 9 + 5 * k]).all()
        assert trained_on[k + 1][9 + 5 * k :] == [shown[-1]]
    assert any((recorder.shown[0] != shown).any() for shown in recorder.shown)


def test_an_invalid_query_of_a_strategy_is_an_error(shared_train, blobs):
    class Wrong(Strategy):
        def select(self, *arguments):
            return Query(np.array([3, 3]))

    learner = dfal.ActiveLearner(shared_train, Wrong())
    with pytest.raises(ValueError, match="distinct rows of its 290 candidates"):
        learner.fit(*blobs, budget=20)
    assert learner.labeled.num_annotations == 10


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"train": "lenet5"}, "train"),
        ({"strategy": "dfla"}, "strategy"),
        ({"strategy": dfal.strategies.Strategy}, "strategy"),
        ({"num_queries": 0}, "num_queries"),
        ({"num_initial": 0}, "num_initial"),
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
    ],
)
def test_bad_constructor_arguments(shared_train, changed, named):
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        dfal.ActiveLearner(**{"train": shared_train, **changed})


IMAGES, LABELS = np.zeros((20, 4, 4, 1)), np.zeros(20, int)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"x": IMAGES[:0]}, "x"),
        ({"x": np.full((20, 4, 4, 1), np.nan)}, "x"),
        ({"x": "images"}, "x"),
        ({"y": LABELS[:5]}, "y"),
        ({"y": LABELS - 1}, "y"),
        ({"y": LABELS + 0.5}, "y"),
        ({"y": LABELS + 3}, "y"),
        ({"budget": 5}, "budget"),
        ({"budget": 21}, "budget"),
        ({"budget": 12.5}, "budget"),
        ({"test_data": (IMAGES, LABELS[:3])}, "test_data"),
        ({"test_data": (IMAGES[:0], LABELS[:0])}, "test_data"),
        ({"test_data": IMAGES}, "test_data"),
        ({"test_data": ()}, "test_data"),
        ({"test_data": 5}, "test_data"),
        ({"test_data": (IMAGES, LABELS, LABELS)}, "test_data"),
        ({"y": [[1], [1, 2]] * 10}, "y"),
        ({"x": np.zeros((20, 5, 5, 1))}, "x"),
    ],
)
def test_bad_data_is_rejected_before_the_first_round_ends(shared_train, changed, named):
    learner = dfal.ActiveLearner(shared_train)
    arguments = {"x": IMAGES, "y": LABELS, "budget": 20, **changed}
    with pytest.raises(ValueError, match=rf"`{named}.*Received: "):
        list(learner.rounds(**arguments))


def test_bad_files(shared_train, tmp_path):
    path = tmp_path / "learner.npz"
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, shared_train)
    path.write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, shared_train)
    LabeledSet.empty().save(path)
    with pytest.raises(ValueError, match="holds a labeled set only"):
        dfal.ActiveLearner.load(path, shared_train)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, shared_train)
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(None, shared_train)
    np.savez(path, indices=np.array([{"pickled": True}], dtype=object))
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, shared_train)


def test_nothing_is_left_where_a_file_can_not_be_written(shared_train, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        dfal.ActiveLearner(shared_train).save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_metadata_is_kept_with_the_learner(shared_train, tmp_path):
    learner = dfal.ActiveLearner(shared_train)
    learner.metadata = {"by": "me", "sizes": [1, 2.5, None]}
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(tmp_path / "learner.npz", shared_train)
    assert loaded.metadata == learner.metadata
    assert dfal.ActiveLearner(shared_train).metadata == {}


def test_metadata_that_no_file_can_hold(shared_train, tmp_path):
    learner = dfal.ActiveLearner(shared_train)
    learner.metadata = {"model": shared_train}
    with pytest.raises(ValueError, match="`metadata` must be JSON-serializable"):
        learner.save(tmp_path / "learner.npz")
    assert not list(tmp_path.iterdir())
