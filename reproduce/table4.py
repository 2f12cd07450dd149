"""Table 4: one network trained on what was queried for another."""

import sys

import cli
import plan
import program


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    pairs = plan.transfer_pairs(options)
    rows, status = cli.rows_of(plan.transfers(options), options)
    import report

    table = report.table4(rows, pairs, options.transfer_budgets)
    notes = report.notes("Table 4", rows=rows)
    report.write(table, options.output / "table4", notes)
    print("\nTable 4: test accuracy (%); the paper's at 1000 annotations\n")
    print(report.markdown(table))
    print(notes)
    return status


if __name__ == "__main__":
    sys.exit(program.run(main))
