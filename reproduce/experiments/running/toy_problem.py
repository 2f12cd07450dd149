"""The toy problem of Figure 1: points, a network, and targets of the margins."""

import numpy as np

import dfal_keras as dfal
from experiments.analysis import margins

NUM_LABELED, NUM_POOL = 12, 20
# Chosen for visibility: (a) and (b) differ and the marks do not overlap. It favors
# DeepFool. Over seeds 0 to 59, the median of distance / true distance is 1.7 for
# DeepFool and 1.6 for the nearest of the other class. For the ten closest points, which
# matter for a query, it is 1.2 and 2.3.
SEED = 13


def make(seed: int) -> tuple:
    """Return the points, the labeled ones first, their classes and the network."""
    x, y = two_arcs(NUM_LABELED + NUM_POOL, np.random.default_rng(seed))
    return x, y, train(x[:NUM_LABELED], y[:NUM_LABELED], seed)


def two_arcs(
    num_points: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy points (n, 2) of two interleaved half circles, and their classes."""
    y = np.arange(num_points) % 2
    angles = np.pi * (rng.uniform(size=num_points) + y)
    x = np.stack([np.cos(angles) + y, np.sin(angles) + 0.35 * y], axis=1)
    return (x + rng.normal(0, 0.1, x.shape)).astype(np.float32), y


def train(x: np.ndarray, y: np.ndarray, seed: int):
    """Return a small Keras model with one logit, trained on the labeled points."""
    import keras  # loads TensorFlow

    keras.utils.set_random_seed(seed)
    # Without weight decay the logit saturates, and DeepFool's steps are too long.
    decay = {"kernel_regularizer": keras.regularizers.L2(0.003)}
    hidden = [keras.layers.Dense(16, activation="tanh", **decay) for _ in range(2)]
    layers = [keras.Input((2,)), *hidden, keras.layers.Dense(1, **decay)]
    model = keras.Sequential(layers)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    fit = dfal.Training(model, num_restarts=3, epochs=200, patience=200)
    return fit(x, y, seed=seed)


def choose(model, segments: np.ndarray, pool: np.ndarray) -> margins.Scenarios:
    """Return the scenarios: what each point's margin is measured to.

    Args:
        model: The trained network.
        segments: The boundary, as `margins.boundary` returns it.
        pool: The unlabeled points, shape (n, 2).
    """
    feet = margins.nearest_on_boundary(segments, pool)
    # The closest two are each other's neighbors, a tie. The first row is queried.
    classes = model.predict(pool, verbose=0)[:, 0] > 0
    neighbors = pool[margins.nearest_of_other_class(pool, classes)]
    attack = dfal.deepfool(model, pool)
    query = dfal.strategies.DFAL().query(model, pool, len(pool))
    rows = np.argsort(query.indices)  # from the ranking to the order of the pool
    adversarial_examples = pool.copy()  # a point that was not fooled is left in place
    fooled = query.indices[query.companion_rows]
    adversarial_examples[fooled] = query.companions
    return {
        "true margin": (feet, np.linalg.norm(feet - pool, axis=1)),
        "nearest of other class": (neighbors, np.linalg.norm(neighbors - pool, axis=1)),
        "DeepFool": (pool + attack.perturbations, attack.norms),
        "DFAL": (adversarial_examples, np.asarray(query.scores)[rows]),
    }
