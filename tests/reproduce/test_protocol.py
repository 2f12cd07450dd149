"""The protocol's numbers, as in the paper and the first author's public code."""

import pytest
from experiments import protocol
from experiments.problems import PROBLEMS

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
    assert set(protocol.STRATEGIES) == set(expected) - {"my_module:Own"}
    for strategy, options in expected.items():
        found = protocol.strategy_options(f"{dataset}-{network}", strategy)
        assert found == options, strategy


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
    assert paper.problems == tuple(PROBLEMS)
    quick = protocol.PRESETS["quick"]
    assert (quick.num_trials, quick.budget) == (1, 100)
