import concurrent.futures
import contextlib
import copy
import gc
import os
import pickle
import signal
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

_ECHO = """
from dfal_keras.kcenter import solver_process, radius_search
class Echo:
    def __init__(self, **values):
        self.__dict__ = values
radius_search.bisect = Echo
solver_process.main()
"""
LINE = np.arange(4.0)[:, None]


@pytest.fixture
def children():
    """Return the processes that the test has started and that still run."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


@pytest.fixture
def process():
    with solver_process.SolverProcess() as process:
        yield process


def call(features, **options):
    """Return the arguments of a search."""
    arguments = {
        "features": features,
        "selected": np.arange(0),
        "num_centers": 1,
        "max_outliers": 0,
        "formulation": "compact",
        "solver": "scip",
        "time_limit": 60.0,
    }
    return {**arguments, **options}


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_process_for_many_searches(process, children):
    assert not children()
    started = set()
    for n in range(2, 6):
        result = kcenter.robust(LINE[:n], [0], 1, process=process)
        assert result.radius == kcenter.robust(LINE[:n], [0], 1).radius
        started |= children()
    assert len(started) == 1
    process.close()
    assert not children()
    process.close()


def test_a_closed_process_starts_again(process, children):
    for _ in range(2):
        assert kcenter.robust(LINE, [], 1, process=process).radius == 2
        assert len(children()) == 1
        process.close()
        assert not children()


def test_without_a_process_none_is_left(children):
    kcenter.robust(LINE, [], 1)
    assert not children()


def test_a_process_ends_with_its_object(children):
    process = solver_process.SolverProcess()
    kcenter.robust(LINE, [], 1, process=process)
    assert children()
    del process
    gc.collect()
    assert not children()


def test_a_process_that_was_killed_is_replaced(process, children):
    kcenter.robust(LINE, [], 1, process=process)
    (killed,) = children()
    killed.kill()
    killed.wait(20)
    assert kcenter.robust(LINE, [], 1, process=process).radius == 2
    (new,) = children()
    assert new != killed


def test_a_new_process_follows_a_time_out(process, children):
    features = np.random.default_rng(0).random((2000, 2))
    arguments = call(features, num_centers=30)
    with pytest.raises(TimeoutError, match="No result within 1 s"):
        process.run(arguments, timeout=1)
    assert not children()
    assert process.run(call(LINE), timeout=60)["radius"] == 2


def test_a_new_process_follows_a_crash(process, children):
    for broken in {"solver": "none"}, {"unknown": 1}:
        with pytest.raises(RuntimeError, match=r"(?s)status 1: .*Error"):
            process.run(call(LINE, **broken), timeout=60)
        assert not children()
        assert process.run(call(LINE), timeout=60)["radius"] == 2


def test_a_process_survives_ctrl_c(process, children):
    kcenter.robust(LINE, [], 1, process=process)
    (child,) = children()
    child.send_signal(signal.SIGINT)
    assert kcenter.robust(LINE, [], 1, process=process).radius == 2
    assert children() == {child}


@pytest.mark.slow
def test_copies_have_processes_of_their_own(process, children):
    kcenter.robust(LINE, [], 1, process=process)
    copies = [
        copy.copy(process),
        copy.deepcopy(process),
        pickle.loads(pickle.dumps(process)),
    ]
    assert len(children()) == 1
    for n, other in enumerate(copies, 2):
        assert kcenter.robust(LINE, [], 1, process=other).radius == 2
        assert len(children()) == n
    del copies, other
    gc.collect()
    assert len(children()) == 1


def test_threads_get_the_answers_to_their_own_questions(process, children):
    def radius(n):
        return process.run(call(np.arange(2.0 * n + 1)[:, None]), timeout=60)["radius"]

    numbers = list(range(1, 17))
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert list(threads.map(radius, numbers)) == numbers
    assert len(children()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs a fork")
def test_a_forked_process_leaves_the_process_of_its_parent():
    """In an interpreter without TensorFlow, whose threads do not survive a fork."""
    code = """
import gc, os, numpy as np
from dfal_keras import kcenter
process = kcenter.SolverProcess()
line = np.arange(4.0)[:, None]
assert kcenter.robust(line, [], 1, process=process).radius == 2
child = process._child
if not (pid := os.fork()):
    assert kcenter.robust(line, [], 1, process=process).radius == 2
    process.close()
    del process
    gc.collect()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert kcenter.robust(line[:3], [], 1, process=process).radius == 1
assert process._child is child
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    "value",
    [
        np.float32(2.5),
        True,
        3,
        "scip",
        np.zeros((0, 3)),
        np.arange(3, dtype="uint8"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.random.default_rng(0).random((10**6, 2)),  # beyond a pipe's capacity
    ],
    ids=lambda value: f"{type(value).__name__}-{np.shape(value)}",
)
def test_a_message_holds_any_array(monkeypatch, process, value):
    """The child returns its arguments."""
    monkeypatch.setattr(solver_process, "_CODE", _ECHO)
    found = process.run({"first": value, "last": np.arange(3)}, timeout=60)
    assert list(found) == ["first", "last"]
    np.testing.assert_array_equal(found["first"], value)
    assert np.asarray(found["first"]).dtype == np.asarray(value).dtype
    assert np.shape(found["first"]) == np.shape(value)


def test_modules_of_the_working_directory_are_not_imported(tmp_path, monkeypatch):
    for name in "queue", "numpy", "dfal_keras":
        (tmp_path / f"{name}.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    assert kcenter.robust(LINE, [], 1).radius == 2


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


def test_a_process_that_never_reads_is_killed(monkeypatch, process, children):
    """The arguments exceed the capacity of a pipe."""
    monkeypatch.setattr(solver_process, "_CODE", "import time; time.sleep(600)")
    with pytest.raises(TimeoutError, match="No result within 0.5 s"):
        process.run({"features": np.zeros(10**6)}, timeout=0.5)
    assert not children()


def test_a_process_without_a_result_is_a_runtime_error(monkeypatch):
    monkeypatch.setattr(solver_process, "_CODE", "import os; os._exit(0)")
    with pytest.raises(RuntimeError, match="ended with status 0"):
        kcenter.robust(np.eye(5), [0], 2)


def test_what_a_solver_prints_is_not_part_of_the_result(monkeypatch, process):
    code = _IN_THE_SEARCH.format(do="print('x' * 10**6); os.write(1, b'x' * 10**6)")
    monkeypatch.setattr(solver_process, "_CODE", code)
    for n in range(2, 5):
        radius = kcenter.robust(LINE[:n], [], 1, process=process).radius
        assert radius == n // 2


@pytest.mark.parametrize("idle", [False, True])
def test_a_process_ends_with_its_parent(tmp_path, idle):
    """After kill -9 of the parent, no process and no file is left."""
    number = tmp_path / "number"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    note = f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))"
    code = f"""
import time
import numpy as np
from dfal_keras import kcenter
kcenter.solver_process._CODE = {_IN_THE_SEARCH.format(do=note)!r}
features = np.random.default_rng(0).random(({20 if idle else 2000}, 2))
process = kcenter.SolverProcess()
kcenter.robust(features, [], {2 if idle else 30}, time_limit=600, process=process)
print("done", flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
    )
    with parent:
        try:
            wait_for(lambda: number.exists() and number.read_text())
            search = psutil.Process(int(number.read_text()))
            if idle:
                assert parent.stdout.readline() == b"done\n"
                assert not has_ended(search)
        finally:
            parent.kill()
    try:
        wait_for(lambda: has_ended(search))
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            search.kill()
    assert not list(temporary.iterdir())


def test_a_process_ends_with_the_interpreter():
    """No error is printed at exit."""
    code = """
import psutil
from dfal_keras import kcenter
process = kcenter.SolverProcess()
kcenter.robust([[0.0], [1.0]], [], 1, process=process)
(child,) = psutil.Process().children()
print(child.pid)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert not psutil.pid_exists(int(done.stdout))
