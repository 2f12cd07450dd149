"""Run a k-center search in a Python process of its own.

OR-Tools and TensorFlow each bring their own copy of Protocol Buffers. Where TensorFlow
is loaded first, as in every process that holds a Keras model, OR-Tools' solvers crash
(google/or-tools issue 3230). A process of its own also bounds the time for certain:
a solver that does not stop is stopped.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from dfal_keras.kcenter import bisection


def run(arguments: dict, *, timeout: float) -> dict:
    """Call `bisection.bisect` with these arguments in another process.

    Args:
        arguments: Keyword arguments, arrays, numbers and strings.
        timeout: Seconds after which the process is killed.

    Returns:
        The fields of the `KCenterResult`, as arrays.

    Raises:
        TimeoutError: If the process had to be killed.
        RuntimeError: If it failed; the message holds what it said.
    """
    with tempfile.TemporaryDirectory(prefix="dfal_keras_") as folder:
        task = pathlib.Path(folder) / "task.npz"
        answer = pathlib.Path(folder) / "answer.npz"
        np.savez(task, **arguments)
        try:
            done = subprocess.run(
                [sys.executable, "-c", _CODE, task, answer],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"No answer within {timeout:.3g} s.") from error
        if done.returncode:
            raise RuntimeError(
                f"The k-center search ended with status {done.returncode}: "
                f"{done.stderr.strip()[-1000:]}"
            )
        with np.load(answer, allow_pickle=False) as stored:
            return dict(stored)


def main(task, answer):
    """Read the arguments from one file, write the result to the other."""
    with np.load(task, allow_pickle=False) as stored:
        # An array of no axes is a number or a string.
        arguments = {name: stored[name][()] for name in stored.files}
    np.savez(answer, **vars(bisection.bisect(**arguments)))


_CODE = "import sys; from dfal_keras.kcenter import alone; alone.main(*sys.argv[1:])"
