"""Do DFAL's adversarial examples have the labels of their originals?

A network trained on all labels, which has not seen them, is asked.
"""

import dataclasses
import os
from collections.abc import Iterator, Sequence

import numpy as np

from dfal_keras.backend import inference
from experiments import problems, store
from experiments.running import execution, problem_training
from experiments.runs import Run


@dataclasses.dataclass(frozen=True)
class Labels:
    """The adversarial examples of a run.

    Attributes:
        trial: The trial.
        num_examples: Number of adversarial examples.
        median_norm: Median L2 norm of their perturbations, in gray levels.
        median_share: Median of the norm divided by that of the original.
        examples: Share that the network predicts as their originals are labeled.
        originals: The same share of the originals.
    """

    trial: int
    num_examples: int
    median_norm: float
    median_share: float
    examples: float
    originals: float


def check(
    problem: str, trials: Sequence[int], folder: str | os.PathLike, *, seed: int = 0
) -> Iterator[Labels]:
    """Train a network on all labels; yield what it says of DFAL's stored examples.

    Args:
        problem: Name of a problem.
        trials: The trials of DFAL.
        folder: Folder of the run store.
        seed: Seed of the training. Defaults to 0.

    Raises:
        ValueError: If the labeled set of a run is missing.
    """
    found = problems.get(problem)
    (x, y), _ = problem_training.load_problem(found)
    train = problem_training.make_training(found)
    kept = store.Store(folder)
    runs = [Run(problem, "dfal", trial) for trial in trials]
    labeled = [execution.load_learner(run, kept, train).labeled for run in runs]
    # The network must not have seen the originals.
    known = np.concatenate([each.indices for each in labeled])
    rest = np.setdiff1d(np.arange(len(y)), known)
    model = train(x[rest], y[rest], seed=seed)
    for trial, each in zip(trials, labeled, strict=True):
        examples, rows = each.companions, each.indices[each.companion_rows]
        originals = np.asarray(x[rows], np.float32)
        norms, lengths = (
            np.linalg.norm(images.reshape(len(rows), -1), axis=1)
            for images in (examples - originals, originals)
        )
        agreed = [
            float((_predict(model, images) == each.companion_labels).mean())
            for images in (examples, originals)
        ]
        yield Labels(
            trial,
            len(rows),
            float(np.median(norms)),
            float(np.median(norms / lengths)),
            *agreed,
        )


def _predict(model, images):
    return inference.predict_logits(model, images).argmax(axis=1)
