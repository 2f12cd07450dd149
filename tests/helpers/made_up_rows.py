"""Made-up rows, as the run store returns them."""

import pandas as pd

LENET5, VGG8 = "mnist-lenet5", "mnist-vgg8"


def made_up(strategy, accuracies, *, problem=LENET5, source=None, step=100):
    """Return rows of trials with the given accuracies, in percent.

    Args:
        strategy: The query strategy.
        accuracies: For each trial, the accuracies at step, 2 step, ... annotations.
        problem: Data set and network.
        source: The problem whose labeled set is used.
        step: Number of annotations between rows.
    """
    return pd.DataFrame(
        {
            "problem": problem,
            "strategy": strategy,
            "trial": trial,
            "source": source,
            "num_annotations": step * (k + 1),
            "num_labeled": 2 * step * (k + 1) - 10,
            "accuracy": accuracy / 100,
            "query_seconds": {"dfal": 0.5, "core_set": 2.0}.get(strategy, 0.01),
        }
        for trial, curve in enumerate(accuracies)
        for k, accuracy in enumerate(curve)
    )
