import types

import numpy as np
import pytest
from helpers import bad_calls
from helpers.bad_calls import IMAGES, LABELS, NAN
from helpers.models import linear

import dfal_keras as dfal


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A model, its training, and a folder with `learner.npz` and other files."""
    folder = tmp_path_factory.mktemp("given")
    bad_calls.write_files(folder)
    model = linear(3, "softmax")
    model.compile(loss="sparse_categorical_crossentropy")
    train = dfal.Training(model, num_restarts=1, epochs=1)
    dfal.ActiveLearner(train, pool=IMAGES).save(folder / "learner.npz")
    return types.SimpleNamespace(folder=folder, model=model, train=train)


def asking(given):
    """Return a learner that has asked for ten labels, and their indices."""
    learner = dfal.ActiveLearner(given.train, pool=IMAGES)
    return learner, learner.ask().indices


def tell(given, change):
    learner, indices = asking(given)
    learner.tell(*change(indices))


def fit(given, **changed):
    learner = dfal.ActiveLearner(given.train, "random")
    learner.fit(**{"x": IMAGES, "y": LABELS, "budget": 20, **changed})


def load(given, path="learner.npz", **changed):
    arguments = {"train": given.train, "pool": IMAGES, **changed}
    dfal.ActiveLearner.load(given.folder / path, **arguments)


CALLS = {
    "learner: no training": ("train", lambda g: dfal.ActiveLearner("train")),
    "learner: no seed": ("seed", lambda g: dfal.ActiveLearner(g.train, seed=None)),
    "learner: a pool of NaN": ("pool", lambda g: dfal.ActiveLearner(g.train, pool=NAN)),
    "learner: a pool of pickles": (
        "pool",
        lambda g: dfal.ActiveLearner(g.train, pool=g.folder / "objects.npy"),
    ),
    "learner: a model's name": (
        "model",
        lambda g: dfal.ActiveLearner(g.train, pool=IMAGES, model="LeNet5"),
    ),
    "ask: a pool that the model does not take": (
        "x_unlabeled",
        lambda g: dfal.ActiveLearner(
            g.train, pool=np.zeros((9, 5)), model=g.model
        ).ask(),
    ),
    "tell: nothing": ("indices", lambda g: tell(g, lambda i: (None, None))),
    "tell: a label of NaN": ("labels", lambda g: tell(g, lambda i: (i[:1], [np.nan]))),
    "tell: digits as text": (
        "labels",
        lambda g: tell(g, lambda i: (i, "0123456789")),
    ),
    "tell: labels in a column": (
        "labels",
        lambda g: tell(g, lambda i: (i, np.zeros((10, 1), int))),
    ),
    "tell: indices as text": ("indices", lambda g: tell(g, lambda i: (["a"], [0]))),
    "ignore: a negative row": (
        "indices",
        lambda g: asking(g)[0].ignore([-1]),
    ),
    "fit: no labels": ("y", lambda g: fit(g, y=None)),
    "fit: labels as objects": ("y", lambda g: fit(g, y=LABELS.astype(object))),
    "fit: a budget as text": ("budget", lambda g: fit(g, budget="20")),
    "fit: a budget of NaN": ("budget", lambda g: fit(g, budget=np.nan)),
    "load: a folder": ("path", lambda g: load(g, "empty")),
    "load: text": ("path", lambda g: load(g, "text.npz")),
    "load: a pool": ("path", lambda g: load(g, "two.npz")),
    "load: no training": ("train", lambda g: load(g, train="fit")),
    "load: an unknown strategy": ("strategy", lambda g: load(g, strategy="DeepFool")),
    "load: another pool": ("pool", lambda g: load(g, pool=IMAGES[:, :3])),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(given, named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, lambda: call(given), tmp_path, given.folder)
