"""Made-up rows as runs in a store, with all columns."""

import numpy as np
from experiments import protocol
from experiments.methods import DFAL


def store_rows(kept, run, rows):
    """Store made-up rows as a complete run, long enough for the quick preset.

    Args:
        kept: The run store.
        run: The run. A run of active learning gets a row every ten annotations.
        rows: Its rows, with "num_annotations" and "accuracy". Accuracies between them
            are interpolated; before the first they are equal to it.
    """
    rows = rows.set_index("num_annotations")
    budgets = np.arange(10, rows.index[-1] + 1, 10)
    if run.source:
        quick = protocol.PRESETS["quick"].transfer_budgets
        budgets = sorted({*quick, *rows.index})
    times = ["fit_seconds", "evaluate_seconds"]
    columns = ["num_annotations", "num_labeled", "accuracy", "loss", *times]
    if not run.source:
        columns = ["round", *columns, "query_seconds"]
    is_dfal = run.method is DFAL
    stored_rows = [
        {
            "round": k,
            "num_annotations": int(budget),
            "num_labeled": int(2 * budget - 10 if is_dfal else budget),
            "accuracy": float(np.interp(budget, rows.index, rows["accuracy"])),
            "loss": 0.1,
            "fit_seconds": 6.0,
            "evaluate_seconds": 3.0,
            "query_seconds": 1.0,
        }
        for k, budget in enumerate(budgets)
    ]
    files = kept.files(run)
    files.start(run.settings, {})
    files.write([{name: row[name] for name in columns} for row in stored_rows])
