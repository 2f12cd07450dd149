import contextlib
import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from dfal_keras import kcenter
from dfal_keras.kcenter import search, solver_process

_IN_THE_SEARCH = """
import os, pathlib
from dfal_keras.kcenter import solver_process, radius_search
search = radius_search.bisect
def bisect(**arguments):
    {do}
    return search(**arguments)
radius_search.bisect = bisect
solver_process.main()
"""


def test_a_search_that_does_not_stop_is_killed(monkeypatch):
    monkeypatch.setattr(search, "_GRACE", 0)
    features = np.random.default_rng(0).random((300, 2))
    result = kcenter.robust(features, [3], 10, time_limit=0.01)
    greedy = kcenter.greedy(features, [3], 10)
    np.testing.assert_array_equal(result.centers, np.sort(greedy.centers))
    assert not result.proven


def test_a_crash_is_a_runtime_error(monkeypatch):
    monkeypatch.setattr(solver_process, "_CODE", "import os; os.abort()")
    with pytest.raises(RuntimeError, match="ended with status -6"):
        kcenter.robust(np.eye(5), [0], 2)


def test_a_process_that_never_reads_is_killed(monkeypatch):
    """The arguments exceed the capacity of a pipe."""
    monkeypatch.setattr(solver_process, "_CODE", "import time; time.sleep(600)")
    arguments = {"features": np.zeros(10**6)}
    with pytest.raises(TimeoutError, match="No result within 0.5 s"):
        solver_process.run(arguments, timeout=0.5)
    assert not psutil.Process().children()


def test_a_process_without_a_result_is_a_runtime_error(monkeypatch):
    monkeypatch.setattr(solver_process, "_CODE", "import os; os._exit(0)")
    with pytest.raises(RuntimeError, match="ended with status 0"):
        kcenter.robust(np.eye(5), [0], 2)


def test_what_a_solver_prints_is_not_part_of_the_result(monkeypatch):
    code = _IN_THE_SEARCH.format(do="os.write(1, b'x' * 10**6)")
    monkeypatch.setattr(solver_process, "_CODE", code)
    assert kcenter.robust([[0.0], [1.0], [2.0]], [], 1).radius == 1


def test_a_search_ends_with_its_parent(tmp_path):
    """After kill -9 of the parent, no process and no file is left."""
    number = tmp_path / "number"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    note = f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))"
    code = (
        "import numpy as np\n"
        "from dfal_keras import kcenter\n"
        f"kcenter.solver_process._CODE = {_IN_THE_SEARCH.format(do=note)!r}\n"
        "features = np.random.default_rng(0).random((2000, 2))\n"
        "kcenter.robust(features, [], 30, time_limit=600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(temporary)}
    )
    try:
        while not (number.exists() and number.read_text()):
            assert parent.poll() is None
            time.sleep(0.1)
        search = psutil.Process(int(number.read_text()))
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 20
    with contextlib.suppress(psutil.NoSuchProcess):
        while search.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                search.kill()
                pytest.fail("the search continues without its parent")
            time.sleep(0.1)
    assert not list(temporary.iterdir())
