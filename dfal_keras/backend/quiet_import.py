"""Import of TensorFlow without its messages."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence stderr, for example while TensorFlow is imported.

    TensorFlow's messages about devices are written by C++ code before a log level can
    be set. Exceptions are not affected. For programs only: the library itself never
    redirects stderr.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as devnull, contextlib.ExitStack() as stack:
        stderr = os.dup(2)
        stack.callback(os.close, stderr)
        stack.callback(os.dup2, stderr, 2)
        os.dup2(devnull.fileno(), 2)
        yield
