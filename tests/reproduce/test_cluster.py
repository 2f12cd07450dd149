"""A Dask cluster, started by the lines of the README."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from distributed import Client
from experiments.running import dask_task
from helpers import table1_runs
from helpers.own_module import write_module

ROOT = pathlib.Path(__file__).parents[2]
TABLE1 = str(ROOT / "reproduce/table1.py")
# As if this checkout were installed and the virtual environment active.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.defpath]),
}
THREADS = (
    "(tf := __import__('sys').modules.get('tensorflow')) and "
    "tf.config.threading.get_intra_op_parallelism_threads()"
)


def lines():
    """Return the README's three commands."""
    text = (ROOT / "reproduce/README.md").read_text()
    (block,) = re.findall(r"```bash\n(dask scheduler.*?)```", text, re.DOTALL)
    scheduler, worker, table = block.splitlines()
    return scheduler, worker, table


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def shell(script, **options):
    """Run a shell script; at the end, kill all processes that it started."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def cluster(tmp_path):
    """The README's scheduler and workers, on a free port and from another folder."""
    port = free_port()
    scheduler, worker, _ = lines()
    assert "--host 127.0.0.1" in scheduler  # loopback only
    script = [
        scheduler.replace("dask scheduler", f"dask scheduler --port {port}"),
        worker.replace("8786", str(port)),
        "wait",
    ]
    # Without a reader, their output would fill the pipe and block them.
    script = [line.replace(" &", " >/dev/null 2>&1 &") for line in script]
    with shell("\n".join(script), cwd=tmp_path):
        yield f"tcp://127.0.0.1:{port}"


@pytest.mark.slow
def test_the_lines_run_as_typed(tmp_path):
    port = str(free_port())
    scheduler, worker, table = lines()
    small = f"--preset quick --strategy random --budget 20 --output {tmp_path}"
    script = "\n".join(
        [
            scheduler.replace("dask scheduler", f"dask scheduler --port {port}"),
            worker.replace("8786", port),
            f"{table.replace('8786', port)} {small} >{tmp_path}/out 2>{tmp_path}/err",
            "echo done $?",
            "wait",
        ]
    )
    with shell(script, cwd=ROOT) as process:
        assert process.stdout.readline() == "done 0\n", (tmp_path / "err").read_text()
        with Client(f"tcp://127.0.0.1:{port}") as client:
            assert list(client.nthreads().values()) == [1, 1]
            threads = set(client.run(eval, THREADS).values())
    assert threads - {None} == {1}  # None: the worker that had no run
    assert "(n=1)" in (tmp_path / "tables/table1_mnist-lenet5.md").read_text()
    assert (tmp_path / "runs/mnist-lenet5_random_0.npz").exists()


@pytest.mark.slow
def test_a_strategy_of_ones_own_goes_along(cluster, tmp_path):
    write_module(tmp_path)
    done = subprocess.run(
        [sys.executable, TABLE1, "--strategy", "my_module:SmallestLead"]
        + ["--budget", "10", "--output", "output", "--cluster", cluster],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "| SmallestLead  | " in done.stdout
    assert (tmp_path / "output/runs/mnist-lenet5_my_module.SmallestLead_0.csv").exists()


@pytest.mark.slow
def test_a_scheduler_that_dies_is_no_success(tmp_path):
    port = str(free_port())
    scheduler, worker, _ = lines()
    command = [sys.executable, TABLE1, "--strategy", "random", "--budget", "500"]
    command += ["--output", str(tmp_path), "--cluster", f"tcp://127.0.0.1:{port}"]
    with (
        shell(f"{scheduler.strip(' &')} --port {port} >/dev/null 2>&1") as first,
        shell(f"{worker.strip(' &').replace('8786', port)} >/dev/null 2>&1"),
        subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running,
    ):
        while not list(tmp_path.glob("runs/*.csv")):
            assert running.poll() is None
            time.sleep(0.2)
        os.killpg(first.pid, signal.SIGKILL)
        _, said = running.communicate(timeout=300)
    assert running.returncode in (1, 2)
    assert b"mnist-lenet5_random_0 failed: ConnectionError" in said
    assert b"Traceback" not in said, said.decode()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "does not see the folder"),
        (["experiments"], "Start new workers"),  # this process has imported another
    ],
)
def test_a_worker_without_this_code(files, message, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in files:
        (tmp_path / name).mkdir()
    with Client(processes=False, n_workers=1, dashboard_address=None) as client:
        task = dask_task.make_task()
        failed = client.submit(task, [str(tmp_path)], "", {}, (10,), "")
        assert isinstance(failed.exception(), RuntimeError)
        assert message in str(failed.exception())


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker(tmp_path):
    undisturbed = tmp_path / "undisturbed"
    assert table1_runs.start(undisturbed, "--jobs", "2").wait() == 0
    scheduler, worker, _ = lines()
    port = str(free_port())
    worker = worker.strip(" &").replace("8786", port)
    worker = f"{worker.replace(' --nworkers 2', '')} --no-nanny >/dev/null 2>&1"
    output = tmp_path / "output"
    with (
        shell(f"{scheduler.strip(' &')} --port {port} >/dev/null 2>&1", cwd=tmp_path),
        shell(worker, cwd=tmp_path) as lost,
        shell(worker, cwd=tmp_path),
    ):
        running = table1_runs.start(output, "--cluster", f"tcp://127.0.0.1:{port}")
        while not list(output.glob("runs/*.csv")):
            assert running.poll() is None
            time.sleep(0.5)
        os.killpg(lost.pid, signal.SIGKILL)
        assert running.wait() == 0
    assert table1_runs.stored(output) == table1_runs.stored(undisturbed)
