"""How many diverse queries find each class of an unbalanced pool.

    PYTHONPATH=reproduce python -m benchmarks.cold_start

Five digits of MNIST have shares of 60, 20, 10, 5 and 5 % of the pool. The network is
trained on the other five, as pretrained weights are on other classes. Printed are means
over trials: the number of queries until there is one image of each class, and three.
"""

import argparse

import keras
import numpy as np

import dfal_keras as dfal
from dfal_keras import kcenter
from dfal_keras.backend import inference

SHARES = (0.6, 0.2, 0.1, 0.05, 0.05)
POOL_SIZE = 2000
NUM_QUERIES = 400


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each way to query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num", type=int, default=20, help="number of trials")
    num_trials = parser.parse_args(arguments).num
    (x, y), _ = dfal.datasets.load_data("mnist")
    model = pretrained(x[y >= 5][:10_000], y[y >= 5][:10_000])
    found: dict[str, list] = {}
    for trial in range(num_trials):
        rng = np.random.default_rng(trial)
        rows = draw(y, rng)
        features = inference.predict_features(model, x[rows]).astype("float64")
        unit = features / np.maximum(
            np.linalg.norm(features, axis=1, keepdims=True), 1e-12
        )
        none = np.empty(0, np.int64)
        orders = {
            "random": rng.permutation(POOL_SIZE),
            "k-center": kcenter.greedy(features, none, NUM_QUERIES).centers,
            "k-center, unit features": kcenter.greedy(unit, none, NUM_QUERIES).centers,
        }
        for name, order in orders.items():
            found.setdefault(name, []).append(
                [num_until(y[rows][order], count) for count in (1, 3)]
            )
    for name, numbers in found.items():
        one, three = np.mean(numbers, axis=0)
        print(
            f"{name}: one of each class within {one:.0f} queries, three in {three:.0f}"
        )


def pretrained(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """Return a network that is trained on other classes than those of the pool.

    As the networks of a session, it averages its last feature maps.
    """
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(128, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=3, batch_size=64, verbose=0)
    return model


def draw(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of a pool with the shares, in random order."""
    digits = rng.permutation(5)
    rows = [
        rng.choice(np.flatnonzero(y == digit), round(share * POOL_SIZE), replace=False)
        for digit, share in zip(digits, SHARES, strict=True)
    ]
    return rng.permutation(np.concatenate(rows))


def num_until(labels: np.ndarray, count: int) -> int:
    """Return how many labels it takes until each class occurs `count` times."""
    places = [np.flatnonzero(labels == digit) for digit in range(5)]
    if min(map(len, places)) < count:
        return len(labels)
    return 1 + max(place[count - 1] for place in places)


if __name__ == "__main__":
    main()
