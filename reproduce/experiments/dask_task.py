"""What a Dask worker calls. It is uploaded, so it imports this folder only when run."""

import importlib
import os
import sys


def perform(paths: list, topic: str, run: dict, budgets: tuple, folder: str) -> None:
    """Perform one run on a worker, and send its rows to the driver.

    The arguments are plain data: neither Dask's scheduler nor its workers need the
    modules of `reproduce` on their path to read them.

    Args:
        paths: Folders to import from, as the worker sees them: that of `runs.py`
            first, then the user's own.
        topic: Dask's topic for messages to the driver: `{"run": name}` when the run
            begins, and the same with the row after every row.
        run: The fields of a `runs.Run`.
        budgets: See `runs.perform`.
        folder: See `runs.perform`.

    Raises:
        RuntimeError: If the worker does not see `paths[0]`, or has imported the code
            of another folder before.
    """
    from distributed import get_worker

    host = get_worker()
    if not os.path.exists(os.path.join(paths[0], "experiments")):
        raise RuntimeError(
            f"The worker {host.address} does not see the folder {paths[0]}. It needs "
            "it at the same path."
        )
    sys.path[:0] = [path for path in paths if path not in sys.path]
    runs, worker = (
        importlib.import_module(f"experiments.{name}") for name in ("runs", "execution")
    )
    if not os.path.samefile(os.path.dirname(os.path.dirname(runs.__file__)), paths[0]):
        raise RuntimeError(
            f"The worker {host.address} runs {runs.__file__}, not the code in "
            f"{paths[0]}. Start new workers."
        )
    worker.import_quietly()  # before the driver's clock starts
    run = runs.Run(**run)
    host.log_event(topic, {"run": str(run)})
    runs.perform(run, budgets, folder, lambda row: host.log_event(topic, row))
