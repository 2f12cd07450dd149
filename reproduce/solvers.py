"""Which solver for CORE-SET's integer program? Seconds and memory, measured."""

import argparse
import concurrent.futures
import multiprocessing
import resource
import statistics
import sys
import time

from experiments import entry_point, store
from experiments.options import RESULTS, at_least, folder

# isort: split
import numpy as np
import pandas as pd
import tqdm

import dfal_keras as dfal

NUM_CENTERS = 10
TIME_LIMIT = 60


def cases() -> list:
    """Return every case: features, N, labeled, Xi, formulation and solver."""
    every = [
        (features, 900, 100, max_outliers, "compact", solver)
        for features in ("clusters", "digits")
        for max_outliers in (0, 9)
        for solver in ("scip", "highs", "cp_sat")
    ]
    every += [
        (features, 11_000, 1000, max_outliers, "compact", "scip")
        for features in ("clusters", "digits")
        for max_outliers in (0, 1.1)
    ]
    every += [
        ("digits", size, size // 9, 0, formulation, "scip")
        for size in (100, 150, 200)
        for formulation in ("compact", "literal")
    ]
    return every


def describe(kind: str, num_points: int) -> np.ndarray:
    """Return 84 features a point: ten clusters, or a random ReLU layer on digits."""
    rng = np.random.default_rng(0)
    if kind == "clusters":
        centers = rng.normal(size=(10, 84))
        noise = rng.normal(size=(num_points, 84))
        return centers[rng.integers(10, size=num_points)] + noise / 2
    (digits, _), _ = dfal.datasets.load_data("mnist")
    rows = rng.choice(len(digits), num_points, replace=False)
    pixels = digits[rows].reshape(num_points, -1) / 255
    return np.maximum(pixels @ rng.normal(size=(784, 84)) / 28, 0)


def measure(case: tuple, num_repeats: int) -> dict:
    """Search a few times; return medians. Memory is that of the solver's process."""
    kind, num_points, num_labeled, max_outliers, formulation, solver = case
    features, seconds = describe(kind, num_points), []
    for _ in range(num_repeats):
        started = time.perf_counter()
        found = dfal.kcenter.robust(
            features,
            np.arange(num_labeled),
            NUM_CENTERS,
            max_outliers=max_outliers,
            formulation=formulation,
            solver=solver,
            time_limit=TIME_LIMIT,
        )
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "features": kind,
        "N": num_points,
        "labeled": num_labeled,
        "Xi": max_outliers,
        "form": formulation,
        "solver": solver,
        "seconds": round(statistics.median(seconds), 2),
        "radius": round(found.radius, 4),
        "gap": f"{1 - found.lower_bound / found.radius:.1%}",
        "MB": round(peak),
    }


def main(arguments=None) -> int:
    """Measure every case, each in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repeats", type=at_least(1), default=3, help="default: %(default)s"
    )
    parser.add_argument("--output", type=folder, default=RESULTS)
    options = parser.parse_args(arguments)
    rows = []
    for case in tqdm.tqdm(cases()):
        with concurrent.futures.ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn")
        ) as process:
            rows.append(process.submit(measure, case, options.repeats).result())
        table = pd.DataFrame(rows)
        store.write(options.output / "solvers.csv", table.to_csv(index=False))
        markdown = table.to_markdown(index=False)
        store.write(options.output / "solvers.md", markdown + "\n")
    print(markdown)
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
