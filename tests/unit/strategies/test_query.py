import dataclasses

import numpy as np
import pytest
from helpers import models

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.strategies import Query


def test_taking_rows_takes_their_adversarial_examples():
    query = Query(np.arange(4) + 10, None, np.array([[2.0], [0.0], [3.0]]), [2, 0, 3])
    for rows, examples, companion_rows in (
        ([0, 1, 2, 3], [0, 2, 3], [0, 2, 3]),
        ([3, 1, 0], [3, 0], [0, 2]),
        ([1], [], []),
        ([], [], []),
    ):
        taken = query.take(np.array(rows, int))
        assert taken.indices.tolist() == [10 + row for row in rows]
        assert taken.companions[:, 0].tolist() == examples
        assert taken.companion_rows.tolist() == companion_rows


def with_companions(indices, values, rows):
    companions = np.array(values, "float32").reshape(-1, 1)
    return Query(np.array(indices), np.ones(len(indices)), companions, np.array(rows))


@pytest.mark.parametrize("second_has", [False, True])
@pytest.mark.parametrize("first_has", [False, True])
def test_one_query_after_another(first_has, second_has):
    first = with_companions([5, 3], [30], [1]) if first_has else Query(np.array([5, 3]))
    second = Query(np.array([9, 8, 7]), pseudo_indices=np.ones(1, int))
    if second_has:
        second = with_companions([9, 8, 7], [70, 90], [2, 0])
    query = first.followed_by(second)
    assert query.indices.tolist() == [5, 3, 9, 8, 7]
    values = [] if query.companions is None else query.companions[:, 0].tolist()
    pairs = dict(zip(query.companion_rows.tolist(), values, strict=True))
    expected = {1: 30} if first_has else {}
    expected |= {4: 70, 2: 90} if second_has else {}
    assert pairs == expected
    has_scores = [first_has] * 2 + [second_has] * 3
    if any(has_scores):
        assert (~np.isnan(query.scores)).tolist() == has_scores
    else:
        assert query.scores is None
    assert len(query.pseudo_indices) == 0
    dataclasses.replace(query, scores=None).check(10, 5)


def test_without_pseudo_labels_of_some_samples():
    pseudo = {"pseudo_indices": np.array([7, 3, 9]), "pseudo_labels": np.arange(3)}
    query = Query(np.arange(2), **pseudo).without_pseudo_labels(np.array([3, 5]))
    assert query.pseudo_indices.tolist() == [7, 9]
    assert query.pseudo_labels.tolist() == [0, 2]
    assert query.indices.tolist() == [0, 1]


def with_rows(rows):
    """A query of three samples with three adversarial examples in these rows."""
    examples = np.ones((3, 4, 4, 1))
    return Query(np.arange(3), companions=examples, companion_rows=rows)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(np.array([3, 3])), "distinct rows"),
        (Query(np.array([290])), "distinct rows of its 290 candidates"),
        (Query(np.array([-1])), "distinct rows"),
        (Query(np.array([0.5])), "distinct rows"),
        (Query(np.arange(11)), "from 1 to 10"),
        (Query(np.arange(0)), "from 1 to 10"),
        (Query(np.arange(3), companions=np.ones((2, 4, 4, 1))), "one companion"),
        (
            Query(np.arange(3), companion_rows=np.array([0])),
            "one companion for each",
        ),
        (with_rows(np.arange(2)), "3 companions for 2 queries"),
        (with_rows(np.array([0, 0, 1])), "distinct positions"),
        (with_rows(np.array([0, 1, 3])), "distinct positions"),
        (with_rows(np.array([0, 1, -1])), "distinct positions"),
        (with_rows(np.array([0, 1, 1.5])), "distinct positions"),
        (with_rows(np.array([[0, 1, 2]])), "distinct positions"),
        (Query(np.arange(3), pseudo_indices=[7, 8]), "one label for each"),
    ],
)
def test_invalid_queries_are_rejected(query, message):
    with pytest.raises(ValueError, match=message):
        query.check(num_candidates=290, num_queries=10)


def adding(companions):
    return lambda n: Query(np.arange(n), companions=companions(n))


def with_pseudo(indices, labels):
    return lambda n: Query(
        np.arange(n), pseudo_indices=indices, pseudo_labels=np.asarray(labels)
    )


INVALID = {
    "None": (lambda n: None, "Query"),
    "a list": (lambda n: list(range(n)), "Query"),
    "an array": (np.arange, "Query"),
    "no indices": (lambda n: Query(None), "distinct rows"),
    "indices out of range": (lambda n: Query(np.arange(n) + 296), "distinct rows"),
    "negative indices": (lambda n: Query(np.arange(n) - 1), "distinct rows"),
    "repeated indices": (lambda n: Query([0] * n), "distinct rows"),
    "fractional indices": (lambda n: Query(np.arange(n) / 2), "distinct rows"),
    "a mask": (lambda n: Query(np.ones(n, bool)), "distinct rows"),
    "ragged indices": (lambda n: Query([[0, 1], [2]]), "distinct rows"),
    "a matrix": (lambda n: Query(np.arange(n)[None]), "distinct rows"),
    "too many": (lambda n: Query(np.arange(n + 1)), "distinct rows"),
    "NaN scores": (lambda n: Query(np.arange(n), np.full(n, np.nan)), "score"),
    "a NaN score": (lambda n: Query(np.arange(n), [np.nan] + [1] * (n - 1)), "score"),
    "too few scores": (lambda n: Query(np.arange(n), np.ones(n - 1)), "score"),
    "the scores of all": (lambda n: Query(np.arange(n), np.ones(300)), "score"),
    "text for scores": (lambda n: Query(np.arange(n), ["high"] * n), "score"),
    "NaN companions": (
        adding(lambda n: np.full((n, 4, 4, 1), np.nan)),
        "finite",
    ),
    "a companion of infinity": (
        adding(lambda n: np.diag([np.inf, *[0] * 15])[:n].reshape(n, 4, 4, 1)),
        "finite",
    ),
    "companions beyond float32": (
        adding(lambda n: np.full((n, 4, 4, 1), 1e300)),
        "finite",
    ),
    "companions of another shape": (
        adding(lambda n: np.zeros((n, 4, 4))),
        "shape",
    ),
    "companions of text": (
        adding(lambda n: np.full((n, 4, 4, 1), "x")),
        "numbers",
    ),
    "one companion": (adding(lambda n: np.zeros((4, 4, 1))), "one companion"),
    "ragged companions": (adding(lambda n: [[1], [2, 3]]), "companions as one"),
    "negative labels": (with_pseudo([290, 291], [0, -1]), "class indices"),
    "fractional labels": (with_pseudo([290, 291], [0, 0.5]), "class indices"),
    "labels of NaN": (with_pseudo([290], [np.nan]), "class indices"),
    "labels beyond int32": (with_pseudo([290], [2**31]), "class indices"),
    "probabilities": (with_pseudo([290], [[0.1, 0.9]]), "one label for each"),
    "too few labels": (with_pseudo([290, 291], [1]), "one label for each"),
    "a label of a queried one": (with_pseudo([0], [1]), "not query"),
    "two labels of one": (with_pseudo([290, 290], [0, 1]), "not query"),
    "a label of no candidate": (with_pseudo([300], [1]), "not query"),
    "a label of row -1": (with_pseudo([-1], [1]), "not query"),
    "a label of row 0.5": (with_pseudo([290.5], [1]), "not query"),
}


def own_strategy(answer, base=strategies.Strategy):
    """Return a strategy that answers with a function of the number of queries."""

    class Own(base):
        def query(self, model, x_unlabeled, num_queries, **options):
            return answer(num_queries)

        def select(self, *arguments):
            raise NotImplementedError

    return Own()


@pytest.mark.parametrize(("answer", "message"), INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("base", [object, strategies.Strategy])
def test_what_a_strategy_returns_is_checked_at_the_door(answer, message, base, blobs):
    learner = dfal.ActiveLearner(
        strategy=own_strategy(answer, base), pool=blobs[0], num_queries=5
    )
    with pytest.raises(
        ValueError, match=f"^The strategy Own must .*{message}"
    ) as error:
        learner.choose(model=models.linear(3))
    assert "Received: " in str(error.value)
    assert learner.open_query is None
    assert not len(learner.labeled.indices)


@pytest.mark.parametrize(("answer", "message"), INVALID.values(), ids=INVALID)
def test_companions_are_added_to_valid_queries_only(answer, message, blobs):
    strategy = strategies.WithCompanions(own_strategy(answer), "copies")
    with pytest.raises(ValueError, match=f"^The strategy Own must .*{message}"):
        strategy.query(models.linear(3), blobs[0], 5)


def test_lists_are_taken_for_arrays(blobs):
    answer = Query([3, 1], [np.inf, 2], pseudo_indices=[5], pseudo_labels=[2])
    learner = dfal.ActiveLearner(
        strategy=own_strategy(lambda n: answer), pool=blobs[0], num_queries=5
    )
    query = learner.choose(model=models.linear(3))
    assert query.indices.tolist() == [3, 1]
    assert query.scores.tolist() == [np.inf, 2]
    learner.tell([1], [0])
    assert learner.open_query.indices.tolist() == [3]
    learner.tell([3], [0])
    assert learner.labeled.arrays(blobs[0])[1].tolist() == [0, 0, 2]
