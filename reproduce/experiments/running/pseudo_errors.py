"""How many of CEAL's pseudo-labels are wrong: its runs again, with the errors counted.

The runs of Table 1 do not store them. With the same seed, the rows are the same.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import tqdm

from experiments.running import environment, execution
from experiments.running.problem_training import Trainer
from experiments.runs import Run

NOTES = """
Pseudo-labels of CEAL, of all rounds up to the last annotations: each round gives new
ones, with which the next network is trained. "wrong": those that differ from the true
labels. "worst round": the largest share of wrong ones among the rounds with at least
100 pseudo-labels.
"""
_MANY = 100  # pseudo-labels of a round, for "worst round"


def errors(run: Run, budget: int) -> Iterator[dict]:
    """Perform a run; yield for each query the numbers of its pseudo-labels.

    Args:
        run: The run. Nothing is stored.
        budget: Number of annotations at which to stop.

    Yields:
        A dict with "num_annotations" of the network that gave the pseudo-labels, its
        test "accuracy", "labels" and "wrong", numbers of pseudo-labels.
    """
    environment.start_tensorflow()
    trainer = Trainer(run.problem, run.method.recipe, run.trial)
    learner = execution.new_learner(run, trainer.train)
    x, y = trainer.x, np.asarray(trainer.y)
    for finished in learner.rounds(x, y, budget=budget, test_data=trainer.test_data):
        if finished.num_annotations == budget:  # nothing is queried any more
            return
        rows, labels = learner.labeled.pseudo_indices, learner.labeled.pseudo_labels
        yield {
            "num_annotations": finished.num_annotations,
            "accuracy": finished.accuracy,
            "labels": len(rows),
            "wrong": int((y[rows] != labels).sum()),
        }


def table(runs: list[Run], budget: int) -> pd.DataFrame:
    """Return a row for each trial: sums over its rounds, and the worst round.

    Args:
        runs: Runs of one method on one problem, one for each trial.
        budget: As for `errors`.
    """
    lines = []
    for run in tqdm.tqdm(runs, unit="trial"):
        found = pd.DataFrame(errors(run, budget))
        many = found[found["labels"] >= _MANY]
        lines.append(
            {
                "trial": run.trial,
                "rounds": len(found),
                "labels": found["labels"].sum(),
                "wrong": found["wrong"].sum(),
                "worst round": round((many["wrong"] / many["labels"]).max(), 4),
            }
        )
    return pd.DataFrame(lines).set_index("trial")
