"""Table 3: seconds to select ten queries by DFAL and by CORE-SET, paper beside ours."""

import sys
from collections.abc import Sequence

from experiments import entry_point, files, protocol
from experiments.analysis import tables
from experiments.options import is_bare

# isort: split
from benchmarks import (  # after `experiments`, which reports missing packages
    command_line,
    table3,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a network, time every row, then print and write the table.

    Without options: print what is stored.
    """
    if is_bare(arguments):
        command_line.print_stored("table3")
        return 0
    options = table3.parse(__doc__, arguments)
    reason = table3.why_unusable(options)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    table, literal, lines = table3.time_all(options)
    markdown = tables.markdown(table)
    path = options.folder / f"{options.name}.md"
    files.write(path, f"{markdown}\n{table3.notes(options, lines)}")
    files.write(path.with_name(f"{options.name}.csv"), table.to_csv())
    tables.write(literal, path.with_name(f"{options.name}_literal"))
    seconds = f"seconds to select {protocol.NUM_QUERIES} queries"
    print(f"\nTable 3: {seconds} on {options.problem.title}\n")
    print(markdown, "", *lines, sep="\n")
    print(f"\nWritten with notes to {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
