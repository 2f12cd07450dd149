"""The command line that the scripts share."""

import argparse
import contextlib
import errno
import importlib.util
import os
import pathlib
import sys

from experiments import devices, entry_point, protocol

# Every script imports this module first: imports after it may need the extra.
entry_point.require(
    *("contourpy", "dask", "distributed", "filelock", "pandas"),
    *("scipy", "tabulate", "tqdm"),
)


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that every table and figure has."""
    presets = "; ".join(
        f"{name}: {preset.description}" for name, preset in protocol.PRESETS.items()
    )
    new = argparse.ArgumentParser(description=description)
    new.add_argument(
        "--preset",
        choices=protocol.PRESETS,
        default="quick",
        help=f"how much to run ({presets}; default: %(default)s)",
    )
    new.add_argument(
        "--problem",
        nargs="+",
        choices=protocol.PROBLEMS,
        help="data sets and networks (default: the preset's)",
    )
    new.add_argument(
        "--strategy",
        nargs="+",
        type=_strategy,
        default=list(protocol.STRATEGIES),
        help=f"query strategies: {', '.join(protocol.STRATEGIES)}; the ablation "
        f"{', '.join(protocol.ABLATIONS)}; or your own as module:Class (default: "
        "the seven)",
    )
    new.add_argument(
        "--trials",
        type=at_least(1),
        help="trials, each with a seed of its own (default: the preset's)",
    )
    new.add_argument(
        "--budget", type=annotations, help="annotations (default: the preset's)"
    )
    new.add_argument(
        "--jobs",
        type=at_least(1),
        help="worker processes, of one thread each (default: one a GPU; without GPUs, "
        f"one a core that this process may use: {devices.num_cores()})",
    )
    new.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="use the workers of this Dask scheduler, such as tcp://127.0.0.1:8786, "
        "instead of processes on this machine; one thread each, with this folder and "
        "--output in their reach by the same paths",
    )
    new.add_argument(
        "--output",
        type=folder,
        help="folder for runs and tables (default: reproduce/results/PRESET); runs "
        "that are there already are gone on with, not run again",
    )
    new.add_argument(
        "--stored",
        action="store_true",
        help="run nothing, show what is stored",
    )
    new.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would run, and about how long, and stop",
    )
    return new


def parse(new: argparse.ArgumentParser, arguments=None) -> argparse.Namespace:
    """Parse, and fill in what the preset says."""
    options = new.parse_args(arguments)
    preset = protocol.PRESETS[options.preset]
    options.problem = options.problem or list(preset.problems)
    options.trials = options.trials or preset.num_trials
    options.budget = options.budget or preset.budget
    options.transfer_budgets = tuple(
        budget for budget in preset.transfer_budgets if budget <= options.budget
    ) or (options.budget,)
    options.full_sets = preset.full_sets
    options.output = options.output or protocol.RESULTS / options.preset
    options.jobs = options.jobs or len(devices.gpus()) or devices.num_cores()
    return options


def why_not_run(problem: str) -> str:
    """Say why a panel is empty."""
    from dfal_keras import datasets

    name = protocol.PROBLEMS[problem].dataset
    if not datasets.is_complete(name):
        kind, _, _ = datasets.status(name).partition(":")
        return f"data set {kind}:\npython -m dfal_keras.datasets\nfetch {name}"
    return f"not run:\n--problem {problem}"


def stored(wanted: list, options: argparse.Namespace, said=()):
    """Return the rows of the wanted runs that are stored and sound.

    Those that can't be used are left out. Why goes into the table's `attrs["refused"]`
    and to the standard error stream, a line each, but for the lines `said` already.
    """
    from experiments import runs, store

    rows, refused = store.Store(options.output).load(wanted, runs.settings)
    for message in [message for message in refused if message not in said]:
        print(f"Left out: {message}", file=sys.stderr)
    rows.attrs["refused"] = refused
    return rows


def rows_of(wanted: list, options: argparse.Namespace) -> tuple:
    """Complete the runs asked for; return their rows and the script's exit status."""
    if options.stored:
        rows = stored(wanted, options)
        return rows, 2 if rows.attrs["refused"] else 0
    from experiments import estimate, scheduling

    if options.dry_run:
        print(estimate.describe(wanted, options))
        sys.exit(0)
    try:
        check_writable(options.output)
        failures = scheduling.complete(wanted, options)
    except scheduling.NothingToRunError as error:
        print(error, file=sys.stderr)
        return stored(wanted, options), 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        raise  # nobody reads the output: see `entry_point.run`
    except OSError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        sys.exit(2)
    said = [str(error) for error in failures.values()]
    return stored(wanted, options, said), _report(failures)


def _report(failures: dict) -> int:
    """Say which runs failed and why; return the script's exit status."""
    for run, error in failures.items():
        print(f"{run} failed: {type(error).__name__}: {error}", file=sys.stderr)
    if not failures:
        return 0
    # 2 is for what was asked, such as other settings than those stored.
    return 2 if all(isinstance(e, ValueError) for e in failures.values()) else 1


def at_least(minimum: int, most: int = 2**31 - 1):
    """Return a type for `argparse`: a whole number from `minimum` to `most`."""

    def number(text):
        value = int(text)
        if not minimum <= value <= most:
            raise argparse.ArgumentTypeError(
                f"expected a number from {minimum} to {most}, received {value}"
            )
        return value

    return number


def folder(text):
    """Check, before anything runs, that a path may be that of a folder to write to."""
    path = pathlib.Path(text)
    try:
        check_writable(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(error) from error
    return path


def check_writable(path: pathlib.Path):
    """Check that a folder is there, or can be made, and takes files.

    Raises:
        OSError: If not. It names the folder that is in the way.
    """
    # A path that is too long raises here.
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "This folder is read-only", str(there))


def _strategy(text):
    """Check a strategy's name; one of the user's own may lie in the working folder."""
    module, colon, name = text.partition(":")
    if colon and name:
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())  # worker processes get the same path
        with contextlib.suppress(ImportError, ValueError):
            if importlib.util.find_spec(module):
                return text
        raise argparse.ArgumentTypeError(f"no module {module!r} to import")
    known = (*protocol.STRATEGIES, *protocol.ABLATIONS)
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(known)}, or module:Class, received {text}"
        )
    return text


def annotations(text):
    """Check a budget; `argparse` tells the user this function's name."""
    number = int(text)
    if number < protocol.NUM_INITIAL or number % protocol.NUM_QUERIES:
        raise argparse.ArgumentTypeError(
            f"expected a multiple of {protocol.NUM_QUERIES} from the initial "
            f"{protocol.NUM_INITIAL} on, received {number}"
        )
    return number
