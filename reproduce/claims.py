"""The paper's claims, each decided from the stored runs as far as these allow."""

import sys
from collections.abc import Sequence

from experiments import entry_point, problems, results, runs
from experiments.analysis import paper_claims, tables
from experiments.options import make_parser, parse

NOTES = """
A case is the mean over n trials of differences between paired trials, in points of
accuracy unless a unit is given. A positive difference supports the claim. For the rank,
it is the rank of the mean accuracies. In brackets: the 95 % bootstrap interval over
trials (scipy.stats.bootstrap, percentile method). A case is undecided if the interval
contains zero (for the rank: both third and fourth place) and with fewer than three
trials. A claim holds if all its cases hold, and does not hold if one does not. Only
problems that were run have cases.

With so few trials the intervals are too narrow. If there is no difference (normal, mean
zero), the interval excludes zero in about 24 % of all cases with n = 3 and in 17 % with
n = 5, not in 5 %. Budgets of the same run are not independent. "can fall below" uses
the case that supports the claim most. The paper's accuracies are very probably running
maxima, hence "best so far". Seconds are from the stored runs, with CORE-SET in its
compact form; Table 3 has the printed form.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Decide each claim from what is stored, then print and write the tables."""
    options = parse(make_parser(__doc__), arguments)
    # The runs of curves are also sources of transfers: load each once.
    wanted = dict.fromkeys([*runs.curve_runs(options), *runs.transfer_runs(options)])
    rows = results.stored(list(wanted), options)
    table, cases = paper_claims.lay_out(rows, problems.in_order(rows["problem"]))
    subsets = "".join(f"\n{line}\n" for line in tables.subset_notes(options.problems))
    notes = NOTES + subsets + tables.notes("Section", rows=rows)
    tables.write(table, options.tables_folder / "claims", notes)
    tables.write(cases, options.tables_folder / "claims_cases", notes)
    print(tables.markdown(table), tables.markdown(cases), notes, sep="\n\n")
    return 2 if rows.attrs["refused"] else 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
