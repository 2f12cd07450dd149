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
    options.add_output(parser, "the results", "PRESET")
    return parser


def timing_folder(preset: str, output: pathlib.Path | None) -> pathlib.Path:
    """Return the folder of measured times.

    Args:
        preset: Name of the preset.
        output: Folder of the results, `None` for the preset's.
    """
    return options.of_preset(preset, output=output).timing_folder
