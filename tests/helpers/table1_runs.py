"""Runs of Table 1 as a user starts them, and what they store."""

import pathlib
import subprocess
import sys

import table1
from experiments import runs, store

REPRODUCE = pathlib.Path(table1.__file__).parent
SAME = ["round", "num_annotations", "num_labeled", "accuracy", "loss"]
SMALL = ["--strategy", "dfal", "random", "--trials", "2", "--budget", "60"]
WANTED = [
    runs.Run.named("mnist-lenet5", strategy, trial)
    for strategy in ("dfal", "random")
    for trial in (0, 1)
]


def start(output, *options):
    """Start Table 1 as a user does, in a new process group."""
    return subprocess.Popen(
        [sys.executable, REPRODUCE / "table1.py", *SMALL, "--output", output, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stored(output):
    """The rows of a store without the columns of seconds."""
    kept = store.Store(output / "runs")
    return {str(run): kept.rows(run)[SAME].to_csv() for run in WANTED}


def workers(group):
    """Return the process ids of the Dask workers in a process group."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "-g", str(group)],
        capture_output=True,
        text=True,
    )
    return [
        int(line.split()[0])
        for line in listed.stdout.splitlines()
        if "multiprocessing.spawn" in line
    ]
