"""What this process may compute on: cores and GPUs."""

import os
import subprocess


def num_cores() -> int:
    """Return how many cores this process may use, which may be fewer than there are."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> list:
    """Return this process's GPUs, named as `CUDA_VISIBLE_DEVICES` names them."""
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


def environment(worker: int, names: list) -> dict:
    """Return the environment variables that give a worker process its GPU, if any.

    Args:
        worker: The worker's number, from 0.
        names: The GPUs, as `gpus` returns them. More workers than GPUs share them.
    """
    if not names:
        return {}
    return {
        "CUDA_VISIBLE_DEVICES": names[worker % len(names)],
        # TensorFlow takes memory as it needs it, not all of the GPU's at once.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
