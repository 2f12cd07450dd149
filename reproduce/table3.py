"""Table 3: seconds to select ten queries by DFAL and by CORE-SET, paper beside ours."""

import sys
from collections.abc import Sequence

from experiments import entry_point, protocol
from experiments.analysis import tables
from experiments.options import is_bare

# isort: split
# After `experiments`, which reports missing packages.
from benchmarks import command_line, table3


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a network, time every row, then print and write the table.

    Without options: print what is stored.
    """
    if is_bare(arguments):
        return command_line.print_stored("table3")
    options = table3.parse(__doc__, arguments)
    reason = table3.why_unusable(options)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    table, literal, lines = table3.time_all(options)
    path = options.folder / options.name
    tables.write(table, path, table3.notes(options, lines))
    tables.write(literal, path.with_name(f"{options.name}_literal"))
    seconds = f"seconds to select {protocol.NUM_QUERIES} queries"
    print(f"\nTable 3: {seconds} on {options.problem.title}\n")
    print(tables.markdown(table), "", *lines, sep="\n")
    print(f"\nWritten with notes to {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
