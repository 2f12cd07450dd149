"""The command line: `python -m dfal_keras query --help`."""

import sys

from dfal_keras.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
