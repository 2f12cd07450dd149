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

    budget = options.transfer_budgets[-1]
    table = report.table4(rows, pairs, budget)
    report.write(table, options.output / "table4")
    print(
        f"\nTable 4: test accuracy (%) at {budget} annotations; the paper's at 1000\n"
    )
    print(table.to_markdown())
    print(report.notes("Table 4"))
    return status


if __name__ == "__main__":
    sys.exit(program.run(main))
