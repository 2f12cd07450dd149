"""Estimates of time from made-up stores, and the progress bar."""

import dataclasses
import io
import json
import re
import sys

import pytest
from experiments import options, runs, store
from experiments.running import estimate, progress

PROBLEM, FULL = "mnist-lenet5", "full"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty store, without the committed runs."""
    monkeypatch.setattr(options, "RESULTS", tmp_path / "no results")
    return store.Store(tmp_path / "runs")


def measure(kept, strategy, trial, minutes, step=10, **place):
    """Store a run whose rounds took this many minutes each."""
    run = runs.Run.named(PROBLEM, strategy, trial, **place)
    queries = strategy != FULL and not run.source
    rows = []
    for k, m in enumerate(minutes):
        row = {"num_annotations": step * (k + 1), "num_labeled": step * (k + 1)}
        row |= {"accuracy": 0.5, "loss": 1.0}
        if queries:
            times = {"fit_seconds": 40 * m, "evaluate_seconds": 5 * m}
            row = {"round": k, **row, **times, "query_seconds": 15 * m}
        else:
            row |= {"fit_seconds": 50 * m, "evaluate_seconds": 10 * m}
        rows.append(row)
    files = kept.files(run)
    files.start(run.settings, {})
    files.write(rows)


def said(kept, *wanted, **changes):
    asked = dataclasses.replace(
        options.parse(options.make_parser("Table"), []),
        output=kept.folder.parent,
        **{"budget": 100, "transfer_budgets": (50, 100), "num_jobs": 1, **changes},
    )
    return estimate.describe(list(wanted), asked).splitlines()


def test_full_sets_take_what_a_full_set_took(kept):
    """The budget, which is smaller than the full set, does not scale the time."""
    for trial, minutes in enumerate([23, 31]):
        measure(kept, FULL, trial, [minutes], step=60_000)
    line, total = said(kept, runs.Run.named(PROBLEM, FULL, 2), budget=1000)
    assert line == "mnist-lenet5_full_2: the full training set, 23 to 31 min"
    assert total == "1 of 1 runs to do: 0.4 to 0.5 hours with 1 jobs"


def test_a_committed_full_set_run_is_estimated_as_it_was(kept):
    """23 minutes for 60,000 samples do not become one minute for 1000."""
    committed = store.Store(options.default_output("paper") / "runs")
    measure(committed, FULL, 0, [23], step=60_000)
    line, _ = said(kept, runs.Run.named(PROBLEM, FULL, 1), budget=1000)
    assert line.endswith("about 23 min")


def test_a_range_is_from_the_shortest_to_the_longest_trial(kept):
    measure(kept, "dfal", 0, [1] * 10)
    measure(kept, "dfal", 1, [2] * 10)
    measure(kept, "dfal", 2, [9])  # too short to be extrapolated beside the others
    wanted = [runs.Run.named(PROBLEM, "dfal", trial) for trial in range(3)]
    line, total = said(kept, *wanted)
    # The minutes of the nine rounds that are left, not a share of all ten.
    assert line == "mnist-lenet5_dfal_2: from 10 to 100 annotations, 9 to 18 min"
    assert total.startswith("1 of 3 runs to do: 0.1 to 0.3 hours")


def test_unknown_is_said_first(kept):
    measure(kept, "dfal", 0, [6] * 10)
    wanted = [runs.Run.named(PROBLEM, name, 1) for name in ("dfal", "bald", "ceal")]
    *lines, total = said(kept, *wanted)
    assert [line.endswith("time unknown") for line in lines] == [False, True, True]
    assert total == (
        "3 of 3 runs to do: time unknown for 2, of kinds never measured; the others "
        "about 1.0 hours with 1 jobs"
    )
    *_, total = said(kept, *wanted[1:])
    assert (
        total == "2 of 2 runs to do: time unknown: no run of these kinds was measured"
    )
    assert said(kept, runs.Run.named(PROBLEM, "dfal", 0)) == ["0 of 1 runs to do"]


def test_side_by_side(kept):
    """Three runs of an hour on two workers: 1.5 hours at best, 2 at worst."""
    measure(kept, "dfal", 9, [6] * 10)
    wanted = [runs.Run.named(PROBLEM, "dfal", trial) for trial in range(3)]
    assert said(kept, *wanted, num_jobs=2)[-1].endswith("1.5 to 2.0 hours with 2 jobs")
    assert said(kept, *wanted, num_jobs=8)[-1].endswith(" hours with 8 jobs")
    assert "1.0 to" in said(kept, *wanted, num_jobs=8)[-1]  # not less than the longest
    assert said(kept, *wanted, num_jobs=2, cluster="tcp://")[-1].endswith(
        "about 3.0 hours of one worker"
    )


def test_what_is_not_the_same_kind_is_not_measured(kept):
    measure(kept, "dfal", 0, [1] * 10, source="mnist-vgg8")
    measure(kept, "dfal_wide:Own", 0, [2] * 10)
    (kept.folder / "mnist-lenet5_dfal_5.csv").write_bytes(b"\xff\xfe")  # damaged
    assert "unknown" in said(kept, runs.Run.named(PROBLEM, "dfal", 1))[0]
    line = said(kept, runs.Run.named(PROBLEM, "dfal", 1, source="mnist-vgg8"))[0]
    assert line.endswith("from 0 to 100 annotations, about 10 min")


def test_a_trial_that_hardly_began_measures_nothing(kept):
    measure(kept, "dfal", 0, [1])
    assert "unknown" in said(kept, runs.Run.named(PROBLEM, "dfal", 1), budget=1000)[0]
    whole = 10**-1.7 * 60  # of a work of 100 ** 1.7, ten took a minute
    line = said(kept, runs.Run.named(PROBLEM, "dfal", 1), budget=100)[0]
    assert line.endswith(f"about {60 / whole:.0f} min")


def test_a_run_under_other_settings_is_not_done(kept):
    """It fails when it is performed: the estimate shows why, and no time."""
    run = runs.Run.named(PROBLEM, "dfal", 0)
    measure(kept, "dfal", 0, [1] * 10)
    assert said(kept, run) == ["0 of 1 runs to do"]
    path = kept.files(run).path(".json")
    record = json.loads(path.read_text())
    record["settings"]["training"]["patience"] = 6
    path.write_text(json.dumps(record))
    line, total = said(kept, run)
    assert line.startswith(f"mnist-lenet5_dfal_0: fails. {path} was made with training")
    assert total == "1 of 1 runs to do"


def test_a_transfer_is_done_with_all_its_budgets(kept):
    measure(kept, "dfal", 0, [1], step=100, source="mnist-vgg8")
    run = runs.Run.named(PROBLEM, "dfal", 0, source="mnist-vgg8")
    assert said(kept, run, transfer_budgets=(100,)) == ["0 of 1 runs to do"]
    line, _ = said(kept, run, transfer_budgets=(50, 100))
    assert line.startswith(f"{run}: from 0 to 100 annotations")


class Screen(io.StringIO):
    def isatty(self):
        return True


def look(monkeypatch):
    """Replace standard error: in the test, as pytest replaces it after fixtures."""
    monkeypatch.setattr(sys, "stderr", Screen())
    return sys.stderr


def row(run, number):
    return {"run": run, "num_annotations": number, "accuracy": 0.5}


def test_the_bar_begins_with_the_first_run(monkeypatch):
    screen = look(monkeypatch)
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    bar = progress.Progress({"a": 0, "b": 0}, 100)
    now[0] = 1000.0  # the workers start
    assert screen.getvalue() == ""
    bar.show({"run": "a"})
    assert "00:00 elapsed" in screen.getvalue()
    bar.close()
    progress.Progress({"a": 0}, 100).close()  # nothing began


def test_remaining_time_from_the_second_row_on(monkeypatch):
    screen = look(monkeypatch)
    bar = progress.Progress({"a": 0, "b": 0}, 100)
    bar.show({"run": "a"})
    bar.show(row("a", 10))
    bar.show({"run": "b"})
    assert " left" not in screen.getvalue()
    bar.show(row("a", 20))
    bar.close()
    assert re.search(r"\d\d:\d\d left", screen.getvalue())


def test_what_was_reached_before_counts_from_the_start(monkeypatch):
    """One run is finished, the other has done half of its work: 75 %."""
    screen = look(monkeypatch)
    half = round(100 * 0.5 ** (1 / 1.7))
    bar = progress.Progress({"a": 100, "b": half}, 100)
    bar.show({"run": "b"})
    assert " 75% |" in screen.getvalue()
    bar.show(row("b", 10))  # a repeated round does not move the bar
    bar.close()
    assert " 75% |" in screen.getvalue().splitlines()[-1].split("\r")[-1]


def test_a_tick_is_shown_and_does_not_move_the_bar(monkeypatch):
    screen = look(monkeypatch)
    bar = progress.Progress({"a": 0}, 100)
    bar.show({"run": "a"})
    bar.show({"run": "a", "restart": 2, "num_restarts": 5, "epoch": 7})
    bar.close()
    last = screen.getvalue().splitlines()[-1].split("\r")[-1]
    assert "a: restart 2 of 5, epoch 7" in last
    assert "  0% |" in last


def test_a_full_set_counts_as_one_run(monkeypatch):
    screen = look(monkeypatch)
    bar = progress.Progress({"full": 0, "b": 0}, 100)
    bar.show(row("full", 60_000))
    bar.close()
    assert " 50% |" in screen.getvalue()


def test_trials_that_have_as_much_to_do_share_a_line(kept):
    """By series and source: a page for a panel."""
    measure(kept, "dfal", 1, [2])
    measure(kept, "dfal", 7, [3] * 10)
    measure(kept, "dfal", 8, [4] * 10)
    wanted = [
        runs.Run.named(PROBLEM, name, trial)
        for trial in (0, 1, 2, 3, 5)
        for name in ("dfal", "random")
    ]
    transfers = [
        runs.Run.named("mnist-vgg8", "dfal", trial, PROBLEM) for trial in range(3)
    ]
    *lines, total = said(kept, *wanted, *transfers)
    assert [line.partition(": ")[0] for line in lines] == [
        "mnist-lenet5_dfal, trials 0, 2, 3, 5",
        "mnist-lenet5_random, trials 0, 1, 2, 3, 5",
        "mnist-lenet5_dfal_1",
        "mnist-vgg8_dfal from mnist-lenet5, trials 0 to 2",
    ]
    assert total.startswith("13 of 13 runs to do")
    assert lines[0].endswith("from 0 to 100 annotations, 30 to 40 min each")
    assert lines[1].endswith("from 0 to 100 annotations, time unknown")
    assert lines[2].endswith("from 10 to 100 annotations, 27 to 36 min")
