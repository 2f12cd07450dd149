"""Labels: answered, added, changed and removed, in any order."""

import copy
import hashlib

import hypothesis.strategies as st
import numpy as np
import pytest
from helpers import bad_calls
from hypothesis import HealthCheck, Phase, given, settings

import dfal_keras as dfal
from dfal_keras.strategies import Query

POOL = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")


def train(x, y, seed):
    """Return a model that depends on every byte of the training set, and its order."""
    digest = hashlib.sha256(x.tobytes() + y.tobytes() + str(seed).encode()).digest()
    return lambda images: list(digest)


class Hashing:
    """Query at random, from the model's bytes, with examples and pseudo-labels."""

    def query(self, model, x_unlabeled, num_queries, *, x_labeled, rng):
        own = np.random.default_rng([*model(x_unlabeled), rng.integers(2**31)])
        order = own.permutation(len(x_unlabeled))
        indices, pseudo = order[:num_queries], order[num_queries:][:8]
        rows = own.permutation(num_queries)[: num_queries // 2]
        return Query(
            indices,
            None,
            x_unlabeled[indices[rows]] + 100,
            rows,
            pseudo,
            own.integers(3, size=len(pseudo)),
        )


def make(**options):
    return dfal.ActiveLearner(
        train, Hashing(), num_queries=6, num_initial=5, pool=POOL, **options
    )


def asking():
    """Return a learner with an open query of its strategy, and that query."""
    learner = make()
    initial = learner.ask().indices
    learner.tell(initial, initial % 3)
    return learner, learner.ask()


def exact(*objects):
    """Return the fields of dataclasses so that equal means equal to the last bit."""
    return [
        (name, value.dtype, value.shape, value.tobytes())
        for each in objects
        for name, value in vars(each).items()
        if value is not None
    ]


# What may happen to a sample between two queries: (method, label) in this order.
QUERIED = (
    [("tell", 1)],
    [("tell", None)],
    [("add_labels", 2)],
    [("tell", 0), ("relabel", 2)],
    [("tell", 0), ("unlabel", None)],
    [("tell", None), ("add_labels", 1)],
    [("tell", 1), ("unlabel", None), ("add_labels", 0), ("relabel", 1)],
    [("ignore", None), ("tell", 2)],
)
OTHERS = (
    [("add_labels", 1)],
    [("add_labels", 1), ("relabel", 0)],
    [("add_labels", 0), ("unlabel", None)],
    [("ignore", None), ("add_labels", 2)],
    [("ignore", None)],
)
LABELED = (
    [("relabel", 2)],
    [("unlabel", None)],
    [("unlabel", None), ("add_labels", 1)],
    [("ignore", None), ("unlabel", None)],
)


@st.composite
def stories(draw, learner):
    """Draw what happens to each sample, as a dict, and an order in which it does."""
    queried = learner.open_query.indices.tolist()
    labeled = learner.labeled.indices.tolist()
    others = sorted(set(range(len(POOL))) - {*queried, *labeled})
    story = {i: draw(st.sampled_from(QUERIED)) for i in queried}
    for rows, choices in ((others, OTHERS), (labeled, LABELED)):
        if rows:
            some = draw(st.lists(st.sampled_from(rows), max_size=4, unique=True))
            story |= {i: draw(st.sampled_from(choices)) for i in some}
    turns = [i for i, steps in story.items() for _ in steps]
    return story, draw(st.permutations(turns))


def call(learner, method, indices, labels):
    takes_labels = method not in ("ignore", "unlabel")
    getattr(learner, method)(indices, *([labels] if takes_labels else []))


def perform_in_turn(learner, story):
    """Perform one step at a time, sample by sample."""
    for i, steps in story.items():
        for method, label in steps:
            call(learner, method, [i], [label])


def perform_shuffled(learner, story, turns, data, reload):
    """Perform the steps in the order of the turns, several in a call; save between."""
    left = {i: list(steps) for i, steps in story.items()}
    while turns:
        method = left[turns[0]][0][0]
        size = 1
        while (
            size < len(turns)
            and turns[size] not in turns[:size]
            and left[turns[size]][0][0] == method
            and data.draw(st.booleans())
        ):
            size += 1
        together, turns = turns[:size], turns[size:]
        call(learner, method, together, [left[i].pop(0)[1] for i in together])
        if data.draw(st.integers(0, 7).map(lambda drawn: drawn == 7)):
            learner = reload(learner)
    return learner


def expected_set(before, query, story):
    """Return the labeled set after a story by a separate account of each sample."""
    label, example = {}, {}
    known = dict(zip(before.indices.tolist(), before.labels.tolist(), strict=True))
    own = before.indices[before.companion_rows].tolist()
    old_examples = dict(zip(own, before.companions, strict=True))
    if query.companions is not None:
        rows = query.indices[query.companion_rows].tolist()
        example = dict(zip(rows, query.companions, strict=True))
    removed, ever = set(), set()
    for i, steps in story.items():
        for method, new in steps:
            if method == "unlabel":
                removed.add(i)
                label.pop(i, None)
            elif method != "ignore" and new is not None:
                label[i] = new
                ever.add(i)
    stay = [i for i in before.indices.tolist() if i not in removed]
    asked = [i for i in query.indices.tolist() if i in label]
    order = [*stay, *asked, *sorted(label.keys() - {*stay, *asked})]
    examples = [old_examples.get(i) for i in stay] + [example.get(i) for i in asked]
    return {
        "indices": order,
        "labels": [label.get(i, known.get(i)) for i in order],
        "companion_rows": [k for k, x in enumerate(examples) if x is not None],
        "companions": [x.tolist() for x in examples if x is not None],
        "pseudo_indices": [i for i in query.pseudo_indices.tolist() if i not in ever],
    }


@given(data=st.data())
@settings(
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shortening a story that fails takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_order_of_the_answers_does_not_matter(data, tmp_path):
    """Any split and permutation of the steps gives the same set and the same query."""

    def reload(learner):
        learner.save(tmp_path / "learner.npz")
        return dfal.ActiveLearner.load(
            tmp_path / "learner.npz", train, Hashing(), pool=POOL
        )

    in_turn, shuffled = make(), make()
    for _ in range(3):
        query = in_turn.ask()
        assert exact(shuffled.ask()) == exact(query)
        before = copy.deepcopy(in_turn.labeled)
        story, turns = data.draw(stories(in_turn))
        perform_in_turn(in_turn, story)
        shuffled = perform_shuffled(shuffled, story, turns, data, reload)
        assert exact(shuffled.labeled) == exact(in_turn.labeled)
        assert shuffled.ignored.tolist() == in_turn.ignored.tolist()
        assert shuffled.round == in_turn.round
        assert shuffled.open_query is None
        for name, values in expected_set(before, query, story).items():
            assert getattr(in_turn.labeled, name).tolist() == values, name
    assert exact(shuffled.ask()) == exact(in_turn.ask())


def test_labels_that_exist_already_are_trained_on_before_the_first_query():
    learner = make()
    learner.add_labels([30, 4, 17], [2, 0, 1])
    assert learner.labeled.indices.tolist() == [4, 17, 30]
    assert learner.labeled.labels.tolist() == [0, 1, 2]
    query = learner.ask()
    assert len(query.companions) == 3  # not a random initial query
    assert not {30, 4, 17} & set(query.indices.tolist())
    learner.tell(query.indices, query.indices * 0)
    assert learner.round == 1


def test_labels_are_added_to_a_simulated_run_of_a_smaller_budget_than_the_initial_set():
    learner = make()
    learner.add_labels([30, 4, 17], [2, 0, 1])
    history = learner.fit(POOL, np.zeros(40, int), budget=4)
    assert [finished.num_annotations for finished in history] == [3, 4]


def test_an_added_label_answers_the_open_query():
    learner, query = asking()
    row = query.companion_rows[0]
    index = int(query.indices[row])
    learner.add_labels([index], [2])
    labeled = learner.labeled
    assert (labeled.companions == query.companions[:1]).all()
    assert labeled.companion_labels.tolist() == [2]
    left = [i for i in query.indices.tolist() if i != index]
    assert learner.open_query.indices.tolist() == left
    with pytest.raises(ValueError, match="are not answered yet"):
        learner.tell([index], [0])
    learner.add_labels(left, [1] * 5)
    assert learner.open_query is None
    assert learner.round == 1
    assert labeled.num_annotations == 11


def test_the_open_query_is_returned_without_training():
    calls = []

    def counting(x, y, seed):
        calls.append(seed)
        return train(x, y, seed)

    learner = dfal.ActiveLearner(counting, Hashing(), num_queries=6, pool=POOL)
    assert learner.open_query is None
    initial = learner.ask()
    assert learner.open_query is initial
    learner.tell(initial.indices, initial.indices * 0)
    assert learner.open_query is None
    assert calls == []
    learner.tell(learner.ask().indices[:4], [0, None, 1, 2])
    assert len(calls) == 1
    rest = learner.open_query
    assert exact(learner.ask()) == exact(rest)
    assert len(rest.indices) == 2
    assert len(calls) == 1


def test_adversarial_examples_follow_their_samples():
    learner, query = asking()
    learner.tell(query.indices, [0] * 6)
    labeled = learner.labeled
    own = query.indices[query.companion_rows].tolist()
    learner.relabel(own[:1], [2])
    assert sorted(labeled.companion_labels.tolist()) == [0, 0, 2]
    learner.unlabel(own[:1])
    assert labeled.companion_labels.tolist() == [0, 0]
    left = labeled.indices[labeled.companion_rows].tolist()
    assert set(left) == set(own[1:])
    originals = POOL[left]
    assert (labeled.companions == originals + 100).all()


def test_a_label_until_the_next_query_brings_the_adversarial_example_back():
    learner, query = asking()
    first, second = query.indices[query.companion_rows[:2]].tolist()
    learner.tell(query.indices, [None if i == first else 0 for i in query.indices])
    learner.unlabel([second])
    assert len(learner.labeled.companion_rows) == 1
    learner.add_labels([first, second], [1, 1])
    assert len(learner.labeled.companion_rows) == 3
    assert first not in learner.ignored
    learner.unlabel([first])
    learner.ask()
    learner.add_labels([first], [1])
    assert len(learner.labeled.companion_rows) == 2


def test_an_unlabeled_sample_is_in_the_pool_again():
    learner, query = asking()
    index = int(query.indices[2])
    learner.tell(query.indices[:4], [0, 0, 1, 2])
    learner.unlabel([index])
    assert index not in learner.open_query.indices
    learner.tell(query.indices[4:], [None, 1])
    learner.ignore([i for i in range(40) if i not in (index, *learner.labeled.indices)])
    assert learner.ask().indices.tolist() == [index]


def test_a_sample_of_unknown_label_has_no_label_to_remove():
    learner, query = asking()
    learner.tell(query.indices, [None] * 6)
    with pytest.raises(ValueError, match="without a label"):
        learner.unlabel(query.indices[:1])
    assert set(query.indices.tolist()) <= set(learner.ignored.tolist())


def test_pseudo_labels_give_way_to_labels():
    learner, query = asking()
    first, second, third = query.pseudo_indices[:3].tolist()
    learner.add_labels([first], [1])
    assert first not in learner.open_query.pseudo_indices
    learner.tell(query.indices[:2], [0, 0])
    learner.add_labels([second], [1])
    learner.unlabel([second])
    learner.tell(query.indices[2:], [0] * 4)
    learner.add_labels([third], [1])
    labeled = learner.labeled
    assert labeled.pseudo_indices.tolist() == query.pseudo_indices[3:].tolist()
    assert labeled.pseudo_labels.tolist() == query.pseudo_labels[3:].tolist()


def test_without_any_label_the_first_queries_are_drawn_again(tmp_path):
    """In the same process, and after the learner was saved."""
    learner, query = asking()
    learner.tell(query.indices, [None] * 6)
    learner.unlabel(learner.labeled.indices)
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(
        tmp_path / "learner.npz", train, Hashing(), pool=POOL
    )
    assert len(learner.ask().indices) == 5
    assert exact(loaded.ask()) == exact(learner.ask())


def a_labeled(learner):
    return learner.labeled.indices[:1]


CALLS = {
    "add: labeled samples": (
        "indices",
        lambda g: g.add_labels([*a_labeled(g), *g.open_query.indices], [0] * 7),
    ),
    "add: no label": ("labels", lambda g: g.add_labels(g.open_query.indices[:1], None)),
    "add: an unknown label": (
        "labels",
        lambda g: g.add_labels(g.open_query.indices[:2], [0, None]),
    ),
    "add: too few": ("labels", lambda g: g.add_labels(g.open_query.indices[:2], [0])),
    "add: a name": ("labels", lambda g: g.add_labels(g.open_query.indices[:1], ["a"])),
    "add: below 0": ("labels", lambda g: g.add_labels(g.open_query.indices[:1], [-1])),
    "add: twice": (
        "indices",
        lambda g: g.add_labels(g.open_query.indices[[0, 1, 0]], [0, 1, 0]),
    ),
    "add: beyond the pool": ("indices", lambda g: g.add_labels([40], [0])),
    "add: a negative row": ("indices", lambda g: g.add_labels([-1], [0])),
    "relabel: an open sample": (
        "indices",
        lambda g: g.relabel([*a_labeled(g), g.open_query.indices[0]], [0, 1]),
    ),
    "relabel: beyond the pool": ("indices", lambda g: g.relabel([400], [1])),
    "relabel: an unknown label": ("labels", lambda g: g.relabel(a_labeled(g), [None])),
    "relabel: a fraction": ("labels", lambda g: g.relabel(a_labeled(g), [0.5])),
    "relabel: twice": (
        "indices",
        lambda g: g.relabel([*a_labeled(g), *a_labeled(g)], [0, 1]),
    ),
    "relabel: too many": ("labels", lambda g: g.relabel(a_labeled(g), [0, 1])),
    "unlabel: an open sample": (
        "indices",
        lambda g: g.unlabel([*a_labeled(g), g.open_query.indices[0]]),
    ),
    "unlabel: twice": ("indices", lambda g: g.unlabel([*a_labeled(g), *a_labeled(g)])),
    "unlabel: a mask": ("indices", lambda g: g.unlabel(np.ones(5, bool))),
    "unlabel: text": ("indices", lambda g: g.unlabel("all")),
    "tell: twice": (
        "indices",
        lambda g: g.tell(g.open_query.indices[[0, 0]], [0, 0]),
    ),
    "tell: a labeled sample": ("indices", lambda g: g.tell(a_labeled(g), [0])),
}


@bad_calls.each(CALLS)
def test_a_bad_call_changes_nothing(named, call, tmp_path):
    learner, _ = asking()
    before = exact(learner.labeled, learner.open_query)
    ignored = learner.ignored.tolist()
    bad_calls.check_rejected(named, lambda: call(learner), tmp_path)
    assert exact(learner.labeled, learner.open_query) == before
    assert learner.ignored.tolist() == ignored


def test_messages_name_the_method_to_use():
    learner, query = asking()
    with pytest.raises(ValueError, match="Use `relabel`"):
        learner.add_labels(learner.labeled.indices[:1], [0])
    with pytest.raises(ValueError, match="Use `add_labels`"):
        learner.relabel(query.indices[:1], [0])
    with pytest.raises(ValueError, match="`pool` must be given.*`add_labels`"):
        dfal.ActiveLearner(train, Hashing()).add_labels([0], [0])
