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
