"""Runs that are killed at any time resume to the same rows."""

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import table1
from distributed import Client
from experiments import files, runs, store
from experiments.options import make_parser, parse
from experiments.running import environment, execution, scheduling
from helpers.table1_runs import REPRODUCE, SMALL, WANTED, start, stored, workers


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(folder, "--jobs", "2").wait() == 0
    return stored(folder)


@pytest.mark.slow
def test_twenty_kills(undisturbed, tmp_path):
    """Kill a worker ten times, and all processes ten times, at random moments."""
    rng = random.Random(0)
    num_kills, running = 0, start(tmp_path, "--jobs", "2")
    while num_kills < 20:
        time.sleep(rng.uniform(3, 14))
        if running.poll() is None:
            targets = workers(running.pid)
            if num_kills % 2 and targets:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(targets), signal.SIGKILL)
            else:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
            num_kills += 1
        if running.poll() is not None:
            running = start(tmp_path, "--jobs", "2")
    running.wait()
    assert start(tmp_path, "--jobs", "2").wait() == 0
    assert stored(tmp_path) == undisturbed
    assert not list(tmp_path.glob("**/*.tmp"))


def test_no_scheduler_is_a_clear_message(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduling, "_TIMEOUT", 1)
    options = [*SMALL, "--output", str(tmp_path), "--cluster", "tcp://127.0.0.1:9"]
    with pytest.raises(OSError, match="tcp://127.0.0.1:9"):
        table1.main(options)


def test_a_run_that_fails_is_reported_and_the_others_finish(
    tmp_path, cluster_option, capsys
):
    """The labeled set of one of two runs is damaged."""
    kept = store.Store(tmp_path / "runs")
    files.write(kept.files(WANTED[0]).path(".npz"), "garbage")
    options = ["--strategy", "dfal", "random", "--trials", "1", "--budget", "10"]
    options += [*cluster_option, "--output", str(tmp_path)]
    assert table1.main(options) == 2
    shown = capsys.readouterr()
    assert "mnist-lenet5_dfal_0 failed: ValueError" in shown.err
    assert "RANDOM" in shown.out
    assert kept.num_annotations(WANTED[2]) == 10
    assert not kept.files(WANTED[0]).path(".csv").exists()
    assert kept.files(WANTED[0]).path(".npz").read_text() == "garbage"


def test_a_transfer_says_so_if_there_is_no_labeled_set(tmp_path):
    """The committed runs, for example, have rows and no labeled sets."""
    run = runs.Run.named("mnist-lenet5", "dfal", 0, source="mnist-vgg8")
    with pytest.raises(ValueError, match=r"mnist-vgg8_dfal_0 has no labeled set"):
        execution.perform(run, (20,), tmp_path, print)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.mark.slow
def test_a_transfer_trains_at_the_budgets_that_are_not_done(tmp_path):
    source = runs.Run.named("mnist-lenet5", "random", 0)
    execution.perform(source, (20,), tmp_path, lambda row: None)
    run = runs.Run.named("mnist-lenet5", "random", 0, source="mnist-lenet5")
    for budgets in ((10,), (10, 20)):
        execution.perform(run, budgets, tmp_path, lambda row: None)
    kept = store.Store(tmp_path)
    assert list(kept.rows(run)["num_annotations"]) == [10, 20]
    # RANDOM needs no network: its transfer equals the run of the network itself.
    own, transferred = kept.rows(source), kept.rows(run)
    assert list(transferred["accuracy"]) == pytest.approx(list(own["accuracy"]))


@pytest.mark.slow
def test_every_transfer_is_made_and_after_what_it_builds_on(tmp_path):
    trials = [runs.Run.named("mnist-lenet5", "random", trial) for trial in (0, 1)]
    transfers = [dataclasses.replace(run, source=run.problem) for run in trials]
    arguments = ["--budget", "20", "--jobs", "2", "--output", str(tmp_path)]
    options = dataclasses.replace(
        parse(make_parser("Table"), arguments), transfer_budgets=(10, 20)
    )
    assert scheduling.complete([*transfers, *trials], options) == {}
    kept = store.Store(options.runs_folder)
    for run in (*trials, *transfers):
        assert list(kept.rows(run)["num_annotations"]) == [10, 20]


def test_a_worker_computes_on_one_thread(cluster_option):
    """Two such processes do nearly twice the work of one with two threads."""

    def num_threads():  # nested: the worker can't import this module

        environment.start_tensorflow()
        from tensorflow.config import threading

        return (
            threading.get_intra_op_parallelism_threads(),
            threading.get_inter_op_parallelism_threads(),
        )

    with Client(cluster_option[1]) as client:
        assert client.submit(num_threads).result() == (1, 1)


def test_views_of_stored_runs_need_no_tensorflow(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(REPRODUCE)!r})\n"
        "import claims\n"
        f"claims.main(['--output', {str(tmp_path)!r}])\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not decided here" in done.stdout
