"""The protocol's numbers, as in the paper and the first author's public code."""

import pytest
from experiments import methods, protocol, studies
from experiments.problems import PROBLEMS
from experiments.runs import Run

EGL = {"num_candidates": 300, "expectation": "uniform", "epsilon": 1e-7}
CORE_SET = {"num_candidates": 300, "features": "probabilities", "outlier_share": 1e-4}


@pytest.mark.parametrize("network", ["lenet5", "vgg8"])
@pytest.mark.parametrize(
    ("dataset", "threshold"),
    [("mnist", 0.05), ("shoe_bag", 0.19), ("quick_draw", 0.08)],
)
def test_options_of_the_strategies(dataset, network, threshold):
    expected = {
        "dfal": {"num_candidates": 300, "ord": 2},
        "bald": {"num_candidates": 300, "num_samples": 10},
        "ceal": {"threshold": threshold, "num_pseudo_candidates": 300},
        "core_set": CORE_SET,
        "egl": EGL,
        "uncertainty": {},
        "random": {},
        "my_module:Own": {},
    }
    assert set(map(str, methods.PRINTED)) == set(expected) - {"my_module:Own"}
    for strategy, options in expected.items():
        method = studies.get_method(strategy)
        assert method.options_for(PROBLEMS[f"{dataset}-{network}"]) == options, strategy
        assert method.strategy == strategy


def test_numbers_of_the_protocol():
    assert protocol.LEARNING_RATE == 0.001
    assert protocol.TRAINING == {
        "num_restarts": 5,
        "validation_split": 0.2,
        "epochs": 100,
        "patience": 5,
        "batch_size": 32,
    }
    assert protocol.NUM_QUERIES == protocol.NUM_INITIAL == 10
    assert protocol.TOLERANCE == 0.5
    paper = protocol.PRESETS["paper"]
    assert (paper.num_trials, paper.budget) == (5, 1000)
    assert paper.problems == tuple(PROBLEMS.values())
    quick = protocol.PRESETS["quick"]
    assert (quick.num_trials, quick.budget) == (1, 100)


SUBSET = {"num_candidates": 300}
NEWER = ("badge", "margin", "typiclust", "prob_cover", "max_herding", "batch_bald")
NEWER = (*NEWER, "falcun")


def test_options_of_the_variants():
    """Each differs from its strategy in what its name says, and in nothing else."""
    dfal = {"num_candidates": 300, "ord": 2}
    expected = {
        "dfal_no_adversarial": {**dfal, "adversarial": False},
        **{f"random_{name}": {} for name in ("adversarial", "copies", "noise")},
        **{f"core_set_{n}": CORE_SET for n in ("adversarial", "copies", "noise")},
        **{f"dfal_{n}": {**dfal, "adversarial": False} for n in ("copies", "noise")},
        "dfal_grouped": dfal,
        "random_copies_grouped": {},
        "dfal_no_adversarial_twice": {**dfal, "adversarial": False},
        "random_twice": {},
        "bald_pool": {"num_candidates": 10**9, "num_samples": 10},
        "diverse_dfal": dfal,
        "cost_effective_dfal": dfal,
        "dfal_k100": {**dfal, "num_candidates": 100},
        "dfal_k1000": {**dfal, "num_candidates": 1000},
        "dfal_k10000": {**dfal, "num_candidates": 10_000},
        "dfal_pool": {**dfal, "num_candidates": 10**9},
        "dfal_p1": {**dfal, "ord": 1},
        "dfal_pinf": {**dfal, "ord": float("inf")},
        **{f"{name}_q{size}": dfal for name in ("dfal",) for size in (1, 50, 100)},
        **{f"diverse_dfal_q{size}": dfal for size in (50, 100)},
        **{f"core_set_q{size}": CORE_SET for size in (1, 50, 100)},
        **{f"{name}{end}": SUBSET for name in NEWER for end in ("", "_copies")},
    }
    alone = {**dfal, "adversarial": False}
    large = {
        "dfal_copies": alone,
        "power_dfal_copies": {**alone, "stochastic": "power"},
        "diverse_dfal_copies": alone,
        "core_set_copies": CORE_SET,
        "power_margin_copies": {**SUBSET, "stochastic": "power"},
        "badge_copies": SUBSET,
        "typiclust_copies": SUBSET,
    }
    for size in (50, 100):
        expected |= {f"{name}_q{size}": options for name, options in large.items()}
    papers = {*map(str, methods.PRINTED), "full"}
    assert set(studies.METHODS) - papers == set(expected)
    for variant, options in expected.items():
        made_with = Run.named("mnist-lenet5", variant, 3).settings
        assert made_with["strategy_options"] == options
        _, _, size = variant.partition("_q")
        assert made_with["num_queries"] == int(size or 10)
        assert made_with["strategy"] == variant
        (added,) = {"adversarial", "copies", "noise"} & {*variant.split("_")} or [None]
        if variant == "dfal_no_adversarial" or variant.endswith("_twice"):
            added = None
        assert made_with.get("companions") == added
        changed = made_with["training"].items() - protocol.TRAINING.items()
        if variant.endswith("_grouped"):
            assert changed == {("group_split", True)}
        elif variant.endswith("_twice"):
            assert changed == {("num_repeats", 2)}
        else:
            assert not changed
    own, other = (
        Run.named("mnist-lenet5", name, 3).settings for name in ("dfal", "dfal_q50")
    )
    assert {key for key in own if own[key] != other[key]} == {"strategy", "num_queries"}


@pytest.mark.parametrize(
    ("strategy", "budget", "last"),
    [("dfal", 300, 300), ("dfal_q50", 310, 310), ("dfal_q50", 300, 260)]
    + [("core_set_q100", 310, 310), ("core_set_q100", 100, 10), ("dfal_q1", 17, 17)],
)
def test_a_run_ends_with_a_whole_query(strategy, budget, last):
    assert studies.get_method(strategy).last_budget(budget) == last
