"""The strategy of the README, in a module of its own."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def write_module(folder):
    """Put the README's own words into a module."""
    text = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"```python\n(import numpy.*?)```", text, re.DOTALL)
    code = block.rsplit("\n\n", 1)[0]
    (folder / "my_module.py").write_text(f"import dfal_keras as dfal\n{code}\n")
    assert len(code[code.index("class") :].strip().splitlines()) == 5
