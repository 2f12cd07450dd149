"""The command-line options that the scripts share."""

import argparse
import contextlib
import dataclasses
import errno
import importlib.util
import os
import pathlib
from collections.abc import Callable, Sequence

from experiments import problem_options, protocol
from experiments.problems import PROBLEMS
from experiments.running import devices
from experiments.variants import VARIANTS

RESULTS = pathlib.Path(__file__).parents[1] / "results"


@dataclasses.dataclass(frozen=True)
class Options:
    """What to run, how, and where to store it.

    Attributes:
        preset: A key of `protocol.PRESETS`.
        problems: Names of problems, as for `problems.get`.
        strategies: Names of strategies, or "module:Class".
        num_trials: Number of trials.
        budget: Number of annotations at which a run of active learning stops.
        transfer_budgets: Numbers of annotations at which a transfer is trained.
        full_sets: Whether to train on the full training set, too.
        num_jobs: Number of worker processes on this machine.
        cluster: Address of a Dask scheduler, `None` for processes on this machine.
        output: Folder of runs, tables, figures and timings.
        stored: Whether to run nothing and show what is stored.
        dry_run: Whether to show what would run, and stop.
    """

    preset: str
    problems: tuple[str, ...]
    strategies: tuple[str, ...]
    num_trials: int
    budget: int
    transfer_budgets: tuple[int, ...]
    full_sets: bool
    num_jobs: int
    cluster: str | None
    output: pathlib.Path
    stored: bool
    dry_run: bool

    @property
    def runs_folder(self) -> pathlib.Path:
        """Folder of the run store."""
        return self.output / "runs"

    @property
    def tables_folder(self) -> pathlib.Path:
        """Folder of the tables that are computed from runs."""
        return self.output / "tables"

    @property
    def figures_folder(self) -> pathlib.Path:
        """Folder of the figures."""
        return self.output / "figures"

    @property
    def timing_folder(self) -> pathlib.Path:
        """Folder of measured times."""
        return self.output / "timing"


def default_output(preset: str) -> pathlib.Path:
    """Return the folder of a preset's results."""
    return RESULTS / preset


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that every table and figure has."""
    presets = "; ".join(
        f"{name}: {preset.description}" for name, preset in protocol.PRESETS.items()
    )
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--preset",
        choices=protocol.PRESETS,
        default="quick",
        help=f"how much to run ({presets}). Defaults to %(default)s",
    )
    add_problems(parser)
    parser.add_argument(
        "--strategy",
        dest="strategies",
        metavar="STRATEGY",
        nargs="+",
        type=_strategy,
        default=protocol.STRATEGIES,
        help=f"query strategies: {', '.join(protocol.STRATEGIES)}; the ablation "
        f"{protocol.ABLATION}, and the other variants of beyond.py; or your own as "
        "module:Class. Defaults to the seven",
    )
    parser.add_argument(
        "--trials",
        dest="num_trials",
        metavar="N",
        type=at_least(1),
        help="number of trials; the seed is the trial's number. Defaults to that of "
        "the preset",
    )
    parser.add_argument(
        "--budget",
        metavar="N",
        type=_budget,
        help="number of annotations. Defaults to that of the preset",
    )
    parser.add_argument(
        "--jobs",
        dest="num_jobs",
        metavar="N",
        type=at_least(1),
        help="number of worker processes, one thread each. Defaults to the number of "
        f"GPUs or, without GPUs, of available cores: {devices.num_cores()}",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="use the workers of this Dask scheduler, such as tcp://127.0.0.1:8786. "
        "They need this folder and --output at the same paths, and one thread each. "
        "Defaults to processes on this machine",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=folder,
        help="folder of runs and tables; stored runs are resumed, not repeated. "
        "Defaults to reproduce/results/PRESET",
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="run nothing; show what is stored",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show what would run and for how long, then stop",
    )
    return parser


def add_problems(parser: argparse.ArgumentParser) -> None:
    """Add the arguments `--problem` and `--max-per-class`."""
    parser.add_argument(
        "--problem",
        dest="problems",
        metavar="PROBLEM",
        nargs="+",
        type=problem_options.name,
        help=f"data sets and networks: {', '.join(PROBLEMS)}; or your own as "
        "module:name, a Problem of experiments.problems. Defaults to those of the "
        "preset",
    )
    parser.add_argument(
        "--max-per-class",
        metavar="N",
        type=at_least(1),
        help="train on the first N training images of each class only; test on all "
        "test images. Defaults to the whole training set",
    )


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> Options:
    """Parse the command line.

    Args:
        parser: As `make_parser` returns it.
        arguments: The arguments. Defaults to those of the process.

    Returns:
        The options, with the preset's values where none were given.
    """
    return parse_with_extras(parser, arguments)[0]


def parse_with_extras(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> tuple[Options, dict]:
    """Parse the command line of a script that has further arguments.

    Args:
        parser: As `make_parser` returns it, with arguments added.
        arguments: The arguments. Defaults to those of the process.

    Returns:
        The options, and the values of the further arguments by name.
    """
    given = vars(parser.parse_args(arguments))
    names = {field.name for field in dataclasses.fields(Options)}
    extras = {name: value for name, value in given.items() if name not in names}
    preset = protocol.PRESETS[given["preset"]]
    limit = extras.pop("max_per_class")
    budget = given["budget"] or preset.budget
    options = Options(
        preset=given["preset"],
        problems=problem_options.choose(
            parser, given["problems"] or preset.problems, limit
        ),
        strategies=tuple(given["strategies"]),
        num_trials=given["num_trials"] or preset.num_trials,
        budget=budget,
        transfer_budgets=preset.transfer_budgets_up_to(budget),
        full_sets=preset.full_sets,
        num_jobs=given["num_jobs"] or len(devices.gpus()) or devices.num_cores(),
        cluster=given["cluster"],
        output=given["output"] or default_output(given["preset"]),
        stored=given["stored"],
        dry_run=given["dry_run"],
    )
    return options, extras


def at_least(minimum: int, maximum: int = 2**31 - 1) -> Callable[[str], int]:
    """Return a type for `argparse`: an integer from `minimum` to `maximum`."""

    def parse_count(text):
        value = _integer(text)
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(
                f"expected an integer from {minimum} to {maximum}, received {value}"
            )
        return value

    return parse_count


def folder(text: str) -> pathlib.Path:
    """Return a folder's path. A type for `argparse`.

    Raises:
        argparse.ArgumentTypeError: If files can't be written there.
    """
    path = pathlib.Path(text)
    try:
        check_writable(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def check_writable(path: pathlib.Path) -> None:
    """Check that a folder, or the nearest existing one above it, is writable.

    Raises:
        OSError: If it is not, or if a file is in the way. The message names the path.
    """
    # `exists` raises OSError if the path is too long.
    existing = next(
        place for place in (path, *path.absolute().parents) if place.exists()
    )
    if not existing.is_dir():
        raise NotADirectoryError(f"{existing} is a file, not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "This folder is read-only", str(existing))


def _strategy(text):
    """Check the name of a strategy, or find the module of "module:Class"."""
    module, colon, name = text.partition(":")
    if colon and name:
        problem_options.add_working_folder()
        with contextlib.suppress(ImportError, ValueError):
            if importlib.util.find_spec(module):
                return text
        raise argparse.ArgumentTypeError(f"no module {module!r} to import")
    known = (*protocol.STRATEGIES, *VARIANTS)
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(known)}, or module:Class, received {text}"
        )
    return text


def _budget(text):
    """Check that runs of the protocol pass through this number of annotations."""
    value = _integer(text)
    if value < protocol.NUM_INITIAL or value % protocol.NUM_QUERIES:
        raise argparse.ArgumentTypeError(
            f"expected a multiple of {protocol.NUM_QUERIES} of at least "
            f"{protocol.NUM_INITIAL}, received {value}"
        )
    return value


def _integer(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected an integer, received {text!r}"
        ) from None
