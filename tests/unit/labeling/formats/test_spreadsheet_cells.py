import csv
import io

import hypothesis
import pytest
from hypothesis import strategies as st

from dfal_keras.labeling.formats import spreadsheet_cells

# The characters that OWASP lists, with the wide forms of the first four.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
texts = st.text(st.sampled_from("'=+-@\t\r\n ＝＠a,;\"")) | st.text(
    st.characters(exclude_characters="\0")  # which csv of Python 3.10 can't write
)


@hypothesis.given(texts)
def test_the_round_trip_gives_the_text_back(text):
    assert spreadsheet_cells.unescape(spreadsheet_cells.escape(text)) == text


@hypothesis.given(st.text(), st.text())
def test_no_two_texts_have_the_same_cell(a, b):
    same = spreadsheet_cells.escape(a) == spreadsheet_cells.escape(b)
    assert same == (a == b)


@hypothesis.given(texts)
def test_no_cell_begins_as_a_formula(text):
    cell = spreadsheet_cells.escape(text)
    assert cell[:1] not in tuple(FORMULA_STARTS)
    assert cell.strip()[:1] not in tuple(FORMULA_STARTS)


@hypothesis.given(texts)
def test_the_round_trip_through_a_csv_file(text):
    file = io.StringIO(newline="")
    csv.writer(file).writerow(["1", spreadsheet_cells.escape(text), "2"])
    file.seek(0)
    (row,) = csv.reader(file)
    assert spreadsheet_cells.unescape(row[1]) == text


@pytest.mark.parametrize("text", ["image.png", "a=b.png", "", "0", "it's", "a'", " a"])
def test_usual_text_is_written_as_it_is(text):
    assert spreadsheet_cells.escape(text) == text
    assert spreadsheet_cells.unescape(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("'=1+1", "''=1+1"), ("'a", "''a"), ("-1", "'-1")],
)
def test_cells(text, cell):
    assert spreadsheet_cells.escape(text) == cell
    assert spreadsheet_cells.unescape(cell) == text


def test_an_apostrophe_that_a_person_typed_stays():
    assert spreadsheet_cells.unescape("'s-Hertogenbosch") == "'s-Hertogenbosch"
