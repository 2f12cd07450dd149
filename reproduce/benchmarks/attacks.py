"""DeepFool and the query made of it: ours, Foolbox's, ART's."""

import functools
import logging

import numpy as np
from experiments import protocol

from benchmarks import networks, stopwatch

STEP_OFFSET = 1e-4  # what Foolbox adds to each step; given to ours too
OPTIONS = {"max_steps": 50, "overshoot": 0.02, "step_offset": STEP_OFFSET}
BUDGETS = {"LeNet5": (20, 50, 100, 200, 500, 1000), "VGG8": (200, 500)}
# The most images to give a peer: 256 take Foolbox minutes with VGG8, ART half an hour.
PATIENCE = {
    ("Foolbox", "LeNet5"): 800,
    ("Foolbox", "VGG8"): 256,
    ("ART", "LeNet5"): 256,
    ("ART", "VGG8"): 32,
}
ANY_PIXEL = (-1e9, 1e9)  # Foolbox has no attack without bounds


def deepfool(options):
    """Race the attacks, with bounds and without; yield rows."""
    x, y, pool = networks.digits()
    for network in options.networks:
        model = networks.trained(network, x, y, 1000)
        for num_images in options.sizes[network]:
            images = pool[:num_images]
            for bounds in (None, (0, 1)):
                contenders = {
                    name: functools.partial(attack, model, images, bounds)
                    for name, attack in ATTACKS.items()
                    if num_images <= PATIENCE.get((name, network), num_images)
                }
                inside = "bounds (0, 1)" if bounds else "no bounds"
                case = f"{network}, {num_images} digits, {inside}"
                repeats = options.repeats
                yield from stopwatch.race(case, contenders, repeats, same_norms)


def query(options):
    """Race a DFAL query: ours, ours without giving up, through Foolbox; yield rows."""
    import dfal_keras as dfal

    x, y, pool = networks.digits()
    for network in options.networks:
        model = networks.trained(network, x, y, 500)

        def ours(model=model, **more):
            strategy = dfal.strategies.DFAL(
                batch_size=256, step_offset=STEP_OFFSET, **more
            )
            return strategy.query(model, pool, protocol.NUM_QUERIES).indices

        def through_foolbox(model=model):
            norms = foolbox_norms(model, pool, None)
            return np.argsort(norms, kind="stable")[: protocol.NUM_QUERIES]

        contenders = {
            "ours": ours,
            "ours, every image to the end": functools.partial(ours, num_closest=None),
            "Foolbox": through_foolbox,
        }
        case = f"{network}, {protocol.NUM_QUERIES} of {len(pool)} digits"
        yield from stopwatch.race(case, contenders, options.repeats, same_queries)


def giving_up(options):
    """Count the steps that a query spares, and whether it stays the same."""
    import dfal_keras as dfal

    x, y, pool = networks.digits()
    for network in options.networks:
        for budget in BUDGETS[network]:
            model = networks.trained(network, x, y, budget)
            for ord in (2, np.inf):
                every = dfal.deepfool(model, pool, ord=ord)
                few = dfal.deepfool(
                    model, pool, ord=ord, num_closest=protocol.NUM_QUERIES
                )
                first, second = (
                    np.argsort(attack.norms, kind="stable")[: protocol.NUM_QUERIES]
                    for attack in (every, few)
                )
                yield {
                    "case": f"{network}, {budget} labeled, p = {ord}",
                    "steps": int(every.num_steps.sum()),
                    "steps with giving up": int(few.num_steps.sum()),
                    "spared": 1 - few.num_steps.sum() / every.num_steps.sum(),
                    "query": same_queries(first, second),
                }


def our_norms(model, images, bounds) -> np.ndarray:
    """Attack with ours; return the norms."""
    import dfal_keras as dfal

    return dfal.deepfool(model, images, bounds=bounds, batch_size=256, **OPTIONS).norms


def foolbox_norms(model, images, bounds) -> np.ndarray:
    """Attack with Foolbox; return the norms."""
    import foolbox
    import tensorflow as tf

    from dfal_keras.backend import classifier

    logits = classifier.logits(model)
    wrapped = foolbox.TensorFlowModel(lambda x: logits(x), bounds=bounds or ANY_PIXEL)
    x = tf.constant(images)
    attack = foolbox.attacks.L2DeepFoolAttack(
        steps=OPTIONS["max_steps"], candidates=10, overshoot=OPTIONS["overshoot"]
    )
    adversarial, _, _ = attack(wrapped, x, tf.argmax(logits(x), axis=1), epsilons=None)
    return lengths(adversarial.numpy() - images)


def art_norms(model, images, bounds) -> np.ndarray:
    """Attack with the Adversarial Robustness Toolbox; return the norms."""
    import art.attacks.evasion
    import art.estimators.classification

    from dfal_keras.backend import classifier

    logging.getLogger("art").setLevel(logging.ERROR)
    logits = classifier.logits(model)
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


ATTACKS = {"ours": our_norms, "Foolbox": foolbox_norms, "ART": art_norms}


def lengths(perturbations) -> np.ndarray:
    """Return the Euclidean norm of each."""
    return np.linalg.norm(perturbations.reshape(len(perturbations), -1), axis=1)


def same_norms(ours, theirs) -> str:
    """Say how far apart two lists of norms are."""
    apart = np.abs(theirs / ours - 1)
    return f"norms: median {np.median(apart):.1e} apart, at most {apart.max():.1e}"


def same_queries(ours, theirs) -> str:
    """Say how many of two queries are the same."""
    if list(ours) == list(theirs):
        return "same, in the same order"
    return f"{len(set(ours) & set(theirs))} of {len(ours)} the same"
