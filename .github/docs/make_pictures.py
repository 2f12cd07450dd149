"""Make the pictures of the site: a query, a learning curve, and the gallery.

`python .github/docs/make_pictures.py` writes them to the folder `pictures`. They are
committed, so that the site is built without training a network.
"""

import pathlib

import keras
import matplotlib
import numpy as np
import pandas as pd

import dfal_keras as dfal
from dfal_keras.strategies import skactiveml_query

matplotlib.use("Agg")

import matplotlib.pyplot as plt

FOLDER = pathlib.Path(__file__).parent
RUNS = FOLDER.parents[1] / "reproduce" / "results" / "paper" / "runs"
SEED = 0
NUM_LABELED, NUM_CANDIDATES, NUM_QUERIES = 15, 150, 6
VIEW = ((-1.8, 1.8), (-1.8, 1.8))  # range of x, range of y
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe & Ito
COLORS = np.array([BLUE, ORANGE, "#7F3C8D"])
PALE = ("#DCEAF4", "#FAE3D4", "#EADCEF")
# The options are those with which the strategies show what they do on few points.
STRATEGIES = {
    "dfal": {},
    "bald": {"num_samples": 50},
    "uncertainty": {},
    "ceal": {"threshold": 0.2},
    "core_set": {},
    "egl": {},
    "random": {},
    "diverse_dfal": {},
    "cost_effective_dfal": {},
    **{name: {} for name in skactiveml_query.NAMES},
}


def main():
    """Make all pictures."""
    (FOLDER / "pictures").mkdir(exist_ok=True)
    save(learning_curve(), "curve")
    save(query_of_digits(), "query")
    gallery()


def gallery():
    """Make a picture for each strategy, and one of all side by side."""
    x, y = three_arms(NUM_LABELED + NUM_CANDIDATES, np.random.default_rng(SEED))
    model = train(x[:NUM_LABELED], y[:NUM_LABELED])
    whole, panels = plt.subplots(5, 4, figsize=(11, 14.2), layout="constrained")
    labels = {}
    for panel, (name, options) in zip(panels.flat, STRATEGIES.items(), strict=True):
        query = dfal.strategies.get(name, **options).query(
            model,
            x[NUM_LABELED:],
            NUM_QUERIES,
            x_labeled=x[:NUM_LABELED],
            rng=np.random.default_rng(SEED),
        )
        single = plt.figure(figsize=(4, 4))
        alone = single.add_axes((0, 0, 1, 1))
        for axes in (panel, alone):
            draw(axes, model, x, y, query)
        panel.set_title(f'"{name}"')
        handles, texts = panel.get_legend_handles_labels()
        labels |= dict(zip(texts, handles, strict=True))
        save(single, f"gallery_{name}")
    whole.legend(labels.values(), labels, **LEGEND)
    save(whole, "gallery")


LEGEND = {"loc": "outside lower center", "ncols": 5, "frameon": False}


def learning_curve():
    """Return mean curves over the stored trials that all of the methods have."""
    methods = {
        "dfal": "DFAL",
        "dfal_copies": "DFAL with copies",
        "random_copies": "RANDOM with copies",
        "random": "RANDOM",
    }
    paths = {
        name: {path.stem.rpartition("_")[2]: path for path in RUNS.glob(pattern)}
        for name in methods
        for pattern in [f"mnist-lenet5_{name}_[0-9]*.csv"]
    }
    shared = set.intersection(*map(set, paths.values()))
    curves = {}
    for name, title in methods.items():
        trials = [pd.read_csv(paths[name][trial]) for trial in sorted(shared)]
        means = pd.concat(trials).groupby("num_annotations").mean().loc[:300]
        curves[title] = [
            dfal.Round(
                int(row["round"]),
                annotations,
                int(row["num_labeled"]),
                row["accuracy"],
                row["loss"],
                0,
                0,
                0,
            )
            for annotations, row in means.iterrows()
        ]
    axes = dfal.plots.learning_curve(curves)
    axes.set_title(f"MNIST, LeNet5: means of {len(shared)} trials", fontsize=10)
    return axes.figure


def query_of_digits():
    """Return the picture of a query, as in the guide to the first query."""
    (x, y), _ = dfal.datasets.load_data("mnist")
    model = dfal.models.LeNet5((28, 28, 1), 10)
    model.compile("adam", "sparse_categorical_crossentropy")
    dfal.Training(model, num_restarts=1)(x[:200], y[:200], seed=0)
    rng = np.random.default_rng(0)
    query = dfal.strategies.DFAL().query(model, x[200:700], num_queries=8, rng=rng)
    return dfal.plots.query(x[200:700], query, model=model)


def three_arms(num_points, rng):
    """Return noisy points (n, 2) of three arms of a spiral, and their classes."""
    y = np.arange(num_points) % 3
    along = rng.uniform(size=num_points)
    angles = 2 * np.pi * y / 3 + 1.3 * along
    x = (0.25 + 1.15 * along)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    return (x + rng.normal(0, 0.17, x.shape)).astype("float32"), y


def train(x, y):
    """Return a network with dropout, which BALD needs."""
    keras.utils.set_random_seed(SEED)
    # Without weight decay all probabilities are close to 0 and 1.
    decay = {"kernel_regularizer": keras.regularizers.L2(0.003)}
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(32, activation="tanh", **decay),
            keras.layers.Dense(32, activation="tanh", **decay),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(3, activation="softmax", **decay),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=150, verbose=0)
    return model


def draw(axes, model, x, y, query):
    """Draw the classes of the model, the points, and what a strategy asks for."""
    grid = [np.linspace(*limits, 150) for limits in VIEW]
    points = np.stack(np.meshgrid(*grid), axis=-1).reshape(-1, 2)
    classes = model.predict(points, batch_size=4096, verbose=0).argmax(axis=1)
    classes = classes.reshape(150, 150)
    axes.contourf(*grid, classes, [-0.5, 0.5, 1.5, 2.5], colors=PALE)
    for k in range(3):
        axes.contour(*grid, classes == k, [0.5], colors="k", linewidths=0.8)
    labeled, candidates = np.split(x, [NUM_LABELED])
    colors = COLORS[y[:NUM_LABELED]]
    axes.scatter(*labeled.T, 28, colors, marker="s", label="labeled")
    axes.scatter(*candidates.T, 14, "w", edgecolor="0.4", lw=0.7, label="candidate")
    if len(query.pseudo_indices):
        pseudo = candidates[query.pseudo_indices]
        fill = COLORS[query.pseudo_labels]
        axes.scatter(*pseudo.T, 14, fill, lw=0, label="pseudo-label")
    asked = candidates[query.indices]
    axes.scatter(*asked.T, 55, GREEN, edgecolor="k", lw=0.8, zorder=3, label="queried")
    if query.companions is not None:
        for row, example in zip(query.companion_rows, query.companions, strict=True):
            axes.plot(*np.stack([asked[row], example]).T, color="k", lw=0.8, zorder=2)
        style = {"marker": "D", "edgecolor": "k", "lw": 0.8, "zorder": 3}
        label = "adversarial example"
        axes.scatter(*query.companions.T, 22, "#F0E442", label=label, **style)
    axes.set(xlim=VIEW[0], ylim=VIEW[1], xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)


def save(figure, name):
    """Write a PNG file, without the software's version."""
    path = FOLDER / "pictures" / f"{name}.png"
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
