"""Commands of the command line that are killed at random moments."""

import multiprocessing
import os
import pathlib
import random
import signal
import sys
import time

# Children are forked from a process that has imported TensorFlow and not used it.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["dfal_keras.cli.session_commands"])


def start(arguments, log):
    """Start a command, and return its process.

    Args:
        arguments: The arguments of `python -m dfal_keras`.
        log: File to which the command's output is appended.
    """
    process = _CONTEXT.Process(target=_main, args=(list(map(str, arguments)), str(log)))
    process.start()
    return process


def run(arguments, log, *, kill_after=None):
    """Run a command, and return its exit code and duration.

    Args:
        arguments: The arguments of `python -m dfal_keras`.
        log: File to which the command's output is appended.
        kill_after: Seconds after which the command is killed. Defaults to `None`.
    """
    started = time.perf_counter()
    process = start(arguments, log)
    process.join(kill_after)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return process.exitcode, time.perf_counter() - started


class Killer:
    """Runs commands to their end, but kills them at random moments before.

    Args:
        log: File to which output is appended.
        seed: Seed of the moments.
        num_kills: Number of kills of each command.

    Attributes:
        num_kills: Number of processes killed so far.
    """

    def __init__(self, log: pathlib.Path, seed: int, num_kills: int):
        self._log, self._rng = log, random.Random(seed)
        self._num_kills_each = num_kills
        self.num_kills = 0

    def run(self, arguments, duration):
        """Run a command, which takes about `duration` seconds, until it succeeds."""
        for _ in range(self._num_kills_each):
            kill_after = self._rng.uniform(0, duration)
            code, _ = run(arguments, self._log, kill_after=kill_after)
            if code == -signal.SIGKILL:
                self.num_kills += 1
            elif code == 0:
                return
            else:
                break
        code, _ = run(arguments, self._log)
        assert code == 0, (arguments, self._log.read_text()[-2000:])


def _main(arguments, log):
    with open(log, "a", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        from dfal_keras.cli import main

        sys.exit(main.main(arguments))
