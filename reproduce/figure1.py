"""Figure 1: whom to ask? Four answers by margin, computed on a toy problem in 2-D."""

import sys

from experiments import entry_point, execution, plots, tables
from experiments.options import at_least, make_parser, parse_with_extras

# isort: split
import contourpy
import numpy as np
import pandas as pd

import dfal_keras as dfal

NUM_LABELED, NUM_POOL, NUM_CLOSEST, NUM_ARROWS = 12, 20, 10, 4
# Picked to be seen well: (a) and (b) differ, marks lie apart. It flatters DeepFool:
# over seeds 0 to 59 its median distance / true is 1.7 and the neighbor's 1.6; for the
# ten closest points, which are those that count, 1.2 and 2.3.
SEED = 13
VIEW = ((-1.35, 2.35), (-0.95, 1.45))  # what is drawn: x from, to; y from, to
BLUE, RED, GREEN = (plots.COLORS[name] for name in ("core_set", "dfal", "ceal"))
PALE = ("#DCEAF4", "#FAE3D4")  # the first two, mixed with white


def main(arguments=None) -> int:
    """Train, choose in four ways, then print and write what comes out."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--seed",
        type=at_least(0, 2**32 - 1),
        default=SEED,
        help="of data and network",
    )
    options, extras = parse_with_extras(parser, arguments)
    seed = extras["seed"]
    execution.start_tensorflow()
    x, y = two_arcs(NUM_LABELED + NUM_POOL, np.random.default_rng(seed))
    model = train(x[:NUM_LABELED], y[:NUM_LABELED], seed)
    grid, segments = boundary(model)
    scenarios = choose(model, segments, x[NUM_LABELED:])
    table = summarize(scenarios)
    tables.write(table, options.figures_folder / "figure1")
    plots.save(draw(grid, x, y, scenarios), options.figures_folder / "figure1")
    print(f"Figure 1: which of {NUM_POOL} points to label next?\n")
    print(
        f"{tables.markdown(table)}\n\n"
        f"Written with the figure to {options.figures_folder}"
    )
    if seed == SEED:
        print("This seed was picked to be seen well and flatters DeepFool; try others.")
    return 0


def two_arcs(num_points: int, rng) -> tuple:
    """Return noisy points of two interleaved half circles, and their classes."""
    y = np.arange(num_points) % 2
    angles = np.pi * (rng.uniform(size=num_points) + y)
    x = np.stack([np.cos(angles) + y, np.sin(angles) + 0.35 * y], axis=1)
    return (x + rng.normal(0, 0.1, x.shape)).astype(np.float32), y


def train(x, y, seed):
    """Return a small network with one logit, trained on the labeled points."""
    import keras

    keras.utils.set_random_seed(seed)
    # Without decay a logit learnt from few points saturates, and DeepFool gets lost.
    decay = {"kernel_regularizer": keras.regularizers.L2(0.003)}
    hidden = [keras.layers.Dense(16, activation="tanh", **decay) for _ in range(2)]
    layers = [keras.Input((2,)), *hidden, keras.layers.Dense(1, **decay)]
    model = keras.Sequential(layers)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    fit = dfal.Training(model, num_restarts=3, epochs=200, patience=200)
    return fit(x, y, seed=seed)


def boundary(model, margin: float = 1.5, step: float = 0.01) -> tuple:
    """Return a grid (x, y, logits), and where the logit is 0: `(n, 2, 2)` segments."""
    axes = [np.arange(low - margin, high + margin, step) for low, high in VIEW]
    points = np.stack(np.meshgrid(*axes), axis=-1)
    logits = model.predict(points.reshape(-1, 2), batch_size=8192, verbose=0)
    logits = logits.reshape(points.shape[:2])
    lines = contourpy.contour_generator(*axes, logits).lines(0)
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in lines]
    return (*axes, logits), np.concatenate(pieces)


def nearest_on_boundary(segments, points):
    """Return the foot of each point: the nearest point of all segments."""
    starts, steps = segments[:, 0], segments[:, 1] - segments[:, 0]
    squares = np.maximum((steps**2).sum(axis=1), np.finfo(float).tiny)
    shares = ((points[:, None] - starts) * steps).sum(axis=2) / squares
    feet = starts + np.clip(shares, 0, 1)[..., None] * steps
    nearest = np.linalg.norm(feet - points[:, None], axis=2).argmin(axis=1)
    return feet[np.arange(len(points)), nearest]


def nearest_of_other_class(points, classes):
    """Return the row of the nearest point of another class to each point."""
    if len(np.unique(classes)) < 2:
        raise ValueError("The network takes the whole pool for one class: try a --seed")
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    distances[classes[:, None] == classes] = np.inf
    return distances.argmin(axis=1)


def choose(model, segments, pool) -> dict:
    """Return each scenario's target for every point, and the distance to it."""
    feet = nearest_on_boundary(segments, pool)
    # The closest two are each other's neighbors: a tie, which the first row wins.
    classes = model.predict(pool, verbose=0)[:, 0] > 0
    neighbors = pool[nearest_of_other_class(pool, classes)]
    attack = dfal.deepfool(model, pool)
    query = dfal.strategies.DFAL().query(model, pool, len(pool))
    rows = np.argsort(query.indices)  # from the ranking back to the pool
    twins = pool.copy()  # a point that could not be fooled has none
    twins[query.indices[query.adversarial_rows]] = query.adversarial_examples
    return {
        "true margin": (feet, np.linalg.norm(feet - pool, axis=1)),
        "nearest of other class": (neighbors, np.linalg.norm(neighbors - pool, axis=1)),
        "DeepFool": (pool + attack.perturbations, attack.norms),
        "DFAL with twin": (twins, query.scores[rows]),
    }


def summarize(scenarios: dict) -> pd.DataFrame:
    """Return a row for each scenario; DeepFool's overshoot of 2 % is left in."""
    true = scenarios["true margin"][1]
    closest = true.argsort()[:NUM_CLOSEST]
    rows = []
    for name, (_, distances) in scenarios.items():
        query, ratios = distances.argmin(), distances / true
        medians = np.median(ratios), np.median(ratios[closest])
        rows.append((name, query, distances[query], true[query], *medians))
    names = ["scenario", "query", "its distance", "true distance"]
    names += ["median distance / true", f"of the {NUM_CLOSEST} closest"]
    return pd.DataFrame(rows, columns=names).set_index("scenario").round(3)


def draw(grid, x, y, scenarios):
    """Return the figure, a panel for each scenario. x begins with the labeled."""
    labeled, pool = np.split(x, [NUM_LABELED])
    colors = np.where(y, RED, BLUE)
    figure, panels = plots.plt.subplots(
        *(2, 2), sharex=True, sharey=True, figsize=(plots.COLUMN, 2.7)
    )
    for letter, panel, name in zip("abcd", panels.flat, scenarios, strict=True):
        targets, distances = scenarios[name]
        ranked, is_dfal = distances.argsort(kind="stable"), letter == "d"
        query = ranked[0]
        panel.contourf(*grid, [-np.inf, 0, np.inf], colors=PALE)
        panel.contour(*grid, [0], colors="k", linewidths=0.8)
        panel.scatter(*labeled.T, 11, colors[:NUM_LABELED], label="labeled")
        panel.scatter(*pool.T, 7, "w", edgecolor="0.3", lw=0.5, label="unlabeled")
        for row in ranked[: 1 if is_dfal else NUM_ARROWS][::-1]:
            arrow = {"arrowstyle": "->", "mutation_scale": 5, "lw": 0.8, "shrinkB": 0}
            arrow["color"] = GREEN if row == query else "0.3"
            panel.annotate("", targets[row], pool[row], arrowprops=arrow)
        # Filled where the label is known, as it is of both once DFAL has asked.
        mark = {"color": colors[NUM_LABELED + query] if is_dfal else "w"}
        mark |= {"edgecolor": GREEN, "lw": 1.2, "zorder": 3}
        panel.scatter(*pool[query], 22, label="query", **mark)
        if is_dfal:
            panel.scatter(*targets[query], 14, marker="D", label="its twin", **mark)
        title = f"({letter}) {name}: {distances[query]:.2f}"
        panel.set_title(title, loc="left", size=7, pad=2)
        panel.set(xlim=VIEW[0], ylim=VIEW[1], aspect="equal")
        panel.axis("off")
    figure.subplots_adjust(0, 0.09, 1, 0.95, wspace=0.03, hspace=0.1)
    style = {"fontsize": 7, "handletextpad": 0, "columnspacing": 1}
    handles = panel.get_legend_handles_labels()
    figure.legend(*handles, loc="lower center", ncols=4, **style)
    return figure


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
