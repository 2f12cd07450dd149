"""Table 3: seconds to select ten queries by DFAL and by CORE-SET, paper beside ours."""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from experiments import entry_point, problem_options, problems, protocol, store
from experiments.analysis import tables
from experiments.options import at_least
from experiments.running import problem_training

# isort: split
import numpy as np
import pandas as pd  # after `experiments`, which reports missing packages
from benchmarks import command_line, machine, power_law, query_times

from dfal_keras import datasets

PROBLEM = "mnist-lenet5"  # the paper's
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
        problem: Name of the problem.
        num_labeled: |L|, one table each.
        num_unlabeled: |U|.
        settings: How queries are timed.
        folder: Where to write.
    """

    problem: str
    num_labeled: tuple[int, ...]
    num_unlabeled: int
    settings: query_times.Settings
    folder: pathlib.Path

    @property
    def title(self) -> str:
        """The problem's title."""
        return str(problems.get(self.problem).title)

    @property
    def name(self) -> str:
        """Name of the table's files, without a suffix."""
        if self.problem == PROBLEM:
            return "table3"
        return f"table3_{problems.file_name(self.problem)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a network, time every row, then print and write the table."""
    options = parse(arguments)
    try:
        most = max(options.num_labeled) + options.num_unlabeled
        problem_training.check_problem(options.problem, most, None)
    except ValueError as error:
        print(f"{options.problem}: {error}", file=sys.stderr)
        return 2
    parts, timings, lines = [], [], []
    for num_labeled in options.num_labeled:
        timed = measure(num_labeled, options)
        table, summaries = query_times.lay_out(
            timed,
            num_labeled,
            options.num_unlabeled,
            with_paper=options.problem == PROBLEM,
        )
        n = num_labeled + options.num_unlabeled
        parts.append(table)
        timings.append(timed[timed["n"] < n].assign(extrapolated_to=n))
        lines += summaries
    table = pd.concat(parts).set_index("labeled")
    literal = pd.concat(timings).set_index("extrapolated_to")
    markdown = tables.markdown(table)
    path = options.folder / f"{options.name}.md"
    store.write(path, f"{markdown}\n{notes(options, lines)}")
    store.write(path.with_name(f"{options.name}.csv"), table.to_csv())
    tables.write(literal, path.with_name(f"{options.name}_literal"))
    seconds = f"seconds to select {protocol.NUM_QUERIES} queries"
    print(f"\nTable 3: {seconds} on {options.title}\n")
    print(markdown, "", *lines, sep="\n")
    print(f"\nWritten with notes to {options.folder}")
    return 0


def measure(num_labeled: int, options: Options) -> pd.DataFrame:
    """Train the network on labeled samples and time queries by each method."""
    problem = problems.get(options.problem)
    (x, y), _ = problem_training.load_problem(problem)
    rows = np.random.default_rng(0).permutation(len(x))
    rows = rows[: num_labeled + options.num_unlabeled]
    pool, labeled = np.split(rows, [options.num_unlabeled])
    print(f"{options.title}: training on {num_labeled} labeled samples")
    train = problem_training.make_training(problem)
    model = train(x[labeled], y[labeled], seed=0)
    return query_times.measure(model, x[pool], x[labeled], options.settings)


def notes(options: Options, lines: list[str]) -> str:
    """Return the notes below the table."""
    return NOTES.format(
        queries=protocol.NUM_QUERIES,
        problem=options.title,
        name=options.name,
        unlabeled=options.num_unlabeled,
        repeats=options.settings.repeats,
        limit=options.settings.time_limit,
        min_sizes=power_law.MIN_SIZES,
        min_power=power_law.MIN_POWER,
        min_fit=power_law.MIN_FIT,
        literal="".join(f"  {line}.\n" for line in lines),
        machine=machine.describe(),
    )


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line, with the preset's values as defaults."""
    parser = command_line.make_parser(__doc__, PRESETS)
    add = parser.add_argument
    add(
        "--problem",
        type=problem_options.name,
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
    add(
        "--repeats",
        type=at_least(1),
        metavar="N",
        default=3,
        help="timed queries of each row. Defaults to %(default)s",
    )
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
    (chosen,) = problem_options.choose(parser, [given.problem], None)
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
    message = unusable(options)
    if message:
        parser.error(message)
    return options


def unusable(options: Options) -> str:
    """Return why the options can't be timed, "" if they can."""
    sizes = options.settings.literal_sizes
    if len(sizes) < power_law.MIN_SIZES:
        return (
            f"argument --literal-sizes: expected at least {power_law.MIN_SIZES} "
            f"different sizes, received {len(sizes)}"
        )
    if not 0 < options.settings.time_limit < float("inf"):
        return "argument --time-limit: expected a finite number above 0"
    data = problems.get(options.problem).dataset
    if isinstance(data, str) and not datasets.is_complete(data):
        return f"argument --problem: {data} is {datasets.status(data)}"
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


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
