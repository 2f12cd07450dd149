"""The command-line options that the scripts share."""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Sequence

from experiments import argument_types, devices, problem_data, protocol
from experiments.methods import PRINTED, Method
from experiments.problems import NAMED, PANELS, Problem
from experiments.studies.first import DFAL_ALONE

RESULTS = pathlib.Path(__file__).parents[1] / "results"
SHOW_STORED = ("--preset", "paper", "--stored")


@dataclasses.dataclass(frozen=True)
class Options:
    """What to run, how, and where to store it.

    Attributes:
        preset: A key of `protocol.PRESETS`.
        problems: The problems.
        methods: The methods.
        num_trials: Number of trials.
        budget: Number of annotations at which a run of active learning stops.
        transfer_budgets: Numbers of annotations at which a transfer is trained.
        full_sets: Whether to train on the full training set, too.
        num_jobs: Number of worker processes on this machine.
        cluster: Address of a Dask scheduler, `None` for processes on this machine.
        output: Folder of runs, tables, figures and timings.
        stored: Whether to run nothing and show what is stored.
        read_only: Whether to write nothing, as with `stored` and no folder given.
        dry_run: Whether to show what would run, and stop.
    """

    preset: str
    problems: tuple[Problem, ...]
    methods: tuple[Method, ...]
    num_trials: int
    budget: int
    transfer_budgets: tuple[int, ...]
    full_sets: bool
    num_jobs: int
    cluster: str | None
    output: pathlib.Path
    stored: bool
    read_only: bool
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


def make_parser(
    description: str | None, *, performs_runs: bool = True
) -> argparse.ArgumentParser:
    """Return a parser of the options that every table and figure has.

    Args:
        description: The script's description.
        performs_runs: Whether the script performs runs, and has the options for how.
            Defaults to `True`.
    """
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
        dest="methods",
        metavar="STRATEGY",
        nargs="+",
        type=argument_types.method,
        default=PRINTED,
        help=f"query strategies: {', '.join(map(str, PRINTED))}; the ablation "
        f"{DFAL_ALONE}, and the other variants of beyond.py; or your own as "
        "module:Class. Defaults to the seven",
    )
    parser.add_argument(
        "--trials",
        dest="num_trials",
        metavar="N",
        type=argument_types.at_least(1),
        help="number of trials; the seed is the trial's number. Defaults to that of "
        "the preset",
    )
    parser.add_argument(
        "--budget",
        metavar="N",
        type=argument_types.budget,
        help="number of annotations. Defaults to that of the preset",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=argument_types.folder,
        help="folder of runs and tables; stored runs are resumed, not repeated. "
        "Defaults to reproduce/results/PRESET",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--stored",
        action="store_true",
        help="run nothing; show what is stored, and write it only if --output is "
        "given. A script without options shows what is stored for --preset paper",
    )
    if performs_runs:
        instead.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would run and for how long, then stop",
        )
        _add_workers(parser)
    return parser


def _add_workers(parser):
    """Add the arguments of where runs are performed."""
    parser.add_argument(
        "--jobs",
        dest="num_jobs",
        metavar="N",
        type=argument_types.at_least(1),
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


def add_output(parser: argparse.ArgumentParser, content: str, preset: str) -> None:
    """Add the argument `--output` of a script that performs no runs.

    Args:
        parser: The parser.
        content: What is in the folder.
        preset: The preset whose folder is the default.
    """
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=argument_types.folder,
        help=f"folder of {content}. Defaults to reproduce/results/{preset}",
    )


def add_problems(parser: argparse.ArgumentParser) -> None:
    """Add the arguments `--problem` and `--max-per-class`."""
    parser.add_argument(
        "--problem",
        dest="problems",
        metavar="PROBLEM",
        nargs="+",
        type=argument_types.problem,
        help=f"data sets and networks: {', '.join(NAMED)}; or your own as "
        "module:name, a Problem of experiments.problems. Defaults to those of the "
        "preset, or to the one that the script is about",
    )
    parser.add_argument(
        "--max-per-class",
        metavar="N",
        type=argument_types.at_least(1),
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
        The options, with the preset's values where none were given. Without any
        argument, those of `SHOW_STORED`.
    """
    return parse_with_extras(parser, arguments)[0]


def is_bare(arguments: Sequence[str] | None = None) -> bool:
    """Return whether a script was called without any option.

    Args:
        arguments: The arguments. Defaults to those of the process.
    """
    return not (sys.argv[1:] if arguments is None else arguments)


def parse_with_extras(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None = None,
    bare: Sequence[str] = SHOW_STORED,
) -> tuple[Options, dict]:
    """Parse the command line of a script that has further arguments.

    Args:
        parser: As `make_parser` returns it, with arguments added.
        arguments: The arguments. Defaults to those of the process.
        bare: What is meant if there are none. Defaults to the stored results of the
            paper's protocol.

    Returns:
        The options, and the values of the further arguments by name.
    """
    given = vars(parser.parse_args(bare if is_bare(arguments) else arguments))
    names = {field.name for field in dataclasses.fields(Options)}
    extras = {name: value for name, value in given.items() if name not in names}
    own = {name: value for name, value in given.items() if name in names}
    own["read_only"] = own["stored"] and own["output"] is None
    preset = protocol.PRESETS[own["preset"]]
    known = preset.problems
    if own["stored"] and own["preset"] == "paper":
        known = tuple(PANELS.values())
    own["problems"] = choose(
        parser, own["problems"] or known, extras.pop("max_per_class")
    )
    return of_preset(**own | {"methods": tuple(own["methods"])}), extras


def one_problem(parser: argparse.ArgumentParser, options: Options) -> Problem:
    """Return the problem of a script about one, whose strategies are its own.

    Ends the program if there are more problems, or if strategies were given.
    """
    refuse_strategies(parser, options)
    if len(options.problems) != 1:
        received = " ".join(map(str, options.problems))
        parser.error(f"argument --problem: must be one problem. Received: {received}")
    return options.problems[0]


def refuse_strategies(parser: argparse.ArgumentParser, options: Options) -> None:
    """End the program if strategies were given to a script that has its own."""
    if options.methods != PRINTED:
        received = " ".join(map(str, options.methods))
        parser.error(
            "argument --strategy: must not be given, the strategies are those that the "
            f"script is about. Received: {received}"
        )


def refuse_budget(
    parser: argparse.ArgumentParser, options: Options, reached: int
) -> None:
    """End the program if a budget was given to a script that has its own.

    Args:
        parser: The parser.
        options: The options.
        reached: The script's budget.
    """
    if options.budget != protocol.PRESETS[options.preset].budget:
        parser.error(
            "argument --budget: must not be given, the results are those to "
            f"{reached} annotations. Received: {options.budget}"
        )


def of_preset(preset: str, **given) -> Options:
    """Return the options of a preset.

    Args:
        preset: A key of `protocol.PRESETS`.
        **given: Other attributes, in place of the preset's and of the defaults. Those
            that are `None` are not replaced.
    """
    values = protocol.PRESETS[preset]
    given = {name: value for name, value in given.items() if value is not None}
    budget = given.get("budget", values.budget)
    defaults = {
        "problems": values.problems,
        "methods": PRINTED,
        "num_trials": values.num_trials,
        "budget": budget,
        "transfer_budgets": values.transfer_budgets_up_to(budget),
        "full_sets": values.full_sets,
        "num_jobs": len(devices.gpus()) or devices.num_cores(),
        "cluster": None,
        "output": default_output(preset),
        "stored": False,
        "read_only": False,
        "dry_run": False,
    }
    return Options(preset, **{**defaults, **given})


def choose(
    parser: argparse.ArgumentParser,
    chosen: Iterable[Problem],
    max_per_class: int | None,
) -> tuple[Problem, ...]:
    """Return problems without repetition, or their subsets.

    Ends the program with an error of `--problem` if data of your own can't be used, or
    if two problems have one title.

    Args:
        parser: The parser.
        chosen: The values of `--problem`.
        max_per_class: The value of `--max-per-class`, `None` if it was not given.
    """
    titles = {each.title: each for each in NAMED.values()}
    found = []
    for whole in dict.fromkeys(chosen):
        found.append(whole.subset(max_per_class))
        if whole.is_own:
            try:
                problem_data.load(found[-1])
            except ValueError as error:
                parser.error(f"argument --problem: {whole}: {error}")
        other = titles.setdefault(whole.title, whole)
        if other is not whole:
            parser.error(
                f"argument --problem: {whole} and {other} have the same title, "
                f"{found[-1].title}"
            )
    return tuple(found)
