"""Speed of DeepFool, queries, training and whole rounds, beside other packages'."""

import sys
from collections.abc import Sequence

from experiments import entry_point
from experiments.options import is_bare

# isort: split
from benchmarks import (  # after `experiments`: see above
    command_line,
    report,
    speed_options,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the sections, write each when it is done, then write and print the page.

    Without options: print what is stored.
    """
    options = speed_options.parse(__doc__, arguments)
    if is_bare(arguments):
        races = report.summary(report.read(options.folder))
        return command_line.print_stored("speed", races)
    reason = speed_options.why_unusable(options)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    if not options.stored:
        speed_options.measure(options)
    page = report.page(options.folder)
    if not options.read_only:
        report.write(options.folder, page)
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
