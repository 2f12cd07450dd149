"""The cases of `solvers.py`: k-center problems, and ways to solve them."""

import concurrent.futures
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import psutil

import dfal_keras as dfal
from benchmarks import processes

NUM_CENTERS = 10
TIME_LIMIT = 60.0


class Case(NamedTuple):
    """A k-center problem and how to solve it.

    Attributes:
        features: A kind of `make_features`.
        num_points: N.
        num_labeled: Number of points that are centers already.
        max_outliers: Xi.
        formulation: "compact" or "literal".
        solver: "scip", "highs" or "cp_sat".
    """

    features: str
    num_points: int
    num_labeled: int
    max_outliers: float
    formulation: str
    solver: str


def cases() -> list[Case]:
    """Return every case that is measured."""
    every = [
        Case(features, 900, 100, max_outliers, "compact", solver)
        for features in ("clusters", "digits")
        for max_outliers in (0, 9)
        for solver in ("scip", "highs", "cp_sat")
    ]
    every += [
        Case(features, 11_000, 1000, max_outliers, "compact", "scip")
        for features in ("clusters", "digits")
        for max_outliers in (0, 1.1)
    ]
    every += [
        Case("digits", size, size // 9, 0, formulation, "scip")
        for size in (100, 150, 200)
        for formulation in ("compact", "literal")
    ]
    return every


def make_features(kind: str, num_points: int) -> np.ndarray:
    """Return features to cover.

    Args:
        kind: "clusters" for ten Gaussian clusters, "digits" for a random ReLU layer on
            MNIST.
        num_points: Number of points.

    Returns:
        float array (num_points, 84).
    """
    rng = np.random.default_rng(0)
    if kind == "clusters":
        centers = rng.normal(size=(10, 84))
        noise = rng.normal(size=(num_points, 84))
        return centers[rng.integers(10, size=num_points)] + noise / 2
    (digits, _), _ = dfal.datasets.load_data("mnist")
    rows = rng.choice(len(digits), num_points, replace=False)
    pixels = digits[rows].reshape(num_points, -1) / 255
    return np.maximum(pixels @ rng.normal(size=(784, 84)) / 28, 0)


def measure(case: Case, num_repeats: int) -> dict:
    """Search for centers several times.

    Args:
        case: The case.
        num_repeats: Number of searches.

    Returns:
        The row of the table. Seconds are the median; memory is the peak of the
        solver's process.
    """
    features, seconds = make_features(case.features, case.num_points), []
    peak = 0.0
    for _ in range(num_repeats):
        with dfal.kcenter.SolverProcess() as process:
            started = time.perf_counter()
            found = dfal.kcenter.robust(
                features,
                np.arange(case.num_labeled),
                NUM_CENTERS,
                max_outliers=case.max_outliers,
                formulation=case.formulation,
                solver=case.solver,
                time_limit=TIME_LIMIT,
                process=process,
            )
            seconds.append(time.perf_counter() - started)
            (child,) = psutil.Process().children()
            peak = max(peak, processes.peak_resident(child.pid))
    return {
        "features": case.features,
        "N": case.num_points,
        "labeled": case.num_labeled,
        "Xi": case.max_outliers,
        "form": case.formulation,
        "solver": case.solver,
        "seconds": round(statistics.median(seconds), 2),
        "radius": round(found.radius, 4),
        "gap": f"{1 - found.lower_bound / found.radius:.1%}",
        "MB": round(peak),
    }


def measure_all(num_repeats: int) -> Iterator[dict]:
    """Yield the row of each case, measured in a process of its own."""
    for case in cases():
        with concurrent.futures.ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn")
        ) as process:
            yield process.submit(measure, case, num_repeats).result()
