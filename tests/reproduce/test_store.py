"""The run store: after any change to its files, rows are the same, or refused."""

import collections
import functools
import hashlib
import json
import shutil
import threading

import keras
import numpy as np
import pandas as pd
import pytest
from experiments import files, problem_data, results, runs, store
from experiments.options import make_parser, parse
from experiments.running import environment, execution, problem_training
from helpers.parameters import slow_after

RUN = runs.Run.named("mnist-lenet5", "random", 0)
OTHERS = [
    runs.Run.named("mnist-lenet5", "random", 1),
    runs.Run.named("mnist-lenet5", "uncertainty", 0),
]
TIMES = ["fit_seconds", "evaluate_seconds", "query_seconds"]
SUFFIXES = (".csv", ".json", ".npz")


class QuickTraining:
    """Draw weights from the seed and the labels, without training.

    Args:
        seed: A seed in place of all that are passed. Defaults to none.
    """

    def __init__(self, seed=None):
        self.seed = seed
        layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
        self.model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
        self.num_restarts, self.callbacks = 1, []

    def __call__(self, x, y, *, seed, groups=None):
        seed = seed if self.seed is None else self.seed
        rng = np.random.default_rng([seed, len(y), int(y.sum())])
        self.model.set_weights([rng.normal(size=w.shape) for w in self.model.weights])
        return self.model


@pytest.fixture(scope="module")
def quick_training():
    train = QuickTraining()
    # Each run would compute the checksum of the data again.
    load_once = functools.cache(problem_training.load_data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            problem_training, "make_training", lambda problem, **recipe: train
        )
        patch.setattr(problem_training, "load_data", load_once)
        patch.setattr(environment, "describe", dict)
        yield


def perform(run, budget, folder):
    execution.perform(run, (budget,), folder, lambda row: None)


def stored_rows(folder, run=RUN):
    """Return a run's rows without the columns of seconds."""
    return store.Store(folder).rows(run).drop(columns=TIMES)


@pytest.fixture(scope="module")
def originals(quick_training, tmp_path_factory):
    """Three runs at 50 annotations."""
    folder = tmp_path_factory.mktemp("originals")
    for run in (RUN, *OTHERS):
        perform(run, 50, folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(quick_training, tmp_path_factory):
    """The rows of an uninterrupted run at 70 annotations."""
    folder = tmp_path_factory.mktemp("undisturbed")
    perform(RUN, 70, folder)
    return stored_rows(folder)


@pytest.fixture
def folder(originals, tmp_path):
    return shutil.copytree(originals, tmp_path / "output/runs")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def restore(folder, saved):
    for suffix, content in saved.items():
        (folder / f"{RUN}{suffix}").write_bytes(content)


def check_same_or_refused(folder, undisturbed):
    """Resume the run; return whether it was refused with the name of a file."""
    before, refusal = contents(folder), None
    try:
        perform(RUN, 70, folder)
    except ValueError as error:
        refusal = str(error)
    if refusal is None:
        pd.testing.assert_frame_equal(
            stored_rows(folder), undisturbed, check_exact=True
        )
        return False
    assert str(folder / str(RUN)) in refusal
    assert contents(folder) == before  # unchanged
    return True


def test_an_unchanged_store_is_resumed(folder, undisturbed):
    assert not check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_off_anywhere(folder, undisturbed, suffix):
    path = folder / f"{RUN}{suffix}"
    whole = path.read_bytes()
    # Rows without the last one are what a kill between two files leaves. How long
    # they are depends on the seconds, so one of the cuts may fall there by chance.
    resumable = whole.rstrip().rfind(b"\n") + 1 if suffix == ".csv" else None
    saved = {kind: (folder / f"{RUN}{kind}").read_bytes() for kind in SUFFIXES}
    step = 10 if suffix != ".npz" else len(whole) // 80
    for size in sorted({*range(0, len(whole), step), resumable or 0}):
        restore(folder, saved)
        path.write_bytes(whole[:size])
        refused = check_same_or_refused(folder, undisturbed)
        assert refused != (size == resumable), f"cut at {size}"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_in_which_a_byte_is_changed(folder, undisturbed, suffix):
    path = folder / f"{RUN}{suffix}"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    saved = {kind: (folder / f"{RUN}{kind}").read_bytes() for kind in SUFFIXES}
    for place in rng.integers(len(whole), size=120):
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        restore(folder, saved)
        path.write_bytes(bytes(changed))
        check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize(
    "suffixes",
    [
        (".csv",),
        (".json",),
        (".npz",),
        (".csv", ".npz"),
        (".csv", ".json"),
        (".json", ".npz"),
        SUFFIXES,
    ],
)
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_files_of_another_run(folder, undisturbed, suffixes, other):
    for suffix in suffixes:
        shutil.copy(folder / f"{other}{suffix}", folder / f"{RUN}{suffix}")
    assert check_same_or_refused(folder, undisturbed)


def edit_arrays(path, **changes):
    """Change arrays of an archive, which stays a valid one."""
    with np.load(path) as stored:
        arrays = dict(stored)
    for name, change in changes.items():
        arrays[name] = change(arrays[name])
    np.savez(path, **arrays)


def forget_checksum(folder, run=RUN):
    """Make the record one of before it had a checksum of the labeled set."""
    path = folder / f"{run}.json"
    record = json.loads(path.read_text())
    del record["labeled_set"]
    path.write_text(json.dumps(record))


VALID_EDITS = {
    "other labels": {"labels": lambda labels: (labels + 1) % 10},
    "another order": {"indices": lambda indices: indices[::-1]},
    "other indices": {"indices": lambda indices: indices + 1},
    "another seed": {"seed": lambda seed: seed + 1},
    "another query": {"query_indices": lambda indices: indices[::-1]},
    "nothing": {"labels": lambda labels: labels.astype("int32")},
}
IMPOSSIBLE_EDITS = {
    "a duplicate": {"indices": lambda indices: np.r_[indices[:-1], indices[0]]},
    "more queries": {"num_queries": lambda size: size + 10},
    "fewer queries": {"num_queries": lambda size: size - 1},
    "other numbers": {"num_initial": lambda size: size + 10},
    "the seed": {"seed": lambda seed: seed + 1},
    "floats": {"indices": lambda indices: indices.astype(float)},
    "words": {"labels": lambda labels: labels.astype(str)},
    "negative": {"indices": lambda indices: -1 - indices},
    "a column": {"indices": lambda indices: indices[:, None]},
    "short labels": {"labels": lambda labels: labels[:-1]},
    "both short": {"labels": lambda a: a[:-1], "indices": lambda a: a[:-1]},
    "companions of no sample": {"adversarial_rows": lambda rows: np.array([3])},
    "half of pseudo-labels": {"pseudo_indices": lambda indices: np.array([3])},
    "a list as metadata": {"metadata": lambda text: "[1]"},
    "a word as settings": {"metadata": lambda text: '{"settings": "none"}'},
    "deep metadata": {"metadata": lambda text: "[" * 100_000},
    "no JSON": {"metadata": lambda text: "{"},
    "a deep strategy": {"strategy": lambda text: "[" * 100_000},
    "numbers that are words": {"num_queries": lambda size: "ten"},
    "several numbers": {"num_queries": lambda size: np.array([10, 10])},
}


@pytest.mark.parametrize("edit", [*VALID_EDITS, *IMPOSSIBLE_EDITS])
def test_a_labeled_set_that_was_edited(folder, undisturbed, edit):
    changes = {**VALID_EDITS, **IMPOSSIBLE_EDITS}[edit]
    edit_arrays(folder / f"{RUN}.npz", **changes)
    assert check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize("edit", IMPOSSIBLE_EDITS)
def test_an_edited_labeled_set_without_a_checksum(folder, undisturbed, edit):
    """As of the committed runs: what a run can't have saved is refused by name."""
    forget_checksum(folder)
    edit_arrays(folder / f"{RUN}.npz", **IMPOSSIBLE_EDITS[edit])
    assert check_same_or_refused(folder, undisturbed)


def test_a_run_without_a_checksum_goes_on_and_gets_one(folder, undisturbed):
    forget_checksum(folder)
    assert not check_same_or_refused(folder, undisturbed)
    record = json.loads((folder / f"{RUN}.json").read_text())
    written = (folder / f"{RUN}.npz").read_bytes()
    assert record["labeled_set"][-1] == hashlib.sha256(written).hexdigest()


def test_a_transfer_checks_the_labeled_set(folder):
    run = runs.Run.named("mnist-lenet5", "random", 0, source="mnist-lenet5")
    edit_arrays(folder / f"{RUN}.npz", **VALID_EDITS["other labels"])
    before = contents(folder)
    with pytest.raises(ValueError, match="its checksum is not the one in the .json"):
        perform(run, 20, folder)
    assert contents(folder) == before


def test_adversarial_examples_that_were_edited(quick_training, tmp_path):
    run = runs.Run.named("mnist-lenet5", "random_adversarial", 0)
    perform(run, 30, tmp_path)
    edit_arrays(tmp_path / f"{run}.npz", adversarial_examples=lambda x: x + 1)
    with pytest.raises(ValueError, match=f"{run}.npz is not the file that was written"):
        perform(run, 40, tmp_path)
    forget_checksum(tmp_path, run)
    edit_arrays(tmp_path / f"{run}.npz", adversarial_examples=lambda x: x[:-1])
    with pytest.raises(ValueError, match=f"{run}.npz is not a labeled set of this run"):
        perform(run, 40, tmp_path)


def test_a_deep_record_is_refused_by_name(folder, undisturbed):
    (folder / f"{RUN}.json").write_text("[" * 100_000)
    assert check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize(
    "suffixes", [(".csv",), (".json",), (".csv", ".json"), (".json", ".npz")]
)
def test_files_that_were_removed(folder, undisturbed, suffixes):
    for suffix in suffixes:
        (folder / f"{RUN}{suffix}").unlink()
    assert check_same_or_refused(folder, undisturbed)


def test_a_labeled_set_of_the_same_run_elsewhere(folder, undisturbed, tmp_path):
    """As of another machine: the same settings, other rows."""
    train = QuickTraining(seed=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem_training, "make_training", lambda *_, **recipe: train)
        perform(RUN, 50, tmp_path / "elsewhere")
    shutil.copy(tmp_path / "elsewhere" / f"{RUN}.npz", folder)
    assert check_same_or_refused(folder, undisturbed)


def test_killed_before_the_first_labeled_set(quick_training, undisturbed, tmp_path):
    perform(RUN, 10, tmp_path)
    (tmp_path / f"{RUN}.npz").unlink()
    assert not check_same_or_refused(tmp_path, undisturbed)


def test_a_transfer_has_one_row_for_a_budget(tmp_path):
    kept, run = (
        store.Store(tmp_path),
        runs.Run.named("mnist-vgg8", "dfal", 0, "mnist-lenet5"),
    )
    row = {"num_annotations": 100, "num_labeled": 190, "accuracy": 0.5, "loss": 1.0}
    row |= {"fit_seconds": 1.0, "evaluate_seconds": 1.0}
    own = kept.files(run)
    own.start(run.settings, {})
    own.write([row, row])
    with pytest.raises(ValueError, match="two rows of the same number of annotations"):
        kept.rows(run)


def test_rows_without_a_labeled_set(folder, undisturbed):
    (folder / f"{RUN}.npz").unlink()
    assert check_same_or_refused(folder, undisturbed)


def test_a_run_that_was_removed_starts_again(folder, undisturbed):
    for suffix in SUFFIXES:
        (folder / f"{RUN}{suffix}").unlink()
    assert not check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
@pytest.mark.parametrize("budget", [10, 20, 30, 70])
def test_a_file_of_another_time(folder, undisturbed, tmp_path, suffix, budget):
    """A newer or an older file of the same run, as from a copy of the folder."""
    perform(RUN, budget, tmp_path / "other")
    shutil.copy(tmp_path / "other" / f"{RUN}{suffix}", folder)
    assert check_same_or_refused(folder, undisturbed)


def _swap(lines):
    lines[2], lines[3] = lines[3], lines[2]


def _remove_a_line(lines):
    del lines[3]


def _remove_the_last_two(lines):
    del lines[-2:]


def _repeat_a_line(lines):
    lines.insert(3, lines[3])


def _rename_a_column(lines):
    lines[0] = lines[0].replace("accuracy", "accuracies")


def _change_a_digit(lines):
    accuracy = lines[2].split(",")[3]
    lines[2] = lines[2].replace(
        accuracy, accuracy[:-1] + str((int(accuracy[-1]) + 1) % 9)
    )


def _percent(lines):
    accuracy = lines[2].split(",")[3]
    lines[2] = lines[2].replace(accuracy, str(100 * float(accuracy)))


def _word(lines):
    accuracy = lines[2].split(",")[3]
    lines[2] = lines[2].replace(accuracy, "high")


EDITS = [
    _swap,
    _remove_a_line,
    _remove_the_last_two,
    _repeat_a_line,
    _rename_a_column,
    _change_a_digit,
    _percent,
    _word,
]


@pytest.mark.parametrize("edit", EDITS)
def test_rows_that_were_edited(folder, undisturbed, edit):
    path = folder / f"{RUN}.csv"
    lines = path.read_text().splitlines(keepends=True)
    edit(lines)
    path.write_text("".join(lines))
    assert check_same_or_refused(folder, undisturbed)


@pytest.mark.parametrize(
    ("edit", "flaw"),
    [
        (_swap, "rounds are not 0, 1, 2"),
        (_remove_a_line, "rounds are not 0, 1, 2"),
        (_rename_a_column, "columns"),
        (_percent, "an accuracy is not from 0 to 1"),
        (_word, "high"),
    ],
)
def test_what_is_wrong_with_rows_is_named(folder, edit, flaw):
    path = folder / f"{RUN}.csv"
    lines = path.read_text().splitlines(keepends=True)
    edit(lines)
    text = "".join(lines)
    # Even with the right checksum.
    record = json.loads((folder / f"{RUN}.json").read_text())
    record["rows"] = [files.checksum(text.encode())]
    (folder / f"{RUN}.json").write_text(json.dumps(record))
    path.write_text(text)
    with pytest.raises(ValueError, match=flaw):
        store.Store(folder).rows(RUN)


def test_annotations_increase_by_the_size_of_a_query(folder):
    path = folder / f"{RUN}.csv"
    text = path.read_text().replace("\n3,40,", "\n3,50,")
    record = json.loads((folder / f"{RUN}.json").read_text())
    record["rows"] = [files.checksum(text.encode())]
    (folder / f"{RUN}.json").write_text(json.dumps(record))
    path.write_text(text)
    with pytest.raises(ValueError, match="do not increase by the size of a query"):
        store.Store(folder).rows(RUN)


def test_windows_line_ends_are_the_same_rows(folder, undisturbed):
    path = folder / f"{RUN}.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert not check_same_or_refused(folder, undisturbed)


def test_every_bit_of_a_number_is_kept(folder):
    """The digits of random doubles, which a fast parser gets wrong."""
    kept = store.Store(folder)
    run = runs.Run.named("mnist-lenet5", "random", 7)
    numbers = np.random.default_rng(0).uniform(size=200)
    rows = [
        dict.fromkeys(TIMES[:2], 1.0)
        | {"num_annotations": k, "num_labeled": k, "accuracy": value, "loss": value / 3}
        for k, value in enumerate(numbers)
    ]
    columns = ["num_annotations", "num_labeled", "accuracy", "loss", *TIMES[:2]]
    own = kept.files(run)
    own.start({"source": "mnist-vgg8"}, {})
    own.write([{name: row[name] for name in columns} for row in rows])
    assert list(kept.rows(run)["accuracy"]) == list(numbers)
    assert list(kept.rows(run)["loss"]) == list(numbers / 3)


@pytest.mark.parametrize("written", [".json", ".csv"])
def test_killed_between_two_files(folder, undisturbed, monkeypatch, written):
    """The record is newer than the rows, or these newer than the labeled set."""

    class KilledError(BaseException):
        pass

    write = files.write

    def write_and_die(path, text):
        write(path, text)
        num_written[path.suffix] += 1
        if num_written[written] == 3:
            raise KilledError

    num_written = collections.Counter()
    monkeypatch.setattr(files, "write", write_and_die)
    with pytest.raises(KilledError):
        perform(RUN, 70, folder)
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        train = QuickTraining()
        patch.setattr(
            problem_training, "make_training", lambda problem, **recipe: train
        )
        patch.setattr(environment, "describe", dict)
        assert not check_same_or_refused(folder, undisturbed)


def test_two_at_once_on_one_run(quick_training, undisturbed, tmp_path):
    """Three threads wait for a lock and report it; the first performs the run."""
    reported, errors = [], []
    waiting = threading.Semaphore(0)

    def report(row):
        reported.append(row)
        waiting.release()

    def perform_once():
        try:
            execution.perform(RUN, (70,), tmp_path, report)
        except Exception as error:
            errors.append(error)

    kept = store.Store(tmp_path)
    with kept.files(RUN).lock(lambda: None):
        threads = [threading.Thread(target=perform_once) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert all(waiting.acquire(timeout=60) for _ in threads)
    for thread in threads:
        thread.join()
    assert not errors
    assert sum("waits" in row for row in reported) == 3
    assert [row["round"] for row in reported if "round" in row] == list(range(7))
    pd.testing.assert_frame_equal(stored_rows(tmp_path), undisturbed, check_exact=True)


def test_temporary_files_of_a_killed_process_are_removed(folder, undisturbed):
    left = folder / f"{RUN}.csv.0123.tmp"
    other = folder / f"{OTHERS[0]}.csv.0123.tmp"  # its process may be running
    left.touch()
    other.touch()
    perform(RUN, 60, folder)
    assert not left.exists()
    assert other.exists()


SHOW = ["--strategy", "random", "--trials", "2", "--budget", "50"]


def options_for(folder, *more):
    """The options of a table whose run store is this folder, `.../runs`."""
    arguments = [*SHOW, "--output", str(folder.parent), *more]
    return parse(make_parser("Table"), arguments)


def change_settings(folder, run, change):
    path = folder / f"{run}.json"
    record = json.loads(path.read_text())
    change(record["settings"])
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("flag", slow_after(1, ["--stored", "--preset=quick"]))
def test_finished_runs_under_other_settings_are_left_out(
    folder, capsys, flag, cluster_option
):
    change_settings(folder, RUN, lambda s: s["training"].update(patience=50))
    options = options_for(folder, flag, *cluster_option)
    rows, status = results.complete([RUN, OTHERS[0]], options)
    assert status == 2
    assert set(rows["trial"]) == {1}
    shown = capsys.readouterr().err
    assert f"{RUN}.json was made with training=" in shown
    assert len([line for line in shown.splitlines() if "was made with" in line]) == 1


def test_a_finished_run_without_settings_is_left_out(folder, capsys):
    (folder / f"{RUN}.json").unlink()
    rows, status = results.complete([RUN, OTHERS[0]], options_for(folder, "--stored"))
    assert status == 2
    assert set(rows["trial"]) == {1}
    assert f"{RUN}.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["training", "data", "trial", "num_queries"])
def test_a_setting_that_is_missing_is_another_setting(folder, name):
    change_settings(folder, RUN, lambda settings: settings.pop(name))
    with pytest.raises(ValueError, match=f"{name}="):
        store.Store(folder).files(RUN).check(RUN.settings)


def test_a_setting_that_is_new_is_another_setting(folder):
    change_settings(folder, RUN, lambda settings: settings.update(new=1))
    with pytest.raises(ValueError, match="new=1"):
        store.Store(folder).files(RUN).check(RUN.settings)


def test_runs_on_another_data_set_of_that_name_are_refused(
    folder, undisturbed, monkeypatch
):
    identity = problem_data.datasets.fingerprint("mnist")
    other = identity | {"sha256": "0" * 64}
    monkeypatch.setattr(problem_data.datasets, "fingerprint", lambda name: other)
    assert check_same_or_refused(folder, undisturbed)


def test_runs_on_two_data_sets_do_not_meet_where_there_is_none(
    folder, monkeypatch, capsys
):
    """A table of runs from other machines, where the data set is not installed."""
    monkeypatch.setattr(problem_data.datasets, "is_complete", lambda name: False)
    rows, status = results.complete([RUN, OTHERS[0]], options_for(folder, "--stored"))
    assert (set(rows["trial"]), status) == ({0, 1}, 0)
    change_settings(folder, OTHERS[0], lambda s: s["data"].update(sha256="0" * 64))
    rows, status = results.complete([RUN, OTHERS[0]], options_for(folder, "--stored"))
    assert (set(rows["trial"]), status) == ({0}, 2)
    assert f"{OTHERS[0]}.json" in capsys.readouterr().err


def test_a_damaged_run_does_not_stop_the_others(folder, capsys):
    (folder / f"{RUN}.csv").write_bytes(b"\xff\xfe\x00")
    rows, status = results.complete([RUN, OTHERS[0]], options_for(folder, "--stored"))
    assert (set(rows["trial"]), status) == ({1}, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder / f"{RUN}.csv") in line


def test_trials_have_seeds_of_their_own(originals):
    """Other initial samples and training seeds: other rows."""
    first, second = (stored_rows(originals, run) for run in (RUN, OTHERS[0]))
    assert (first["accuracy"] != second["accuracy"]).all()


def test_the_ablation_adds_no_adversarial_examples(quick_training, tmp_path):
    """As many labeled samples as annotations; all else is DFAL."""
    run = runs.Run.named("mnist-lenet5", "dfal_no_adversarial", 0)
    perform(run, 20, tmp_path)
    rows = store.Store(tmp_path).rows(run)
    assert list(rows["num_annotations"]) == list(rows["num_labeled"]) == [10, 20]
    options = run.settings["strategy_options"]
    assert options == {"num_candidates": 300, "ord": 2, "adversarial": False}
    arguments = ["--strategy", run.method.name]
    assert parse(make_parser("Table"), arguments).methods == (run.method,)
