"""Where `benchmarks.labeling` stores what it measures."""

import json

import pandas as pd
import pytest
from benchmarks import labeling


def test_each_result_is_printed_and_stored(tmp_path, monkeypatch, capsys):
    def measure(folder, num_images):
        yield {"what": "first", "images": num_images, "median ms": 1.5}
        assert list(pd.read_csv(path)["what"]) == ["first"]  # before the next one
        yield {"what": "second", "images": num_images, "median ms": 2.5}

    path = tmp_path / "timing" / "labeling_page.csv"
    monkeypatch.setitem(labeling.MEASURED, "page", (measure, 70))
    labeling.main(["page", "--output", str(tmp_path)])
    stored = pd.read_csv(path)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert stored.drop(columns="machine").to_dict("records") == printed
    assert printed[1] == {"what": "second", "images": 70, "median ms": 2.5}
    assert stored["machine"].str.contains("cores; tensorflow ").all()
    labeling.main(["page", "--num", "3", "--output", str(tmp_path)])
    assert pd.read_csv(path)["images"].tolist() == [3, 3]
    assert path.with_suffix(".md").read_text().count("second") == 1


@pytest.mark.parametrize("arguments", [["page", "--num", "0"], ["other"], []])
def test_bad_arguments(arguments):
    with pytest.raises(SystemExit) as ended:
        labeling.main(arguments)
    assert ended.value.code == 2
