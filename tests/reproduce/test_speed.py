import itertools
import math
import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import speed
from benchmarks import (
    attacks,
    classes,
    networks,
    power_law,
    processes,
    rate,
    report,
    rounds,
    scoring,
    stopwatch,
    training,
)
from benchmarks.sections import SECTIONS
from benchmarks.workload import PRESETS, Workload
from experiments.methods import RANDOM
from experiments.running import problem_training
from helpers import generated_docs
from helpers.parameters import slow_after

import dfal_keras as dfal

CALL = processes.call  # the fixture `small` replaces it
STORED = pathlib.Path(__file__).parents[2] / "reproduce/results/paper/timing"


def test_races_run_in_turns_and_compare_answers(monkeypatch):
    """With a clock that advances only by what a contender adds."""
    now, order = [0.0], []
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])

    def contender(name, durations):
        durations = itertools.cycle(durations)

        def run():
            order.append(name)
            now[0] += next(durations)
            return name

        return run

    ours, theirs, slow = stopwatch.race(
        "a case",
        {
            "ours": contender("ours", [9, 1, 2, 3]),
            "theirs": contender("theirs", [9, 8, 4, 6]),
            "slow": contender("slow", [31]),
        },
        3,
        lambda a, b: f"{a}, {b}",
        limit=90,
    )
    turns = ["ours", "theirs", "slow", *["ours", "theirs"] * 3]
    assert order == turns
    assert ours == {
        "case": "a case",
        "contender": "ours",
        "seconds": 2,
        "runs": 3,
        "times ours": 1,
        "agreement": "",
    }
    assert (theirs["seconds"], theirs["times ours"], theirs["runs"]) == (6, 3, 3)
    assert (slow["seconds"], slow["runs"]) == (31, 1)
    assert theirs["agreement"] == "ours, theirs"


def test_agreement_in_words():
    same = attacks.same_norms(np.array([1.0, 2.0]), np.array([1.0, 2.2]))
    assert same == "norms: median 5.0e-02 apart, at most 1.0e-01"
    assert attacks.same_queries([3, 1], [3, 1]) == "same, in the same order"
    assert attacks.same_queries([3, 1], [1, 2]) == "1 of 2 the same"


@pytest.fixture(scope="module")
def small(mnist):
    """A few digits, networks trained on few samples, no ART, no new processes."""
    (x, y), _ = mnist
    few = x[:600], y[:600]
    quick = {"num_restarts": 1, "epochs": 2, "patience": 2}
    with pytest.MonkeyPatch.context() as patch:
        networks.trained.cache_clear()
        patch.setattr(networks, "digits", lambda: (*few, networks.scaled(x[600:620])))
        patch.setattr(networks, "NUM_LABELED", 100)
        patch.setattr(problem_training, "load_data", lambda name: (few, few))
        patch.setattr(attacks, "BUDGETS", {"LeNet5": [100]})
        patch.setattr(attacks, "MAX_ART", {"LeNet5": 0})
        patch.setattr(training, "RECIPE", {**training.RECIPE, **quick})
        patch.setattr(
            problem_training,
            "make_training",
            lambda problem: problem_training.new_training(problem, **quick),
        )
        patch.setattr(rounds, "METHODS", (RANDOM,))
        patch.setattr(rate, "SIDE", 64)
        patch.setattr(
            processes, "call", lambda function, *given, num_threads: function(*given)
        )
        yield
    networks.trained.cache_clear()


TINY = Workload(
    num_images={"LeNet5": (8,)},
    growing=(20, 40),
    num_labeled=(40, 80),
    repeats=1,
    pools=(300, 600),
    candidates=(20, 40),
    classes=(("LeNet5", (16, 16, 1), 100),),
    num_attacked=20,
)


@pytest.fixture(scope="module")
def tables(small):
    """Every section at tiny sizes."""
    return {
        name: pd.DataFrame(section.measure(TINY)) for name, section in SECTIONS.items()
    }


@pytest.mark.slow
def test_every_section_is_measured(tables):
    for name, table in tables.items():
        assert len(table), name
        assert set(table.columns) >= {"contender"} or not SECTIONS[name].is_race
        seconds = table.filter(regex=r"seconds|\(s\)").apply(pd.to_numeric)
        assert (seconds.to_numpy() > 0).all(), name


@pytest.mark.slow
def test_peers_run_as_usually_written_and_at_their_best(tables):
    names = {
        name: set(table["contender"])
        for name, table in tables.items()
        if SECTIONS[name].is_race
    }
    foolbox = {"Foolbox", "Foolbox, tf.function"}
    assert names == {
        "deepfool": {"ours", *foolbox},
        "query": {"ours", "ours, every image to the end", *foolbox},
        "training": {
            "ours",
            "model.fit",
            "model.fit, new model",
            "model.fit, tf.data",
        },
        "scoring": {"ours", "model.predict", "model.predict, uint8"},
    }


@pytest.mark.slow
def test_all_contenders_do_the_same_work(tables):
    """The training of 80 samples takes 2 epochs of 2 steps."""
    steps = tables["training"].groupby("case", sort=False)["agreement"].unique()
    assert list(steps.iloc[0]) == ["", "2 steps a restart, ours 2"]
    assert list(steps.iloc[1]) == ["", "4 steps a restart, ours 4"]
    query = tables["query"]["agreement"]
    assert set(query[1:]) == {"same, in the same order"}
    assert set(tables["scoring"]["agreement"][1:]) == {"10 of 10 the same"}
    for text in tables["deepfool"]["agreement"]:
        assert not text or float(text.split()[-1]) < 0.01


@pytest.mark.slow
def test_many_classes(tables):
    table = tables["classes"]
    assert list(table["case"]) == ["LeNet5, 16x16, 100 classes"]
    assert (table["fooled"] == 10).all()


def test_the_networks_of_the_presets_exist():
    for network, shape, num_classes in PRESETS["paper"].classes:
        name = classes.build(network, shape, 3).name
        assert network.lower() in name
        assert num_classes >= 10


@pytest.mark.slow
def test_growth_names_what_it_shows(tables):
    table = tables["growth"]
    sizes = table.groupby("what", sort=False)["size"].agg(tuple).to_dict()
    assert sizes == {
        "DeepFool: images": TINY.growing,
        "k-center, greedy: points": TINY.growing,
        "k-center, integer program: points": TINY.growing,
        "training: labeled samples": TINY.num_labeled,
        "uncertainty: pool": TINY.pools,
        "CEAL: pool": TINY.pools,
        "DFAL: candidates": TINY.candidates,
    }


def test_sizes_of_the_presets_grow():
    for workload in PRESETS.values():
        for sizes in (workload.growing, workload.pools, workload.candidates):
            assert sorted(set(sizes)) == list(sizes)
    assert PRESETS["paper"].pools[-1] == 1_000_000
    assert PRESETS["paper"].candidates[-1] == 60_000


@pytest.mark.slow
def test_shares_are_of_the_rate_of_the_matrix_product(tables):
    table = tables["rate"]
    assert table["share"][0] == 1
    rates = table["GFLOP"] / table["seconds"]
    assert np.allclose(table["GFLOP/s"], rates)
    assert np.allclose(table["share"], rates / rates[0])


def test_operations_of_lenet5():
    convolutions = 24**2 * 5**2 * 6 + 8**2 * 5**2 * 6 * 16 + 4**2 * 16 * 120
    dense = 4**2 * 120 * 84 + 84 * 10 + 10 * 10
    model = dfal.models.LeNet5()
    forward, first = rate.forward_operations(model)
    assert forward == 2 * (convolutions + dense)
    assert first == 2 * 24**2 * 5**2 * 6
    model.compile("adam", "sparse_categorical_crossentropy")
    train = dfal.Training(model, epochs=3)
    counted = rate.training_operations(train, 100, forward, first)
    assert counted == 3 * (80 * (3 * forward - first) + 20 * forward)


@pytest.mark.slow
def test_a_call_in_a_new_process():
    assert CALL(math.sqrt, 16, num_threads=1) == 4


@pytest.mark.skipif(not processes.PROCESSES.exists(), reason="needs Linux's /proc")
def test_memory_of_a_call():
    assert processes.peak_resident() > 100
    code = (
        "import sys; big = b'1' * 2**27; del big; print(flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as child:
        child.stdout.readline()
        peak = processes.peak_resident(child.pid)
    # 128 MB and the interpreter, but not this process, of which it is a fork.
    assert 128 < peak < 160 < processes.peak_resident()
    memory = processes.Memory()
    needed = memory.peak(lambda: np.ones(2**24).sum())  # 128 MB
    assert needed == pytest.approx(128, abs=32)


def test_memory_is_unknown_on_other_systems(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "PROCESSES", tmp_path)
    assert math.isnan(processes.peak_resident())
    assert math.isnan(processes.Memory().peak(lambda: None))


@pytest.mark.slow
def test_scoring_by_predict_chooses_the_same_images(small):
    x, _, _ = networks.digits()
    weights = networks.trained("LeNet5", networks.NUM_LABELED).get_weights()
    ours, *others = (query(x) for query in scoring.contenders(weights).values())
    for indices in others:
        assert set(indices) == set(ours)


def write(tables, folder):
    for name, table in tables.items():
        table.to_csv(folder / f"speed_{name}.csv", index=False)


def race(case, **ratios):
    rows = [{"contender": name, "times ours": value} for name, value in ratios.items()]
    return pd.DataFrame(rows).assign(case=case, seconds=1.0, runs=3, agreement="")


def made_up():
    """Tables of all sections. Cost grows as n^1, memory not at all."""
    sizes = [100, 1000, 10_000]
    growth = pd.DataFrame({"what": "CEAL: pool", "size": sizes, "seconds": sizes})
    other = pd.DataFrame({"case": ["a case"], "seconds": [2.5]})
    tables = dict.fromkeys(SECTIONS, other)
    tables |= {
        name: race("a race", ours=1, theirs=3.25)
        for name, section in SECTIONS.items()
        if section.is_race
    }
    return {**tables, "growth": growth.assign(**{"memory (MB)": 30.0})}


def test_the_report_shows_every_section(tmp_path):
    write(made_up(), tmp_path)
    page = report.page(tmp_path)
    report.write(tmp_path, page)
    for name, section in SECTIONS.items():
        assert f"## {section.title}\n" in page
        assert not section.is_race or f"| {section.title}: a race " in page, name
    assert "Fitted seconds: CEAL: pool, n^1.00." in page
    assert "Fitted memory (MB): CEAL: pool, n^" in page
    assert page == (tmp_path / "speed.md").read_text()


@pytest.mark.parametrize("section", slow_after(2, SECTIONS))
def test_the_report_of_a_single_section(section, tmp_path):
    write({section: made_up()[section]}, tmp_path)
    page = report.page(tmp_path)
    report.write(tmp_path, page)
    assert page.count("\n## ") == 1
    assert SECTIONS[section].title in page


@pytest.mark.slow
def test_the_report_of_earlier_results(tmp_path):
    """They lack contenders, sections and the memory."""
    tables = report.read(STORED)
    for name in ("rate", "classes"):
        tables.pop(name, None)
    for name, table in tables.items():
        if SECTIONS[name].is_race:
            is_new = table["contender"].str.contains(", tf|uint8")
            tables[name] = table[~is_new].drop(columns=report.MEMORY, errors="ignore")
    tables["growth"] = tables["growth"][["what", "size", "seconds"]]
    write(tables, tmp_path)
    page = report.page(tmp_path)
    report.write(tmp_path, page)
    assert "digits | model.predict" in page
    assert "Fitted seconds: " in page
    assert "Fitted memory" not in page


def test_legends_have_the_exponents():
    table = made_up()["growth"]
    assert list(report.curves(table, "seconds")) == ["CEAL: pool, n^1.00"]
    assert report.curves(table, "no such column") == {}
    unknown = table.assign(**{"memory (MB)": math.nan})
    assert report.curves(unknown, "memory (MB)") == {}
    assert power_law.fit([1, 10], [1, 100]).power == pytest.approx(2)


def test_the_readme_claims_what_holds_for_peers_at_their_best(tmp_path):
    foolbox = {"ours": 1, "Foolbox": 9.0, "Foolbox, tf.function": 6.0, "ART": 99.0}
    keras = {"ours": 1, "model.fit": 6.0, "model.fit, tf.data": 1.25}
    tables = {
        "deepfool": race("digits", **foolbox),
        "query": race("digits", **{**foolbox, "ours, every image to the end": 2.0}),
        "training": pd.concat([race("100", **keras), race("200", **keras)]),
        "scoring": race("digits", **{"ours": 1, "model.predict": 2.0}),
    }
    write(tables, tmp_path)
    sentence = generated_docs.speed_ratios(tmp_path)
    assert "`deepfool` runs at 6.0 to 9.0 times" in sentence
    assert "a DFAL query at 6.0 to 9.0 times" in " ".join(sentence.split())
    assert "`Training` at 1.2 to 6.0 times" in sentence
    assert "predict" not in sentence
    best = r", tf\.(?:function|data)"
    for table in tables.values():
        table.drop(table.index[table["contender"].str.contains(best)], inplace=True)
    write(tables, tmp_path)
    assert " times the speed" not in generated_docs.speed_ratios(tmp_path)


@pytest.mark.slow
def test_sections_are_written_as_they_are_done(small, tmp_path, capsys):
    arguments = ["--repeats", "2", "--output", str(tmp_path)]
    assert speed.main(["--section", "query", "giving_up", *arguments]) == 0
    shown = capsys.readouterr().out
    folder = tmp_path / "timing"
    query = pd.read_csv(folder / "speed_query.csv")
    assert query["contender"].str.contains("Foolbox").sum() == 2
    assert (query["agreement"][1:] == "same, in the same order").all()
    spared = pd.read_csv(folder / "speed_giving_up.csv")
    assert (spared["query"] == "same, in the same order").all()
    assert (spared["spared"] > 0).all()
    for name in ("speed.md", "speed.png", "speed.pdf"):
        assert (folder / name).stat().st_size > 0
    page = (folder / "speed.md").read_text()
    assert page.strip() == shown.strip()
    assert speed.main(["--stored", *arguments]) == 0
    assert capsys.readouterr().out == shown


def test_the_figure_has_a_marker_for_each_peer_and_case(monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(
        report.plots, "save", lambda figure, path: drawn.update({path.name: figure})
    )
    tables = report.read(STORED)
    report.draw(tables, tmp_path / "speed")
    assert set(drawn) == {"speed", "speed_growth"}
    panels = drawn["speed"].axes
    ratios, colors = [], {}
    for panel in panels:
        for line in panel.lines[:-1]:  # the last is the line at 1
            ratios += list(line.get_xdata())
            colors.setdefault(line.get_label(), set()).add(line.get_color())
    races = report.summary(tables)
    assert sorted(f"{ratio:.1f}" for ratio in ratios) == sorted(races["times ours"])
    assert set(colors) == set(races["beside"])
    assert all(len(found) == 1 for found in colors.values())
    assert len({color for (color,) in colors.values()}) == len(colors)


def test_parts_of_a_round_add_up(shared_train, blobs, tmp_path):
    learner = dfal.ActiveLearner(shared_train, "dfal")
    measured = rounds.measure(learner, *blobs, 40, blobs, tmp_path)
    assert len(measured) == 3
    for parts in measured:
        assert parts["whole"] == pytest.approx(
            sum(parts[part] for part in rounds.PARTS) + parts["rest"]
        )
        assert 0 < parts["rest"] < parts["whole"]


def test_a_peer_that_is_not_installed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        speed.entry_point.importlib.util, "find_spec", lambda name: None
    )
    assert speed.main(["--output", str(tmp_path)]) == 2
    assert "[benchmark]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_times(tmp_path, capsys):
    assert speed.main(["--stored", "--output", str(tmp_path)]) == 2
    assert "Nothing is stored" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
