"""The directives `stored` and `study`: tables and figures of stored runs."""

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from repository_pages import ROOT
from sphinx.util.docutils import SphinxDirective

RESULTS = "reproduce/results/paper"
_NOT_RUN = "*Not run yet.*"
_NUM_COLUMNS = 5  # a table with more scrolls, in place of breaking its lines


def _only(argument):
    """Return the value of the option `only`."""
    return directives.choice(argument, ("picture", "table", "notes"))


class Stored(SphinxDirective):
    """Insert a figure and a table by the path that they share, without suffix.

    With `:only: picture`, `:only: table` or `:only: notes`, insert the figure, the
    table without the notes below it, or these notes. What was not run yet has no file.
    The page then says so.
    """

    required_arguments = 1
    option_spec: ClassVar = {"only": _only}

    def run(self):
        """Return the figure and the table, or a part of them."""
        name = f"{RESULTS}/{self.arguments[0]}"
        only = self.options.get("only")
        lines = []
        if only in (None, "picture") and (ROOT / f"{name}.png").exists():
            lines += [f"![{self.arguments[0]}](/repository/{name}.png)", ""]
        table = ROOT / f"{name}.md"
        if only != "picture" and table.exists():
            self.env.note_dependency(str(table))
            text = table.read_text(encoding="utf-8")
            # The page has the heading, and shows the figure.
            own = ("# ", "![")
            lines += [
                line
                for line in text.splitlines()
                if not line.startswith(own)
                and only in (None, "table" if line.startswith("|") else "notes")
            ]
        num_columns = max((line.count("|") for line in lines), default=1) - 1
        is_wide = num_columns > _NUM_COLUMNS
        node = nodes.container(classes=["stored", "wide"] if is_wide else ["stored"])
        content = StringList(lines or [_NOT_RUN], source=str(table))
        self.state.nested_parse(content, 0, node)
        return [node]


_STUDY = """
```{{stored}} figures/study_{0}
```

```{{stored}} tables/study_{0}_differences
:only: table
```

:::{{dropdown}} Accuracies and notes
```{{stored}} tables/study_{0}
```
:::
"""


class Study(SphinxDirective):
    """Insert the figure and the tables of a study, by `<study>_<problem>`."""

    required_arguments = 1

    def run(self):
        """Return them, or a line that says that the study was not run yet."""
        (name,) = self.arguments
        table = ROOT / RESULTS / f"tables/study_{name}_differences.md"
        lines = [_NOT_RUN]
        if table.exists():
            lines = _STUDY.format(name).splitlines()
        node = nodes.container()
        self.state.nested_parse(StringList(lines, source=str(table)), 0, node)
        return [node]


def setup(app):
    """Register the extension."""
    app.add_directive("stored", Stored)
    app.add_directive("study", Study)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
