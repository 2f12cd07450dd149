"""How cost grows with the work: seconds over sizes, and the fitted exponents."""

import numpy as np

from benchmarks import networks, rounds, stopwatch


def growth(options):
    """Time DeepFool over images, k-center over points, a round over labeled samples.

    Yields:
        Dicts of what is timed, its size and seconds.
    """
    import dfal_keras as dfal
    from dfal_keras.backend import inference

    x, y, _ = networks.digits()
    model = networks.trained("LeNet5", x, y, 500)
    for size in options.growing:
        pool = networks.scaled(x[-size:])
        features = inference.predict_features(model, pool)
        labeled = np.arange(size // 10)
        for what, function, arguments in (
            ("DeepFool, images", dfal.deepfool, (model, pool)),
            ("greedy k-center, points", dfal.kcenter.greedy, (features, labeled, 10)),
            ("compact k-center, points", dfal.kcenter.robust, (features, labeled, 10)),
        ):
            contender = {"ours": lambda f=function, a=arguments: f(*a)}
            (row,) = stopwatch.race(what, contender, options.repeats)
            yield {"what": what, "size": size, "seconds": row["seconds"]}
    for size in options.labeled:
        (row,) = rounds.split(["random"], size, options.repeats)
        yield {"what": "training, labeled", "size": size, "seconds": row["fit"]}
