"""Keeping a program's screen to itself."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Turn the process's standard error away; exceptions are not affected.

    For the import of TensorFlow, whose chatter about devices comes from C++ before any
    log level applies. For programs to use: the library itself leaves the screen alone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nowhere, contextlib.ExitStack() as stack:
        screen = os.dup(2)
        stack.callback(os.close, screen)
        stack.callback(os.dup2, screen, 2)
        os.dup2(nowhere.fileno(), 2)
        yield
