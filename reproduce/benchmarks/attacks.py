"""DeepFool and the DFAL query: ours, Foolbox's and ART's."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from experiments import protocol

import dfal_keras as dfal
from benchmarks import networks, stopwatch
from benchmarks.workload import Workload

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

STEP_OFFSET = 1e-4  # Foolbox adds it to each step; ours gets the same
OPTIONS: dict[str, Any] = {
    "max_steps": 50,
    "overshoot": 0.02,
    "step_offset": STEP_OFFSET,
}
BUDGETS = {"LeNet5": (20, 50, 100, 200, 500, 1000), "VGG8": (500,)}
NUM_CANDIDATES = {"LeNet5": 800, "VGG8": 300}  # 800 of VGG8 take Foolbox minutes
# Largest number of images for ART: with VGG8, 32 take more than a minute.
MAX_ART = {"LeNet5": 256, "VGG8": 0}
NO_BOUNDS = (-1e9, 1e9)  # Foolbox requires bounds


def deepfool(workload: Workload) -> Iterator[dict]:
    """Time the attacks with and without bounds.

    Yields:
        Rows of `stopwatch.race`.
    """
    _, _, pool = networks.digits()
    for network, sizes in workload.num_images.items():
        attacks = contenders_for(networks.trained(network, networks.NUM_LABELED))
        for num_images in sizes:
            images = pool[:num_images]
            for bounds in (None, (0, 1)):
                contenders = {
                    name: functools.partial(attack, images, bounds)
                    for name, attack in attacks.items()
                    if name != "ART" or num_images <= MAX_ART[network]
                }
                shown = "bounds (0, 1)" if bounds else "no bounds"
                case = f"{network}, {num_images} digits, {shown}"
                yield from stopwatch.race(
                    case, contenders, workload.repeats, same_norms
                )


def query(workload: Workload) -> Iterator[dict]:
    """Time a DFAL query: ours, ours without giving up, and through Foolbox.

    Yields:
        Rows of `stopwatch.race`.
    """
    _, _, pool = networks.digits()
    for network in workload.num_images:
        model = networks.trained(network, networks.NUM_LABELED)
        pool = pool[: NUM_CANDIDATES[network]]
        contenders = {
            "ours": functools.partial(our_query, model, pool),
            "ours, every image to the end": functools.partial(
                our_query, model, pool, num_closest=None
            ),
        }
        for name, attack in contenders_for(model).items():
            if name.startswith("Foolbox"):
                contenders[name] = functools.partial(query_by, attack, pool)
        case = f"{network}, {protocol.NUM_QUERIES} of {len(pool)} digits"
        yield from stopwatch.race(case, contenders, workload.repeats, same_queries)


def giving_up(workload: Workload) -> Iterator[dict]:
    """Count the steps that a query saves, and compare the queries.

    Yields:
        Dicts of the case, the steps with and without giving up, and the agreement.
    """
    _, _, pool = networks.digits()
    for network in workload.num_images:
        pool = pool[: NUM_CANDIDATES[network]]
        for budget in BUDGETS[network]:
            model = networks.trained(network, budget)
            for ord in (2, np.inf):
                every = dfal.deepfool(model, pool, ord=ord)
                few = dfal.deepfool(
                    model, pool, ord=ord, num_closest=protocol.NUM_QUERIES
                )
                yield {
                    "case": f"{network}, {budget} labeled, p = {ord}",
                    "steps": int(every.num_steps.sum()),
                    "steps with giving up": int(few.num_steps.sum()),
                    "spared": 1 - few.num_steps.sum() / every.num_steps.sum(),
                    "query": same_queries(closest(every.norms), closest(few.norms)),
                }


def our_query(model: "keras.Model", pool: np.ndarray, **options) -> np.ndarray:
    """Query by `dfal_keras`; return the indices."""
    strategy = dfal.strategies.DFAL(batch_size=256, step_offset=STEP_OFFSET, **options)
    return strategy.query(model, pool, protocol.NUM_QUERIES).indices


def query_by(attack: Callable, pool: np.ndarray) -> np.ndarray:
    """Query by the norms of an attack's perturbations; return the indices."""
    return closest(attack(pool, None))


def closest(norms: np.ndarray) -> np.ndarray:
    """Return the indices of the smallest norms, as many as a query has."""
    return np.argsort(norms, kind="stable")[: protocol.NUM_QUERIES]


def contenders_for(model: "keras.Model") -> dict[str, Callable]:
    """Return the attacks on a model, functions of images and bounds, by name.

    Foolbox gets the model as its users write it, and at its best in a `tf.function`
    that is traced once.
    """
    import tensorflow as tf

    from dfal_keras.backend import classifier

    logits = classifier.logits(model)
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), "float32")]
    traced = tf.function(logits, input_signature=signature)
    return {
        "ours": functools.partial(our_norms, model),
        "Foolbox": functools.partial(foolbox_norms, logits),
        "Foolbox, tf.function": functools.partial(foolbox_norms, traced),
        "ART": functools.partial(art_norms, logits),
    }


def our_norms(
    model: "keras.Model", images: np.ndarray, bounds: tuple | None
) -> np.ndarray:
    """Attack by `dfal_keras`; return the norms of the perturbations."""
    return dfal.deepfool(model, images, bounds=bounds, batch_size=256, **OPTIONS).norms


def foolbox_norms(
    logits: Callable, images: np.ndarray, bounds: tuple | None
) -> np.ndarray:
    """Attack by Foolbox; return the norms of the perturbations."""
    import foolbox
    import tensorflow as tf

    wrapped = foolbox.TensorFlowModel(lambda x: logits(x), bounds=bounds or NO_BOUNDS)
    x = tf.constant(images)
    attack = foolbox.attacks.L2DeepFoolAttack(
        steps=OPTIONS["max_steps"], candidates=10, overshoot=OPTIONS["overshoot"]
    )
    adversarial, _, _ = attack(wrapped, x, tf.argmax(logits(x), axis=1), epsilons=None)
    return lengths(adversarial.numpy() - images)


def art_norms(logits: Callable, images: np.ndarray, bounds: tuple | None) -> np.ndarray:
    """Attack by the Adversarial Robustness Toolbox; return the norms."""
    import art.attacks.evasion
    import art.estimators.classification

    logging.getLogger("art").setLevel(logging.ERROR)
    wrapped = art.estimators.classification.TensorFlowV2Classifier(
        model=lambda x, training=False: logits(x),
        nb_classes=10,
        input_shape=images.shape[1:],
        clip_values=bounds,
    )
    attack = art.attacks.evasion.DeepFool(
        wrapped,
        max_iter=OPTIONS["max_steps"],
        epsilon=OPTIONS["overshoot"],
        nb_grads=10,
        batch_size=256,
        verbose=False,
    )
    return lengths(attack.generate(images) - images)


def lengths(perturbations: np.ndarray) -> np.ndarray:
    """Return the Euclidean norm of each perturbation."""
    return np.linalg.norm(perturbations.reshape(len(perturbations), -1), axis=1)


def same_norms(ours: np.ndarray, theirs: np.ndarray) -> str:
    """Describe the relative differences of two arrays of norms."""
    apart = np.abs(theirs / ours - 1)
    return f"norms: median {np.median(apart):.1e} apart, at most {apart.max():.1e}"


def same_queries(ours: Iterable[int], theirs: Iterable[int]) -> str:
    """Describe how many indices two queries have in common."""
    ours, theirs = list(ours), list(theirs)
    if ours == theirs:
        return "same, in the same order"
    return f"{len(set(ours) & set(theirs))} of {len(ours)} the same"
