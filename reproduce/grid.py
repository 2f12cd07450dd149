"""Many runs at once, on the worker processes of a Dask cluster."""

import contextlib
import functools
import importlib.util
import logging
import sys

import dask
import protocol
import runs
import store
import tqdm
from distributed import Client, LocalCluster, as_completed, get_worker

from dfal_keras import datasets

_TOPIC = "rounds"
_RETRIES = 2  # a run that fails three times is given up
_TIMEOUT = 20  # seconds to reach a scheduler


def complete(wanted: list, options) -> dict:
    """Perform those of the wanted runs that are not done yet.

    Args:
        wanted: The runs, `runs.Run`.
        options: The command line, as `cli.parse` returns it.

    Returns:
        The exceptions of the runs that failed, by run.
    """
    kept = store.Store(options.output)
    wanted = _with_data(wanted)
    transfers = [run for run in wanted if run.source]
    failures = {}
    # Transfers train on what other runs chose: these come first.
    for group in ([run for run in wanted if not run.source], transfers):
        budgets = options.transfer_budgets if group is transfers else (options.budget,)
        todo = [run for run in group if not runs.is_done(run, budgets, kept)]
        if todo:
            print(f"{len(todo)} of {len(group)} runs to do; they go to {kept.folder}")
            failures |= _perform_all(todo, budgets, options)
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


def _perform_all(todo, budgets, options):
    """Perform runs on a cluster, with a progress bar; return what failed."""
    # Advice on memory and event loops is for a cluster's log, not for this screen.
    dask.config.set({"distributed.scheduler.allowed-failures": 10})
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    failures = {}
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_client(options, len(todo)))
        bar = stack.enter_context(_progress_bar(len(todo), budgets[-1]))
        show = functools.partial(_show, bar, work(budgets[-1]), {})
        client.subscribe_topic(_TOPIC, show)
        folder = str(options.output.absolute())
        futures = {
            client.submit(
                _perform, run, budgets, folder, pure=False, retries=_RETRIES
            ): run
            for run in todo
        }
        for future in as_completed(futures):
            if future.status == "error":
                failures[futures[future]] = future.exception()
            bar.write(f"{futures[future]}: {future.status}", file=sys.stderr)
    return failures


@contextlib.contextmanager
def _client(options, num_runs):
    """Connect to the cluster asked for, or to one of this machine's own processes."""
    with contextlib.ExitStack() as stack:
        address = options.cluster
        if address is None:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=min(options.jobs, num_runs),
                    threads_per_worker=1,
                    memory_limit=0,
                    dashboard_address=":0",
                    silence_logs=logging.CRITICAL,
                )
            )
        try:
            client = stack.enter_context(Client(address, timeout=_TIMEOUT))
        except ValueError as error:
            raise OSError(f"no scheduler's address: {address!r} ({error})") from error
        if importlib.util.find_spec("bokeh"):
            print(f"Dask's dashboard: {client.dashboard_link}")
        yield client


def _perform(run, budgets, folder):
    """Perform one run on a worker, and send its rows to the driver."""
    worker = get_worker()
    runs.perform(run, budgets, folder, lambda row: worker.log_event(_TOPIC, row))


def _progress_bar(num_runs, budget):
    """A bar over the work of all runs, in units that pass at an even pace."""
    return tqdm.tqdm(
        total=num_runs * work(budget),
        bar_format="{percentage:3.0f}% |{bar:20}| {elapsed} gone, {remaining} left"
        "{postfix}",
        smoothing=0.1,
        # A log file wants a line now and then, a terminal a bar that moves.
        mininterval=0.5 if sys.stderr.isatty() else 20,
    )


def work(num_annotations: int) -> int:
    """Work of a run up to a number of annotations: rounds get slower as it grows."""
    return round(num_annotations**1.7)


def _show(bar, whole, reached, event):
    """Move the bar on by what a run has reached since its last row."""
    _, row = event
    run = row["run"]
    if "waits" in row:
        bar.write(
            f"{run}: waiting for another command that is at work on it", file=sys.stderr
        )
        return
    bar.set_postfix_str(
        f"{run}: {row['num_annotations']} annotations, {row['accuracy']:.2%}",
        refresh=False,
    )
    done = min(work(row["num_annotations"]), whole)
    bar.update(max(0, done - reached.get(run, 0)))
    reached[run] = max(done, reached.get(run, 0))
