"""Studies beyond the paper: query size, K, p, adversarial examples, controls."""

import sys
from collections.abc import Sequence

from experiments import entry_point, runs, study_report
from experiments.running import estimate


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the runs of each study, then print and write its tables and figure."""
    status = 0
    for study, options in study_report.parse(__doc__, arguments):
        if options.dry_run:
            wanted = runs.study_runs(study, options)
            print(f"{study.name}:\n{estimate.describe(wanted, options)}")
            continue
        rows, failed = study_report.complete(study, options)
        for problem in options.problems:
            study_report.show(rows, problem, study, options)
        status = max(status, failed)
    if not options.dry_run:
        print(study_report.NOTES)
    return status


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
