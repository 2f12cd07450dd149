"""The README's example of your own strategy, as a module."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def write_module(folder):
    """Write the README's code to `my_module.py`."""
    text = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"```python\n(import numpy.*?)```", text, re.DOTALL)
    code = block.rsplit("\n\n", 1)[0]
    (folder / "my_module.py").write_text(f"import dfal_keras as dfal\n{code}\n")
    assert len(code[code.index("class") :].strip().splitlines()) == 5
