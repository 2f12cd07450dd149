import pathlib

from setuptools import setup
from setuptools.command.sdist import sdist


class SdistWithTests(sdist):
    """Add what the tests need. By default setuptools takes `tests/test_*.py` only."""

    def make_distribution(self):
        paths = [pathlib.Path(name) for name in ("CHANGELOG.md", ".ruff.toml")]
        folders = (".ci", ".github", "dfal_keras", "notebooks", "reproduce", "tests")
        for folder in folders:
            paths += pathlib.Path(folder).rglob("*")
        self.filelist.extend(str(path) for path in paths if _is_source(path))
        self.filelist.sort()
        self.filelist.remove_duplicates()
        super().make_distribution()


def _is_source(path):
    """Return whether a file belongs to the project: no caches, no user's results."""
    if not path.is_file() or path.suffix in (".pyc", ".tmp"):
        return False
    if {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
        return False
    if path.parts[:3] == (".github", "docs", "repository"):  # copied for the site
        return False
    if path.parts[:2] != ("reproduce", "results"):
        return True
    is_paper = path.parts[2] == "paper" and ".locks" not in path.parts
    return is_paper and path.suffix != ".npz"


setup(cmdclass={"sdist": SdistWithTests})
