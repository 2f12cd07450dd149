"""What the paper fixes, what it leaves open, and what we take in its place.

Plain data, so that tables and figures are drawn without TensorFlow.
"""

import dataclasses
import pathlib

RESULTS = pathlib.Path(__file__).parents[1] / "results"


@dataclasses.dataclass(frozen=True)
class Problem:
    """A data set and a network to learn it with: one panel of Table 1."""

    dataset: str
    network: str
    input_shape: tuple
    num_classes: int


PROBLEMS = {  # the panels (a)-(f) of Table 1
    "mnist-lenet5": Problem("mnist", "LeNet5", (28, 28, 1), 10),
    "mnist-vgg8": Problem("mnist", "VGG8", (28, 28, 1), 10),
    "shoe_bag-lenet5": Problem("shoe_bag", "LeNet5", (64, 64, 3), 2),
    "shoe_bag-vgg8": Problem("shoe_bag", "VGG8", (64, 64, 3), 2),
    "quick_draw-lenet5": Problem("quick_draw", "LeNet5", (28, 28, 1), 4),
    "quick_draw-vgg8": Problem("quick_draw", "VGG8", (28, 28, 1), 4),
}

# K, for the strategies that look at a random subset. The paper names no number; the
# first author's public code has 300 for DFAL, BALD and EGL, and gives CEAL's
# pseudo-labels among as many.
NUM_CANDIDATES = 300

# CEAL's thresholds (4.2), in nats.
CEAL_THRESHOLDS = {"mnist": 0.05, "shoe_bag": 0.19, "quick_draw": 0.08}

FULL = "full"  # in place of a strategy: the whole training set, the column "All"
STRATEGIES = ("dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random")

# Rows of the project's own: a strategy above, and options that differ from its own.
# The authors' AAAI version calls this one "DFAL_".
ABLATIONS = {"dfal_no_adversarial": ("dfal", {"adversarial": False})}

# training(H, L_k). Optimizer, rate and batch are the paper's (4.1); restarts, epochs,
# patience and split are the first author's public code's.
LEARNING_RATE = 0.001
TRAINING = {
    "num_restarts": 5,
    "validation_split": 0.2,
    "epochs": 100,
    "patience": 5,
    "batch_size": 32,
}

NUM_QUERIES = 10  # Table 3
NUM_INITIAL = 10  # Table 2: DFAL's labeled data = 2 * annotations - 10, in all six rows

TRANSFERRED = ("dfal", "core_set", "random")  # the columns of Table 4
TOLERANCE = 0.5  # points of accuracy within which Table 2's target counts as reached


@dataclasses.dataclass(frozen=True)
class Preset:
    """How much of the protocol to run. A quick run is the start of a full one."""

    description: str
    problems: tuple
    num_trials: int
    budget: int
    transfer_budgets: tuple  # Table 4 and Figure 3
    full_sets: bool  # the column "All"


PRESETS = {
    "quick": Preset(
        "MNIST with LeNet5 up to 100 annotations, one trial: minutes, offline",
        problems=("mnist-lenet5",),
        num_trials=1,
        budget=100,
        transfer_budgets=(100,),  # VGG8 is at chance below some 50 labels
        full_sets=False,
    ),
    "paper": Preset(
        "every problem up to 1000 annotations, five trials: the paper's protocol",
        problems=tuple(PROBLEMS),
        num_trials=5,
        budget=1000,
        transfer_budgets=tuple(range(100, 1001, 100)),
        full_sets=True,
    ),
}


def strategy_options(problem: str, strategy: str) -> dict:
    """Return the constructor's arguments of a strategy, as the paper has it."""
    if strategy in ABLATIONS:
        base, changed = ABLATIONS[strategy]
        return {**strategy_options(problem, base), **changed}
    subset = {"num_candidates": NUM_CANDIDATES}
    return {
        "dfal": {**subset, "ord": 2},  # p, Algorithm 1
        "bald": {**subset, "num_samples": 10},  # 4.2
        "ceal": {
            "threshold": CEAL_THRESHOLDS[PROBLEMS[problem].dataset],
            "num_pseudo_candidates": NUM_CANDIDATES,  # the first author's public code
        },
        "core_set": {
            **subset,
            "features": "probabilities",  # the first author's public code
            "outlier_share": 1e-4,  # Sener & Savarese (2018)
        },
        # Both the first author's public code: epsilon is that of Keras.
        "egl": {**subset, "expectation": "uniform", "epsilon": 1e-7},
    }.get(strategy, {})


def identifier(strategy: str) -> str:
    """Return the name by which the library knows a run's strategy."""
    return ABLATIONS[strategy][0] if strategy in ABLATIONS else strategy


def settings(problem: str, strategy: str, trial: int, source: str | None) -> dict:
    """Return all that the rows of a run follow from, in a form that JSON can hold."""
    return {
        "problem": problem,
        "strategy": strategy,
        "strategy_options": strategy_options(problem, strategy),
        "source": source,
        "trial": trial,
        "num_queries": NUM_QUERIES,
        "num_initial": NUM_INITIAL,
        "learning_rate": LEARNING_RATE,
        "training": TRAINING,
    }
