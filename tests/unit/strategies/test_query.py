import numpy as np
import pytest

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
    query.check(10, 5)


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
        (with_rows(np.arange(2)), "3 companions for 2 of 3"),
        (with_rows(np.array([0, 0, 1])), "distinct positions"),
        (with_rows(np.array([0, 1, 3])), "distinct positions"),
        (with_rows(np.array([0, 1, -1])), "distinct positions"),
        (with_rows(np.array([0, 1, 1.5])), "distinct positions"),
        (with_rows(np.array([[0, 1, 2]])), "distinct positions"),
        (Query(np.arange(3), pseudo_indices=np.arange(2)), "one label for each"),
    ],
)
def test_invalid_queries_are_rejected(query, message):
    with pytest.raises(ValueError, match=message):
        query.check(num_candidates=290, num_queries=10)
