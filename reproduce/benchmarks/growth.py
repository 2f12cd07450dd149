"""Growth of cost with the work: seconds over sizes."""

import functools
from collections.abc import Iterator

import numpy as np

import dfal_keras as dfal
from benchmarks import networks, rounds, stopwatch
from benchmarks.workload import Workload


def growth(workload: Workload) -> Iterator[dict]:
    """Time DeepFool over images, k-center over points, training over labeled samples.

    Yields:
        Dicts of what is timed, its size and its seconds.
    """
    from dfal_keras.backend import inference  # TensorFlow

    x, y, _ = networks.digits()
    model = networks.trained("LeNet5", x, y, 500)
    for size in workload.growing:
        pool = networks.scaled(x[-size:])
        features = inference.predict_features(model, pool)
        labeled = np.arange(size // 10)
        for what, run in (
            ("DeepFool, images", functools.partial(dfal.deepfool, model, pool)),
            (
                "greedy k-center, points",
                functools.partial(dfal.kcenter.greedy, features, labeled, 10),
            ),
            (
                "compact k-center, points",
                functools.partial(dfal.kcenter.robust, features, labeled, 10),
            ),
        ):
            (row,) = stopwatch.race(what, {"ours": run}, workload.repeats)
            yield {"what": what, "size": size, "seconds": row["seconds"]}
    for size in workload.num_labeled:
        (row,) = rounds.split(["random"], size, workload.repeats)
        yield {"what": "training, labeled", "size": size, "seconds": row["fit"]}
