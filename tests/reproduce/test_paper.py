"""Consistency of the printed numbers, which typing errors would break."""

from itertools import pairwise

import pytest
from experiments import paper, problems, studies
from experiments.methods import PRINTED
from experiments.problems import PROBLEMS
from experiments.runs import other_networks

ROWS = [(p, s, row) for p, rows in paper.TABLE1.items() for s, row in rows.items()]
COUNTS = [(p, s, pair) for p, rows in paper.TABLE2.items() for s, pair in rows.items()]
TRAINING_SET = {"mnist": 60_000, "shoe_bag": 184_792, "quick_draw": 444_971}


def test_names():
    assert tuple(PROBLEMS) == (
        "mnist-lenet5",
        "mnist-vgg8",
        "shoe_bag-lenet5",
        "shoe_bag-vgg8",
        "quick_draw-lenet5",
        "quick_draw-vgg8",
    )
    assert tuple(map(str, PRINTED)) == (
        "dfal",
        "bald",
        "ceal",
        "core_set",
        "egl",
        "uncertainty",
        "random",
    )
    for each in (*PROBLEMS.values(), *PRINTED):
        plain = each.title.lower().replace(" (", "_").rstrip(")").replace("-", "_")
        assert each.name.replace("-", "_") == plain


def test_table1_is_complete_and_in_printed_order():
    assert paper.TABLE1_BUDGETS == (100, 500, 800, 1000)
    assert tuple(paper.TABLE1) == tuple(paper.TABLE1_ALL) == tuple(PROBLEMS)
    for rows in paper.TABLE1.values():
        assert tuple(rows) == tuple(map(str, PRINTED))
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
        if value < chance[PROBLEMS[problem].dataset]
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
    assert tuple(paper.TABLE2) == tuple(PROBLEMS)
    for rows in paper.TABLE2.values():
        assert tuple(rows)[:2] == ("dfal", "core_set")
        assert len(rows) == 3
        assert set(rows) < set(map(str, PRINTED))
    assert [tuple(rows)[2] for rows in paper.TABLE2.values()] == [
        "ceal",
        "uncertainty",
        "ceal",
        "ceal",
        "uncertainty",
        "bald",
    ]


@pytest.mark.parametrize("problem", PROBLEMS)
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
    share = labeled / TRAINING_SET[PROBLEMS[problem].dataset]
    assert 0.10 < share < 0.11


def test_table3():
    assert paper.TABLE3 == {
        "dfal": 126.54,
        "core_set_with_regularisation": 891.78,
        "core_set_no_regularisation": 784.99,
    }


def test_table4_is_complete():
    assert sorted(paper.TABLE4) == sorted(
        (source.name, target.name)
        for source in PROBLEMS.values()
        for target in other_networks(source)
    )
    assert len(paper.TABLE4) == 6
    for row in paper.TABLE4.values():
        assert tuple(row) == ("dfal", "core_set", "random")


@pytest.mark.parametrize(("source", "target"), list(paper.TABLE4))
def test_table4_random_is_that_of_table1(source, target):
    at_1000 = paper.TABLE1[target]["random"][-1]
    assert paper.TABLE4[source, target]["random"] == at_1000


def test_table4_dfal_transfers_best_but_once():
    losses = [
        key for key, row in paper.TABLE4.items() if row["dfal"] < max(row.values())
    ]
    assert losses == [("quick_draw-vgg8", "quick_draw-lenet5")]


def test_table1_shoe_bag_is_in_steps_of_one_test_image():
    """Multiples of 0.025, rounded up or down to two digits."""

    def is_multiple(value):
        return abs(value - round(value / 0.025) * 0.025) < 0.005 + 1e-9

    shoe_bag = [v for p, _, row in ROWS if p.startswith("shoe_bag") for v in row]
    shoe_bag += [paper.TABLE1_ALL[p] for p in PROBLEMS if "shoe_bag" in p]
    assert len(shoe_bag) == 2 * 7 * 4 + 2
    assert all(is_multiple(value) for value in shoe_bag)
    # By chance, 6 of 10 numbers with two digits are such multiples.
    others = [v for p, _, row in ROWS if not p.startswith("shoe_bag") for v in row]
    assert 0.4 < sum(map(is_multiple, others)) / len(others) < 0.8


def test_table1_c_dfal_is_below_random_at_100_only():
    below = [
        (problem, budget)
        for problem, rows in paper.TABLE1.items()
        for budget, dfal, random in zip(
            paper.TABLE1_BUDGETS, rows["dfal"], rows["random"], strict=True
        )
        if dfal <= random
    ]
    assert below == [("shoe_bag-lenet5", 100)]
    rows = paper.TABLE1["shoe_bag-lenet5"]
    assert (rows["dfal"][0], rows["random"][0]) == (94.62, 95.50)


def test_table1_c_ceal_is_worse_than_uncertainty_at_100_only():
    rows = paper.TABLE1["shoe_bag-lenet5"]
    pairs = zip(rows["ceal"], rows["uncertainty"], strict=True)
    assert [ceal < uncertainty for ceal, uncertainty in pairs] == [True] + 3 * [False]
    assert (rows["ceal"][0], rows["uncertainty"][0]) == (84.65, 95.78)


def test_table1_d_uncertainty_is_flat():
    assert paper.TABLE1["shoe_bag-vgg8"]["uncertainty"] == (83.75,) * 4
    flat = [(p, s) for p, s, row in ROWS if len(set(row)) == 1]
    assert flat == [("shoe_bag-vgg8", "uncertainty")]


def test_table1_d_dfal_and_ceal_at_1000_are_not_below_all():
    reached = [(p, s, row[-1]) for p, s, row in ROWS if row[-1] >= paper.TABLE1_ALL[p]]
    assert reached == [
        ("shoe_bag-vgg8", "dfal", 99.50),
        ("shoe_bag-vgg8", "ceal", 99.52),
    ]
    assert paper.TABLE1_ALL["shoe_bag-vgg8"] == 99.50


def test_accuracies_are_those_printed_for_a_place():
    def printed(problem, strategy, source=None):
        place = problems.get(problem), studies.get_method(strategy)
        return paper.accuracies(*place, source and problems.get(source))

    assert printed("mnist-lenet5", "egl")[800] == 78.57
    assert list(printed("mnist-vgg8", "dfal")) == [100, 500, 800, 1000]
    assert printed("mnist-vgg8", "dfal", "mnist-lenet5") == {1000: 97.80}
    assert printed("mnist-lenet5", "dfal", "mnist-vgg8") == {1000: 97.93}
    assert printed("mnist-vgg8", "egl", "mnist-lenet5") == {}
    assert printed("mnist-vgg8", "dfal_no_adversarial") == {}


def test_oddities_are_single_sentences():
    assert [oddity.place for oddity in paper.ODDITIES] == [
        "Table 1",
        "Table 1(c), (d)",
        "Table 1(c)",
        "Table 1(c)",
        "Table 1(d)",
        "Table 1(d)",
        "Table 1(d)",
        "Table 1(e)",
        "Table 4",
        "Table 2",
        "Figure 2",
        "Section 4.2",
        "Section 4.2",
        "Section 4.3",
    ]
    for oddity in paper.ODDITIES:
        assert oddity.text.endswith(".")
        assert ". " not in oddity.text
