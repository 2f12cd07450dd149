import copy
import dataclasses

import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras.backend import tracing
from dfal_keras.labeled_set import LabeledSet
from dfal_keras.strategies import Query, Strategy


def rows(history):
    """What must be the same in two equal runs: everything but the seconds."""
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
def test_accounting(tiny_train, blobs, strategy, labels_per_annotation):
    learner = dfal.ActiveLearner(tiny_train, strategy, num_queries=10)
    for k, finished in enumerate(learner.rounds(*blobs, budget=60)):
        assert finished.round == k
        assert finished.num_annotations == 10 + 10 * k
        assert finished.num_labeled == 10 + labels_per_annotation * 10 * k
    assert k == 5
    indices = learner.labeled.indices
    assert len(set(indices)) == len(indices) == 60
    assert (learner.labeled.labels == blobs[1][indices]).all()


@pytest.mark.parametrize(
    ("annotations", "labeled"),
    [(1210, 2410), (980, 1950), (1070, 2130), (530, 1050), (7470, 14930), (4810, 9610)],
)
def test_dfal_rows_of_table_2(annotations, labeled):
    """With ten to begin with and ten a round, twins give exactly these six counts."""
    labeled_set = LabeledSet.empty()
    labeled_set.add(Query(np.arange(10)), np.zeros(10, int))
    while labeled_set.num_annotations < annotations:
        twins = np.zeros((10, 1), np.float32)
        query = Query(np.arange(10), adversarial_examples=twins)
        labeled_set.add(query, np.zeros(10, int))
    assert labeled_set.num_annotations == annotations
    assert len(labeled_set) == labeled


def test_twins_share_the_labels_of_their_originals(tiny_train, blobs):
    learner = dfal.ActiveLearner(tiny_train, "dfal")
    learner.fit(*blobs, budget=30)
    labeled = learner.labeled
    originals = blobs[0][labeled.indices[10:]].astype("float32")
    distance = np.abs(labeled.adversarial_examples - originals).max(axis=(1, 2, 3))
    assert (labeled.adversarial_labels == labeled.labels[10:]).all()
    assert (distance > 0).all()
    x, y = labeled.arrays(blobs[0])
    assert x.dtype == np.float32
    assert x.shape == (50, 4, 4, 1)
    assert (x[:30] == blobs[0][labeled.indices]).all()
    assert (y == np.concatenate([labeled.labels, labeled.adversarial_labels])).all()


def test_the_first_annotations_of_a_labeled_set(tiny_train, blobs):
    short, long = (dfal.ActiveLearner(tiny_train, "dfal", seed=1) for _ in range(2))
    short.fit(*blobs, budget=30)
    long.fit(*blobs, budget=60)
    first = long.labeled.first(30)
    for ours, expected in zip(
        first.arrays(blobs[0]), short.labeled.arrays(blobs[0]), strict=True
    ):
        assert (ours == expected).all()
    for wrong in (0, 61, -10):
        with pytest.raises(ValueError, match="`num_annotations` must be from 1 to"):
            long.labeled.first(wrong)


@pytest.mark.parametrize("strategy", ["dfal", "random", "uncertainty"])
def test_same_seed_same_rounds(tiny_train, blobs, strategy):
    def run(seed):
        learner = dfal.ActiveLearner(tiny_train, strategy, seed=seed)
        return rows(learner.fit(*blobs, budget=40, test_data=blobs)), learner.labeled

    (first, labeled), (again, labeled_again) = run(0), run(0)
    assert first == again
    assert (labeled.indices == labeled_again.indices).all()
    assert set(labeled.indices) != set(run(1)[1].indices)


def test_trials_are_paired_across_strategies(tiny_train, blobs):
    """The same seed starts every strategy from the same set and the same weights."""
    first = [
        rows(dfal.ActiveLearner(tiny_train, name, seed=4).fit(*blobs, budget=10))
        for name in ("dfal", "random", "uncertainty")
    ]
    assert first[0] == first[1] == first[2]


@pytest.mark.parametrize("strategy", ["dfal", "random", "uncertainty"])
def test_saved_after_any_round_it_goes_on_with_the_same_rounds(
    tiny_train, blobs, strategy, tmp_path
):
    whole = dfal.ActiveLearner(tiny_train, strategy, seed=3)
    expected = rows(whole.fit(*blobs, budget=50, test_data=blobs))
    for num_rounds in range(1, 5):
        learner = dfal.ActiveLearner(tiny_train, strategy, seed=3)
        running = learner.rounds(*blobs, budget=50, test_data=blobs)
        for _ in range(num_rounds):
            next(running)
        learner.save(tmp_path / "learner.npz")
        resumed = dfal.ActiveLearner.load(
            tmp_path / "learner.npz", tiny_train, strategy
        )
        rest = rows(resumed.fit(*blobs, budget=50, test_data=blobs))
        assert rest == expected[num_rounds:]
        assert (resumed.labeled.indices == whole.labeled.indices).all()
    assert [path.name for path in tmp_path.iterdir()] == ["learner.npz"]


class Draws(Strategy):
    """Writes down what it is shown, and what its source of randomness would draw."""

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
    """Seeds differ by round and purpose: no two draws are the same or make one so."""
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
    # Fresh each round: most of what is shown was not shown in the round before.
    for before, after in zip(draws.shown[:-1], draws.shown[1:], strict=True):
        assert len(np.intersect1d(before, after)) < 30
    # With the candidates' own randomness the strategy would draw just these.
    for shown, drawn in zip(draws.shown, draws.drawn, strict=True):
        assert (shown != drawn).any()


def test_labels_lie_beside_their_images():
    pool = np.arange(20, dtype="float32")[:, None]
    twins = np.array([[100.5], [101.5]])
    labeled = LabeledSet.empty()
    pseudo = {"pseudo_indices": np.array([7, 8, 9]), "pseudo_labels": np.arange(7, 10)}
    query = Query(np.arange(3), None, twins, np.array([2, 0]), **pseudo)
    labeled.add(query, np.array([30, 31, 32]))
    x, y = labeled.arrays(pool)
    assert len(labeled) == len(x) == len(y) == 8
    found = dict(zip(x.ravel().tolist(), y.tolist(), strict=True))
    expected = {0: 30, 1: 31, 2: 32, 100.5: 32, 101.5: 30, 7: 7, 8: 8, 9: 9}
    assert found == expected


def test_a_larger_budget_goes_on_from_a_finished_run(tiny_train, blobs, tmp_path):
    whole = dfal.ActiveLearner(tiny_train, "dfal", seed=3)
    expected = rows(whole.fit(*blobs, budget=40))
    part = dfal.ActiveLearner(tiny_train, "dfal", seed=3)
    part.fit(*blobs, budget=20)
    part.save(tmp_path / "learner.npz")
    resumed = dfal.ActiveLearner.load(tmp_path / "learner.npz", tiny_train, "dfal")
    assert rows(resumed.fit(*blobs, budget=40)) == expected[1:]


def test_labels_of_samples_not_queried_and_of_the_test_set_steer_nothing(
    tiny_train, blobs
):
    x, y = blobs
    learner = dfal.ActiveLearner(tiny_train, "dfal", seed=0)
    learner.fit(x, y, budget=40, test_data=(x, y))
    wrong = (y + 1) % 3
    wrong[learner.labeled.indices] = y[learner.labeled.indices]
    other = dfal.ActiveLearner(tiny_train, "dfal", seed=0)
    other.fit(x, wrong, budget=40, test_data=(x, wrong))
    assert (other.labeled.indices == learner.labeled.indices).all()


def test_a_budget_between_two_rounds_is_kept_exactly(tiny_train, blobs):
    history = dfal.ActiveLearner(tiny_train, "random").fit(*blobs, budget=25)
    assert [finished.num_annotations for finished in history] == [10, 20, 25]


@pytest.mark.parametrize(
    "strategy", ["dfal", "bald", "ceal", "core_set", "egl", "uncertainty"]
)
def test_everything_is_traced_once_over_a_whole_run(tiny_train, blobs, strategy):
    learner = dfal.ActiveLearner(tiny_train, strategy)
    learner.fit(*blobs, budget=45, test_data=blobs)
    graphs = [
        *tiny_train._graphs.values(),
        *tracing._PER_MODEL[tiny_train.model].values(),
    ]
    counts = [
        graph.experimental_get_tracing_count()
        for graph in graphs
        if hasattr(graph, "experimental_get_tracing_count")
    ]
    assert set(counts) == {1}
    assert len(counts) >= 2


class Recorder(Strategy):
    """Remembers what it is shown, and pseudo-labels one more sample."""

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
    """K samples of the unlabeled pool, in dataset indices on both sides."""
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
        # The pseudo-label serves the next training and is back in the pool then.
        assert (trained_on[k + 1][: 9 + 5 * k] == asked[: 9 + 5 * k]).all()
        assert trained_on[k + 1][9 + 5 * k :] == [shown[-1]]
    assert any((recorder.shown[0] != shown).any() for shown in recorder.shown)


def twins_of(rows):
    """Three queries, three twins, and what is said of whose they are."""
    twins = np.ones((3, 4, 4, 1))
    return Query(np.arange(3), adversarial_examples=twins, adversarial_rows=rows)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(np.array([3, 3])), "distinct rows"),
        (Query(np.array([290])), "distinct rows of its 290 candidates"),
        (Query(np.array([-1])), "distinct rows"),
        (Query(np.array([0.5])), "distinct rows"),
        (Query(np.arange(11)), "from 1 to 10"),
        (Query(np.arange(0)), "from 1 to 10"),
        (Query(np.arange(3), adversarial_examples=np.ones((2, 4, 4, 1))), "one adv"),
        (
            Query(np.arange(3), adversarial_rows=np.array([0])),
            "one adversarial example for each",
        ),
        (twins_of(np.arange(2)), "3 adversarial examples for 2 of 3"),
        (twins_of(np.array([0, 0, 1])), "distinct positions"),
        (twins_of(np.array([0, 1, 3])), "distinct positions"),
        (twins_of(np.array([0, 1, -1])), "distinct positions"),
        (twins_of(np.array([0, 1, 1.5])), "distinct positions"),
        (twins_of(np.array([[0, 1, 2]])), "distinct positions"),
        (Query(np.arange(3), pseudo_indices=np.arange(2)), "one label for each"),
    ],
)
def test_a_strategy_that_answers_nonsense_is_told_so(tiny_train, blobs, query, message):
    class Wrong(Strategy):
        def select(self, *arguments):
            return query

    learner = dfal.ActiveLearner(tiny_train, Wrong())
    with pytest.raises(ValueError, match=message):
        learner.fit(*blobs, budget=20)
    assert learner.labeled.num_annotations == 10


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"train": "lenet5"}, "train"),
        ({"strategy": "dfla"}, "strategy"),
        ({"strategy": dfal.strategies.DFAL}, "strategy"),
        ({"num_queries": 0}, "num_queries"),
        ({"num_initial": 0}, "num_initial"),
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
    ],
)
def test_bad_constructor_arguments(tiny_train, changed, named):
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        dfal.ActiveLearner(**{"train": tiny_train, **changed})


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
def test_bad_data_is_refused_before_the_first_round_is_done(tiny_train, changed, named):
    learner = dfal.ActiveLearner(tiny_train)
    arguments = {"x": IMAGES, "y": LABELS, "budget": 20, **changed}
    with pytest.raises(ValueError, match=rf"`{named}.*Received: "):
        list(learner.rounds(**arguments))


def test_bad_files(tiny_train, tmp_path):
    path = tmp_path / "learner.npz"
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, tiny_train)
    path.write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, tiny_train)
    LabeledSet.empty().save(path)
    with pytest.raises(ValueError, match="holds a labeled set only"):
        dfal.ActiveLearner.load(path, tiny_train)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, tiny_train)
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(None, tiny_train)
    np.savez(path, indices=np.array([{"pickled": True}], dtype=object))
    with pytest.raises(ValueError, match="`path`.*Received: "):
        dfal.ActiveLearner.load(path, tiny_train)


def test_nothing_is_left_where_a_file_can_not_be_written(tiny_train, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        dfal.ActiveLearner(tiny_train).save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_metadata_is_kept_with_the_learner(tiny_train, tmp_path):
    learner = dfal.ActiveLearner(tiny_train)
    learner.metadata = {"by": "me", "sizes": [1, 2.5, None]}
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(tmp_path / "learner.npz", tiny_train)
    assert loaded.metadata == learner.metadata
    assert dfal.ActiveLearner(tiny_train).metadata == {}


def test_metadata_that_no_file_can_hold(tiny_train, tmp_path):
    learner = dfal.ActiveLearner(tiny_train)
    learner.metadata = {"model": tiny_train}
    with pytest.raises(ValueError, match="`metadata` must be JSON-serializable"):
        learner.save(tmp_path / "learner.npz")
    assert not list(tmp_path.iterdir())
