"""Core-hours of each panel of Table 1, by strategy, from the stored runs."""

import argparse
import sys
from collections.abc import Sequence

from experiments import entry_point, options, results, runs
from experiments.analysis import core_hours, tables, terminal
from experiments.methods import PRINTED
from experiments.protocol import PRESETS
from experiments.studies.first import DFAL_ALONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Sum the seconds of the stored runs, print the table, and write it on request."""
    parser = argparse.ArgumentParser(description=__doc__)
    options.add_output(parser, "the runs and of the table", "paper")
    options.add_problems(parser)
    parser.set_defaults(problems=PRESETS["paper"].problems)
    asked = parser.parse_args(arguments)
    given = options.of_preset(
        "paper",
        problems=options.choose(parser, asked.problems, asked.max_per_class),
        methods=(*PRINTED, DFAL_ALONE),
        output=asked.output,
        read_only=asked.output is None,
    )
    rows = results.stored(runs.curve_runs(given), given)
    table = core_hours.lay_out(rows, given.problems)
    subsets = (f"\n{line}\n" for line in tables.subset_notes(given.problems))
    notes = "".join([core_hours.NOTES, *subsets])
    tables.save(table, given, "core_hours", notes)
    print(terminal.fit(table), notes, sep="\n")
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
