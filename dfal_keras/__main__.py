"""Hands over to the command line: `python -m dfal_keras query --help`."""

import sys

from dfal_keras.cli.query import main

if __name__ == "__main__":
    sys.exit(main())
