"""Table 4: one network trained on the labeled sets selected by another."""

import sys
from collections.abc import Sequence

from experiments import entry_point, results, runs
from experiments.analysis import tables, terminal
from experiments.options import make_parser, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs, then print and write the table."""
    options = parse(make_parser(__doc__), arguments)
    pairs = results.transfer_pairs(options)
    rows, status = results.complete(runs.transfer_runs(options), options)

    table = tables.table4(rows, pairs, options.transfer_budgets)
    notes = tables.notes("Table 4", options.problems, rows)
    if tables.has_ours(table):
        tables.save(table, options, "table4", notes)
    print("\nTable 4: test accuracy (%); the paper's at 1000 annotations")
    places = table.index + " at " + table["annotations"].astype(str)
    print(terminal.compact(table.set_axis(places).rename_axis("transfer")))
    print(terminal.wrap(notes))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
