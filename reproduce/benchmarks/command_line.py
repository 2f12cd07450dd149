"""Command-line arguments that the timing scripts share."""

import argparse
import pathlib
from collections.abc import Collection

import pandas as pd
from experiments import options
from experiments.analysis import terminal
from experiments.argument_types import at_least


def make_parser(
    description: str | None, presets: Collection[str]
) -> argparse.ArgumentParser:
    """Return a parser with the arguments `--preset` and `--output`.

    Args:
        description: The script's description.
        presets: Names of the presets, with "quick" among them.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--preset",
        choices=presets,
        default="quick",
        help="how much to time. Defaults to %(default)s",
    )
    options.add_output(parser, "the results", "PRESET")
    return parser


def add_repeats(
    parser: argparse.ArgumentParser, content: str, minimum: int = 1
) -> None:
    """Add the argument `--repeats`.

    Args:
        parser: The parser.
        content: What is repeated.
        minimum: The least number. Defaults to 1.
    """
    parser.add_argument(
        "--repeats",
        type=at_least(minimum),
        metavar="N",
        default=3,
        help=f"{content}. Defaults to %(default)s",
    )


def timing_folder(preset: str, output: pathlib.Path | None) -> pathlib.Path:
    """Return the folder of measured times.

    Args:
        preset: Name of the preset.
        output: Folder of the results, `None` for the preset's.
    """
    return options.of_preset(preset, output=output).timing_folder


def print_stored(name: str, table: pd.DataFrame | None = None) -> int:
    """Print times that come with the repository, and how to measure them here.

    Args:
        name: Name of the script and of its page.
        table: The table. Defaults to `None`, that of the file with this name.

    Returns:
        The script's exit status.
    """
    path = timing_folder("paper", None) / f"{name}.csv"
    if table is None:
        table = pd.read_csv(path, dtype=str).fillna("")
    print(terminal.fit(table.set_index(table.columns[0])))
    print(
        f"\nMeasured before; with notes: {path.with_suffix('.md')}\n"
        f"To measure it on this machine: python reproduce/{name}.py --output FOLDER"
    )
    return 0
