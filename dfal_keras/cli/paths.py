"""Paths on the command line, which are checked before anything is done."""

import os
import pathlib

from dfal_keras import _validation

# Options that are a path, or a list of paths.
_NAMES = {"session", "images", "path", "out", "sort_into", "sheet", "exclude", "cache"}


def with_paths(options: dict) -> dict:
    """Return options, with paths in place of their text.

    Args:
        options: The value of each option.

    Raises:
        ValueError: If a path is one that no file can have, such as an empty or a very
            long one, or one below a file.
    """
    return {
        name: _converted(name, value) if name in _NAMES else value
        for name, value in options.items()
    }


def _converted(name, value):
    if isinstance(value, list):
        return [_converted(name, each) for each in value]
    if value is None:
        return None
    reason = "" if value else "empty"  # `Path("")` would be the working folder
    try:
        os.stat(value)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    if reason:
        raise _validation.ArgumentError(
            name, f"must be a valid path. Received: {value!r:.200} ({reason})"
        )
    return pathlib.Path(value)
