"""Runs on a data set that is not ready are left out with its status."""

import pytest
from experiments import options, results, runs
from experiments.running import scheduling
from helpers import data_folders

from dfal_keras import datasets


def test_the_scripts_show_the_status_of_the_data_set(tmp_path, monkeypatch, capsys):
    """The message of `complete` and the text of an empty panel."""
    wanted = [runs.Run.named("quick_draw-lenet5", "random", 0)]
    source = data_folders.small_quick_draw(tmp_path / "remote")
    data_folders.replace_dataset(monkeypatch, source)
    folder = tmp_path / "data"
    monkeypatch.setenv("DFAL_KERAS_DATA", str(folder))
    for state in "missing", "not prepared", "invalid":
        if state == "not prepared":
            data_folders.small_quick_draw(folder)
        elif state == "invalid":
            (folder / "cat.npy").write_bytes(b"12345")
        parsed = options.parse(
            options.make_parser(""), ["--output", str(tmp_path / "results")]
        )
        with pytest.raises(scheduling.NothingToRunError):
            scheduling.complete(wanted, parsed)
        status = datasets.status("quick_draw")
        assert status.startswith(f"{state}: ")
        assert status in capsys.readouterr().err
        panel = results.why_not_run(wanted[0].problem)
        assert panel.startswith(f"data set {state}:")
    data_folders.small_quick_draw(folder)
    datasets.load_data("quick_draw")
    assert results.why_not_run(wanted[0].problem).startswith("not run:")
