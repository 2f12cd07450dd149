"""Speed of DeepFool, queries, training and whole rounds, beside other packages'."""

import argparse
import dataclasses
import pathlib
import sys

import pandas as pd
import tqdm
from benchmarks import machine, report
from benchmarks.sections import SECTIONS
from benchmarks.workload import PRESETS, Workload
from experiments import entry_point, execution, store
from experiments.options import at_least, default_output, folder

NOTES = """
Medians of runs in alternation, in one process, after one run of each that is not
counted. "times ours": the ratio to our seconds. Foolbox and ours add 1e-4 to each
step. ART checks without overshoot whether a step fooled the model, so its norms
differ. Training: five restarts of 20 epochs, with the same number of steps for all.
TensorFlow uses {threads} threads.

Machine: {machine}; {packages}.
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
    """

    sections: tuple[str, ...]
    workload: Workload
    num_threads: int
    folder: pathlib.Path
    stored: bool


def main(arguments: list[str] | None = None) -> int:
    """Time the sections, write each when it is done, then write and print the page."""
    options = parse(arguments)
    if not options.stored:
        peers = [peer for name in options.sections for peer in SECTIONS[name].peers]
        missing = entry_point.missing(dict.fromkeys(peers))
        if missing:
            print(
                f"Not installed: {', '.join(missing)}. To install what is compared: "
                'pip install -e ".[benchmark]"',
                file=sys.stderr,
            )
            return 2
        measure(options)
    print(report.write(options.folder))
    return 0


def measure(options: Options) -> None:
    """Time the sections and write their tables and the notes."""
    execution.import_quietly(num_threads=options.num_threads)
    for name in options.sections:
        section, rows = SECTIONS[name], []
        timed = section.measure(options.workload)
        for row in tqdm.tqdm(timed, section.title, unit="row"):
            rows.append(row)
            table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            store.write(options.folder / f"speed_{name}.csv", table)
    notes = NOTES.format(
        threads=options.num_threads,
        machine=machine.describe(),
        packages=machine.versions(),
    )
    store.write(options.folder / "speed_notes.txt", notes)


def parse(arguments: list[str] | None = None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        "--preset",
        choices=PRESETS,
        default="quick",
        help="sizes to time (default: %(default)s)",
    )
    add(
        "--section",
        nargs="+",
        choices=SECTIONS,
        default=list(SECTIONS),
        help="what to time (default: all)",
    )
    add(
        "--repeats",
        type=at_least(2),
        default=3,
        help="timed runs of each contender (default: %(default)s)",
    )
    add(
        "--threads",
        type=at_least(1),
        default=2,
        help="threads of TensorFlow (default: %(default)s)",
    )
    add(
        "--output",
        type=folder,
        help="folder of the results (default: reproduce/results/PRESET)",
    )
    add("--stored", action="store_true", help="time nothing, show what is stored")
    given = parser.parse_args(arguments)
    return Options(
        tuple(given.section),
        dataclasses.replace(PRESETS[given.preset], repeats=given.repeats),
        given.threads,
        (given.output or default_output(given.preset)) / "timing",
        given.stored,
    )


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
