"""Cores and GPUs: the number of worker processes, and the devices of each."""

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf
from distributed import Client
from experiments import devices, options
from experiments.options import make_parser, parse
from experiments.running import environment, scheduling


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_jobs_are_the_cores_that_may_be_used():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from experiments.options import make_parser, parse\n"
        "print(parse(make_parser('Table'), []).num_jobs)\n"
        "print('cores: 1 ' in ' '.join(make_parser('Table').format_help().split()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pathlib.Path(options.__file__).parents[1],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "True"]


@pytest.mark.parametrize("names", [("process_cpu_count",), (), ("sched_getaffinity",)])
def test_cores_by_what_python_offers(names, monkeypatch):
    offered = {
        "process_cpu_count": lambda: 3,  # Python 3.13
        "sched_getaffinity": lambda process: {0, 4},
    }
    for name in offered:
        monkeypatch.delattr(os, name, raising=False)
    for name in names:
        monkeypatch.setattr(os, name, offered[name], raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    expected = {(): 64, ("process_cpu_count",): 3, ("sched_getaffinity",): 2}
    assert devices.num_cores() == expected[names]


@pytest.mark.parametrize(
    ("visible", "names"), [("2,GPU-f0", ["2", "GPU-f0"]), ("", []), ("-1", [])]
)
def test_visible_gpus(visible, names, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.gpus() == names


def test_gpus_that_the_driver_lists(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.gpus() == []
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    assert devices.gpus() == ["0", "1"]
    program.write_text("#!/bin/sh\necho no driver; exit 9\n")
    assert devices.gpus() == []


@pytest.mark.parametrize(("found", "jobs"), [(["0", "1", "2"], 3), ([], 5)])
def test_one_process_a_gpu(found, jobs, monkeypatch):
    monkeypatch.setattr(devices, "gpus", lambda: found)
    monkeypatch.setattr(devices, "num_cores", lambda: 5)
    assert parse(make_parser("Table"), []).num_jobs == jobs
    assert parse(make_parser("Table"), ["--jobs", "4"]).num_jobs == 4


def test_workers_have_one_thread_and_one_gpu_each(monkeypatch):
    """Three processes on two fictitious GPUs."""
    monkeypatch.setattr(devices, "gpus", lambda: ["3", "GPU-7"])
    with scheduling.local_cluster(3) as cluster, Client(cluster) as client:
        assert list(client.nthreads().values()) == [1, 1, 1]
        variables = "dict(__import__('os').environ)"
        seen = list(client.run(eval, variables).values())
    gpus = [environment["CUDA_VISIBLE_DEVICES"] for environment in seen]
    assert sorted(gpus) == ["3", "3", "GPU-7"]
    assert {each["TF_FORCE_GPU_ALLOW_GROWTH"] for each in seen} == {"true"}


def test_without_gpus_nothing_is_set():
    assert devices.environment(0, []) == {}


@pytest.mark.parametrize(("gpus", "expected"), [([], []), (["GPU"], [True, False])])
def test_on_a_gpu_runs_are_the_same_again(gpus, expected, monkeypatch):
    """No GPU is needed: this checks what is set, not what it does."""
    calls, config = [], tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: gpus)
    for name, call in {
        "enable_op_determinism": lambda: calls.append(True),
        "enable_tensor_float_32_execution": calls.append,
    }.items():
        monkeypatch.setattr(config.experimental, name, call)
    environment.start_tensorflow()
    assert calls == expected
