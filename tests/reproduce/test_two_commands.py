"""Two commands at once on one folder lose no row, and both show all rows."""

import pathlib
import random
import subprocess
import sys
import time

import pytest
import table1
from experiments import runs, store

SCRIPT = pathlib.Path(table1.__file__)
WANTED = [runs.Run.named("mnist-lenet5", "random", trial) for trial in (0, 1)]
SMALL = ["--strategy", "random", "--trials", "2", "--budget", "40", "--jobs", "2"]
SAME = ["round", "num_annotations", "num_labeled", "accuracy", "loss"]


def start(output):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *SMALL, "--output", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stored(output):
    kept = store.Store(output / "runs")
    return {str(run): kept.rows(run)[SAME].to_csv() for run in WANTED}


@pytest.mark.slow
def test_twenty_pairs_of_commands(tmp_path):
    """The second starts at once, or up to some seconds after the first row."""
    alone = start(tmp_path / "alone")
    alone.communicate()
    undisturbed = stored(tmp_path / "alone")
    rng = random.Random(0)
    num_waits = 0
    for pair in range(20):
        folder = tmp_path / str(pair)
        first = start(folder)
        if pair % 4:
            while not list(folder.glob("runs/*.csv")) and first.poll() is None:
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 1.5))
        second = start(folder)
        said = [command.communicate() for command in (first, second)]
        assert (first.returncode, second.returncode) == (0, 0), said
        assert stored(folder) == undisturbed
        tables = [shown[shown.index("| annotations") :] for shown, _ in said]
        assert tables[0].splitlines()[:9] == tables[1].splitlines()[:9]
        num_waits += sum("waits for another command" in shown for _, shown in said)
        assert not list(folder.glob("**/*.tmp"))
    assert num_waits > 0
