"""Run a k-center search in a Python process of its own.

OR-Tools and TensorFlow each bring their own copy of Protocol Buffers. Where TensorFlow
is loaded first, as in every process that holds a Keras model, OR-Tools' solvers crash
(google/or-tools issue 3230). A process of its own also bounds the time for certain:
a solver that does not stop is stopped.

Arguments and result go through pipes, so no file is ever left behind. The pipe of the
arguments stays open as long as the parent waits: when it closes, the child ends.
"""

import contextlib
import io
import os
import subprocess
import sys
import threading

import numpy as np

from dfal_keras.kcenter import radius_search

_LENGTH = 8  # bytes before the arguments that say how many follow


def run(arguments: dict, *, timeout: float) -> dict:
    """Call `radius_search.bisect` with these arguments in another process.

    Args:
        arguments: Keyword arguments, arrays, numbers and strings.
        timeout: Seconds after which the process is killed.

    Returns:
        The fields of the `KCenterResult`, as arrays.

    Raises:
        TimeoutError: If the process had to be killed.
        RuntimeError: If it failed; the message holds what it said.
    """
    packed = _pack(arguments)
    task = len(packed).to_bytes(_LENGTH, "little") + packed
    # A pipe of our own: `communicate` would close one of `Popen`'s at once.
    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as lifeline:
        with open(reading, "rb", buffering=0) as stdin:
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        # The arguments may exceed what a pipe holds, and the child may never read.
        sender = threading.Thread(target=_send, args=(lifeline, task), daemon=True)
        with process:
            sender.start()
            try:
                answer, said = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"No answer within {timeout:.3g} s.") from error
            finally:
                process.kill()  # no effect on a process that has ended
                sender.join()
    if process.returncode or not answer:
        raise RuntimeError(
            f"The k-center search ended with status {process.returncode}: "
            f"{said.decode(errors='replace').strip()[-1000:]}"
        )
    return _unpack(answer)


def main() -> None:
    """Read the arguments from stdin, write the result to stdout."""
    # Whatever else a solver prints goes to stderr.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        length = int.from_bytes(sys.stdin.buffer.read(_LENGTH), "little")
        task = sys.stdin.buffer.read(length)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        # An array of no axes is a number or a string.
        arguments = {name: value[()] for name, value in _unpack(task).items()}
        output.write(_pack(vars(radius_search.bisect(**arguments))))


def _send(lifeline, task):
    """Write all of the arguments, unless the child ends before it has read them."""
    rest = memoryview(task)
    with contextlib.suppress(OSError):
        while rest:
            rest = rest[lifeline.write(rest) :]


def _end_with_parent():
    """End this process when nobody holds the other end of stdin any more."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _pack(arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def _unpack(packed):
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        return dict(stored)


_CODE = "from dfal_keras.kcenter import solver_process; solver_process.main()"
