"""The directive `stored`: a table or a figure from the folder of results."""

from docutils import nodes
from docutils.statemachine import StringList
from repository_pages import ROOT
from sphinx.util.docutils import SphinxDirective

RESULTS = "reproduce/results/paper"
_NUM_COLUMNS = 5  # a table with more scrolls, in place of breaking its lines


class Stored(SphinxDirective):
    """Insert a figure and a table by the path that they share, without suffix.

    What was not run yet has no file. The page then says so.
    """

    required_arguments = 1

    def run(self):
        """Return the figure, the table, or both."""
        name = f"{RESULTS}/{self.arguments[0]}"
        lines = []
        if (ROOT / f"{name}.png").exists():
            lines += [f"![{self.arguments[0]}](/repository/{name}.png)", ""]
        table = ROOT / f"{name}.md"
        if table.exists():
            self.env.note_dependency(str(table))
            text = table.read_text(encoding="utf-8")
            # The page has the heading, and shows the figure.
            own = ("# ", "![")
            lines += [line for line in text.splitlines() if not line.startswith(own)]
        num_columns = max((line.count("|") for line in lines), default=1) - 1
        is_wide = num_columns > _NUM_COLUMNS
        node = nodes.container(classes=["stored", "wide"] if is_wide else ["stored"])
        content = StringList(lines or ["*Not run yet.*"], source=str(table))
        self.state.nested_parse(content, 0, node)
        return [node]


def setup(app):
    """Register the extension."""
    app.add_directive("stored", Stored)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
