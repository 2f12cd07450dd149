"""Scripts end with one line, not a traceback, if their environment fails."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import figure1
import pytest
import table1
from experiments import entry_point, options
from helpers.parameters import slow_after
from helpers.table1_runs import workers

REPRODUCE = pathlib.Path(entry_point.__file__).parents[1]
SCRIPTS = sorted(
    path
    for path in REPRODUCE.glob("*.py")
    if '__name__ == "__main__"' in path.read_text()
)
SMALL = ["--strategy", "random", "--trials", "2", "--jobs", "2"]
ONE_JOB = [*SMALL[:-1], "1"]


def begin(*arguments, before="", **options):
    """Start a script in a new process group, after some code if it is given."""
    command = [sys.executable, *map(str, arguments)]
    if before:
        code = f"import runpy, sys; sys.path.insert(0, {str(REPRODUCE)!r})\n{before}\n"
        code += "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], {}, '__main__')"
        command[1:1] = ["-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(
        command,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, as by `&`, Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **pipes,
    )


def finish(process):
    """Return the exit status and the output; check that no worker is left."""
    try:
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in err, err
        deadline = time.monotonic() + 20
        while workers(process.pid) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert workers(process.pid) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out, err


def test_every_script_has_the_one_entry_point():
    assert len(SCRIPTS) == 18
    names = [path.name for path in SCRIPTS]
    for path in SCRIPTS:
        text = path.read_text()
        assert text.endswith("\n    sys.exit(entry_point.run(main))\n"), path
        imports = re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
        ours = [name for name in imports if name not in sys.stdlib_module_names]
        # Importing `experiments` checks that the extra is installed.
        assert ours[0] == "experiments" or f"{ours[0]}.py" in names, path


def test_with_another_backend_of_keras():
    env = {**os.environ, "KERAS_BACKEND": "jax"}
    process = begin(REPRODUCE / "table1.py", "--stored", env=env)
    status, out, err = finish(process)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("dfal_keras needs the TensorFlow backend of Keras: ")


@pytest.mark.parametrize(
    "package", slow_after(2, ["dask", "pandas", "tqdm", "tabulate", "contourpy"])
)
def test_without_the_extra(package, tmp_path):
    blocker = f"""
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
"""
    for path in SCRIPTS if package == "pandas" else [REPRODUCE / "table1.py"]:
        status, out, err = finish(begin(path, "--output", tmp_path, before=blocker))
        assert (status, out) == (2, "")
        assert f"Not installed: {package}." in err
        assert 'pip install -e ".[reproduce]"' in err


@pytest.mark.parametrize("option", ["--stored", "--dry-run"])
def test_an_output_that_nobody_reads(option, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    script = REPRODUCE / "table1.py"
    process = begin(script, option, "--output", tmp_path, stdout=writer)
    os.close(writer)
    status, _, err = finish(process)
    assert (status, err) == (141, "")


@pytest.mark.slow
@pytest.mark.parametrize("unread", ["stdout", "stderr"])
def test_an_output_that_nobody_reads_while_runs_are_made(unread, tmp_path):
    small = ["--strategy", "random", "--budget", "10", "--jobs", "1"]
    reader, writer = os.pipe()
    os.close(reader)
    options = [*small, "--output", tmp_path]
    process = begin(REPRODUCE / "table1.py", *options, **{unread: writer})
    os.close(writer)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 141, f"{out}{err}"
    assert "Traceback" not in f"{out}{err}"


def test_head_reads_a_line():
    command = f"{sys.executable} {REPRODUCE}/table1.py --stored --help | head -1"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 141)  # 0 if all was written before `head` ended
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 300, "File name too long"),
        ("a/" * 3000, "File name too long"),
        (os.devnull, f"{os.devnull} is a file, not a folder"),
    ],
)
def test_an_output_that_can_be_no_folder(name, message, tmp_path, capsys):
    for script in (table1, figure1):
        with pytest.raises(SystemExit) as stopped:
            script.main(["--output", str(tmp_path / name)])
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err


def test_an_output_that_is_read_only(tmp_path, capsys, monkeypatch):
    """By a patch of `os.access`: root, who may run the tests, can write anywhere."""
    allowed = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode: pathlib.Path(path) != tmp_path and allowed(path, mode),
    )
    for output in (tmp_path, tmp_path / "new" / "folder"):
        with pytest.raises(SystemExit) as stopped:
            table1.main(["--output", str(output)])
        assert stopped.value.code == 2
        shown = capsys.readouterr().err
        assert "read-only" in shown
        assert f"'{tmp_path}'" in shown
    monkeypatch.setattr(options, "RESULTS", tmp_path)  # the default, not an argument
    with pytest.raises(PermissionError, match=re.escape(f"'{tmp_path}'")):
        table1.main([])


def test_an_output_that_the_system_refuses():
    status, _, err = finish(
        begin(REPRODUCE / "core_hours.py", "--output", "/proc/none")
    )
    assert status == 2
    assert err.startswith("Stopped: ")
    assert "/proc/none" in err


def stop(process, number):
    os.kill(process.pid, number)  # the command only, as `kill` does
    return finish(process)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "options"),
    [(signal.SIGINT, ONE_JOB), (signal.SIGINT, SMALL), (signal.SIGTERM, SMALL)],
)
def test_stopped_while_runs_are_made(number, options, tmp_path):
    process = begin(REPRODUCE / "table1.py", *options, "--output", tmp_path)
    while not list(tmp_path.glob("runs/*.csv")):
        assert process.poll() is None
        time.sleep(0.1)
    status, _, err = stop(process, number)
    assert status == 130
    assert err.endswith("\nStopped. Run the same command again to resume.\n")


def test_stopped_while_the_workers_start(tmp_path):
    """The process signals itself while it starts the first of two workers."""
    before = """
import os, signal
from experiments.running import scheduling
class Nanny(scheduling.Nanny):
    async def instantiate(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return await super().instantiate()
scheduling.Nanny = Nanny
"""
    script = REPRODUCE / "table1.py"
    status, _, err = finish(begin(script, *SMALL, "--output", tmp_path, before=before))
    assert status == 130
    assert "Stopped. Run the same command again to resume." in err


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_starts(tmp_path):
    process = begin(REPRODUCE / "table1.py", *SMALL, "--output", tmp_path)
    killed = set()
    while process.poll() is None:
        for worker in workers(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        time.sleep(0.01)
    status, _, err = finish(process)
    assert killed
    assert status == 2
    assert err.startswith("Stopped: the worker processes did not start")


def test_an_exit_status_is_the_mains():
    for status in (0, 1, 2):
        assert entry_point.run(lambda status=status: status) == status
