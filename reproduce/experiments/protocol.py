"""The protocol: what the paper fixes, and the assumptions where it leaves a choice.

Plain data, without TensorFlow. A run stores all of it: see `Run.settings`.
"""

import dataclasses

from experiments.problems import PROBLEMS, Problem

# K, the size of the random subset of candidates. Not in the paper; the first author's
# public code has 300 for DFAL, BALD and EGL, and for CEAL's pseudo-labels.
NUM_CANDIDATES = 300

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
TOLERANCE = 0.5  # points of accuracy below Table 2's target that count as reached


def round_at(num_annotations: int) -> int:
    """Return the round k in which a network is trained on this many annotations."""
    return (num_annotations - NUM_INITIAL) // NUM_QUERIES


@dataclasses.dataclass(frozen=True)
class Preset:
    """How much of the protocol to run. A quick run is the beginning of a full one.

    Attributes:
        description: What is run, for the command line's help.
        problems: Data sets and networks.
        num_trials: Number of trials.
        budget: Number of annotations at which a run stops.
        transfer_budgets: Numbers of annotations of Table 4 and Figure 3, ascending.
        full_sets: Whether to train on the full training set, the column "All".
    """

    description: str
    problems: tuple[Problem, ...]
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
        problems=(PROBLEMS["mnist-lenet5"],),
        num_trials=1,
        budget=100,
        transfer_budgets=(100,),  # VGG8 is at chance below about 50 labels
        full_sets=False,
    ),
    "paper": Preset(
        "every problem up to 1000 annotations, five trials: the paper's protocol",
        problems=tuple(PROBLEMS.values()),
        num_trials=5,
        budget=1000,
        transfer_budgets=tuple(range(100, 1001, 100)),
        full_sets=True,
    ),
}
