"""Do DFAL's adversarial examples have the labels of their originals?

A network that is trained on the images that these runs did not query predicts them.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from dfal_keras.backend import inference
from experiments.running import environment, execution
from experiments.running.problem_training import Trainer
from experiments.runs import Run
from experiments.store import Store

NOTES = """
DFAL's adversarial examples of a run, each added with the label of its original: the
median L2 norm of the perturbation in gray levels and as a share of the original's norm,
and the share that a network predicts with this label, beside the same share of the
originals. The network is trained on the training images that no run has queried, with
their labels.
"""


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


def table(runs: Sequence[Run], kept: Store) -> pd.DataFrame:
    """Return the agreement of a network with the labels of stored examples, by trial.

    Args:
        runs: As for `check`.
        kept: The run store.
    """
    environment.start_tensorflow()
    found = check(runs, kept)
    return pd.DataFrame(map(vars, found)).set_index("trial").round(4)


def check(runs: Sequence[Run], kept: Store, *, seed: int = 0) -> Iterator[Labels]:
    """Train a network on images that no run queried, and test it on stored examples.

    Args:
        runs: Runs of DFAL on one problem.
        kept: The run store.
        seed: Seed of the training. Defaults to 0.

    Yields:
        A `Labels` for each run.

    Raises:
        ValueError: If the labeled set of a run is missing.
    """
    trainer = Trainer(runs[0].problem, runs[0].method.recipe)
    x, y, train = trainer.x, trainer.y, trainer.train
    labeled = [
        execution.load_learner(run, kept.files(run), train).labeled for run in runs
    ]
    # The network must not have seen the originals.
    known = np.concatenate([each.indices for each in labeled])
    rest = np.setdiff1d(np.arange(len(y)), known)
    model = train(x[rest], y[rest], seed=seed)
    for run, each in zip(runs, labeled, strict=True):
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
            run.trial,
            len(rows),
            float(np.median(norms)),
            float(np.median(norms / lengths)),
            *agreed,
        )


def _predict(model, images):
    return inference.predict_logits(model, images).argmax(axis=1)
