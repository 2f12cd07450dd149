"""`python -m dfal_keras.datasets`: list the data sets, or download one."""

import argparse
import logging
import sys
import textwrap

from dfal_keras import datasets
from dfal_keras.datasets.source import DATA_DIR_VARIABLE, data_folder

_INTERRUPTED = 130  # the exit status that shells use for Ctrl-C


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments. Defaults to `None`, those of the process.

    Returns:
        The exit status.
    """
    try:
        options = _parse(arguments)
        if options.command == "fetch":
            _fetch(options.name, options.data_dir)
        else:
            _list(options.data_dir)
    except (ValueError, OSError) as error:
        paragraph = textwrap.fill(
            str(error), width=88, break_long_words=False, break_on_hyphens=False
        )
        print(paragraph, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. Run the command again to continue.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _parse(arguments):
    default = str(data_folder()).replace("%", "%%")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help=f"folder of the data sets (default: {default}; to change the default, set "
        f"the environment variable {DATA_DIR_VARIABLE})",
    )
    parser = argparse.ArgumentParser(
        prog="python -m dfal_keras.datasets",
        description="List the paper's data sets and their state on this machine, or "
        "download one.",
        parents=[common],
    )
    commands = parser.add_subparsers(dest="command")
    fetch = commands.add_parser(
        "fetch",
        parents=[common],
        help="download, verify and prepare a data set",
    )
    fetch.add_argument("name", choices=datasets.NAMES, help="name of the data set")
    return parser.parse_args(arguments, argparse.Namespace(data_dir=None))


def _list(data_dir):
    datasets.load_data("mnist")  # verifies its checksums
    for name in datasets.NAMES:
        print(f"{name:<12}{datasets.status(name, data_dir)}")


def _fetch(name, data_dir):
    logging.basicConfig(format="%(message)s")
    logging.getLogger("dfal_keras").setLevel(logging.INFO)
    (x_train, _), (x_test, _) = datasets.load_data(name, data_dir)
    print(
        f"{name}: {len(x_train):,} + {len(x_test):,} images of "
        f"{'x'.join(map(str, x_train.shape[1:]))}, classes "
        f"{', '.join(datasets.class_names(name))}"
    )


if __name__ == "__main__":
    sys.exit(main())
