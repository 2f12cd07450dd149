"""Many runs at once, on the worker processes of a Dask cluster."""

import contextlib
import functools
import logging

import dask
import runs
import tqdm
from distributed import Client, LocalCluster, as_completed, get_worker

_TOPIC = "rounds"


def perform(todo: list, *, budget: int, folder: str, num_jobs: int) -> dict:
    """Perform runs, with a progress bar.

    Args:
        todo: The runs, `runs.Run`.
        budget: Annotations at which each stops.
        folder: The run store.
        num_jobs: Worker processes, of one thread each.

    Returns:
        The exceptions of the runs that failed, by run.
    """
    failures = {}
    # Memory and event-loop advice is for the log of a cluster, not for this screen.
    dask.config.set({"distributed.logging.distributed": "error"})
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=min(num_jobs, len(todo)),
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address=":0",
                silence_logs=logging.ERROR,
            )
        )
        client = stack.enter_context(Client(cluster))
        bar = stack.enter_context(
            tqdm.tqdm(total=len(todo) * budget, unit="annotation", smoothing=0)
        )
        client.subscribe_topic(_TOPIC, functools.partial(_show, bar, {}))
        futures = {
            client.submit(_perform, run, budget, folder, pure=False): run
            for run in todo
        }
        for future in as_completed(futures):
            if future.status == "error":
                failures[futures[future]] = future.exception()
        client.unsubscribe_topic(_TOPIC)
    return failures


def _perform(run, budget, folder):
    """Perform one run on a worker, and send its rounds to the driver."""
    worker = get_worker()
    runs.perform(run, budget, folder, lambda row: worker.log_event(_TOPIC, row))


def _show(bar, reached, event):
    """Move the bar on by what a run has reached since its last round."""
    _, row = event
    run = row["run"]
    bar.set_postfix_str(
        f"{run}: {row['num_annotations']} annotations, {row['accuracy']:.2%}"
    )
    bar.update(row["num_annotations"] - reached.get(run, 0))
    reached[run] = row["num_annotations"]
