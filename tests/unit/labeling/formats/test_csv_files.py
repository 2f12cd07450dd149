"""CSV files of queries."""

import csv
import io

import pytest
from helpers import queried_images

from dfal_keras.labeling.formats import csv_files
from dfal_keras.labeling.formats.answer import Answer


def fill_in(path, labels):
    """Fill in the column `label`, as an annotator with a spreadsheet program does."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, label in zip(rows, labels, strict=True):
        row["label"] = label
    filled = io.StringIO(newline="")
    writer = csv.DictWriter(filled, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return filled.getvalue()


def test_the_file_has_the_documented_columns(tmp_path):
    path = tmp_path / "queries.csv"
    (query,) = queried_images.make(["a.png"])
    csv_files.write_queries(path, [query])
    assert path.read_text().splitlines() == [
        "rank,file,sha256,score,predicted,probability,label",
        f"1,a.png,{query.sha256},0.333333,dog & owner,0.8750,",
    ]


def test_names_survive_the_round_trip(tmp_path):
    path = tmp_path / "queries.csv"
    names = [*queried_images.NAMES, "'apostrophe.png", "@x.png", "\tt.png", " a .png"]
    queried = queried_images.make(names)
    csv_files.write_queries(path, queried)
    answers = csv_files.parse_answers(fill_in(path, ["cat"] * len(names)))
    assert answers == [Answer(query.file, query.sha256, "cat") for query in queried]


def test_no_cell_is_a_formula(tmp_path):
    path = tmp_path / "queries.csv"
    names = ["=1+1.png", "+1.png", "-1.png", "@x.png"]
    queried = queried_images.make(names, label="=A1", score=-0.5)
    csv_files.write_queries(path, queried)
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    numbers = {cell for cell in cells if cell.startswith("-0.5")}
    assert {cell for cell in cells if cell[:1] in tuple("=+-@")} == numbers


def test_a_label_that_is_known_is_filled_in(tmp_path):
    path = tmp_path / "queries.csv"
    csv_files.write_queries(path, queried_images.make(["a.png"], label="=cat"))
    answers = csv_files.parse_answers(path.read_text())
    assert [answer.label for answer in answers] == ["=cat"]


def test_a_query_without_scores_is_written(tmp_path):
    path = tmp_path / "queries.csv"
    csv_files.write_queries(path, queried_images.make(["a.png"], score=None))
    assert path.read_text().splitlines()[1].split(",")[3] == ""


def test_a_failed_write_keeps_the_file(tmp_path):
    path = tmp_path / "queries.csv"
    path.write_text("before")
    with pytest.raises(AttributeError):
        csv_files.write_queries(path, [*queried_images.make(), None])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_recognized(separator):
    text = "file,label,note\na.png,cat,x\nb.png,,\nc.png, ? ,y\n"
    assert csv_files.parse_answers(text.replace(",", separator)) == [
        Answer("a.png", "", "cat"),
        Answer("c.png", "", None),
    ]


def test_other_separators_may_be_part_of_cells():
    text = 'label;file\n"cat, dog";"a,b.png"\nowl;"c;d.png"\n'
    assert csv_files.parse_answers(text) == [
        Answer("a,b.png", "", "cat, dog"),
        Answer("c;d.png", "", "owl"),
    ]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_within_names_are_kept(line_break):
    rows = ["file,label", '"a\nb.png",cat', "", "c.png,dog", ""]
    answers = csv_files.parse_answers(line_break.join(rows))
    assert [answer.file for answer in answers] == ["a\nb.png", "c.png"]


def test_columns_are_recognized_in_any_case_and_order():
    text = " Label ,SHA256,Who\n cat ,ABC,Ann\n"
    assert csv_files.parse_answers(text) == [Answer("", "abc", "cat", "Ann")]


def test_answers_are_sorted_by_the_time_of_change():
    text = "file,label,updated_at\na.png,new,2026-01-02\na.png,old,2026-01-01\n"
    assert [answer.label for answer in csv_files.parse_answers(text)] == ["old", "new"]


def history(*rows):
    """Return the text of a session's labels.csv."""
    return "\n".join(["time,who,file,sha256,label", *rows])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["1,Ada,a.png,aa,cat", "2,Bob,a.png,aa,dog"], {"aa": ("dog", "Bob")}),
        (
            ["1,Ada,a.png,aa,cat", "2,Bob,a.png,aa,cat", "3,Cem,a.png,aa,dog"],
            {"aa": ("dog", "Cem")},
        ),
        (["1,Ada,a.png,aa,cat", "2,Ada,a.png,aa,"], {}),
        (
            ["1,Ada,a.png,aa,cat", "2,Bob,a.png,aa,", "3,Cem,b.png,bb,?"],
            {"bb": (None, "Cem")},
        ),
        (["2,Bob,a.png,aa,dog", "1,Ada,a.png,aa,cat"], {"aa": ("dog", "Bob")}),
        (["2,Bob,a.png,aa,", "1,Ada,a.png,aa,cat"], {}),
        (["1,Ada,a.png,aa,", "2,Ada,a.png,aa,cat"], {"aa": ("cat", "Ada")}),
        (["1,Ada,a.png,aa,cat", "1,Ada,a.png,aa,dog"], {"aa": ("dog", "Ada")}),
        (["1,Ada,old.png,aa,cat", "2,Bob,new.png,AA,dog"], {"aa": ("dog", "Bob")}),
        (
            ["1,Ada,a.png,aa,cat", "2,Bob,a.png,bb,dog"],  # its content has changed
            {"aa": ("cat", "Ada"), "bb": ("dog", "Bob")},
        ),
    ],
)
def test_the_latest_answer_of_a_history_counts_whoever_gave_it(rows, expected):
    answers = csv_files.parse_answers(history(*rows))
    assert {a.sha256: (a.label, a.who) for a in answers} == expected
    assert len(answers) == len(expected)


def test_a_history_in_another_order_of_columns_and_with_semicolons():
    text = (
        "label;sha256;note;file;who;time\ncat;aa;x;a.png;Ada;2\ndog;aa;;a.png;Bob;1\n"
    )
    assert csv_files.parse_answers(text) == [Answer("a.png", "aa", "cat", "Ada")]


def test_a_table_with_a_time_is_sorted_by_it():
    text = "file,label,time\na.png,new,2026-01-02\na.png,old,2026-01-01\n"
    assert [answer.label for answer in csv_files.parse_answers(text)] == ["old", "new"]


def test_cells_at_the_end_of_a_row_may_be_missing_or_empty():
    text = "file,label,note\na.png,cat\nb.png\nc.png,dog,x,,\n"
    assert [answer.label for answer in csv_files.parse_answers(text)] == ["cat", "dog"]


def test_a_file_without_rows_has_no_answers():
    assert csv_files.parse_answers("file,label\n") == []


@pytest.mark.parametrize(
    ("text", "line", "received"),
    [
        ("index,label\n1,cat\n", 1, "index, label"),
        ("file;class\na.png;cat\n", 1, "file, class"),
        ("just text", 1, "just text"),
        ("file,label,label\na.png,cat,dog\n", 1, "received 2"),
        ("file,label\na.png,cat\nb,c.png,dog\n", 3, "received 3"),
        ('file,label\n"a\nb.png",cat\n,dog\n', 4, "received neither"),
        ('file,label\na.png,cat\n"b.png,dog\nc.png,owl\n', 3, "unexpected end"),
        ("file,label\na.png,cat\n" + "b" * 200_000 + ",dog\n", 3, "field larger"),
    ],
)
def test_errors_name_the_line_and_what_was_received(text, line, received):
    with pytest.raises(ValueError, match=f"^line {line}: expected .*{received}"):
        csv_files.parse_answers(text)
