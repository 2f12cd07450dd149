"""Download the first drawings of Quick-Draw's classes for the small Quick-Draw panels.

The whole files, which the paper used, are downloaded by `python -m dfal_keras.datasets
fetch quick_draw`.
"""

import argparse
import sys
from collections.abc import Sequence

from experiments import download_drawings, entry_point
from experiments.problems import DRAWINGS


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the files that are missing."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    for drawings in DRAWINGS:
        if not drawings.is_complete():
            try:
                download_drawings.fetch(drawings)
            except ValueError as error:
                print(error, file=sys.stderr)
                return 2
        print(f"{drawings}: {drawings.status()}")
    return 0


if __name__ == "__main__":
    sys.exit(entry_point.run(main))
