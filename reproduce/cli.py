"""The command line that the scripts share."""

import argparse
import os
import pathlib
import sys

import protocol
import runs

RESULTS = pathlib.Path(__file__).parent / "results"


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
        choices=protocol.STRATEGIES,
        default=list(protocol.STRATEGIES),
        help="query strategies (default: all)",
    )
    new.add_argument(
        "--trials",
        type=_count,
        help="trials, each with a seed of its own (default: the preset's)",
    )
    new.add_argument(
        "--budget", type=_budget, help="annotations (default: the preset's)"
    )
    new.add_argument(
        "--jobs",
        type=_count,
        default=os.cpu_count(),
        help="worker processes, of one thread each (default: %(default)s)",
    )
    new.add_argument(
        "--output",
        type=pathlib.Path,
        help="folder for runs and tables (default: reproduce/results/PRESET); runs "
        "that are there already are gone on with, not run again",
    )
    return new


def parse(new: argparse.ArgumentParser, arguments=None) -> argparse.Namespace:
    """Parse, and fill in what the preset says."""
    options = new.parse_args(arguments)
    preset = protocol.PRESETS[options.preset]
    options.problem = options.problem or list(preset.problems)
    options.trials = options.trials or preset.num_trials
    options.budget = options.budget or preset.budget
    options.output = options.output or RESULTS / options.preset
    return options


def grid(options: argparse.Namespace) -> list:
    """Return the runs asked for, first trials first, so that early tables are whole."""
    return [
        runs.Run(problem, strategy, trial)
        for problem in options.problem
        for trial in range(options.trials)
        for strategy in options.strategy
    ]


def report_failures(failures: dict) -> int:
    """Say which runs failed and why; return the script's exit status."""
    for run, error in failures.items():
        print(f"{run} failed: {type(error).__name__}: {error}", file=sys.stderr)
    if not failures:
        return 0
    return 2 if all(isinstance(e, ValueError) for e in failures.values()) else 1


def _count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {number}")
    return number


def _budget(text):
    number = int(text)
    if number < protocol.NUM_INITIAL or number % protocol.NUM_QUERIES:
        raise argparse.ArgumentTypeError(
            f"expected a multiple of {protocol.NUM_QUERIES} from the initial "
            f"{protocol.NUM_INITIAL} on, received {number}"
        )
    return number
