"""Many runs at once, on the worker processes of a Dask cluster."""

import concurrent.futures
import contextlib
import dataclasses
import importlib.util
import logging
import os
import pathlib
import sys

import cloudpickle
import dask
from distributed import Client, Nanny, Scheduler, SpecCluster, as_completed

from dfal_keras import datasets
from experiments import dask_task, devices, progress, protocol, runs, store

# Workers need no module of this folder on their path to read a task.
cloudpickle.register_pickle_by_value(dask_task)

_RETRIES = 2  # a run that fails three times is given up
_TIMEOUT = 20  # seconds to reach a scheduler


class NothingToRunError(Exception):
    """None of the runs asked for is done, and none of them can run."""


def complete(wanted: list, options) -> dict:
    """Perform those of the wanted runs that are not done yet.

    Args:
        wanted: The runs, `runs.Run`.
        options: The command line, as `cli.parse` returns it.

    Returns:
        The exceptions of the runs that failed, by run.

    Raises:
        NothingToRunError: If no data set of theirs is on this machine, and none of
            them has any rows.
        OSError: If the cluster can't be reached or started.
    """
    kept = store.Store(options.output)
    asked, wanted = wanted, _with_data(wanted)
    if asked and not wanted and not any(map(kept.num_annotations, asked)):
        raise NothingToRunError("Nothing was run: none of what was asked for can be.")
    transfers = [run for run in wanted if run.source]
    failures = {}
    # Transfers train on what other runs chose: these come first.
    for group in ([run for run in wanted if not run.source], transfers):
        budgets = options.transfer_budgets if group is transfers else (options.budget,)
        todo = [run for run in group if not runs.is_done(run, budgets, kept)]
        if todo:
            print(f"{len(todo)} of {len(group)} runs to do; they go to {kept.folder}")
            reached = {run: kept.num_annotations(run) for run in group}
            failures |= _perform_all(todo, reached, budgets, options)
    return failures


def _with_data(wanted):
    """Leave out runs on data sets that are not here, and say how to get these."""
    names = dict.fromkeys(protocol.PROBLEMS[run.problem].dataset for run in wanted)
    missing = [name for name in names if not datasets.is_complete(name)]
    for name in missing:
        print(
            f"The runs on {name} are left out. It is {datasets.status(name)}",
            file=sys.stderr,
        )
    return [
        run for run in wanted if protocol.PROBLEMS[run.problem].dataset not in missing
    ]


def _perform_all(todo, reached, budgets, options):
    """Perform runs on a cluster, with a progress bar; return what failed."""
    # Advice on memory and event loops is for a cluster's log, not for this screen.
    dask.config.set({"distributed.scheduler.allowed-failures": 10})
    for name in ("distributed", "distributed.client"):  # Dask sets a level for each
        logging.getLogger(name).setLevel(logging.CRITICAL)
    failures = {}
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_client(options, len(todo)))
        bar = progress.Progress(
            {str(run): number for run, number in reached.items()}, budgets[-1]
        )
        stack.callback(bar.close)
        topic = f"rounds-{client.id}"  # a scheduler may serve other commands too
        client.subscribe_topic(topic, lambda event: bar.show(event[1]))
        folder = str(options.output.absolute())
        futures = {
            client.submit(
                dask_task.perform,
                _paths(),
                topic,
                dataclasses.asdict(run),
                budgets,
                folder,
                pure=False,
                retries=_RETRIES,
            ): run
            for run in todo
        }
        for future in as_completed(futures):
            if future.status == "error":
                failures[futures[future]] = future.exception()
            elif future.status != "finished":
                failures[futures[future]] = ConnectionError("the scheduler is gone")
            bar.write(f"{futures[future]}: {future.status}")
    return failures


def _paths():
    """Return where workers import from: this folder, then that of one's own module."""
    here = str(pathlib.Path(__file__).resolve().parents[1])
    return [here, *(path for path in (os.getcwd(),) if path in sys.path)]


@contextlib.contextmanager
def _client(options, num_runs):
    """Connect to the cluster asked for, or to one of this machine's own processes."""
    with contextlib.ExitStack() as stack:
        address = options.cluster
        if address is None:
            cluster = _start(min(options.jobs, num_runs))
            address = stack.enter_context(cluster)
        try:
            client = stack.enter_context(Client(address, timeout=_TIMEOUT))
        except ValueError as error:
            raise OSError(f"no scheduler's address: {address!r} ({error})") from error
        if importlib.util.find_spec("bokeh"):
            print(f"Dask's dashboard: {client.dashboard_link}")
        yield client


def _start(num_workers):
    """Start a local cluster. An interrupt waits until it can be closed again."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        started = thread.submit(local_cluster, num_workers)
        try:
            return started.result()
        except KeyboardInterrupt:
            started.result().close()
            raise
        except RuntimeError as error:  # such as a worker that was killed
            raise OSError(
                f"the worker processes did not start ({error}). The same command tries "
                "again."
            ) from error


def local_cluster(num_workers: int) -> SpecCluster:
    """Start worker processes of one thread each; each with a GPU, where there are any.

    Dask's own `LocalCluster` gives all its workers one environment.
    """
    names = devices.gpus()
    place = {"host": "127.0.0.1"}
    options = {"nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    workers = {
        number: {
            "cls": Nanny,
            "options": {**place, **options, "env": devices.environment(number, names)},
        }
        for number in range(num_workers)
    }
    dashboard = {"dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": {**place, "port": 0, **dashboard}}
    return SpecCluster(workers, scheduler, silence_logs=logging.CRITICAL)
