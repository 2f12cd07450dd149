import csv
import os

import hypothesis
import pytest
from hypothesis import strategies as st

from dfal_keras.labeling.images import folder as image_folder
from dfal_keras.labeling.images import table as image_table
from dfal_keras.labeling.images.table import ImageRow

A, B = "a" * 64, "b" * 64
names = st.text(st.sampled_from("'=+-@,;\"\r\n\t \x85\u2028\\x5cffé"), min_size=1) | (
    st.binary(min_size=1)
    .filter(lambda raw: b"\0" not in raw)  # as in every file name
    .map(lambda raw: image_folder.encode_name(os.fsdecode(raw)))
)
tables = st.lists(
    st.builds(
        ImageRow,
        st.text("0123456789abcdef", min_size=64, max_size=64),
        st.dictionaries(names, st.tuples(st.integers(0), st.integers(0)), min_size=1),
        st.booleans(),
    ),
    unique_by=lambda row: row.sha256,
)


@hypothesis.given(rows=tables)
def test_the_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "images.csv"
    image_table.write_table(path, rows)
    read = image_table.read_table(path)
    assert read == rows
    assert [row.name for row in read] == [row.name for row in rows]


def test_the_file_can_be_read_by_people(tmp_path):
    rows = [
        ImageRow(A, {"more/a.png": (12, 34), "=a.png": (12, 35)}),
        ImageRow(B, {"b.png": (5, 6)}, is_present=False),
    ]
    image_table.write_table(tmp_path / "images.csv", rows)
    with (tmp_path / "images.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["row", "file", "sha256", "size", "mtime_ns", "present"],
            ["0", "more/a.png", A, "12", "34", "yes"],
            ["0", "'=a.png", A, "12", "35", "yes"],
            ["1", "b.png", B, "5", "6", "no"],
        ]


HEADER = "row,file,sha256,size,mtime_ns,present\r\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 0: another first line"),
        ("row,file\r\n", "line 1: another first line"),
        (f"{HEADER}0,a.png,{A},1\r\n", "line 2: not enough values"),
        (f"{HEADER}0,a.png,{A},1,2,yes,7\r\n", "line 2: too many values"),
        (f"{HEADER}0,a.png,abc,1,2,yes\r\n", "line 2: 'abc'"),
        (f"{HEADER}0,a.png,{A},1,2,maybe\r\n", "'maybe'"),
        (f"{HEADER}0,a.png,{A},1,1.7E+18,yes\r\n", "1.7E"),
        (f"{HEADER}1,a.png,{A},1,2,yes\r\n", "row 1 after row -1"),
        (f"{HEADER}0,a.png,{A},1,2,yes\r\n2,b.png,{B},1,2,yes\r\n", "line 3: row 2"),
        (f"{HEADER}0,a.png,{A},1,2,yes\r\n0,b.png,{B},1,2,yes\r\n", "line 3: row 0"),
        (f"{HEADER}0,a.png,{A},1,2,yes\r\n1,b.png,{A},1,2,yes\r\n", "in two rows"),
        (f'{HEADER}0,"a.png,{A},1,2,yes\r\n', "unexpected end of data"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, text, reason):
    path = tmp_path / "images.csv"
    path.write_text(text, newline="")
    with pytest.raises(ValueError, match="restore a copy") as error:
        image_table.read_table(path)
    assert str(path) in str(error.value)
    assert reason in str(error.value)


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "images.csv"
    path.write_bytes(HEADER.encode() + b"\xff\xfe\x80")
    with pytest.raises(ValueError, match="images.csv must be as it was written"):
        image_table.read_table(path)
