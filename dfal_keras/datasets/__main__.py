"""`python -m dfal_keras.datasets`: which data sets are here, and fetch one."""

import argparse
import logging
import os
import sys
import textwrap

from dfal_keras import datasets
from dfal_keras.datasets import source

_STOPPED = 130  # what shells say of a program that Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
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
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return _STOPPED
    return 0


def _parse(arguments):
    default = str(source.data_folder()).replace("%", "%%")
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument(
        "--data-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="where the data sets are, or are to be (default: the environment variable "
        f"{source.VARIABLE}, otherwise Keras's; now {default})",
    )
    new = argparse.ArgumentParser(
        prog="python -m dfal_keras.datasets",
        description="Without a command: list the paper's data sets, and say which are "
        "on this machine.",
        parents=[folder],
    )
    commands = new.add_subparsers(dest="command")
    fetch = commands.add_parser(
        "fetch",
        parents=[folder],
        help="download a data set, check it, and prepare its arrays",
    )
    fetch.add_argument("name", choices=datasets.NAMES)
    return new.parse_args(arguments, argparse.Namespace(data_dir=None))


def _list(data_dir):
    datasets.load_data("mnist")  # its checksums are verified
    for name in datasets.NAMES:
        print(f"{name:<12}{datasets.status(name, data_dir)}")


def _fetch(name, data_dir):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("dfal_keras").setLevel(logging.INFO)
    (x_train, _), (x_test, _) = datasets.load_data(name, data_dir)
    print(
        f"{name}: {len(x_train):,} + {len(x_test):,} images of "
        f"{'x'.join(map(str, x_train.shape[1:]))}, classes "
        f"{', '.join(datasets.class_names(name))}"
    )


if __name__ == "__main__":
    status = main()
    if status == _STOPPED:
        # Without waiting for a download that goes on in a thread of its own.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
