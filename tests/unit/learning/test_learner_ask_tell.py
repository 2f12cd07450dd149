import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from helpers import models

import dfal_keras as dfal
from dfal_keras.strategies import Query, Strategy


def label_all(learner, y, num_rounds):
    """Answer all queries of some rounds with the true labels."""
    for _ in range(num_rounds):
        query = learner.ask()
        learner.tell(query.indices, y[query.indices])


@pytest.mark.parametrize("strategy", ["dfal", "ceal", "random", "core_set"])
def test_ends_with_the_labeled_set_of_a_simulated_run(shared_train, blobs, strategy):
    x, y = blobs
    simulated = dfal.ActiveLearner(shared_train, strategy, seed=2)
    simulated.fit(x, y, budget=40)
    asked = dfal.ActiveLearner(shared_train, strategy, seed=2, pool=x)
    label_all(asked, y, 4)
    assert asked.round == 3
    for ours, expected in zip(
        asked.labeled.arrays(x), simulated.labeled.arrays(x), strict=True
    ):
        assert (ours == expected).all()


@pytest.mark.parametrize("strategy", ["dfal", "ceal"])
def test_saved_anywhere_between_ask_and_tell(shared_train, blobs, strategy, tmp_path):
    """Save and load after each call."""
    x, y = blobs
    whole = dfal.ActiveLearner(shared_train, strategy, seed=5, pool=x)
    label_all(whole, y, 3)
    path = tmp_path / "learner.npz"
    learner = dfal.ActiveLearner(shared_train, strategy, seed=5, pool=x)

    def reload(learner):
        learner.save(path)
        return dfal.ActiveLearner.load(path, shared_train, strategy, pool=x)

    for _ in range(3):
        query = learner.ask()
        learner = reload(learner)
        assert (learner.ask().indices == query.indices).all()
        for part in np.split(query.indices, 2):
            learner.tell(part, y[part].tolist())
            learner = reload(learner)
    for name, array in vars(whole.labeled).items():
        assert (getattr(learner.labeled, name) == array).all(), name
    assert (learner.ask().indices == whole.ask().indices).all()
    assert [path.name for path in tmp_path.iterdir()] == ["learner.npz"]


def test_a_sample_with_unknown_label_is_ignored_with_its_adversarial_example(
    shared_train, blobs
):
    x, y = blobs
    learner = dfal.ActiveLearner(shared_train, "dfal", pool=x)
    label_all(learner, y, 1)
    query = learner.ask()
    labels = [None, *y[query.indices[1:9]].tolist()]
    learner.tell(query.indices[:9], labels)
    assert learner.labeled.num_annotations == 10 + 8
    assert (learner.labeled.companions == query.companions[1:9]).all()
    assert (learner.labeled.companion_labels == labels[1:]).all()
    assert learner.round == 0
    assert learner.ask().indices.tolist() == [query.indices[9]]
    learner.tell([query.indices[9]], [None])
    assert learner.round == 1
    for _ in range(40):
        asked = learner.ask().indices
        assert not {query.indices[0], query.indices[9]} & set(asked.tolist())
        learner.tell(asked, y[asked])
        if learner.labeled.num_annotations == 298:
            break
    with pytest.raises(ValueError, match="`pool` must hold unlabeled"):
        learner.ask()


def test_pseudo_labels_survive_an_answer_in_parts(shared_train, blobs, tmp_path):
    class Pseudo(Strategy):
        def select(self, model, x_unlabeled, num_queries, x_labeled, rng):
            return Query(
                np.arange(num_queries),
                pseudo_indices=np.array([100, 101]),
                pseudo_labels=np.array([1, 2]),
            )

    x, y = blobs
    learner = dfal.ActiveLearner(shared_train, Pseudo(), num_queries=4, pool=x)
    label_all(learner, y, 1)
    query = learner.ask()
    learner.tell(query.indices[:2], y[query.indices[:2]])
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(
        tmp_path / "learner.npz", shared_train, Pseudo(), pool=x
    )
    loaded.tell(query.indices[2:], [None, None])
    assert (loaded.labeled.pseudo_indices == query.pseudo_indices).all()
    assert (loaded.labeled.pseudo_labels == [1, 2]).all()
    assert len(loaded.labeled) == 10 + 2 + 2


def test_a_trained_model_chooses_the_first_queries(shared_train, blobs):
    x, y = blobs
    model = shared_train(x[:100], y[:100], seed=0)
    expected = dfal.strategies.Uncertainty().query(model, x, 10).indices
    learner = dfal.ActiveLearner(shared_train, "uncertainty", pool=x, model=model)
    assert (learner.ask().indices == expected).all()
    simulated = dfal.ActiveLearner(shared_train, "uncertainty", model=model)
    shared_train(x[:100], y[:100], seed=0)
    history = simulated.fit(x, y, budget=20)
    assert [finished.num_annotations for finished in history] == [0, 10, 20]
    assert (simulated.labeled.indices[:10] == expected).all()


def test_ignored_samples_are_not_queried(shared_train, blobs):
    x, _ = blobs
    learner = dfal.ActiveLearner(shared_train, "random", num_initial=20, pool=x)
    learner.ignore(range(275))
    assert learner.ask().indices.min() >= 275


@pytest.mark.slow
def test_an_annotator_over_many_processes(tmp_path):
    """Ask in one process and kill it, tell in the next, and ask in a third."""
    script = pathlib.Path(__file__).parents[2] / "helpers/annotator.py"

    def start(folder, *arguments):
        (tmp_path / folder).mkdir(exist_ok=True)
        command = [sys.executable, str(script), str(tmp_path / folder / "learner.npz")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, *arguments], **pipes)

    def finish(process):
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        return output

    whole = start("undisturbed", "whole")
    for command in (["ask", "kill"], ["tell"], ["ask", "kill"]):
        process = start("parts", *command)
        if "kill" in command:
            process.communicate()
            assert process.returncode == -9
        else:
            finish(process)
    interrupted = json.loads(finish(start("parts", "show")))
    assert interrupted == json.loads(finish(whole))
    assert len(interrupted["indices"]) == 10
    assert list((tmp_path / "parts").iterdir()) == []


def test_answers_in_parts_and_in_any_order(halves, tmp_path):
    """With a model that can be fooled on some samples only."""
    labels, path = np.arange(20) % 2, tmp_path / "learner.npz"

    def train(x, y, seed):
        return models.half_flat

    learner = dfal.ActiveLearner(
        *(train, "dfal"),
        num_queries=5,
        num_initial=2,
        pool=halves,
        model=models.half_flat,
    )
    adversarial_examples, asked, told = {}, [], []
    while learner.round < 3:
        query = learner.ask()
        for row, image in zip(query.companion_rows, query.companions, strict=True):
            adversarial_examples[int(query.indices[row])] = image.tolist()
        asked += [i for i in query.indices.tolist() if i not in asked]
        part = query.indices[::-1][:2]
        answers = [None if i in (4, 5) else int(labels[i]) for i in part]
        told += [i for i in part.tolist() if i not in (4, 5)]
        learner.tell(part, answers)
        learner.save(path)
        learner = dfal.ActiveLearner.load(path, train, "dfal", pool=halves)
        learner.model = models.half_flat
    labeled = learner.labeled
    assert len(adversarial_examples) == 7
    told = [i for i in asked if i in told]
    assert labeled.indices.tolist() == told
    kept = [i for i in told if i in adversarial_examples]
    assert labeled.indices[labeled.companion_rows].tolist() == kept
    assert labeled.companions.tolist() == [adversarial_examples[i] for i in kept]
    assert (labeled.companion_labels == labels[kept]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda i: ([], [1]), "`labels` must have a label"),
        (lambda i: (i, [0] * 9), "`labels` must have a label"),
        (lambda i: (i[:2], [0, 1.5]), "`labels` must hold class indices"),
        (lambda i: (i[:2], [0, -1]), "`labels` must hold class indices"),
        (lambda i: (i[:2], [0, True]), "`labels` must hold class indices"),
        (lambda i: (i[:2], ["cat", "dog"]), "`labels` must hold class indices"),
        (lambda i: ([i[0], i[0]], [1, 1]), "`indices` must hold distinct samples"),
        (lambda i: ([i[0], 10**6], [1, 1]), "`indices` must hold distinct samples"),
        (lambda i: ([-1], [1]), "`indices` must be a list of rows"),
        (lambda i: (i[0], [1]), "`indices` must be a list of rows"),
        (lambda i: ([[0], [1, 2]], [0, 1]), "`indices` must be one array"),
        (lambda i: (np.array([{}], object), [0]), "`indices` must be a list of rows"),
        (lambda i: (i[:1] > -1, [0]), "`indices` must be a list of rows"),
        (lambda i: (i[:1], [2**70]), "`labels` must hold class indices"),
        (lambda i: (i[:1], 1), "`labels` must have a label"),
    ],
)
def test_wrong_answers_change_nothing(shared_train, blobs, change, message):
    learner = dfal.ActiveLearner(shared_train, pool=blobs[0])
    asked = learner.ask().indices
    with pytest.raises(ValueError, match=message):
        learner.tell(*change(asked))
    assert learner.labeled.num_annotations == 0
    assert (learner.ask().indices == asked).all()


def test_calls_in_the_wrong_order(shared_train, blobs, tmp_path):
    learner = dfal.ActiveLearner(shared_train)
    with pytest.raises(ValueError, match="`pool` must be given"):
        learner.ask()
    with pytest.raises(ValueError, match="call `ask` first"):
        learner.tell([0], [1])
    with pytest.raises(ValueError, match="`indices` must be a list of rows"):
        learner.ignore([3])
    learner = dfal.ActiveLearner(shared_train, pool=blobs[0])
    for wrong in ([300], [1.5], "a", None, [np.nan], [2**70], np.arange(300) > 10):
        with pytest.raises(ValueError, match="`indices` must be"):
            learner.ignore(wrong)
    assert len(learner.ignored) == 0
    learner.save(tmp_path / "learner.npz")
    with pytest.raises(
        ValueError, match="`pool` must be the pool of the saved learner"
    ):
        dfal.ActiveLearner.load(
            tmp_path / "learner.npz", shared_train, pool=blobs[0][:200]
        )
