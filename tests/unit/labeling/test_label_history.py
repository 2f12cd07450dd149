import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfal_keras import _files
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


TORN = Entry("2026-01-02", 'Ada "A", B', 'b "2",".png', "02", "cat, or 'dog'")


@pytest.mark.parametrize(
    "entry",
    [
        TORN,
        FIRST,
        dataclasses.replace(FIRST, who="é, ü", label="ü"),
        dataclasses.replace(TORN, label=""),
        dataclasses.replace(TORN, sha256="", label=""),
    ],
)
def test_a_line_that_was_not_finished_is_ignored_and_replaced(tmp_path, entry):
    """Cut at each byte, as by a kill or a power failure while it is written."""
    path, other = tmp_path / "labels.csv", tmp_path / "other.csv"
    history = LabelHistory(path)
    history.append([FIRST, NASTY])
    start = path.stat().st_size
    history.append([entry])
    content = path.read_bytes()
    assert len(content) > start + 30
    for end in range(start, len(content) + 1):
        other.write_bytes(content[:end])
        is_whole = end >= len(content) - len("\r\n")
        expected = [FIRST, NASTY, *([entry] if is_whole else [])]
        after = LabelHistory(other)
        assert after.entries == expected
        after.append([NASTY])
        after.append([TORN])
        assert LabelHistory(other).entries == [*expected, NASTY, TORN]


@pytest.mark.parametrize("removed", ["\n", "\r\n"])
@pytest.mark.parametrize("label", ["cat", "", '"', 'a "cat", or "dog"'])
@pytest.mark.parametrize("num_at_once", [1, 2])
def test_the_last_answer_counts_if_an_editor_removed_its_line_break(
    tmp_path, removed, label, num_at_once
):
    path = tmp_path / "labels.csv"
    entries = [FIRST, dataclasses.replace(TORN, label=label)]
    for start in range(0, 2, num_at_once):
        LabelHistory(path).append(entries[start : start + num_at_once])
    path.write_bytes(path.read_bytes().removesuffix(removed.encode()))
    history = LabelHistory(path)
    assert history.entries == entries
    history.append([NASTY])
    assert LabelHistory(path).entries == [*entries, NASTY]


def test_an_answer_with_a_quotation_mark_in_its_label_is_never_torn(tmp_path):
    path = tmp_path / "labels.csv"
    LabelHistory(path).append([FIRST])
    inode = path.stat().st_ino
    LabelHistory(path).append([dataclasses.replace(FIRST, label='a "cat"')])
    assert path.stat().st_ino != inode  # replaced as a whole


def test_a_single_answer_does_not_write_the_others_again(tmp_path):
    path = tmp_path / "labels.csv"
    history = LabelHistory(path)
    history.append([FIRST, NASTY])
    before, inode = path.read_bytes(), path.stat().st_ino
    history.append([TORN])
    assert path.read_bytes()[: len(before)] == before
    assert path.stat().st_ino == inode
    history.append([FIRST, TORN])  # all or nothing: a new file
    assert path.stat().st_ino != inode
    assert LabelHistory(path).entries == [FIRST, NASTY, TORN, FIRST, TORN]


def test_a_line_of_another_program_that_has_no_end_counts(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("time,who,file,sha256,label\n1,2,a.png,00,cat")
    history = LabelHistory(path)
    assert [entry.label for entry in history.entries] == ["cat"]
    history.append([FIRST])
    assert LabelHistory(path).entries == [*history.entries[:1], FIRST]


def test_a_copy_by_a_hard_link_is_not_changed(tmp_path):
    path, copy = tmp_path / "labels.csv", tmp_path / "copy.csv"
    LabelHistory(path).append([FIRST])
    copy.hardlink_to(path)
    history = LabelHistory(path)
    history.append([TORN])
    history.append([FIRST])
    assert LabelHistory(copy).entries == [FIRST]
    assert LabelHistory(path).entries == [FIRST, TORN, FIRST]


def test_an_answer_that_did_not_fit_on_the_disk_leaves_no_trace(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"
    history = LabelHistory(path)
    history.append([FIRST])

    def fill(path, text):
        with open(path, "a") as file:
            file.write(text[:20])
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(_files, "append_text", fill)
        with pytest.raises(OSError, match="no space"):
            history.append([TORN])
    assert history.latest() == {"00": "cat"}
    history.append([NASTY])
    assert LabelHistory(path).entries == [FIRST, NASTY]


@given(st.lists(st.builds(Entry, texts, texts, texts, texts, texts), max_size=5))
def test_any_text_is_read_as_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("log") / "labels.csv"
    LabelHistory(path).append(entries)
    for entry in entries:
        LabelHistory(path).append([entry])
    assert LabelHistory(path).entries == entries * 2


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
