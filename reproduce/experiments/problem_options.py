"""The values of `--problem`: names, checked, and the subsets that they stand for."""

import argparse
import os
import sys
from collections.abc import Iterable

from experiments import problem_data, problems
from experiments.problems import PROBLEMS


def choose(
    parser: argparse.ArgumentParser, names: Iterable[str], max_per_class: int | None
) -> tuple[str, ...]:
    """Return the names of problems, without repetition, or of their subsets.

    Ends the program with an error of `--problem` if data of your own can't be used, or
    if two problems have one title.

    Args:
        parser: The parser.
        names: The values of `--problem`.
        max_per_class: The value of `--max-per-class`, `None` if it was not given.
    """
    titles = {each.title: name for name, each in PROBLEMS.items()}
    chosen = []
    for name in dict.fromkeys(names):
        chosen.append(problems.subset_name(name, max_per_class))
        one = problems.get(chosen[-1])
        if one.is_own:
            try:
                problem_data.load(one)
            except ValueError as error:
                parser.error(f"argument --problem: {name}: {error}")
        other = titles.setdefault(problems.get(name).title, name)
        if other != name:
            parser.error(
                f"argument --problem: {name} and {other} have the same title, "
                f"{one.title}"
            )
    return tuple(chosen)


def name(text: str) -> str:
    """Return the name of a problem. A type for `argparse`.

    Raises:
        argparse.ArgumentTypeError: If it is not a name of `PROBLEMS`, or module:name
            of a Problem.
    """
    if ":" not in text and text not in PROBLEMS:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(PROBLEMS)}, or module:name, received {text}"
        )
    if ":" in text:
        add_working_folder()
    try:
        problems.get(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_working_folder() -> None:
    """Make modules of the working folder importable. Workers get the same path."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
