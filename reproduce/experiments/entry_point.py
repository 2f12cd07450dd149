"""How a script starts and ends: errors of its environment are one line."""

import contextlib
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterable


def missing(packages: Iterable[str]) -> list[str]:
    """Return those packages that are not installed."""

    def is_installed(package):
        with contextlib.suppress(ImportError):
            return importlib.util.find_spec(package) is not None
        return False

    return [package for package in packages if not is_installed(package)]


def require(*packages: str) -> None:
    """End the program with exit status 2 if packages of the extra are missing."""
    absent = missing(packages)
    if absent:
        print(
            f"Not installed: {', '.join(absent)}. To install what the scripts need: "
            'pip install -e ".[reproduce]"',
            file=sys.stderr,
        )
        sys.exit(2)


def require_backend() -> None:
    """End the program with exit status 2 if `dfal_keras` can't be imported.

    It is not installed, or Keras would use another backend than TensorFlow.
    """
    try:
        importlib.import_module("dfal_keras")
    except ImportError as error:
        if error.name != "dfal_keras":
            raise
        print(error, file=sys.stderr)
        sys.exit(2)


def run(main: Callable[[], int]) -> int:
    """Run a script's `main` as a program.

    Args:
        main: Function without arguments that returns the exit status.

    Returns:
        The exit status: that of `main`; 2 after an OSError, such as a full disk or a
        scheduler that can't be reached; 130 after Ctrl-C or SIGTERM; 141 if the output
        is closed, as by `| head -1`.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    try:
        try:
            return main()
        finally:  # not at the interpreter's exit, which would report a closed output
            for stream in streams:
                stream.flush()
    except BrokenPipeError:
        for stream in streams:
            with contextlib.suppress(OSError):
                # Discard what is left in the buffer.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141  # 128 + SIGPIPE, as a shell reports it
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 2
