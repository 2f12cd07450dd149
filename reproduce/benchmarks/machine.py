"""The machine of a timing, and the packages that are compared."""

import contextlib
import importlib.metadata

from experiments.running import environment

PACKAGES = ("tensorflow", "keras", "foolbox", "adversarial-robustness-toolbox")


def describe() -> str:
    """Return the machine and the versions of the installed packages of a timing."""
    found = []
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return f"{environment.machine()}; {', '.join(found)}"
