"""Names of arguments in errors."""

import contextlib
from collections.abc import Iterator

from dfal_keras import _validation


@contextlib.contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Give arguments in errors the names that they have in the command.

    Args:
        **names: The command's name for each name of a function's argument.

    Example:
        >>> try:
        ...     with renamed(num="check"):
        ...         _validation.check_count("num", 0)
        ... except ValueError as error:
        ...     print(error.argument)
        check
    """
    try:
        yield
    except _validation.ArgumentError as error:
        ours = names.get(error.argument, error.argument)
        raise _validation.ArgumentError(ours, error.reason) from error
