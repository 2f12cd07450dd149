"""Run a k-center search in a separate Python process.

OR-Tools and TensorFlow each contain a copy of Protocol Buffers. If TensorFlow is loaded
first, as in every process that holds a Keras model, OR-Tools' solvers crash
(google/or-tools issue 3230). A separate process also enforces the time limit: it is
killed if the solver does not stop.

Arguments and result are sent through pipes, so no temporary files are left. The parent
keeps the arguments' pipe open while it waits; when the pipe closes, the child exits.
"""

import contextlib
import io
import os
import subprocess
import sys
import threading

import numpy as np

from dfal_keras.kcenter import radius_search

_HEADER_SIZE = 8  # bytes that hold the length of the arguments


def run(arguments: dict, *, timeout: float) -> dict:
    """Call `radius_search.bisect` with these arguments in another process.

    Args:
        arguments: Keyword arguments: arrays, numbers and strings.
        timeout: Seconds after which the process is killed.

    Returns:
        The fields of the `KCenterResult`, as arrays.

    Raises:
        TimeoutError: If the process was killed.
        RuntimeError: If the process failed; the message ends with its stderr.
    """
    packed = _pack(arguments)
    message = len(packed).to_bytes(_HEADER_SIZE, "little") + packed
    # Not `Popen`'s own pipe, which `communicate` closes immediately.
    read_end, write_end = os.pipe()
    with open(write_end, "wb", buffering=0) as pipe:
        with open(read_end, "rb", buffering=0) as stdin:
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        # In a thread: writing blocks when the pipe is full and the child does not read.
        sender = threading.Thread(target=_send, args=(pipe, message), daemon=True)
        with process:
            sender.start()
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"No result within {timeout:.3g} s.") from error
            finally:
                process.kill()  # no effect on a process that has ended
                sender.join()
    if process.returncode or not stdout:
        raise RuntimeError(
            f"The k-center search ended with status {process.returncode}: "
            f"{stderr.decode(errors='replace').strip()[-1000:]}"
        )
    return _unpack(stdout)


def main() -> None:
    """Read the arguments from stdin, write the result to stdout."""
    # Solvers may print to stdout: send that to stderr.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        length = int.from_bytes(sys.stdin.buffer.read(_HEADER_SIZE), "little")
        packed = sys.stdin.buffer.read(length)
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        # [()] turns zero-dimensional arrays into numbers and strings.
        arguments = {name: value[()] for name, value in _unpack(packed).items()}
        output.write(_pack(vars(radius_search.bisect(**arguments))))


def _send(pipe, message):
    """Write the whole message, unless the child exits before it has read it."""
    rest = memoryview(message)
    with contextlib.suppress(OSError):  # the child has exited
        while rest:
            rest = rest[pipe.write(rest) :]


def _exit_with_parent():
    """Exit when the other end of stdin is closed."""
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
