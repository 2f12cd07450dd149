import numpy as np
import pandas as pd
import paper
import pytest
import table3
import timing

TINY = ["--labelled", "12", "--unlabelled", "40", "--repeats", "1"]
NAMES = ("no regularisation", "with regularisation", "with Xi = n / 100")
METHODS = [
    "DFAL",
    "CORE-SET greedy",
    *[f"CORE-SET {form}, {name}" for form in ("compact", "literal") for name in NAMES],
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny table, through the real `main`: its folder."""
    folder = tmp_path_factory.mktemp("results")
    sizes = ["--literal-sizes", "16", "20", "28"]
    assert table3.main([*TINY, *sizes, "--output", str(folder)]) == 0
    return folder


def test_every_row_is_timed(finished):
    table = pd.read_csv(finished / "table3.csv", dtype=str, keep_default_na=False)
    assert list(table["method"]) == METHODS
    assert (table["labelled"] == "12").all()
    assert (table["paper (s)"] == "").all()  # printed for other sizes
    assert table["ours / DFAL"][0] == "1.00"
    measured, extrapolated = table[:5], table[5:]
    # Greedy takes milliseconds, which the table may round to 0.00.
    assert (measured["ours (s)"].drop(1).astype(float) > 0).all()
    assert (measured["result"][2:] == "optimal").all()
    assert measured["radius"][2:].nunique() == 1  # Xi is below 1 in all three
    assert extrapolated["ours (s)"].str.startswith("about ").all()
    assert extrapolated["result"].str.match("extrapolated from n = 16, 20, 28 ").all()


def test_literal_and_compact_find_the_same_radius(finished):
    timed = pd.read_csv(finished / "table3_literal.csv")
    assert list(timed["n"].unique()) == [16, 20, 28]
    assert list(timed["labelled"].unique()) == [4, 5, 6]
    assert (timed["result"] == "optimal").all()
    radii = timed.pivot(index=["share", "n"], columns="form", values="radius")
    assert radii.shape == (6, 2)
    np.testing.assert_array_equal(radii["literal"], radii["compact"])
    assert (radii["compact"] > 0).all()


def test_notes_name_the_machine_and_what_was_asked(finished):
    notes = (finished / "table3.md").read_text()
    assert table3.describe_machine() in notes
    assert "One query of 10 on MNIST" in notes
    assert "is allowed 60 s" in notes
    assert {path.name for path in finished.iterdir()} == {
        f"{name}.{suffix}"
        for name in ("table3", "table3_literal")
        for suffix in ("csv", "md")
    }


def made_up(num_labelled, literal_result="optimal"):
    """Timings as `measure` returns them: the literal program takes (n / 100) ** 3."""
    n = num_labelled + 800
    rows = [("DFAL", 0.0, n, 2.0, "")]
    rows += [("greedy", 0.0, n, 0.5, "")]
    rows += [("compact", share, n, 1.0, "optimal") for share in (0.0, 1e-4, 0.01)]
    rows += [
        ("literal", share, size, (size / 100) ** 3, result)
        for share in (0.0, 0.01)
        for size, result in ((100, "optimal"), (200, literal_result))
    ]
    timed = pd.DataFrame(rows, columns=["form", "share", "n", "seconds", "result"])
    return timed.assign(radius=1.5)


@pytest.mark.parametrize(
    ("num_labelled", "printed"), [(100, paper.TABLE3), (1000, paper.TABLE3_AAAI)]
)
def test_papers_cells_are_as_printed(num_labelled, printed):
    table, _ = timing.lay_out(made_up(num_labelled), num_labelled, 800)
    cells = table.set_index("method")["paper (s)"]
    assert cells["DFAL"] == str(printed["dfal"])
    for form in ("compact", "literal"):
        for name in NAMES[:2]:
            key = f"core_set_{name.replace(' ', '_')}"
            assert cells[f"CORE-SET {form}, {name}"] == str(printed[key])
        assert cells[f"CORE-SET {form}, with Xi = n / 100"] == ""
    assert cells["CORE-SET greedy"] == ""


def test_papers_aaai_version():
    assert paper.TABLE3_AAAI == {
        "dfal": 126.54,
        "core_set_with_regularisation": 3739,
        "core_set_no_regularisation": 3046,
    }


def test_extrapolated_cells_say_so():
    table, lines = timing.lay_out(made_up(100), 100, 800)
    assert (table["ours (s)"][5:] == "about 730").all()  # 9 ** 3, to two digits
    assert (table["ours / DFAL"][5:] == "about 360").all()
    assert (table["result"][5:] == "extrapolated from n = 100, 200").all()
    assert len(lines) == 2
    assert lines[0] == (
        "Literal, no regularisation, 100 labelled: 1.0, 8.0 s at n = 100, 200; "
        "extrapolated as n^3.0: about 730 s at n = 900"
    )


def test_nothing_is_extrapolated_from_a_search_that_ran_out_of_time():
    table, _ = timing.lay_out(made_up(100, "gap 3.0% after 60 s"), 100, 800)
    assert (table["ours (s)"][5:] == "").all()
    assert (table["ours / DFAL"][5:] == "").all()
    assert (table["result"][5:] == "fewer than two sizes solved in time").all()


@pytest.mark.parametrize("power", [0.5, 2.0, 3.3])
def test_extrapolation_recovers_a_power_law(power):
    sizes = np.array([100, 150, 200, 280])
    seconds, found = timing.extrapolate(sizes, 0.02 * sizes**power, 900)
    assert seconds == pytest.approx(0.02 * 900**power)
    assert found == pytest.approx(power)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0123, "0.012"), (7.26, "7.3"), (1234.0, "1200")]
)
def test_rough_numbers(number, text):
    assert timing.rough(number) == text


def test_presets_are_filled_in(tmp_path):
    quick, full = (table3.parse(["--preset", name]) for name in ("quick", "paper"))
    assert (quick.labelled, quick.unlabelled, quick.time_limit) == ([100], 800, 60)
    assert full.labelled == [100, 1000]
    assert max(full.literal_sizes) <= 280
    assert (quick.output.name, full.output.name) == ("quick", "paper")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset", "fast"],
        ["--labelled", "1"],
        ["--labelled", "100", "9200"],
        ["--unlabelled", "9"],
        ["--repeats", "0"],
        ["--repeats", "two"],
        ["--literal-sizes", "10"],
        ["--literal-sizes", "150", "900"],
        ["--time-limit", "0"],
        ["--time-limit", "nan"],
        ["--colour"],
    ],
)
def test_bad_options_are_refused(arguments, tmp_path, capsys):
    output = tmp_path / "results"
    with pytest.raises(SystemExit) as stopped:
        table3.main([*arguments, "--output", str(output)])
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not output.exists()
