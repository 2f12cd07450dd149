"""Measurements in a process of their own, and of memory."""

import multiprocessing
import pathlib
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from experiments.running import environment

PROCESSES = pathlib.Path("/proc")  # Linux only
SAMPLING = 0.01  # seconds between two looks at the memory


def call(function: Callable, *arguments, num_threads: int) -> Any:
    """Call a function of a module in a new process that has loaded TensorFlow.

    Args:
        function: The function. Its arguments and its result are pickled.
        *arguments: Its arguments.
        num_threads: Threads of TensorFlow.
    """
    with ProcessPoolExecutor(
        1,
        multiprocessing.get_context("spawn"),
        environment.start_tensorflow,
        (num_threads,),
    ) as pool:
        return pool.submit(function, *arguments).result()


def num_threads() -> int:
    """Return the number of threads of TensorFlow in this process, at least 1."""
    import tensorflow as tf

    return max(1, tf.config.threading.get_intra_op_parallelism_threads())


def peak_resident(pid: int | str = "self") -> float:
    """Return the peak of a process's resident memory in MB, nan if unknown.

    Unlike `ru_maxrss`, it does not include the parent's at the start of the process.

    Args:
        pid: Number of the process. Defaults to `"self"`, this one.
    """
    return _read("VmHWM", pid)


class Memory:
    """The memory that calls need beyond what the process has at construction.

    Pages of memory-mapped files are not counted: the system can drop them.
    """

    def __init__(self):
        self._base = _read("RssAnon")

    def peak(self, run: Callable[[], Any]) -> float:
        """Call a function; return the peak during the call in MB, nan if unknown."""
        peak, done = _read("RssAnon"), threading.Event()

        def look():
            nonlocal peak
            while not done.wait(SAMPLING):
                peak = max(peak, _read("RssAnon"))

        looking = threading.Thread(target=look)
        looking.start()
        try:
            run()
        finally:
            done.set()
            looking.join()
        return max(peak, _read("RssAnon")) - self._base


def _read(name: str, pid: int | str = "self") -> float:
    """Return an entry of `/proc/PID/status` in MB, nan where there is none."""
    status = PROCESSES / f"{pid}/status"
    lines = status.read_text().splitlines() if status.exists() else []
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) / 1024 if found else float("nan")
