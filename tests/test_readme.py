"""Every Python block of the README runs, in order, as one session."""

import pathlib
import re

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_python_blocks_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 3
    session = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), session)
    assert len(session["query"].indices) == 10
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert session["result"].norms.shape == (100,)


def test_commands_name_files_that_exist():
    scripts = re.findall(r"python (\S+\.py)", README.read_text())
    assert scripts
    for script in scripts:
        assert (README.parent / script).is_file()
