import pytest

from dfal_keras.labeling import check_sample, session_tables


def test_rows_are_read_as_written(tmp_path):
    path = tmp_path / "table.csv"
    assert session_tables.read_table(path, dict, "A table must be whole") == []
    session_tables.write_table(path, ["file", "size"], [('a,"b\n', 3), ("é", 4)])
    assert session_tables.read_table(path, dict, "A table must be whole") == [
        {"file": 'a,"b\n', "size": "3"},
        {"file": "é", "size": "4"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        *(b"file,sha256\na\n", b"file,sha256\na,b,c\n", b'file,sha256\n"a,b\n'),
        *(b"file,size\na,3\n", b"file,sha256\n\xff,b\n"),
    ],
)
def test_damaged_tables_are_refused_by_name(tmp_path, content):
    (tmp_path / "check.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"check\.csv must be as .* Received: .*"):
        check_sample.read_sample(tmp_path)


def test_a_folder_in_place_of_a_table_is_refused(tmp_path):
    (tmp_path / "check.csv").mkdir()
    with pytest.raises(ValueError, match=r"check\.csv"):
        check_sample.read_sample(tmp_path)
