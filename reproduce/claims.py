"""The 27 checkable claims of the paper, as far as stored results decide them."""

import sys
from collections.abc import Sequence

from experiments import entry_point, measured_norms, results, runs
from experiments.analysis import tables, terminal
from experiments.analysis.claims.cases import Evidence
from experiments.analysis.claims.table import NOTES, lay_out
from experiments.options import make_parser, parse
from experiments.studies import STUDIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Decide each claim from what is stored, then print and write the tables."""
    parser = make_parser(__doc__, performs_runs=False)
    parser.set_defaults(preset="paper", stored=True)
    options = parse(parser, arguments)
    wanted = [*runs.curve_runs(options), *runs.transfer_runs(options)]
    for study in STUDIES.values():
        wanted += runs.study_runs(study, options)
    rows = results.stored(list(dict.fromkeys(wanted)), options)
    norms = measured_norms.rows(options)
    table, cases = lay_out(Evidence(rows, options.output, norms))
    subsets = (f"\n{line}\n" for line in tables.subset_notes(options.problems))
    notes = "".join([NOTES, *subsets, tables.notes("Section", rows=rows)])
    if len(cases):
        tables.save(table, options, "claims", notes)
        tables.save(cases, options, "claims_cases", notes)
    print(terminal.fit(table), terminal.fit(cases), terminal.wrap(notes), sep="\n\n")
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
