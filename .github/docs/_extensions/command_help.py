"""The directive `command-help`: what a command prints for `--help`."""

import contextlib
import io
import os
from unittest import mock

from docutils import nodes
from docutils.parsers.rst import Directive

from dfal_keras.cli import main


class CommandHelp(Directive):
    """Insert the help of `dfal-keras` or of one of its commands."""

    optional_arguments = 1

    def run(self):
        """Return a literal block."""
        text = io.StringIO()
        with (
            mock.patch.dict(os.environ, COLUMNS="88"),
            contextlib.redirect_stdout(text),
            contextlib.suppress(SystemExit),
        ):
            main.main([*self.arguments, "--help"])
        return [nodes.literal_block(text.getvalue(), text.getvalue(), language="text")]


def setup(app):
    """Register the extension."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
