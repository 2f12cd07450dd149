"""Perform many runs side by side, on the worker processes of a Dask cluster."""

import concurrent.futures
import contextlib
import importlib.util
import logging
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster, as_completed

import experiments
from experiments import devices, problem_data, store
from experiments.options import Options
from experiments.running import dask_task, progress
from experiments.runs import Run

_RETRIES = 2  # a run that fails three times is reported
_TIMEOUT = 20  # seconds to reach a scheduler
_SILENT = logging.CRITICAL + 1  # above all levels


class NothingToRunError(Exception):
    """No wanted run has any rows, and none of their data sets is installed."""


class UnusableProblemError(Exception):
    """The data or the network of a problem can't be used."""


def complete(wanted: Sequence[Run], options: Options) -> dict[Run, BaseException]:
    """Perform the wanted runs that are not done yet.

    Args:
        wanted: The runs. Runs on data sets that are not installed are left out.
        options: The command-line options.

    Returns:
        The exceptions of the runs that failed.

    Raises:
        NothingToRunError: If no wanted run can be performed, and none has any rows.
        UnusableProblemError: If the data or the network of a problem of your own, or
            of a subset, can't be used. Nothing was run.
        OSError: If the cluster can't be reached or started.
    """
    kept = store.Store(options.runs_folder)
    possible = {run: run.budgets(options) for run in _with_data(wanted)}
    reached = {str(run): kept.num_annotations(run) for run in possible or wanted}
    if wanted and not possible and not any(reached.values()):
        raise NothingToRunError(
            "Nothing was run: no data set of these runs is installed."
        )
    failures: dict[Run, BaseException] = {}
    # Transfers train on the labeled sets of other runs, which come first.
    for is_transfer in (False, True):
        group = [run for run in possible if bool(run.source) == is_transfer]
        todo = {
            run: possible[run] for run in group if not kept.is_done(run, possible[run])
        }
        if todo:
            print(f"{len(todo)} of {len(group)} runs to do, stored in {kept.folder}")
            bar = progress.Progress(
                {str(run): reached[str(run)] for run in group},
                max(next(iter(todo.values()))),
            )
            with contextlib.closing(bar):
                failures |= _perform_all(todo, options, bar)
    return failures


def _with_data(wanted):
    """Leave out runs on data sets that are not installed; print how to get these."""
    problems = dict.fromkeys(run.problem for run in wanted)
    missing = [each for each in problems if not problem_data.is_complete(each)]
    status = {str(each.dataset): problem_data.status(each) for each in missing}
    for name, why in status.items():
        print(f"The runs on {name} are left out. It is {why}", file=sys.stderr)
    return [run for run in wanted if run.problem not in missing]


def _perform_all(todo, options, bar):
    """Perform runs on a cluster and show their rows; return the exceptions by run."""
    dask.config.set({"distributed.scheduler.allowed-failures": 10})
    # Keep Dask's messages on memory, event loops and connections that close when a
    # command is stopped off the screen. Failures of runs are shown by other means.
    for name in ("distributed", "distributed.client"):  # Dask sets a level for each
        logging.getLogger(name).setLevel(_SILENT)
    failures = {}
    with _client(options, len(todo)) as client:
        topic = f"rounds-{client.id}"  # a scheduler may serve other commands too
        _check_problems(client, todo, options)
        client.subscribe_topic(topic, lambda event: bar.show(event[1]))
        task = dask_task.make_task()
        folder = str(options.runs_folder.absolute())
        futures = {
            client.submit(
                task,
                _paths(),
                topic,
                run.names,
                budgets,
                folder,
                pure=False,
                retries=_RETRIES,
            ): run
            for run, budgets in todo.items()
        }
        for future in as_completed(futures):
            if future.status == "error":
                failures[futures[future]] = future.exception()
            elif future.status != "finished":
                failures[futures[future]] = ConnectionError("the scheduler is gone")
            bar.write(f"{futures[future]}: {future.status}")
    return failures


def _check_problems(client, todo, options):
    """Check the problems that users define, before any run starts.

    Raises:
        UnusableProblemError: If one can't be used. The message is one line.
    """
    check = dask_task.make_check()
    for problem in dict.fromkeys(run.problem for run in todo):
        if problem.is_own or not problem.is_whole:
            data = problem_data.fingerprint(problem) if problem.is_own else None
            try:
                client.submit(
                    check, _paths(), problem.name, options.budget, data, pure=False
                ).result()
            except Exception as error:  # of the user's code, on the worker
                raise UnusableProblemError(f"{problem}: {error}") from error


def _paths():
    """Return where workers import from: `reproduce`, then the folder of your module."""
    reproduce = str(pathlib.Path(experiments.__file__).resolve().parents[1])
    return [reproduce, *(path for path in (os.getcwd(),) if path in sys.path)]


@contextlib.contextmanager
def _client(options: Options, num_runs: int) -> Iterator[Client]:
    """Connect to the cluster of the options, or to one on this machine."""
    with contextlib.ExitStack() as stack:
        address = options.cluster
        if address is None:
            cluster = _start(min(options.num_jobs, num_runs))
            address = stack.enter_context(cluster)
        try:
            client = stack.enter_context(Client(address, timeout=_TIMEOUT))
        except ValueError as error:
            raise OSError(
                f"--cluster must be the address of a scheduler, such as "
                f"tcp://127.0.0.1:8786. Received: {address} ({error})"
            ) from error
        if importlib.util.find_spec("bokeh"):
            print(f"Dask's dashboard: {client.dashboard_link}")
        yield client


def _start(num_workers):
    """Start a local cluster. After Ctrl-C, close it before the exception is raised."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        started = thread.submit(local_cluster, num_workers)
        try:
            return started.result()
        except KeyboardInterrupt:
            started.result().close()
            raise
        except RuntimeError as error:  # such as a worker that was killed
            raise OSError(
                f"the worker processes did not start ({error}). Run the same command "
                "again."
            ) from error


def local_cluster(num_workers: int) -> SpecCluster:
    """Start worker processes of one thread each, each with one GPU if there are any.

    Dask's own `LocalCluster` gives all its workers the same environment variables.
    """
    names = devices.gpus()
    place = {"host": "127.0.0.1"}
    options = {"nthreads": 1, "memory_limit": 0, "silence_logs": _SILENT}
    workers = {
        number: {
            "cls": Nanny,
            "options": {**place, **options, "env": devices.environment(number, names)},
        }
        for number in range(num_workers)
    }
    dashboard = {"dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": {**place, "port": 0, **dashboard}}
    return SpecCluster(workers, scheduler, silence_logs=_SILENT)
