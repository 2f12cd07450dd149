"""Speed of DeepFool, queries, training and whole rounds, beside other packages'."""

import sys
from collections.abc import Sequence

from experiments import entry_point

# isort: split
from benchmarks import report, speed_options  # after `experiments`: see above
from benchmarks.sections import SECTIONS


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the sections, write each when it is done, then write and print the page."""
    options = speed_options.parse(__doc__, arguments)
    if not options.stored:
        peers = [peer for name in options.sections for peer in SECTIONS[name].peers]
        missing = entry_point.missing(dict.fromkeys(peers))
        if missing:
            print(
                f"Not installed: {', '.join(missing)}. To install what is compared: "
                'pip install -e ".[benchmark]"',
                file=sys.stderr,
            )
            return 2
        speed_options.measure(options)
    print(report.write(options.folder))
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
