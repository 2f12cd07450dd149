import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import table3
from benchmarks import power_law, query_times
from benchmarks import table3 as timings
from experiments import paper
from experiments.running import environment

TINY = ["--labeled", "12", "--unlabeled", "40", "--repeats", "1"]
SIZES = [16, 18, 20, 24, 28]
NAMES = ("no regularisation", "with regularisation", "with Xi = n / 100")
METHODS = [
    "DFAL",
    "CORE-SET greedy",
    *[f"CORE-SET {form}, {name}" for form in ("compact", "literal") for name in NAMES],
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a small table, made by `main`."""
    folder = tmp_path_factory.mktemp("results")
    sizes = ["--literal-sizes", *map(str, SIZES)]
    assert table3.main([*TINY, *sizes, "--output", str(folder)]) == 0
    return folder / "timing"


@pytest.mark.slow
def test_every_row_is_timed(finished):
    table = pd.read_csv(finished / "table3.csv", dtype=str, keep_default_na=False)
    assert list(table["method"]) == METHODS
    assert (table["labeled"] == "12").all()
    assert (table["paper (s)"] == "").all()  # printed for other sizes
    assert table["ours / DFAL"][0] == "1.00"
    measured, extrapolated = table[:5], table[5:]
    # Greedy takes milliseconds, which the table may round to 0.00.
    assert (measured["ours (s)"].drop(1).astype(float) > 0).all()
    assert (measured["result"][2:] == "optimal").all()
    assert measured["radius"][2:].nunique() == 1  # Xi is below 1 in all three
    # At these sizes the start of the process dominates, so the seconds hardly grow.
    assert (extrapolated["ours (s)"] == "").all()
    assert extrapolated["result"].str.match(r"not extrapolated: (n\^|the fit)").all()


@pytest.mark.slow
def test_literal_and_compact_find_the_same_radius(finished):
    timed = pd.read_csv(finished / "table3_literal.csv")
    assert list(timed["n"].unique()) == SIZES
    assert list(timed["labeled"].unique()) == [4, 5, 6]
    assert (timed["cpu_seconds"] > 0.01).all()
    assert (timed["result"] == "optimal").all()
    radii = timed.pivot(index=["share", "n"], columns="form", values="radius")
    assert radii.shape == (10, 2)
    np.testing.assert_array_equal(radii["literal"], radii["compact"])
    assert (radii["compact"] > 0).all()


@pytest.mark.slow
def test_notes_name_the_machine_and_the_options(finished):
    notes = (finished / "table3.md").read_text()
    assert environment.machine() in notes
    assert "One query of 10 on MNIST" in notes
    assert "search is allowed 60 s" in notes.replace("\n", " ")
    assert {path.name for path in finished.iterdir()} == {
        f"{name}.{suffix}"
        for name in ("table3", "table3_literal")
        for suffix in ("csv", "md")
    }


def made_up(num_labeled, literal_result="optimal", cpu=lambda size: (size / 100) ** 3):
    """Rows as of `measure`, in which the literal program takes (n / 100) ** 3 s."""
    n = num_labeled + 800
    rows = [("DFAL", 0.0, n, 2.0, "")]
    rows += [("greedy", 0.0, n, 0.5, "")]
    rows += [("compact", share, n, 1.0, "optimal") for share in (0.0, 1e-4, 0.01)]
    rows += [
        ("literal", share, size, cpu(size), "optimal" if size < 200 else literal_result)
        for share in (0.0, 0.01)
        for size in (100, 120, 150, 180, 200)
    ]
    timed = pd.DataFrame(rows, columns=["form", "share", "n", "cpu_seconds", "result"])
    # Wall-clock seconds of the literal program are not used.
    literal = timed["form"] == "literal"
    seconds = timed["cpu_seconds"].where(~literal, 77.0)
    return timed.assign(seconds=seconds, radius=1.5)


@pytest.mark.parametrize(
    ("num_labeled", "printed"), [(100, paper.TABLE3), (1000, paper.TABLE3_AAAI)]
)
def test_papers_cells_are_as_printed(num_labeled, printed):
    table, _ = query_times.lay_out(made_up(num_labeled), num_labeled, 800)
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
    table, lines = query_times.lay_out(made_up(100), 100, 800)
    assert (table["ours (s)"][5:] == "about 730").all()  # 9 ** 3, to two digits
    assert (table["ours / DFAL"][5:] == "about 360").all()
    source = "extrapolated from n = 100, 120, 150, 180, 200 as n^3.0 (730 to 730 s)"
    assert (table["result"][5:] == source).all()
    assert len(lines) == 2
    assert lines[0] == (
        "Literal, no regularisation, 100 labeled: 1.0, 1.7, 3.4, 5.8, 8.0 s of CPU "
        "time at n = 100, 120, 150, 180, 200; grows as n^3.0 (R^2 = 1.00): about "
        "730 s at n = 900"
    )


def refused(table, result):
    """Return whether the literal program has no number but the reason."""
    shown = table[5:]
    assert list(shown["ours (s)"]) == list(shown["ours / DFAL"]) == [""] * 3
    return (shown["result"] == result).all()


def test_nothing_is_extrapolated_from_a_search_that_ran_out_of_time():
    table, _ = query_times.lay_out(made_up(100, "gap 3.0% after 60 s"), 100, 800)
    assert refused(table, "not extrapolated: 4 sizes solved in time of 5")


def test_nothing_is_extrapolated_by_a_power_that_is_too_low():
    """A loaded machine once gave n^0.5."""
    timed = made_up(100, cpu=lambda size: size**0.5)
    table, lines = query_times.lay_out(timed, 100, 800)
    assert refused(table, "not extrapolated: n^0.5 is below n^1.5")
    assert "grows as n^0.5 (R^2 = 1.00); not extrapolated" in lines[0]


def test_nothing_is_extrapolated_by_a_poor_fit():
    noise = dict(zip((100, 120, 150, 180, 200), (1, 4, 1, 1, 6), strict=True))
    timed = made_up(100, cpu=lambda size: noise[size] * (size / 100) ** 2)
    table, _ = query_times.lay_out(timed, 100, 800)
    (result,) = set(table["result"][5:])
    # The power is high enough, so R^2 alone decides.
    assert result.startswith("not extrapolated: the fit is poor, R^2 = 0.")
    assert refused(table, result)


@pytest.mark.parametrize(("power", "accepted"), [(1.49, False), (1.51, True)])
def test_the_lowest_power_to_extrapolate_by(power, accepted):
    timed = made_up(100, cpu=lambda size: size**power)
    table, _ = query_times.lay_out(timed, 100, 800)
    assert table["ours (s)"][5:].str.startswith("about").all() == accepted


def test_the_solvers_cpu_time_is_that_of_its_process():
    """It counts half a second of work but not half a second of sleep."""
    work = "import time\nwhile time.process_time() < 0.5: pass\n"
    before = query_times.children_seconds()
    subprocess.run([sys.executable, "-S", "-c", f"{work}time.sleep(0.5)"], check=True)
    assert 0.5 <= query_times.children_seconds() - before < 0.9
    before = query_times.children_seconds()
    started = time.process_time()
    while time.process_time() < started + 0.1:
        pass
    assert query_times.children_seconds() == before


@pytest.mark.parametrize("power", [0.5, 2.0, 3.3])
def test_extrapolation_recovers_a_power_law(power):
    sizes = np.array([100, 150, 200, 280])
    law = power_law.fit(sizes, 0.02 * sizes**power)
    assert law.at(900) == pytest.approx(0.02 * 900**power)
    assert law.power == pytest.approx(power)
    assert law.r_squared == pytest.approx(1)


def test_the_fit_is_the_r_squared_of_the_logarithms():
    rng = np.random.default_rng(0)
    sizes, seconds = np.array([100, 130, 170, 220, 280]), rng.uniform(1, 5, 5)
    x, y = np.log(sizes), np.log(seconds)
    residuals = np.polyfit(x, y, 1, full=True)[1][0]
    expected = 1 - residuals / ((y - y.mean()) ** 2).sum()
    assert power_law.fit(sizes, seconds).r_squared == pytest.approx(expected)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0123, "0.012"), (7.26, "7.3"), (1234.0, "1200")]
)
def test_rough_numbers(number, text):
    assert power_law.rough(number) == text


def test_presets_are_filled_in(tmp_path):
    quick, full = (
        timings.parse(None, ["--preset", name]) for name in ("quick", "paper")
    )
    assert (quick.num_labeled, quick.num_unlabeled) == ((100,), 800)
    assert quick.settings.time_limit == 60
    assert full.num_labeled == (100, 1000)
    assert max(full.settings.literal_sizes) <= 280
    for options in (quick, full):
        assert len(options.settings.literal_sizes) >= power_law.MIN_SIZES
    assert [options.folder.parent.name for options in (quick, full)] == [
        "quick",
        "paper",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset", "fast"],
        ["--labeled", "1"],
        ["--labeled", "100", "9200"],
        ["--unlabeled", "9"],
        ["--repeats", "0"],
        ["--repeats", "two"],
        ["--literal-sizes", "10", "120", "140", "160", "180"],
        ["--literal-sizes", "120", "140", "160", "180", "900"],
        ["--literal-sizes", "120", "140", "160", "180"],
        ["--literal-sizes", "120", "140", "160", "180", "180"],
        ["--time-limit", "0"],
        ["--time-limit", "nan"],
        ["--color"],
    ],
)
def test_bad_options_are_refused(arguments, tmp_path, capsys):
    output = tmp_path / "results"
    with pytest.raises(SystemExit) as stopped:
        table3.main([*arguments, "--output", str(output)])
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not output.exists()
