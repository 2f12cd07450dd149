"""Command-line arguments that the timing scripts share."""

import argparse
import pathlib
from collections.abc import Collection

from experiments import options


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
    add_output(parser, "PRESET")
    return parser


def add_output(parser: argparse.ArgumentParser, preset: str) -> None:
    """Add the argument `--output`. The preset is that of the default folder."""
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=options.folder,
        help=f"folder of the results. Defaults to reproduce/results/{preset}",
    )


def timing_folder(preset: str, output: pathlib.Path | None) -> pathlib.Path:
    """Return the folder of measured times.

    Args:
        preset: Name of the preset.
        output: Folder of the results, `None` for the preset's.
    """
    given = ["--output", str(output)] if output else []
    parser = options.make_parser(None)
    return options.parse(parser, ["--preset", preset, *given]).timing_folder
