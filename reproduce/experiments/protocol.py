"""The protocol: what the paper fixes, and the assumptions where it leaves a choice.

Plain data, without TensorFlow. A run stores all of it: see `settings`.
"""

import dataclasses
from collections.abc import Iterable

from experiments import problems
from experiments.problems import PROBLEMS
from experiments.variants import VARIANTS

# K, the size of the random subset of candidates. Not in the paper; the first author's
# public code has 300 for DFAL, BALD and EGL, and for CEAL's pseudo-labels.
NUM_CANDIDATES = 300

STRATEGIES = ("dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random")

# Run as far as the strategies above, beside them: what do the adversarial examples add?
ABLATION = "dfal_no_adversarial"

# training(H, L_k). Optimizer, learning rate and batch size: the paper (4.1). Restarts,
# epochs, patience and split: the first author's public code.
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


def round_at(num_annotations: int) -> int:
    """Return the round k in which a network is trained on this many annotations."""
    return (num_annotations - NUM_INITIAL) // NUM_QUERIES


TRANSFERRED = ("dfal", "core_set", "random")  # the columns of Table 4
TOLERANCE = 0.5  # points of accuracy below Table 2's target that count as reached


@dataclasses.dataclass(frozen=True)
class Preset:
    """How much of the protocol to run. A quick run is the beginning of a full one.

    Attributes:
        description: What is run, for the command line's help.
        problems: Keys of `PROBLEMS`.
        num_trials: Number of trials.
        budget: Number of annotations at which a run stops.
        transfer_budgets: Numbers of annotations of Table 4 and Figure 3, ascending.
        full_sets: Whether to train on the full training set, the column "All".
    """

    description: str
    problems: tuple[str, ...]
    num_trials: int
    budget: int
    transfer_budgets: tuple[int, ...]
    full_sets: bool

    def transfer_budgets_up_to(self, budget: int) -> tuple[int, ...]:
        """Return the transfer budgets that runs of this budget reach, or `budget`."""
        reached = tuple(each for each in self.transfer_budgets if each <= budget)
        return reached or (budget,)


PRESETS = {
    "quick": Preset(
        "MNIST with LeNet5 up to 100 annotations, one trial: minutes, offline",
        problems=("mnist-lenet5",),
        num_trials=1,
        budget=100,
        transfer_budgets=(100,),  # VGG8 is at chance below about 50 labels
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
    """Return the constructor's arguments of a strategy.

    Args:
        problem: Name of a problem.
        strategy: Name of a strategy or a variant. Your own, "module:Class", has no
            arguments.
    """
    subset = {"num_candidates": NUM_CANDIDATES}
    options: dict[str, dict] = {
        "dfal": {**subset, "ord": 2},  # p, Algorithm 1
        "bald": {**subset, "num_samples": 10},  # 4.2
        "ceal": {
            "threshold": problems.get(problem).ceal_threshold,
            "num_pseudo_candidates": NUM_CANDIDATES,  # the first author's public code
        },
        "core_set": {
            **subset,
            "features": "probabilities",  # the first author's public code
            "outlier_share": 1e-4,  # Sener & Savarese (2018)
        },
        # Both the first author's public code; epsilon is that of Keras.
        "egl": {**subset, "expectation": "uniform", "epsilon": 1e-7},
    }
    for extension in ("diverse_dfal", "cost_effective_dfal"):
        options[extension] = options["dfal"]
    changed = VARIANTS[strategy].options if strategy in VARIANTS else {}
    return {**options.get(identifier(strategy), {}), **changed}


def check_thresholds(pairs: Iterable[tuple[str, str]]) -> None:
    """Check that every problem that CEAL is to learn has a threshold.

    Args:
        pairs: The (problem, strategy) to check.

    Raises:
        ValueError: If a problem has none. The message names it.
    """
    for problem, strategy in pairs:
        if strategy == "ceal" and problems.get(problem).ceal_threshold is None:
            raise ValueError(
                f"{problem} has no CEAL threshold: set `ceal_threshold` of its "
                "Problem, in nats, or leave CEAL out with --strategy"
            )


def identifier(strategy: str) -> str:
    """Return a strategy's name as `dfal_keras.strategies.get` takes it."""
    return VARIANTS[strategy].strategy if strategy in VARIANTS else strategy


def companions(strategy: str) -> str | None:
    """Return what is added with each queried image, `None` for the strategy's own."""
    return VARIANTS[strategy].companions if strategy in VARIANTS else None


def training(strategy: str) -> dict:
    """Return the arguments of `dfal_keras.Training`."""
    changed = VARIANTS[strategy].training if strategy in VARIANTS else {}
    return {**TRAINING, **changed}


def num_queries(strategy: str) -> int:
    """Return the size of a strategy's queries."""
    changed = VARIANTS[strategy].num_queries if strategy in VARIANTS else None
    return NUM_QUERIES if changed is None else changed


def last_budget(strategy: str, budget: int) -> int:
    """Return the number of annotations of a strategy's last whole query.

    Args:
        strategy: Name of a strategy.
        budget: Number of annotations that may not be exceeded.
    """
    size = num_queries(strategy)
    return NUM_INITIAL + (budget - NUM_INITIAL) // size * size


def settings(problem: str, strategy: str, trial: int, source: str | None) -> dict:
    """Return the protocol of a run, JSON-serializable.

    Stored runs are compared with these: a changed key or value makes them unusable.

    Args:
        problem: Name of a problem.
        strategy: Name of a strategy, or `runs.FULL`.
        trial: Number of the trial.
        source: Of a transfer, the problem whose run selected the labeled set.
    """
    limit = problems.get(problem).max_per_class
    added = companions(strategy)
    return {
        "problem": problem,
        **({} if limit is None else {"max_per_class": limit}),
        "strategy": strategy,
        "strategy_options": strategy_options(problem, strategy),
        **({} if added is None else {"companions": added}),
        "source": source,
        "trial": trial,
        "num_queries": num_queries(strategy),
        "num_initial": NUM_INITIAL,
        "learning_rate": LEARNING_RATE,
        "training": training(strategy),
    }
