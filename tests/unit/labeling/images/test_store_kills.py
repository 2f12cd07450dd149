"""A store of images keeps what it knows if a process that refreshes it is killed."""

import os
import pathlib
import subprocess
import sys

import pytest
from helpers.parameters import slow_after

ROOT = pathlib.Path(__file__).parents[4]
SCRIPT = ROOT / "tests" / "helpers" / "killed_refreshes.py"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL of POSIX")


def num_killed(folder, begin, num_lines, num_times):
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), begin]
        + [str(num_lines), str(num_times)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("begin", slow_after(1, ["empty", "known", "damaged"]))
def test_killed_at_many_moments(tmp_path, begin):
    assert num_killed(tmp_path, begin, num_lines=30, num_times=10) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("begin", ["empty", "known", "damaged"])
def test_killed_at_every_line(tmp_path, begin):
    assert num_killed(tmp_path, begin, num_lines=5000, num_times=500) >= 5000
