"""Types for `argparse`: what the texts of the command line stand for."""

import argparse
import contextlib
import errno
import importlib.util
import os
import pathlib
import sys
from collections.abc import Callable

from experiments import problems, protocol, studies
from experiments.methods import FULL, Method
from experiments.problems import NAMED, Problem


def problem(text: str) -> Problem:
    """Return the problem with a name. A type for `argparse`.

    Raises:
        argparse.ArgumentTypeError: If it is not a name of `NAMED`, or module:name
            of a Problem.
    """
    if ":" not in text and text not in NAMED:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(NAMED)}, or module:name, received {text}"
        )
    if ":" in text:
        _add_working_folder()
    try:
        return problems.get(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def method(text: str) -> Method:
    """Return the method with a name, or of "module:Class".

    Raises:
        argparse.ArgumentTypeError: If there is none, or no such module.
    """
    module, colon, name = text.partition(":")
    if colon and name:
        _add_working_folder()
        with contextlib.suppress(ImportError, ValueError):
            if importlib.util.find_spec(module):
                return studies.get_method(text)
        raise argparse.ArgumentTypeError(f"no module {module!r} to import")
    known = [name for name, each in studies.METHODS.items() if each is not FULL]
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(known)}, or module:Class, received {text}"
        )
    return studies.get_method(text)


def budget(text: str) -> int:
    """Return a number of annotations that runs of the protocol pass through.

    Raises:
        argparse.ArgumentTypeError: If they do not.
    """
    value = _integer(text)
    if value < protocol.NUM_INITIAL or value % protocol.NUM_QUERIES:
        raise argparse.ArgumentTypeError(
            f"expected a multiple of {protocol.NUM_QUERIES} of at least "
            f"{protocol.NUM_INITIAL}, received {value}"
        )
    return value


def at_least(minimum: int, maximum: int = 2**31 - 1) -> Callable[[str], int]:
    """Return a type for `argparse`: an integer from `minimum` to `maximum`."""

    def parse_count(text):
        value = _integer(text)
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(
                f"expected an integer from {minimum} to {maximum}, received {value}"
            )
        return value

    return parse_count


def folder(text: str) -> pathlib.Path:
    """Return a folder's path. A type for `argparse`.

    Raises:
        argparse.ArgumentTypeError: If files can't be written there.
    """
    path = pathlib.Path(text)
    try:
        check_writable(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def check_writable(path: pathlib.Path) -> None:
    """Check that a folder, or the nearest existing one above it, is writable.

    Raises:
        OSError: If it is not, or if a file is in the way. The message names the path.
    """
    # `exists` raises OSError if the path is too long.
    existing = next(
        place for place in (path, *path.absolute().parents) if place.exists()
    )
    if not existing.is_dir():
        raise NotADirectoryError(f"{existing} is a file, not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "This folder is read-only", str(existing))


def _integer(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected an integer, received {text!r}"
        ) from None


def _add_working_folder():
    """Make modules of the working folder importable. Workers get the same path."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
