"""The tables of the paper against each other: slips of the keyboard break these."""

from itertools import pairwise

import paper
import pytest

ROWS = [(p, s, row) for p, rows in paper.TABLE1.items() for s, row in rows.items()]
COUNTS = [(p, s, pair) for p, rows in paper.TABLE2.items() for s, pair in rows.items()]
TRAINING_SET = {"mnist": 60_000, "shoe_bag": 184_792, "quick_draw": 444_971}


def test_names():
    assert paper.PROBLEMS == (
        "mnist-lenet5",
        "mnist-vgg8",
        "shoe_bag-lenet5",
        "shoe_bag-vgg8",
        "quick_draw-lenet5",
        "quick_draw-vgg8",
    )
    assert paper.STRATEGIES == (
        "dfal",
        "bald",
        "ceal",
        "core_set",
        "egl",
        "uncertainty",
        "random",
    )
    for identifier, printed in (paper.PROBLEM_NAMES | paper.STRATEGY_NAMES).items():
        plain = printed.lower().replace(" (", "_").rstrip(")").replace("-", "_")
        assert identifier.replace("-", "_") == plain


def test_table1_is_complete_and_in_printed_order():
    assert paper.TABLE1_BUDGETS == (100, 500, 800, 1000)
    assert tuple(paper.TABLE1) == tuple(paper.TABLE1_ALL) == paper.PROBLEMS
    for rows in paper.TABLE1.values():
        assert tuple(rows) == paper.STRATEGIES
    assert len(ROWS) == 6 * 7
    for _, _, row in ROWS:
        assert len(row) == 4
        for value in row:
            assert isinstance(value, float)
            assert 0 < value < 100
            assert value == round(value, 2)


def test_table1_has_two_cells_below_chance():
    # Everything else is above 1 / number of classes, as percent.
    chance = {"mnist": 10.0, "shoe_bag": 50.0, "quick_draw": 25.0}
    below = [
        (problem, strategy, budget, value)
        for problem, strategy, row in ROWS
        for budget, value in zip(paper.TABLE1_BUDGETS, row, strict=True)
        if value < chance[problem.split("-")[0]]
    ]
    assert below == [
        ("shoe_bag-vgg8", "core_set", 100, 0.50),
        ("shoe_bag-vgg8", "egl", 100, 0.50),
    ]


def test_table1_decreases_once():
    steps = [(p, s, a, b) for p, s, row in ROWS for a, b in pairwise(row)]
    assert len(steps) == 126
    decreases = [step for step in steps if step[3] < step[2]]
    assert decreases == [("quick_draw-lenet5", "core_set", 90.54, 90.53)]


def test_table1_has_plateaus_in_14_of_42_rows():
    plateaus = [(p, s) for p, s, row in ROWS if any(a == b for a, b in pairwise(row))]
    assert len(plateaus) == 14


def test_table1_only_shoe_bag_ceal_is_above_all():
    above = [(p, s) for p, s, row in ROWS if max(row) > paper.TABLE1_ALL[p]]
    assert above == [("shoe_bag-vgg8", "ceal")]


def test_table2_targets_are_the_all_of_table1():
    assert paper.TABLE2_TARGET == paper.TABLE1_ALL


def test_table2_is_complete():
    assert tuple(paper.TABLE2) == paper.PROBLEMS
    for rows in paper.TABLE2.values():
        assert tuple(rows)[:2] == ("dfal", "core_set")
        assert len(rows) == 3
        assert set(rows) < set(paper.STRATEGIES)
    assert [tuple(rows)[2] for rows in paper.TABLE2.values()] == [
        "ceal",
        "uncertainty",
        "ceal",
        "ceal",
        "uncertainty",
        "bald",
    ]


@pytest.mark.parametrize("problem", paper.PROBLEMS)
def test_table2_dfal_labels_two_for_one_after_ten(problem):
    annotations, labeled = paper.TABLE2[problem]["dfal"]
    assert labeled.value == 2 * annotations.value - 10
    assert not annotations.at_least
    assert not labeled.at_least


def test_table2_annotations_are_multiples_of_ten():
    for _, _, (annotations, _) in COUNTS:
        assert annotations.value % 10 == 0


def test_table2_only_dfal_and_ceal_get_labels_for_free():
    for _, strategy, (annotations, labeled) in COUNTS:
        if strategy in ("dfal", "ceal"):
            assert labeled.value > annotations.value
        else:
            assert labeled == annotations
        assert labeled.at_least == annotations.at_least


def test_table2_marks_four_rows_as_at_least():
    assert [(p, s) for p, s, (annotations, _) in COUNTS if annotations.at_least] == [
        ("mnist-lenet5", "ceal"),
        ("quick_draw-lenet5", "core_set"),
        ("quick_draw-lenet5", "uncertainty"),
        ("quick_draw-vgg8", "core_set"),
    ]


@pytest.mark.parametrize("problem", ["mnist-lenet5", "shoe_bag-lenet5"])
def test_table2_ceal_uses_a_tenth_not_a_fifth(problem):
    labeled = paper.TABLE2[problem]["ceal"][1].value
    share = labeled / TRAINING_SET[problem.split("-")[0]]
    assert 0.10 < share < 0.11


def test_table3():
    assert paper.TABLE3 == {
        "dfal": 126.54,
        "core_set_with_regularisation": 891.78,
        "core_set_no_regularisation": 784.99,
    }


def test_table4_is_complete():
    networks = [("lenet5", "vgg8"), ("vgg8", "lenet5")]
    assert list(paper.TABLE4) == [
        (dataset, *pair)
        for dataset in ("mnist", "quick_draw", "shoe_bag")
        for pair in networks
    ]
    for row in paper.TABLE4.values():
        assert tuple(row) == ("dfal", "core_set", "random")


@pytest.mark.parametrize(("dataset", "source", "target"), list(paper.TABLE4))
def test_table4_random_is_that_of_table1(dataset, source, target):
    at_1000 = paper.TABLE1[f"{dataset}-{target}"]["random"][-1]
    assert paper.TABLE4[dataset, source, target]["random"] == at_1000


def test_table4_dfal_transfers_best_but_once():
    losses = [
        key for key, row in paper.TABLE4.items() if row["dfal"] < max(row.values())
    ]
    assert losses == [("quick_draw", "vgg8", "lenet5")]


def test_oddities_are_single_sentences():
    assert [oddity.place for oddity in paper.ODDITIES] == [
        "Table 1(d)",
        "Table 1(e)",
        "Table 4",
        "Table 2",
        "Figure 2",
        "Section 4.2",
        "Section 4.3",
    ]
    for oddity in paper.ODDITIES:
        assert oddity.text.endswith(".")
        assert ". " not in oddity.text
