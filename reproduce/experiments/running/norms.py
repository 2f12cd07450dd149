"""Norms of attacks on test images, for networks trained on stored labeled sets.

The network of a round is trained again from the labeled set that its run saved, with
the seed of that round.
"""

import os

import numpy as np
import tqdm

import dfal_keras as dfal
from dfal_keras.backend import classifier
from experiments import measured_norms, store
from experiments.analysis import robustness
from experiments.measured_norms import Measured
from experiments.options import Options
from experiments.running import environment, execution
from experiments.running.problem_training import Trainer
from experiments.runs import Run

NUM_IMAGES = 1000  # the first test images
NUM_COMPARED = 200  # of these, attacked by DDN too
DDN_STEPS = 200
PIXEL_RANGE = 255  # norms are of pixels in [0, 1]
_NO_BOUNDS = (-1e6, 1e6)


def measure_all(options: Options) -> None:
    """Measure the networks without stored norms, with a progress bar; store each."""
    left = list(measured_norms.missing(options))
    for run, budget in tqdm.tqdm(left, unit="network"):
        with_ddn = robustness.is_compared(run.method, budget)
        found = measure(run, budget, options.runs_folder, with_ddn=with_ddn)
        measured_norms.add(run, vars(found), options)


def measure(
    run: Run, num_annotations: int, folder: str | os.PathLike, *, with_ddn: bool = False
) -> Measured:
    """Train the network of a round again and measure the norms of test images.

    Args:
        run: A run whose labeled set is stored.
        num_annotations: Number of annotations of the round.
        folder: Folder of the run store.
        with_ddn: Whether to attack by Foolbox's DDN, too. Defaults to `False`.

    Raises:
        ValueError: If the labeled set was made with other settings, or is smaller.
    """
    environment.start_tensorflow()
    trainer = Trainer(run.problem, run.method.recipe, run.trial)
    x_test, y_test = trainer.test_data
    own = store.Store(folder).files(run)
    learner = execution.load_learner(run, own, trainer.train)
    labeled, seed = execution.stored_round(learner, num_annotations)
    model = trainer.train(*labeled.arrays(trainer.x), seed=seed, groups=labeled.groups)
    images = np.asarray(x_test[:NUM_IMAGES], np.float32)
    attack = dfal.deepfool(model, images)
    norms = attack.norms / PIXEL_RANGE
    found = norms[attack.success]
    compared = {}
    if with_ddn:
        theirs = ddn_norms(model, images[:NUM_COMPARED])
        both = np.isfinite(theirs) & attack.success[:NUM_COMPARED]
        ours = norms[:NUM_COMPARED]
        compared = {"deepfool": ours[both].mean(), "ddn": theirs[both].mean()}
    predicted = model.predict(x_test, batch_size=512, verbose=0).argmax(axis=1)
    return Measured(
        num_annotations=num_annotations,
        accuracy=float((predicted == y_test).mean()),
        mean=float(found.mean()),
        median=float(np.median(found)),
        num_fooled=int(attack.success.sum()),
        **{name: float(value) for name, value in compared.items()},
    )


def ddn_norms(model, images: np.ndarray, num_steps: int = DDN_STEPS) -> np.ndarray:
    """Return the L2 norms of Foolbox's DDN attack, for pixels in [0, 1].

    DDN minimizes the norm by many small steps along the gradient of the loss. Images
    that it does not fool have an infinite norm.

    Reference:
        - Rony et al., 2019, "Decoupling direction and norm for efficient gradient-based
          L2 adversarial attacks and defenses".

    Args:
        model: A trained classifier of pixels in [0, 255].
        images: Float32 images, of shape `(num_images, ...)`.
        num_steps: Number of steps.
    """
    import foolbox
    import tensorflow as tf

    logits = classifier.logits(model)
    signature = [tf.TensorSpec((None, *images.shape[1:]), "float32")]
    scaled = tf.function(lambda x: logits(PIXEL_RANGE * x), input_signature=signature)
    wrapped = foolbox.TensorFlowModel(lambda x: scaled(x), bounds=_NO_BOUNDS)
    x = tf.constant(images / PIXEL_RANGE)
    attack = foolbox.attacks.DDNAttack(steps=num_steps)
    classes = tf.argmax(scaled(x), axis=1)
    found, _, is_fooled = attack(wrapped, x, classes, epsilons=None)
    r = (found - x).numpy().reshape(len(images), -1)
    norms = np.linalg.norm(r.astype(np.float64), axis=1)
    return np.where(is_fooled.numpy(), norms, np.inf)
