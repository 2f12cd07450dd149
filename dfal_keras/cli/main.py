"""Choose the images to label next, and train models on the labels."""

import argparse
import contextlib
import io
import logging
import sys

from dfal_keras._validation import ArgumentError
from dfal_keras.backend import quiet_import
from dfal_keras.cli import paths, session_arguments, terminal


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments. Defaults to those of the process.

    Returns:
        The exit code: 0 for success, 2 for an error, 130 for Ctrl-C.
    """
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may have characters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with (
            contextlib.redirect_stdout(terminal.PrintableStream(sys.stdout)),
            _without_tracing_warnings(),
        ):
            _run(command, paths.with_paths(options))
    except (ValueError, OSError) as error:
        message = " ".join(_describe(error, options).split())
        print(f"Stopped: {terminal.printable(message)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def _run(command, options):
    with quiet_import.quiet():
        from dfal_keras.cli import query, session_commands
    if command == "query":
        query.run(**options)
    else:
        session_commands.COMMANDS[command](**options)


@contextlib.contextmanager
def _without_tracing_warnings():
    """Hide TensorFlow's warnings of many graphs: there is one for each new model."""
    logger = logging.getLogger("tensorflow")

    def is_other(record):
        return "retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def run() -> None:
    """Run the command line, as the script `dfal-keras`."""
    sys.exit(main())


def _describe(error, options):
    """Return the message of an error, with the flag of the argument that is wrong."""
    if not isinstance(error, ArgumentError):
        return str(error)
    name = error.argument
    flag = f"--{name.replace('_', '-')}" if name in options else name
    return f"Argument `{_FLAGS.get(name, flag)}` {error.reason}"


# What is not called as in Python.
_FLAGS = {
    "session": "session",
    "path": "file",
    "images": "--pool",
    "new_classes": "--new-class",
    "num_restarts": "--restarts",
    "held_out_fraction": "--held-out",
}


class _CommandParser(argparse.ArgumentParser):
    """A parser of a command that also takes `import session/ --by-folder photos/`.

    Before Python 3.13, `argparse` takes an optional positional argument as left out if
    a flag stands before it. The parsing of flags and others in any order is for one
    parser; this one is called by that of all commands.
    """

    _is_inside = False

    def parse_known_args(self, args=None, namespace=None):
        """See `argparse.ArgumentParser`."""
        if self._is_inside:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False


def _parser():
    parser = argparse.ArgumentParser(prog="dfal-keras", description=__doc__)
    commands = parser.add_subparsers(
        dest="command", required=True, parser_class=_CommandParser
    )
    session_arguments.add_commands(commands)
    _add_query(commands)
    return parser


def _add_query(commands):
    add = commands.add_parser(
        "query",
        help="rank the images of a pool that are most worth labeling",
        description="Rank the images of a pool that are most worth labeling. Writes a "
        "CSV file, and a picture of the images with their adversarial examples.",
    ).add_argument
    add("--model", required=True, help="trained classifier, a .keras file")
    add(
        "--pool",
        required=True,
        help="unlabeled images: a folder (with subfolders), a .npy file, or an .npz "
        "file with one array or one named x; pixels in the model's range",
    )
    add(
        "--num-queries",
        type=int,
        default=10,
        help="number of images to choose (default: %(default)s)",
    )
    session_arguments.add_strategy_options(add)
    add(
        "--out",
        required=True,
        help="file for the ranking, a new .csv file",
    )
    add(
        "--sheet",
        help="file for the pictures, a new .png or .pdf file; several pages of PNG are "
        "numbered (default: --out with .png)",
    )
    add("--no-sheet", action="store_true", help="write no picture")
    add(
        "--exclude",
        nargs="+",
        default=[],
        metavar="CSV",
        help="earlier rankings of the same pool, whose images are not chosen again; of "
        "a folder, images are known by their content, or by name if a ranking has no "
        "column sha256",
    )
    add(
        "--cache",
        metavar="FOLDER",
        help="folder that keeps a folder's decoded images for the next call (default: "
        "none)",
    )
    session_arguments.add_model_options(add)
