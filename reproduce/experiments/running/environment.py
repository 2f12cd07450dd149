"""TensorFlow on a worker, and what a run is made with."""

import contextlib
import datetime
import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import subprocess

from dfal_keras.backend import quiet_import


def start_tensorflow(num_threads: int = 1) -> None:
    """Import TensorFlow without its messages and set its number of threads.

    Two processes of one thread do nearly twice the work of one with two threads. A
    process that has used TensorFlow before keeps its number of threads.

    On a GPU, operations are made deterministic, so that a run can be repeated exactly.
    TensorFloat-32, which makes DeepFool's norms less precise, is turned off.

    Args:
        num_threads: Number of threads. Defaults to 1.
    """
    with quiet_import.quiet():
        import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
        tf.config.experimental.enable_tensor_float_32_execution(False)


def describe() -> dict:
    """Return the versions and the machine that a run is made with."""
    import tensorflow as tf

    packages = ["dfal_keras", "tensorflow", "keras", "numpy", "ortools"]
    if importlib.util.find_spec("skactiveml"):
        packages.append("scikit-activeml")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    devices = tf.config.list_physical_devices("GPU") or ["CPU"]
    return {
        **{name: importlib.metadata.version(name) for name in packages},
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": f"{platform.system()}, {machine()}",
        "device": str(devices[0]),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat("T", "seconds"),
    }


def machine(cpuinfo: pathlib.Path = pathlib.Path("/proc/cpuinfo")) -> str:
    """Return the processor and the number of its cores.

    Its family and model are part of it: virtual machines on different processors often
    show the same name, and rounding differs.

    Args:
        cpuinfo: Linux's description of the processors. It need not exist.
    """
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    first = dict(
        [part.strip() for part in line.split(":", 1)]
        for line in text.partition("\n\n")[0].splitlines()
        if ":" in line
    )
    numbers = [
        f"{name.removeprefix('cpu ')} {first[name]}"
        for name in ("cpu family", "model", "stepping")
        if name in first
    ]
    name = first.get("model name", platform.machine())
    details = f" ({', '.join(numbers)})" if numbers else ""
    return f"{name}{details}, {os.cpu_count()} cores"
