"""The timings of `table3.py`: its options, networks and notes."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from experiments import problem_data, protocol
from experiments.argument_types import at_least, problem
from experiments.options import choose
from experiments.problems import PROBLEMS, Problem
from experiments.running import environment, problem_training

from benchmarks import command_line, power_law, query_times

PROBLEM = PROBLEMS["mnist-lenet5"]  # the paper's
PRESETS = {  # |L|, sizes n of the literal program, seconds allowed for a search
    "quick": ((100,), (120, 140, 160, 190, 220), 60.0),
    "paper": ((100, 1000), (120, 150, 180, 210, 240, 280), 600.0),
}
NOTES = """
One query of {queries} on {problem}, trained on the labeled samples, with
{unlabeled} unlabeled. n is the number of both together. Median of {repeats} queries,
after one that is not counted because it traces graphs. CORE-SET's time includes the
computation of features. Each search is allowed {limit:g} s.

- "with regularisation": CORE-SET's authors allow Xi = n / 10,000 outliers. That is none
  below n = 10,000, so this row is the same program as "no regularisation". Xi = n / 100
  allows outliers; the paper has no such row.
- "compact" is the form of the integer program that `CoreSet` solves by default,
  "literal" the printed one, of n + 2 n^2 binaries. Both find the same radius. The paper
  does not say which one it solved, so its seconds are shown beside both.
- "literal" is not run at this n but extrapolated by a power law through smaller n with
  the same share of labeled samples, each run once (`{name}_literal.md`). In brackets:
  the range of the extrapolation with one size left out. Its seconds are CPU time (user
  and system) of the solver's process, including its start but not the features; all
  other seconds are wall-clock time. The cell is blank with fewer than {min_sizes} sizes
  solved in time, an exponent below {min_power} or an R^2 below {min_fit}; the last
  column gives the reason.
{literal}- 1000 labeled, where shown: the paper's seconds are from its AAAI version.

Machine: {machine}; TensorFlow and the solver on one thread each.
The paper's: Xeon E5-2670 v3 at 2.30 GHz, 64 GB memory, GTX TITAN X.
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """What to time.

    Attributes:
        problem: The problem.
        num_labeled: |L|, one table each.
        num_unlabeled: |U|.
        settings: How queries are timed.
        folder: Where to write.
    """

    problem: Problem
    num_labeled: tuple[int, ...]
    num_unlabeled: int
    settings: query_times.Settings
    folder: pathlib.Path

    @property
    def name(self) -> str:
        """Name of the table's files, without a suffix."""
        if self.problem is PROBLEM:
            return "table3"
        return f"table3_{self.problem.file_name}"


def parse(description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line, with the preset's values as defaults.

    Args:
        description: The script's description.
        arguments: The arguments. Defaults to those of the process.
    """
    parser = command_line.make_parser(description, PRESETS)
    add = parser.add_argument
    add(
        "--problem",
        type=problem,
        metavar="PROBLEM",
        default=PROBLEM,
        help="data set and network, also your own as module:name. Defaults to "
        "%(default)s, the paper's",
    )
    add(
        "--labeled",
        type=at_least(2),
        nargs="+",
        metavar="N",
        help="numbers of labeled samples. Defaults to 100; paper: 100 1000",
    )
    add(
        "--unlabeled",
        type=at_least(protocol.NUM_QUERIES),
        metavar="N",
        default=800,
        help="number of unlabeled samples. Defaults to %(default)s",
    )
    command_line.add_repeats(parser, "timed queries of each row")
    add(
        "--literal-sizes",
        type=int,
        nargs="+",
        metavar="N",
        help=f"sizes n at which CORE-SET's literal program is timed once, at least "
        f"{power_law.MIN_SIZES}; from 300 on it needs gigabytes. Defaults to five from "
        "120 to 220; paper: six from 120 to 280",
    )
    add(
        "--time-limit",
        type=float,
        metavar="S",
        help="seconds allowed for a search. Defaults to 60; paper: 600",
    )
    given = parser.parse_args(arguments)
    num_labeled, sizes, time_limit = PRESETS[given.preset]
    (chosen,) = choose(parser, [given.problem], None)
    options = Options(
        chosen,
        tuple(given.labeled or num_labeled),
        given.unlabeled,
        query_times.Settings(
            given.repeats,
            tuple(sorted(set(given.literal_sizes or sizes))),
            time_limit if given.time_limit is None else given.time_limit,
        ),
        command_line.timing_folder(given.preset, given.output),
    )
    message = _unusable(options)
    if message:
        parser.error(message)
    return options


def _unusable(options):
    """Return why the options can't be timed, "" if they can."""
    sizes = options.settings.literal_sizes
    if len(sizes) < power_law.MIN_SIZES:
        return (
            f"argument --literal-sizes: expected at least {power_law.MIN_SIZES} "
            f"different sizes, received {len(sizes)}"
        )
    if not 0 < options.settings.time_limit < float("inf"):
        return "argument --time-limit: expected a finite number above 0"
    problem = options.problem
    if not problem_data.is_complete(problem):
        status = problem_data.status(problem)
        return f"argument --problem: {problem.dataset} is {status}"
    for num_labeled in options.num_labeled:
        total = num_labeled + options.num_unlabeled
        if total >= 10_000:  # "with regularisation" would be another program
            return "argument --labeled: expected fewer than 10,000 with --unlabeled"
        for n in sizes:
            kept = query_times.share_out(n, num_labeled, options.num_unlabeled)
            if not (1 <= kept <= n - protocol.NUM_QUERIES and n < total):
                return (
                    f"argument --literal-sizes: expected sizes below {total} with at "
                    f"least 1 labeled and {protocol.NUM_QUERIES} unlabeled samples, "
                    f"received {n}"
                )
    return ""


def time_all(options: Options) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Train a network on each number of labeled samples, and time every row.

    Returns:
        The table; the timings that its extrapolations are from; and a line on each
        extrapolation.
    """
    parts, timings, lines = [], [], []
    for num_labeled in options.num_labeled:
        timed = measure(num_labeled, options)
        part, summaries = query_times.lay_out(
            timed,
            num_labeled,
            options.num_unlabeled,
            with_paper=options.problem is PROBLEM,
        )
        n = num_labeled + options.num_unlabeled
        parts.append(part)
        timings.append(timed[timed["n"] < n].assign(extrapolated_to=n))
        lines += summaries
    table = pd.concat(parts).set_index("labeled")
    return table, pd.concat(timings).set_index("extrapolated_to"), lines


def why_unusable(options: Options) -> str:
    """Return why the problem can't be timed, "" if it can."""
    most = max(options.num_labeled) + options.num_unlabeled
    try:
        problem_training.check_problem(options.problem, most, None)
    except ValueError as error:
        return f"{options.problem}: {error}"
    return ""


def measure(num_labeled: int, options: Options) -> pd.DataFrame:
    """Train the network on labeled samples and time queries by each method."""
    problem = options.problem
    (x, y), _ = problem_training.load_problem(problem)
    rows = np.random.default_rng(0).permutation(len(x))
    rows = rows[: num_labeled + options.num_unlabeled]
    pool, labeled = np.split(rows, [options.num_unlabeled])
    print(f"{problem.title}: training on {num_labeled} labeled samples")
    train = problem_training.make_training(problem)
    model = train(x[labeled], y[labeled], seed=0)
    return query_times.measure(model, x[pool], x[labeled], options.settings)


def notes(options: Options, lines: list[str]) -> str:
    """Return the notes below the table."""
    return NOTES.format(
        queries=protocol.NUM_QUERIES,
        problem=options.problem.title,
        name=options.name,
        unlabeled=options.num_unlabeled,
        repeats=options.settings.repeats,
        limit=options.settings.time_limit,
        min_sizes=power_law.MIN_SIZES,
        min_power=power_law.MIN_POWER,
        min_fit=power_law.MIN_FIT,
        literal="".join(f"  {line}.\n" for line in lines),
        machine=environment.machine(),
    )
