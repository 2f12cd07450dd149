"""Run k-center searches in a separate Python process.

OR-Tools and TensorFlow each contain a copy of Protocol Buffers. If TensorFlow is loaded
first, as in every process that holds a Keras model, OR-Tools' solvers crash
(google/or-tools issue 3230). A separate process also enforces the time limit: it is
killed if the solver does not stop.

Arguments and results are sent through the process's stdin and stdout, so no temporary
files are left. The process exits when its stdin closes, that is, when the parent ends,
however it ends.
"""

import collections
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
import weakref

import numpy as np

from dfal_keras.kcenter import radius_search

_HEADER_SIZE = 8  # bytes that hold the length of a message's header


class SolverProcess:
    """A Python process that runs the searches of `robust`, one after another.

    It starts at the first search, in about 0.25 s. After a time-out or a crash, the
    next search starts another one. It ends with `close`, at the end of a `with` block,
    when this object is garbage collected, or when Python ends, even by kill -9.

    Searches from several threads wait for each other. A copy, an unpickled object and
    a forked process use a new process.

    Example:
        >>> from dfal_keras import kcenter
        >>> line = [[0.0], [1.0], [2.0]]
        >>> with kcenter.SolverProcess() as process:
        ...     [kcenter.robust(line, [i], 1, process=process).radius for i in range(3)]
        [1.0, 1.0, 1.0]
    """

    _child: "_Child | None"
    _end: weakref.finalize | None  # ends the child; also when garbage is collected

    def __init__(self):
        self._reset()

    def run(self, arguments: dict, *, timeout: float) -> dict:
        """Call `radius_search.bisect` with these arguments in the process.

        Args:
            arguments: Keyword arguments: arrays, numbers and strings.
            timeout: Seconds after which the process is killed.

        Returns:
            The fields of the `KCenterResult`, as arrays and numbers.

        Raises:
            TimeoutError: If the process was killed.
            RuntimeError: If the process failed; the message ends with its stderr.
        """
        if self._owner != os.getpid():  # forked: the child belongs to the parent
            self._reset()
        with self._lock:
            if self._child is None or not self._child.is_alive():
                self._stop()
                self._child = _Child()
                self._end = weakref.finalize(self, self._child.end)
            try:
                return self._child.call(arguments, timeout)
            except BaseException:
                self._stop()
                raise

    def close(self) -> None:
        """End the process, after the search that it runs. `run` starts a new one."""
        with self._lock:
            self._stop()

    def _reset(self):
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._child = self._end = None

    def _stop(self):
        if self._end is not None:
            self._end()
        self._child = self._end = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        return type(self), ()


class _Child:
    """The process, seen from the parent."""

    def __init__(self):
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONSAFEPATH": "1",  # no modules from the working directory
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._errors = collections.deque(maxlen=1000)  # the last bytes of stderr
        self._threads = []
        self._start(_drain, self._process.stderr, self._errors)

    def is_alive(self):
        return self._process.poll() is None

    def call(self, arguments, timeout):
        """See `SolverProcess.run`."""
        # In a thread: writing blocks when the pipe is full and the child does not read.
        answers = queue.SimpleQueue()
        thread = self._start(self._exchange, arguments, answers)
        try:
            answer = answers.get(timeout=min(timeout, threading.TIMEOUT_MAX))
        except queue.Empty as error:
            raise TimeoutError(f"No result within {timeout:.3g} s.") from error
        thread.join()
        self._threads.remove(thread)
        if answer is not None:
            return answer
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)  # for its status; its stdout is closed
        self.end()
        raise RuntimeError(
            f"The k-center search ended with status {self._process.returncode}: "
            f"{bytes(self._errors).decode(errors='replace').strip()}"
        )

    def end(self):
        """Kill the process, unless it belongs to the parent of a forked process."""
        if self._owner == os.getpid():
            with self._process as process:
                process.kill()
                for thread in self._threads:  # they read until the pipes close
                    thread.join()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _exchange(self, arguments, answers):
        """Send the arguments and put the answer, `None` if the child has exited."""
        with contextlib.suppress(OSError):  # the child has exited
            _write(self._process.stdin, arguments)
        try:
            answers.put(_read(self._process.stdout))
        except EOFError:
            answers.put(None)


def main() -> None:
    """Run searches in the child: read from stdin, write the results to stdout."""
    # The parent decides when to stop, also after Ctrl-C in a terminal or a notebook.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Solvers may print to stdout: send that to stderr.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        calls: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=_receive, args=(calls,), daemon=True).start()
        try:
            while True:
                # No name keeps the arguments and the result until the next call.
                _write(output, vars(radius_search.bisect(**calls.get())))
        except BaseException:
            # Python's own exit would wait for the thread that reads stdin.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)


def _receive(calls):
    """Put the arguments of each call; exit when stdin closes, also during a search."""
    with (
        open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stream,
        contextlib.suppress(EOFError),
    ):
        while True:
            calls.put(_read(stream))
    os._exit(0)


def _drain(stream, last):
    while chunk := stream.read(2**12):
        last.extend(chunk)


def _write(stream, values):
    """Write arrays, numbers and strings, without a copy of contiguous arrays.

    The message is the length of the header; the header, which lists names, dtypes and
    shapes; and the arrays.
    """
    arrays = {name: np.asarray(value, order="C") for name, value in values.items()}
    described = [(name, a.dtype.str, a.shape) for name, a in arrays.items()]
    header = json.dumps(described).encode()
    length = len(header).to_bytes(_HEADER_SIZE, "little")
    bodies = [array.reshape(-1).view("uint8") for array in arrays.values()]
    for part in (length, header, *bodies):
        rest = memoryview(part)
        while len(rest):
            rest = rest[stream.write(rest) :]


def _read(stream):
    """Read what `_write` writes. Zero-dimensional arrays become numbers and strings."""
    length = int.from_bytes(_read_array(stream, _HEADER_SIZE, "uint8"), "little")
    described = json.loads(bytes(_read_array(stream, length, "uint8")))
    return {
        name: _read_array(stream, shape, dtype)[()] for name, dtype, shape in described
    }


def _read_array(stream, shape, dtype):
    array = np.empty(shape, dtype)
    rest = memoryview(array.reshape(-1).view("uint8"))
    while len(rest):
        count = stream.readinto(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return array


# Python 3.10 has no PYTHONSAFEPATH: it imports from the working directory, named "".
_CODE = (
    "import sys; sys.path = [path for path in sys.path if path]; "
    "from dfal_keras.kcenter import solver_process; solver_process.main()"
)
