"""Table 2: annotations and labeled data needed to reach full-set accuracy."""

import sys

from experiments import cli, entry_point, paper, plan


def main(arguments=None) -> int:
    """Run what is not run yet, then print and write the table."""
    options = cli.parse(cli.parser(__doc__), arguments)
    rows, status = cli.rows_of(plan.curves(options), options)
    from experiments import tables

    for problem in options.problem:
        table, target = tables.table2(rows, problem)
        notes = tables.notes("Table 2", [problem], rows)
        tables.write(table, options.output / f"table2_{problem}", notes)
        printed = paper.TABLE2_TARGET[problem]
        print(
            f"\nTable 2, {paper.PROBLEM_NAMES[problem]}: to reach {target:.2f} % "
            f"(paper: {printed:.2f} %; within 0.5)\n"
        )
        print(tables.markdown(table))
    print(tables.notes("Table 2", options.problem, rows))
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
