import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfal_keras.labeling.label_history import Entry, LabelHistory

FIRST = Entry("2026-01-01T00:00:00+00:00", "Ada", "a.png", "00", "cat")
NASTY = Entry("", "", '=1+1,"\n;', "01", "'=x")

# What a CSV file can't hold: a NUL, and half of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


def test_entries_are_appended(tmp_path):
    path = tmp_path / "labels.csv"
    assert LabelHistory(path).entries == []
    LabelHistory(path).append([FIRST])
    LabelHistory(path).append([NASTY])
    assert LabelHistory(path).entries == [FIRST, NASTY]


@given(st.lists(st.builds(Entry, texts, texts, texts, texts, texts), max_size=5))
def test_any_text_is_read_as_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("log") / "labels.csv"
    LabelHistory(path).append(entries)
    assert LabelHistory(path).entries == entries


def test_the_latest_label_of_an_image_counts(tmp_path):
    log = LabelHistory(tmp_path / "labels.csv")
    log.append([FIRST, NASTY, dataclasses.replace(FIRST, file="b.png", label="dog")])
    assert log.latest() == {"00": "dog", "01": "'=x"}


def test_cells_are_safe_in_a_spreadsheet(tmp_path):
    path = tmp_path / "labels.csv"
    LabelHistory(path).append([NASTY])
    assert "'=1+1" in path.read_text()


def test_checksums_tell_what_is_said_but_not_when(tmp_path):
    log = LabelHistory(tmp_path / "labels.csv")
    log.append([FIRST, NASTY])
    later = LabelHistory(tmp_path / "other.csv")
    later.append([dataclasses.replace(FIRST, time="2027"), NASTY])
    assert log.checksum(2) == later.checksum(2)
    assert log.checksum(1) != log.checksum(2)
    other = LabelHistory(tmp_path / "third.csv")
    other.append([dataclasses.replace(FIRST, label="dog"), NASTY])
    assert log.checksum(2) != other.checksum(2)


@pytest.mark.parametrize(
    "content", ["", "time,who\n", "time,who,file,sha256,label\n1,2\n", "\xff"]
)
def test_damaged_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"labels\.csv must have the columns"):
        LabelHistory(path)
    assert path.read_text(encoding="latin-1") == content
