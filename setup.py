import pathlib

from setuptools import setup
from setuptools.command.sdist import sdist


class SdistWithTests(sdist):
    """Add what the tests need: by itself, setuptools takes `tests/test_*.py` only."""

    def make_distribution(self):
        paths = [pathlib.Path("CHANGELOG.md")]
        for folder in ("notebooks", "reproduce", "tests"):
            paths += pathlib.Path(folder).rglob("*")
        self.filelist.extend(str(path) for path in paths if _is_source(path))
        self.filelist.sort()
        self.filelist.remove_duplicates()
        super().make_distribution()


def _is_source(path):
    """Whether a file belongs to the project: no caches, no results of a user's own."""
    if not path.is_file() or path.suffix in (".pyc", ".tmp"):
        return False
    if {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
        return False
    if path.parts[:2] != ("reproduce", "results"):
        return True
    is_ours = len(path.parts) == 3 or path.parts[2] == "paper"
    return is_ours and path.suffix != ".npz"


setup(cmdclass={"sdist": SdistWithTests})
