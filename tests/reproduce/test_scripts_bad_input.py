import figure1
import figure2
import pytest
import speed
import table1
import table2
import table3


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (table1, ["--strategy", "json:"]),
        (table1, ["--strategy", ":Mine"]),
        (table1, ["--strategy", ".here:Mine"]),
        (table1, ["--strategy", "no.such.module:Mine"]),
        (table1, ["--strategy"]),
        (table1, ["--problem", ""]),
        (table1, ["--trials", "1.5"]),
        (table1, ["--jobs", "0"]),
        (table1, ["--budget", "ten"]),
        (table1, ["--budget", "-10"]),
        (table1, ["--output", "file"]),
        (table1, ["--output", "file/below", "--stored"]),
        (table2, ["--output", "file", "--stored"]),
        (figure2, ["--output", "file/below/it", "--stored"]),
        (figure1, ["--output", "file"]),
        (figure1, ["--seed", "x"]),
        (figure1, ["--budget", "0"]),
        (table3, ["--labeled", "-5"]),
        (table3, ["--labeled", "x"]),
        (table3, ["--unlabeled", "0"]),
        (table3, ["--repeats", "1.5"]),
        (table3, ["--literal-sizes", "0"]),
        (table3, ["--literal-sizes"]),
        (table3, ["--time-limit", "inf"]),
        (table3, ["--time-limit", "-1"]),
        (speed, ["--section", "everything"]),
        (speed, ["--section"]),
        (speed, ["--repeats", "1"]),
        (speed, ["--threads", "0"]),
        (speed, ["--preset", "fast"]),
    ],
    ids=lambda value: value.__name__ if hasattr(value, "__name__") else " ".join(value),
)
def test_a_script_rejects_bad_arguments_before_it_runs(
    script, arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    output = [] if "--output" in arguments else ["--output", "results"]
    with pytest.raises(SystemExit) as stopped:
        script.main([*arguments, *output])
    shown = capsys.readouterr()
    assert stopped.value.code == 2
    assert shown.out == ""
    error = shown.err.splitlines()[-1]
    assert "error: " in error
    assert arguments[0] in error
    assert " _" not in error  # such as the name of a private function
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "not a folder"
