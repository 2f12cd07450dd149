"""Formulas as MathML, which browsers show by themselves: the site loads no script."""

import latex2mathml.converter
from docutils import nodes


def inline(self, node):
    """Write a formula within a line."""
    self.body.append(latex2mathml.converter.convert(node.astext()))
    raise nodes.SkipNode


def block(self, node):
    """Write a formula on a line of its own."""
    formula = latex2mathml.converter.convert(node.astext(), display="block")
    self.body.append(f'<div class="formula">{formula}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the extension."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
