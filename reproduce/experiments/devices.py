"""The cores and GPUs that this process may use."""

import os
import subprocess
from collections.abc import Sequence


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> list[str]:
    """Return the GPUs that this process may use, as in `CUDA_VISIBLE_DEVICES`."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        try:
            listed = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return []
        return listed.stdout.split()
    names = [name.strip() for name in visible.split(",")]
    return [name for name in names if name not in ("", "-1", "NoDevFiles")]


def environment(worker: int, names: Sequence[str]) -> dict[str, str]:
    """Return the environment variables that assign a GPU to a worker process.

    Args:
        worker: Number of the worker, from 0.
        names: The GPUs, as `gpus` returns them. With more workers than GPUs, workers
            share them. Without any, no variable is set.
    """
    if not names:
        return {}
    return {
        "CUDA_VISIBLE_DEVICES": names[worker % len(names)],
        # TensorFlow allocates memory as needed, not all of the GPU's at once.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
