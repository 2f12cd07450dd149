"""Bad calls, each refused with one message that names what is wrong; nothing is left.

Further rows, of the same kind, are beside the tests of the module that they call.
"""

import types

import figure1
import figure2
import keras
import numpy as np
import pandas as pd
import pytest
import speed
import table1
import table2
import table3
import tensorflow as tf
from keras import layers

import dfal_keras as dfal
from dfal_keras import datasets, kcenter, models, pools, strategies
from dfal_keras.__main__ import main

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1)).astype("uint8")
LABELS = np.arange(20) % 3
NAN = np.full((20, 4, 4, 1), np.nan)
BATCHES = tf.data.Dataset.from_tensor_slices(IMAGES).batch(6)


def dense(num_outputs, activation=None, **compiled):
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.Dense(num_outputs, activation=activation),
        ]
    )
    if compiled:
        model.compile(**compiled)
    return model


def two_inputs():
    inputs = [keras.Input((4, 4, 1)), keras.Input((4, 4, 1))]
    return keras.Model(inputs, layers.Flatten()(layers.add(inputs)))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """What is right about the calls below: a model, training, and files."""
    folder = tmp_path_factory.mktemp("given")
    model = dense(3, "softmax", loss="sparse_categorical_crossentropy")
    train = dfal.Training(model, num_restarts=1, epochs=1)
    np.save(folder / "pool.npy", IMAGES)
    np.save(folder / "nan.npy", NAN)
    np.save(folder / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(folder / "two.npz", a=IMAGES, b=IMAGES)
    whole = (folder / "pool.npy").read_bytes()
    (folder / "cut.npy").write_bytes(whole[:200])
    (folder / "text.npz").write_text("pixel,pixel\n1,2\n")
    (folder / "empty.npy").write_bytes(b"")
    (folder / "empty").mkdir()
    dfal.ActiveLearner(train, pool=IMAGES).save(folder / "learner.npz")
    model.save(folder / "model.keras")
    dense(3, "sigmoid").save(folder / "sigmoids.keras")
    two_inputs().save(folder / "two.keras")
    (folder / "text.keras").write_text("weights")
    (folder / "outside.csv").write_text("rank,index\n1,99\n")
    (folder / "negative.csv").write_text("rank,index\n1,-1\n")
    (folder / "fraction.csv").write_text("rank,index\n1,0.5\n")
    (folder / "other.csv").write_text("name,size\na,2\n")
    (folder / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    return types.SimpleNamespace(folder=folder, model=model, train=train)


def asking(good, **options):
    """A learner that has asked for ten labels."""
    learner = dfal.ActiveLearner(good.train, pool=IMAGES, **options)
    return learner, learner.ask().indices


def tell(good, change):
    learner, asked = asking(good)
    learner.tell(*change(asked))


def query(good, strategy="uncertainty", **changed):
    arguments = {"model": good.model, "x_unlabeled": IMAGES, "num_queries": 3}
    strategies.get(strategy).query(**{**arguments, "x_labeled": IMAGES[:2], **changed})


def attack(good, **changed):
    dfal.deepfool(**{"model": good.model, "x": IMAGES, **changed})


def fit(good, **changed):
    learner = dfal.ActiveLearner(good.train, "random")
    learner.fit(**{"x": IMAGES, "y": LABELS, "budget": 20, **changed})


def load(good, path="learner.npz", **changed):
    arguments = {"train": good.train, "pool": IMAGES, **changed}
    dfal.ActiveLearner.load(good.folder / path, **arguments)


def train_with(loss):
    model = dense(3, optimizer="adam", loss=loss)
    dfal.Training(model, num_restarts=1, epochs=1)(IMAGES, LABELS, seed=0)


def cover(function=kcenter.robust, **changed):
    points = {"features": np.arange(8.0).reshape(4, 2), "selected": [0]}
    function(**{**points, "num_centers": 2, **changed})


# What is asked: the argument that the message names, and the call.
CALLS = {
    "attack: a list of lists": ("x", lambda g: attack(g, x=[[1, 2]])),
    "attack: a tensor": ("x", lambda g: attack(g, x=tf.constant(IMAGES))),
    "attack: bfloat16": ("x", lambda g: attack(g, x=tf.cast(IMAGES, "bfloat16"))),
    "attack: complex pixels": ("x", lambda g: attack(g, x=IMAGES * 1j)),
    "attack: a sample without its batch": ("x", lambda g: attack(g, x=IMAGES[0])),
    "attack: several sigmoids": (
        "model",
        lambda g: attack(g, model=dense(3, "sigmoid")),
    ),
    "attack: a layer in the wrong place": (
        "model",
        lambda g: attack(g, model=lambda x: x[:, :, :, 0]),
    ),
    "attack: rows that are not the images": (
        "model",
        lambda g: attack(g, model=lambda x: tf.reshape(x, (-1, 8))),
    ),
    "attack: a norm of None": ("ord", lambda g: attack(g, ord=None)),
    "attack: a negative norm": ("ord", lambda g: attack(g, ord=-np.inf)),
    "attack: steps as a bool": ("max_steps", lambda g: attack(g, max_steps=True)),
    "attack: steps as a float": ("max_steps", lambda g: attack(g, max_steps=50.0)),
    "attack: overshoot NaN": ("overshoot", lambda g: attack(g, overshoot=np.nan)),
    "attack: overshoot None": ("overshoot", lambda g: attack(g, overshoot=None)),
    "attack: bounds NaN": ("bounds", lambda g: attack(g, bounds=(0, np.nan))),
    "attack: bounds that are equal": ("bounds", lambda g: attack(g, bounds=(1, 1))),
    "attack: three bounds": ("bounds", lambda g: attack(g, bounds=(0, 1, 2))),
    "attack: half a pair": ("bounds", lambda g: attack(g, bounds=(0, None))),
    "attack: classes as text": ("num_classes", lambda g: attack(g, num_classes="all")),
    "attack: offset NaN": ("step_offset", lambda g: attack(g, step_offset=np.nan)),
    "attack: closest as a float": ("num_closest", lambda g: attack(g, num_closest=2.5)),
    "attack: no batch size": ("batch_size", lambda g: attack(g, batch_size=None)),
    "query: a data frame": (
        "x_unlabeled",
        lambda g: query(g, x_unlabeled=pd.DataFrame(np.zeros((20, 16)))),
    ),
    "query: beyond float32": (
        "x_unlabeled",
        lambda g: query(g, x_unlabeled=np.full((20, 4, 4, 1), 1e300)),
    ),
    "query: dates": (
        "x_unlabeled",
        lambda g: query(g, x_unlabeled=np.zeros((20, 4, 4, 1), "datetime64[s]")),
    ),
    "query: a truncated file": (
        "x_unlabeled",
        lambda g: query(g, x_unlabeled=g.folder / "cut.npy"),
    ),
    "query: labeled images of NaN": ("x_labeled", lambda g: query(g, x_labeled=NAN)),
    "query: labeled images by name": (
        "x_labeled",
        lambda g: query(g, x_labeled="labeled.npy"),
    ),
    "query: a number as a bool": ("num_queries", lambda g: query(g, num_queries=True)),
    "query: a number as text": ("num_queries", lambda g: query(g, num_queries="3")),
    "query: a seed for a generator": ("rng", lambda g: query(g, "random", rng=3)),
    "query: the old generator": (
        "rng",
        lambda g: query(g, "bald", rng=np.random.RandomState(0)),
    ),
    "query: gradients that overflow": (
        "model",
        lambda g: query(g, "egl", x_unlabeled=np.full((20, 4, 4, 1), 1e30)),
    ),
    "query: outputs that overflow": (
        "model",
        lambda g: query(g, "dfal", x_unlabeled=np.full((20, 4, 4, 1), 3e38)),
    ),
    "query: a function has no dropout": (
        "model",
        lambda g: query(g, "bald", model=lambda x: x[:, :, 0, 0]),
    ),
    "query: a function has no weights": (
        "model",
        lambda g: query(g, "egl", model=lambda x: x[:, :, 0, 0]),
    ),
    "query: a function has no features": (
        "model",
        lambda g: query(g, "core_set", model=lambda x: x[:, :, 0, 0]),
    ),
    "DFAL: a norm below 1": (
        "ord",
        lambda g: query(g, strategies.DFAL(ord=0.5)),
    ),
    "DFAL: negative overshoot": (
        "overshoot",
        lambda g: query(g, strategies.DFAL(overshoot=-1)),
    ),
    "DFAL: none closest": (
        "num_closest",
        lambda g: query(g, strategies.DFAL(num_closest=0)),
    ),
    "DFAL: no candidates": (
        "num_candidates",
        lambda g: strategies.DFAL(num_candidates=None),
    ),
    "BALD: samples as a bool": (
        "num_samples",
        lambda g: strategies.BALD(num_samples=True),
    ),
    "CEAL: no threshold": ("threshold", lambda g: strategies.CEAL(threshold=None)),
    "CEAL: an empty ratio": ("max_ratio", lambda g: strategies.CEAL(max_ratio="")),
    "CEAL: a ratio of NaN": ("max_ratio", lambda g: strategies.CEAL(max_ratio=np.nan)),
    "EGL: no expectation": (
        "expectation",
        lambda g: strategies.EGL(expectation=None),
    ),
    "CORE-SET: features in a list": (
        "features",
        lambda g: strategies.CoreSet(features=["penultimate"]),
    ),
    "CORE-SET: a share of NaN": (
        "outlier_share",
        lambda g: strategies.CoreSet(outlier_share=np.nan),
    ),
    "CORE-SET: no time": ("time_limit", lambda g: strategies.CoreSet(time_limit=0)),
    "get: bytes": ("identifier", lambda g: strategies.get(b"dfal")),
    "get: nothing but a colon": ("identifier", lambda g: strategies.get(":")),
    "get: a relative module": ("identifier", lambda g: strategies.get(".here:Mine")),
    "get: a module in a module": ("identifier", lambda g: strategies.get("os:path")),
    "get: a function": ("identifier", lambda g: strategies.get("os:getcwd")),
    "get: a class without a query": (
        "identifier",
        lambda g: strategies.get("json:JSONDecoder"),
    ),
    "get: the abstract class": (
        "identifier",
        lambda g: strategies.get("dfal_keras.strategies:Strategy"),
    ),
    "training: a function": ("model", lambda g: dfal.Training(lambda x: x)),
    "training: an unbuilt model": (
        "model",
        lambda g: dfal.Training(keras.Sequential([layers.Dense(3)])),
    ),
    "training: a loss for images": ("model", lambda g: train_with("mse")),
    "training: a loss for one-hot labels": (
        "model",
        lambda g: train_with("categorical_crossentropy"),
    ),
    "training: no loss": ("model", lambda g: train_with(None)),
    "training: restarts as a bool": (
        "num_restarts",
        lambda g: dfal.Training(g.model, num_restarts=True),
    ),
    "training: a split as text": (
        "validation_split",
        lambda g: dfal.Training(g.model, validation_split="0.2"),
    ),
    "training: a split of NaN": (
        "validation_split",
        lambda g: dfal.Training(g.model, validation_split=np.nan),
    ),
    "training: endless patience": (
        "patience",
        lambda g: dfal.Training(g.model, patience=np.inf),
    ),
    "training: beyond float32": (
        "x",
        lambda g: g.train(np.full((20, 4, 4, 1), 1e300), LABELS, seed=0),
    ),
    "training: one-hot labels": (
        "y",
        lambda g: g.train(IMAGES, np.eye(3, dtype=int)[LABELS], seed=0),
    ),
    "training: labels as text": ("y", lambda g: g.train(IMAGES, ["a"] * 20, seed=0)),
    "training: labels beyond int64": (
        "y",
        lambda g: g.train(IMAGES, np.full(20, 2**63, "uint64"), seed=0),
    ),
    "training: a seed as a bool": (
        "seed",
        lambda g: g.train(IMAGES, LABELS, seed=True),
    ),
    "learner: no training": ("train", lambda g: dfal.ActiveLearner(None)),
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
    "put aside: a negative row": (
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
    "load: an unknown strategy": ("identifier", lambda g: load(g, strategy="DFAL")),
    "load: another pool": ("pool", lambda g: load(g, pool=IMAGES[:, :3])),
    "pool: two arrays": ("source", lambda g: pools.as_pool(g.folder / "two.npz")),
    "pool: an empty file": ("source", lambda g: pools.as_pool(g.folder / "empty.npy")),
    "pool: text": ("source", lambda g: pools.as_pool(g.folder / "text.npz")),
    "pool: a folder": ("source", lambda g: pools.as_pool(g.folder / "empty")),
    "pool: images of another shape": (
        "source",
        lambda g: pools.as_pool(IMAGES, sample_shape=(None, None, 3)),
    ),
    "written pool: NaN": (
        "dataset",
        lambda g: pools.write_pool(
            tf.data.Dataset.from_tensor_slices(NAN).batch(6), "pool.npy"
        ),
    ),
    "written pool: text": (
        "dataset",
        lambda g: pools.write_pool(tf.data.Dataset.from_tensors([["a"]]), "pool.npy"),
    ),
    "written pool: by name": (
        "dataset",
        lambda g: pools.write_pool(
            tf.data.Dataset.from_tensors({"image": IMAGES}), "pool.npy"
        ),
    ),
    "written pool: over another": (
        "path",
        lambda g: pools.write_pool(BATCHES, g.folder / "pool.npy"),
    ),
    "written pool: no suffix": ("path", lambda g: pools.write_pool(BATCHES, "pool")),
    "k-center: one axis too many": (
        "features",
        lambda g: cover(features=np.zeros((4, 2, 2))),
    ),
    "k-center: points without numbers": (
        "features",
        lambda g: cover(kcenter.greedy, features=np.zeros((4, 0))),
    ),
    "k-center: no indices": ("selected", lambda g: cover(selected=None)),
    "k-center: beyond int64": (
        "selected",
        lambda g: cover(kcenter.greedy, selected=[2**70]),
    ),
    "greedy: centers as a bool": (
        "num_centers",
        lambda g: cover(kcenter.greedy, num_centers=True),
    ),
    "robust: centers as a bool": ("num_centers", lambda g: cover(num_centers=True)),
    "robust: endless outliers": ("max_outliers", lambda g: cover(max_outliers=np.inf)),
    "robust: solvers in a list": ("solver", lambda g: cover(solver=["scip"])),
    "robust: endless time": ("time_limit", lambda g: cover(time_limit=np.inf)),
    "LeNet5: sizes as floats": ("input_shape", lambda g: models.LeNet5((28.0, 28, 1))),
    "LeNet5: any size": ("input_shape", lambda g: models.LeNet5((None, None, 1))),
    "LeNet5: classes as text": ("classes", lambda g: models.LeNet5(classes="10")),
    "VGG8: too narrow": ("input_shape", lambda g: models.VGG8((28, 15, 1))),
    "VGG8: classes as a bool": ("classes", lambda g: models.VGG8(classes=True)),
    "data: names in a list": ("name", lambda g: datasets.load_data(["mnist"])),
    "data: a folder as a list": (
        "data_dir",
        lambda g: datasets.load_data("shoe_bag", ["here"]),
    ),
}


@pytest.mark.parametrize(("named", "call"), CALLS.values(), ids=CALLS)
def test_a_bad_call_is_refused_by_name(good, tmp_path, monkeypatch, named, call):
    monkeypatch.chdir(tmp_path)
    given = sorted(good.folder.iterdir())
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=rf"(?s)`{named}` must .*Received: ") as refused,
    ):
        call(good)
    assert "Traceback" not in str(refused.value)
    assert 'File "' not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    assert sorted(good.folder.iterdir()) == given


@pytest.mark.parametrize(
    "make",
    [
        lambda: strategies.DFAL(max_step=3),
        lambda: strategies.DFAL(model=None),
        lambda: strategies.get("dfal", color="red"),
        lambda: strategies.get("bald", color="red"),
        lambda: strategies.get("random", num_candidates=3),
    ],
)
def test_an_unknown_option_is_an_error_before_any_training(make):
    with pytest.raises(TypeError, match="argument"):
        make()


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (table1, ["--strategy", "json:"]),
        (table1, ["--strategy", ":Mine"]),
        (table1, ["--strategy", ".here:Mine"]),
        (table1, ["--strategy", "no.such.module:Mine"]),
        (table1, ["--strategy"]),
        (table1, ["--problem", ""]),
        (table1, ["--trials", "1.5"]),
        (table1, ["--jobs", "0"]),
        (table1, ["--budget", "ten"]),
        (table1, ["--budget", "-10"]),
        (table1, ["--output", "file"]),
        (table1, ["--output", "file/below", "--stored"]),
        (table2, ["--output", "file", "--stored"]),
        (figure2, ["--output", "file/below/it", "--stored"]),
        (figure1, ["--output", "file"]),
        (figure1, ["--seed", "x"]),
        (figure1, ["--budget", "0"]),
        (table3, ["--labeled", "-5"]),
        (table3, ["--labeled", "x"]),
        (table3, ["--unlabeled", "0"]),
        (table3, ["--repeats", "1.5"]),
        (table3, ["--literal-sizes", "0"]),
        (table3, ["--literal-sizes"]),
        (table3, ["--time-limit", "inf"]),
        (table3, ["--time-limit", "-1"]),
        (speed, ["--section", "everything"]),
        (speed, ["--section"]),
        (speed, ["--repeats", "1"]),
        (speed, ["--threads", "0"]),
        (speed, ["--preset", "fast"]),
    ],
    ids=lambda value: value.__name__ if hasattr(value, "__name__") else " ".join(value),
)
def test_a_script_refuses_before_it_runs(
    script, arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    output = [] if "--output" in arguments else ["--output", "results"]
    with pytest.raises(SystemExit) as stopped:
        script.main([*arguments, *output])
    shown = capsys.readouterr()
    assert stopped.value.code == 2
    assert shown.out == ""
    error = shown.err.splitlines()[-1]
    assert "error: " in error
    assert arguments[0] in error
    assert " _" not in error  # such as the name of a private function
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"--model": "text.keras"}, "`model`"),
        ({"--model": "empty"}, "`model`"),
        ({"--model": "two.keras"}, "`model`"),
        ({"--model": "sigmoids.keras"}, "`model`"),
        ({"--strategy": "bald"}, "`model`"),
        ({"--pool": "nan.npy"}, "`pool`"),
        ({"--pool": "two.npz"}, "`pool`"),
        ({"--pool": "cut.npy"}, "`pool`"),
        ({"--pool": "objects.npy"}, "`pool`"),
        ({"--pool": "empty"}, "`pool`"),
        ({"--pool": "nothing.npy"}, "`pool`"),
        ({"--out": "empty"}, "`out`"),
        ({"--out": "pool.npy/below.csv"}, "`out`"),
        ({"--sheet": "model.keras"}, "`sheet`"),
        ({"--strategy": ":"}, "`identifier`"),
        ({"--strategy": "os:path"}, "`identifier`"),
        ({"--strategy": "dfal_keras.strategies:Strategy"}, "`identifier`"),
        ({"--num-queries": "-1"}, "`num_queries`"),
        ({"--num-candidates": "0"}, "`num_candidates`"),
        ({"--exclude": "outside.csv"}, "`indices`"),
        ({"--exclude": "negative.csv"}, "`indices`"),
        ({"--exclude": "fraction.csv"}, "`exclude`"),
        ({"--exclude": "other.csv"}, "`exclude`"),
        ({"--exclude": "binary.csv"}, "`exclude`"),
        ({"--exclude": "empty"}, "`exclude`"),
        ({"--seed": "-1"}, "`seed`"),
    ],
    ids=lambda value: " ".join(*value.items()) if isinstance(value, dict) else None,
)
def test_a_query_on_the_command_line_stops_in_one_line(
    good, tmp_path, capsys, changed, named
):
    files = ("--model", "--pool", "--out", "--sheet", "--exclude")
    options = {"--model": "model.keras", "--pool": "pool.npy", **changed}
    options = {
        name: str(good.folder / value) if name in files else value
        for name, value in options.items()
    }
    defaults = {"--out": str(tmp_path / "out.csv"), "--strategy": "uncertainty"}
    words = [word for pair in {**defaults, **options}.items() for word in pair]
    given = {path: path.stat().st_mtime_ns for path in good.folder.iterdir()}
    capsys.readouterr()
    assert main(["query", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" or shown.out.count("\n") == 1
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("Stopped: ")
    assert named in shown.err
    assert "Received: " in shown.err
    assert list(tmp_path.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in good.folder.iterdir()} == given


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "command"),
        (["ask"], "command"),
        (["query", "--pool", "p.npy", "--out", "o.csv"], "--model"),
        (["query", "--num-queries", "ten"], "--num-queries"),
        (["query", "--seed", "0.5"], "--seed"),
        (["query", "--image-size", "4"], "--image-size"),
        (["query", "--exclude"], "--exclude"),
    ],
)
def test_a_command_line_that_can_not_be_read(
    arguments, named, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
