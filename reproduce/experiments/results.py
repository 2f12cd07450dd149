"""The rows that a script shows: completed first, or as they are stored."""

import sys
from collections.abc import Collection, Sequence

import pandas as pd

from experiments import problem_data, runs, store
from experiments.argument_types import check_writable
from experiments.methods import TRANSFERRED, Method
from experiments.options import Options
from experiments.problems import Problem
from experiments.running import estimate
from experiments.runs import Run


def complete(wanted: Sequence[Run], options: Options) -> tuple[pd.DataFrame, int]:
    """Complete runs and return their rows.

    With `options.stored`, nothing is run. With `options.dry_run`, the program prints
    what would run, and ends.

    Args:
        wanted: The runs.
        options: The command-line options.

    Returns:
        The rows, as `stored` returns them, and the script's exit status: 1 if a run
        failed; 2 if stored files can't be used or nothing can run.

    Raises:
        OSError: If the output can't be written, or the cluster can't be reached.
    """
    if options.stored:
        rows = stored(wanted, options)
        return rows, 2 if rows.attrs["refused"] else 0
    _require_thresholds(wanted)
    if options.dry_run:
        print(estimate.describe(wanted, options))
        sys.exit(0)
    from experiments.running import scheduling

    check_writable(options.output)
    try:
        failures = scheduling.complete(wanted, options)
    except scheduling.NothingToRunError as error:
        print(error, file=sys.stderr)
        return stored(wanted, options), 2
    except scheduling.UnusableProblemError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to resume.", file=sys.stderr)
        sys.exit(130)
    for run, failure in failures.items():
        print(f"{run} failed: {type(failure).__name__}: {failure}", file=sys.stderr)
    rows = stored(wanted, options, [str(failure) for failure in failures.values()])
    return rows, _status(failures.values())


def stored(
    wanted: Sequence[Run], options: Options, reported: Collection[str] = ()
) -> pd.DataFrame:
    """Return the rows of runs, as far as they are stored and can be used.

    Prints to standard error why a run can't be used.

    Args:
        wanted: The runs.
        options: The command-line options.
        reported: Messages that were printed before. Defaults to none.

    Returns:
        The rows, as `Store.load` returns them. All messages are in their
        `attrs["refused"]`.
    """
    rows, refused = store.Store(options.runs_folder).load(wanted)
    for message in refused:
        if message not in reported:
            print(f"Left out: {message}", file=sys.stderr)
    rows.attrs["refused"] = refused
    return rows


def transfer_pairs(options: Options) -> list[tuple[Problem, Problem]]:
    """Return `runs.transfer_pairs`. Without any, the program ends with a message."""
    if not set(TRANSFERRED) & set(options.methods):
        print(
            f"Transfers are those of {', '.join(map(str, TRANSFERRED))}. "
            f"Received: --strategy {' '.join(map(str, options.methods))}",
            file=sys.stderr,
        )
        sys.exit(2)
    pairs = runs.transfer_pairs(options)
    if not pairs:
        print(
            "No transfers: of your own, pass two problems with the same data and "
            "different networks to --problem. "
            f"Received: {' '.join(map(str, options.problems))}",
            file=sys.stderr,
        )
        sys.exit(2)
    return pairs


def not_run(problems: Sequence[Problem]) -> str:
    """Return a line that names the problems without rows, "" if there are none."""
    if not problems:
        return ""
    reasons: dict[str, list[str]] = {}
    for each in problems:
        reasons.setdefault(why_not_run(each), []).append(str(each.title))
    named = "; ".join(f"{', '.join(each)}: {why}" for why, each in reasons.items())
    return f"\nWithout a number of ours: {named}.\n"


def ending(options: Options) -> str:
    """Return where the runs are and, after quick ones, how to run all of them."""
    text = f"Runs: {options.runs_folder}"
    if options.preset == "quick":
        text += f"\n{estimate.whole_protocol(options)}"
    return text


def why_not_run(problem: Problem) -> str:
    """Return why a problem has no rows, and how to get them."""
    if not problem_data.is_complete(problem):
        kind, _, _ = problem_data.status(problem).partition(":")
        command = problem_data.how_to_get(problem)
        return f"data set {kind}: {command}"
    return f"not run: {problem.arguments}"


def no_labeled_set(problem: Problem, method: Method, options: Options) -> str:
    """Return that no run of a method has a labeled set, and how to make one."""
    return (
        f"No run of {method.title} has a labeled set (.npz) in {options.runs_folder}. "
        f"Make one: python reproduce/table1.py --preset paper {problem.arguments} "
        f"--strategy {method} --output {options.output}"
    )


def _require_thresholds(wanted):
    """End the program if a problem that CEAL is to learn has no threshold."""
    for run in wanted:
        if run.method.has_threshold and run.problem.ceal_threshold is None:
            print(
                f"{run.problem} has no CEAL threshold: set `ceal_threshold` of its "
                "Problem, in nats, or leave CEAL out with --strategy",
                file=sys.stderr,
            )
            sys.exit(2)


def _status(errors):
    """Return the exit status: 2 if the request was refused, 1 if a run failed."""
    if not errors:
        return 0
    return 2 if all(isinstance(error, ValueError) for error in errors) else 1
