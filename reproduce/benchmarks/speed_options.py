"""What `speed.py` times: its options, and the files that it writes."""

import dataclasses
import pathlib
from collections.abc import Sequence

import pandas as pd
import tqdm
from experiments import entry_point, files
from experiments.argument_types import at_least
from experiments.options import is_bare
from experiments.running import environment

from benchmarks import command_line, machine
from benchmarks.sections import SECTIONS
from benchmarks.workload import PRESETS, Workload

NOTES = """
Medians of runs in alternation, in one process, after one run of each that is not
counted. One run stands for all where they would take more than half a minute. "times
ours": the ratio to our seconds. Peers run as they are usually written, and at their
best: Foolbox with the model in a `tf.function`, Keras with a `tf.data` pipeline and an
epoch in each call of the graph, `model.predict` on bytes. Foolbox and ours add 1e-4 to
each step. ART checks without overshoot whether a step fooled the model, so its norms
differ. Training: five restarts of 20 epochs, with the same number of steps for all.
Growth: training is one restart of 20 epochs; queries run once over memory-mapped files.
Memory: of "Many classes", all of the process; otherwise what a query adds to the
process, without pages of the file. Rates count the multiplications and additions of
convolutions and dense layers. TensorFlow uses {threads} threads.
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """What to time.

    Attributes:
        sections: Keys of `SECTIONS`.
        workload: Sizes of the benchmarks.
        num_threads: Threads of TensorFlow.
        folder: Where to write.
        stored: Whether to time nothing and show what is stored.
        read_only: Whether to write nothing, as with `stored` and no folder given.
    """

    sections: tuple[str, ...]
    workload: Workload
    num_threads: int
    folder: pathlib.Path
    stored: bool
    read_only: bool


def parse(description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line.

    Args:
        description: The script's description.
        arguments: The arguments. Defaults to those of the process.
    """
    parser = command_line.make_parser(description, PRESETS)
    add = parser.add_argument
    add(
        "--section",
        nargs="+",
        choices=SECTIONS,
        default=list(SECTIONS),
        help="what to time. Defaults to all sections",
    )
    command_line.add_repeats(parser, "timed runs of each contender", minimum=2)
    add(
        "--threads",
        type=at_least(1),
        default=2,
        metavar="N",
        help="threads of TensorFlow. Defaults to %(default)s",
    )
    add(
        "--stored",
        action="store_true",
        help="time nothing; show what is stored, and write it only with --output",
    )
    given = parser.parse_args(arguments)
    if is_bare(arguments):
        given.preset, given.stored = "paper", True
    return Options(
        tuple(given.section),
        dataclasses.replace(PRESETS[given.preset], repeats=given.repeats),
        given.threads,
        command_line.timing_folder(given.preset, given.output),
        given.stored,
        given.stored and given.output is None,
    )


def why_unusable(options: Options) -> str:
    """Return why nothing can be timed or shown, "" if it can."""
    if options.stored:
        files_there = any(options.folder.glob("speed_*.csv"))
        return "" if files_there else f"Nothing is stored in {options.folder}"
    peers = [peer for name in options.sections for peer in SECTIONS[name].peers]
    missing = entry_point.missing(dict.fromkeys(peers))
    if not missing:
        return ""
    return (
        f"Not installed: {', '.join(missing)}. To install what is compared: "
        'pip install -e ".[benchmark]"'
    )


def measure(options: Options) -> None:
    """Time the sections and write their tables and the notes."""
    environment.start_tensorflow(num_threads=options.num_threads)
    for name in options.sections:
        section, rows = SECTIONS[name], []
        timed = section.measure(options.workload)
        for row in tqdm.tqdm(timed, section.title, unit="row"):
            rows.append(row)
            table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            files.write(options.folder / f"speed_{name}.csv", table)
        text = f"{machine.describe()}\n"
        files.write(options.folder / f"speed_{name}_machine.txt", text)
    notes = NOTES.format(threads=options.num_threads)
    files.write(options.folder / "speed_notes.txt", notes)
