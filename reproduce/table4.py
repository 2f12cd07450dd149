"""Table 4: one network trained on what was queried for another."""

import sys

from experiments import cli, entry_point, plan


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    pairs = plan.transfer_pairs(options)
    rows, status = cli.rows_of(plan.transfers(options), options)
    from experiments import tables

    table = tables.table4(rows, pairs, options.transfer_budgets)
    notes = tables.notes("Table 4", rows=rows)
    tables.write(table, options.output / "table4", notes)
    print("\nTable 4: test accuracy (%); the paper's at 1000 annotations\n")
    print(tables.markdown(table))
    print(notes)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
