"""The functions that a Dask worker calls, to perform a run or to check a problem."""

import os
import sys
from collections.abc import Callable

from distributed import get_worker


def make_task() -> Callable:
    """Return the function that performs a run on a worker.

    The function is nested, because nested functions are pickled by value. A worker that
    `dask worker` started can't import this package by itself: the function adds its
    folder to the path first. For the same reason all arguments are plain data.

    Returns:
        Function `perform(paths, topic, run, budgets, folder)`, with the arguments

        - `paths`: Folders to import from, that of `experiments` first.
        - `topic`: Dask's topic for messages to the driver: `{"run": name}` when the
          run begins, then what `execution.perform` reports.
        - `run`: The names of the run, as `Run.names` returns them.
        - `budgets`, `folder`: As for `execution.perform`.

        It raises RuntimeError if the worker does not see `paths[0]`, or has imported
        `experiments` from another folder before.
    """
    start = _make_start()

    def perform(paths, topic, run, budgets, folder):
        worker = start(paths)
        from experiments import runs
        from experiments.running import execution

        wanted = runs.Run.named(**run)
        worker.log_event(topic, {"run": str(wanted)})
        execution.perform(
            wanted, budgets, folder, lambda row: worker.log_event(topic, row)
        )

    return perform


def make_check() -> Callable:
    """Return the function that checks a problem on a worker.

    Returns:
        Function `check(paths, name, budget, data)`, with the argument `paths` of
        `make_task`, the name of the problem, and the further arguments of
        `problem_training.check_problem`.
    """
    start = _make_start()

    def check(paths, name, budget, data):
        start(paths)
        from experiments import problems
        from experiments.running import problem_training

        problem_training.check_problem(problems.get(name), budget, data)

    return check


def _make_start():
    """Return the function that prepares a worker and returns it."""

    def start(paths):
        worker = get_worker()
        if not os.path.isdir(os.path.join(paths[0], "experiments")):
            raise RuntimeError(
                f"The worker {worker.address} does not see the folder {paths[0]}. It "
                "needs it at the same path."
            )
        sys.path[:0] = [path for path in paths if path not in sys.path]
        import experiments
        from experiments.running import environment

        imported = os.path.dirname(os.path.dirname(experiments.__file__))
        if not os.path.samefile(imported, paths[0]):
            raise RuntimeError(
                f"The worker {worker.address} has imported the code in {imported}, not "
                f"that in {paths[0]}. Start new workers."
            )
        environment.start_tensorflow()  # before the driver's clock starts
        return worker

    return start
