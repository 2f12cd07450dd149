"""Description of the machine and the packages of a timing."""

import contextlib
import importlib.metadata
import os
import pathlib
import platform

PACKAGES = ("tensorflow", "keras", "foolbox", "adversarial-robustness-toolbox")


def describe() -> str:
    """Return the processor's name and the number of its cores."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    processor = (names or [platform.machine()])[0]
    return f"{processor}, {os.cpu_count()} cores"


def versions() -> str:
    """Return the versions of the installed packages that are compared."""
    found = []
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)
