"""The sessions whose Python code may run, listed in a file of the user."""

import os
import pathlib

from dfal_keras import _validation


def path() -> pathlib.Path:
    """Return the path of the file, which need not exist.

    It is `dfal-keras/trusted_sessions` in `$XDG_CONFIG_HOME`, or else in `~/.config`.
    """
    given = pathlib.Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = given if given.is_absolute() else pathlib.Path.home() / ".config"
    return folder / "dfal-keras" / "trusted_sessions"


def contains(session: pathlib.Path) -> bool:
    """Return whether the file names a session.

    Each line is the absolute path of a session's folder, or begins with `#`.

    Raises:
        ValueError: If the file can't be read, or a path is not absolute.
    """
    try:
        text = path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(str(error)) from error
    lines = [line.strip() for line in text.splitlines()]
    named = [pathlib.Path(line) for line in lines if line and not line.startswith("#")]
    for each in named:
        if not each.is_absolute():
            raise _refused(repr(str(each)))
    return session.resolve() in [each.resolve() for each in named]


def _refused(received):
    return _validation.ArgumentError(
        "trust",
        "may be given by a file with the absolute path of a session in each line. "
        f"Received: {path()}, with {received}",
    )
