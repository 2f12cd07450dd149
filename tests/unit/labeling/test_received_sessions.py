"""Sessions that somebody else made, or that are damaged."""

import contextlib
import json
import os
import pathlib
import runpy
import shutil
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import sessions

import dfal_keras
from dfal_keras.cli.main import main
from dfal_keras.labeling import asking, model_files, telling
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sessions.create(tmp_path_factory.mktemp("made"), 24)[0]


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "copy")
    return tmp_path / "copy" / "session"


def change(folder, **values):
    """Change values of settings.json."""
    path = folder / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_session_can_not_allow_python_code_in_its_model(
    folder, tmp_path, monkeypatch
):
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Lambda(lambda x: x / 255),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.save(folder / "model.keras")
    change(folder, allow_lambda=True)
    with Session(folder) as session, pytest.raises(ValueError, match="Python code"):
        asking.ask(session, 2)
    assert main(["ask", str(folder)]) == 2
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    trusted = tmp_path / "config" / "dfal-keras" / "trusted_sessions"
    trusted.parent.mkdir(parents=True)
    trusted.write_text(f"{folder.parent}\n")
    assert main(["ask", str(folder)]) == 2
    trusted.write_text(f"{folder}\n")  # by the user, not by the session
    options = ["--sheets", "none", "--num-queries", "2"]
    assert main(["ask", str(folder), *options]) == 0
    with Session(folder, trust=True) as session:
        assert len(asking.ask(session, 2)) == 2


@pytest.mark.parametrize("trust", [False, True])
def test_a_module_beside_the_session_is_not_imported(folder, monkeypatch, trust):
    beside = folder.parent
    (beside / "evilmod.py").write_text(
        "import pathlib\npathlib.Path('pwned').touch()\n"
        "from dfal_keras.strategies import Random as X\n"
    )
    change(folder, strategy={"class_name": "evilmod:X", "config": {}})
    monkeypatch.chdir(beside)
    command = ["status", "session", *["--trust"][: int(trust)]]
    monkeypatch.setattr(sys, "argv", ["dfal_keras", *command])

    def run_as_module():
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("dfal_keras", run_name="__main__")
        return ended.value.code

    monkeypatch.setattr(sys, "path", [str(beside), *sys.path])  # as `python -m` does
    assert run_as_module() == 2
    assert str(beside) not in sys.path
    assert not (beside / "pwned").exists()
    # The second one is somebody's own decision, in PYTHONPATH.
    monkeypatch.setattr(sys, "path", [str(beside), str(beside), *sys.path])
    assert run_as_module() == (0 if trust else 2)
    assert (beside / "pwned").exists() == trust


def test_as_a_module_the_folder_of_the_package_stays_importable(monkeypatch):
    root = str(pathlib.Path(dfal_keras.__file__).parents[1])
    monkeypatch.setattr(sys, "path", [root, "/first"])
    monkeypatch.setattr(sys, "argv", ["dfal_keras", "--help"])
    with pytest.raises(SystemExit):
        runpy.run_module("dfal_keras", run_name="__main__")
    assert sys.path == [root, "/first"]


@pytest.mark.parametrize(
    "name",
    ["queries.csv", "queries.html", "pool.npy", "labels.csv", "learner.npz", ".lock"],
)
def test_files_are_not_written_through_links(folder, tmp_path, name):
    target = tmp_path / "precious.txt"
    target.write_text("mine" * 1000)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    assert main(["ask", str(folder)]) == 2
    assert target.read_text() == "mine" * 1000


def test_pixels_are_not_written_through_hard_links(folder, tmp_path):
    os.link(folder / "pool.npy", tmp_path / "other.npy")
    before = (tmp_path / "other.npy").read_bytes()
    assert main(["ask", str(folder)]) == 2
    assert (tmp_path / "other.npy").read_bytes() == before


@pytest.mark.parametrize("name", ["labels.csv", ".lock"])
def test_files_are_not_written_in_place_through_hard_links(folder, tmp_path, name):
    target = tmp_path / "precious.txt"
    target.write_text("mine")
    (folder / name).unlink(missing_ok=True)
    os.link(target, folder / name)
    assert main(["ask", str(folder)]) == 2
    assert target.read_text() == "mine"


def test_new_models_are_not_written_through_links(folder, tmp_path):
    target = tmp_path / "precious.txt"
    target.write_text("mine")
    os.link(target, folder / "new_model.keras")
    os.link(target, tmp_path / "model.keras")
    model = model_files.load_model(folder / "model.keras")
    model_files.save_model(model, folder / "model.keras")
    model_files.save_model(model, tmp_path / "model.keras")
    assert target.read_text() == "mine"


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "values",
    [
        *({"metadata": each} for each in ("[1]", "null", "5", "{", NESTED)),
        *(
            {"metadata": json.dumps({"num_told": each})}
            for each in ("1", None, [1], 0.5, -1, True, {})
        ),
        *({"strategy": each} for each in ("5", "[]", "{}", '"DFAL"', NESTED)),
        *(
            {"strategy": json.dumps({"class_name": name, "config": config})}
            for name, config in (
                (["DFAL"], {}),
                ({}, {}),
                (None, {}),
                ("DFAL", 5),
                ("DFAL", ["a"]),
                ("DFAL", {"a": {"class_name": ["DFAL"], "config": {}}}),
                ("DFAL", {"a": {"class_name": "DFAL", "config": 5}}),
            )
        ),
        *({"history": each} for each in ("5", "null", "[5]", NESTED)),
        {"seed": np.array(["x"])},
        {"seed": np.inf},
        {"pool_shape": np.array(["x"])},
    ],
)
def test_damaged_learners_are_one_line(folder, capsys, values):
    path = folder / "learner.npz"
    with np.load(path) as stored:
        content = {name: stored[name] for name in stored.files}
    np.savez(path, **{**content, **values})
    assert main(["status", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Stopped: ")
    assert "learner.npz" in error
    assert error.count("\n") == 1


def test_names_of_strategies_do_not_control_the_terminal(folder, caplog):
    path = folder / "learner.npz"
    with np.load(path) as stored:
        content = {name: stored[name] for name in stored.files}
    described = {"class_name": "\x1b[2JX", "config": {"\x9bkey": "\x1b"}}
    np.savez(path, **{**content, "strategy": json.dumps(described)})
    assert main(["status", str(folder)]) == 0
    assert "[2JX" in caplog.text
    assert not {"\x1b", "\x9b"} & set(caplog.text)


@pytest.mark.parametrize(
    "content",
    [
        "null",
        "1",
        "[]",
        '"text"',
        "[" * 100_000 + "]" * 100_000,
        '{"version": 1}',
        *(
            {name: value}
            for name, value in (
                ("unknown", 1),
                ("strategy", None),
                ("strategy", {"class_name": "DFAL", "config": {"speed": 3}}),
                ("strategy", {"class_name": "DFAL", "config": 3}),
                ("strategy", {"class_name": ["DFAL"], "config": {}}),
                ("images", 5),
                ("seed", 2**64),
                ("seed", "1"),
                ("sample_shape", [16, 16]),
                ("sample_shape", 16),
                ("is_trained", "yes"),
                ("classes", None),
                ("classes", ["a", "b\0"]),
            )
        ),
    ],
)
def test_damaged_settings_are_one_line(folder, capsys, content):
    if isinstance(content, dict):
        change(folder, **content)
    else:
        (folder / "settings.json").write_text(content)
    assert main(["status", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Stopped: Argument `session` must")
    assert error.count("\n") == 1
    assert len(error) < 1000


@contextlib.contextmanager
def changed_archive(path):
    """Yield the files of a `.keras` file, and write them back."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    yield files
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def refused_in_one_line(folder, capsys):
    """Return whether `ask` refuses the model of a session."""
    code = main(["ask", str(folder)])
    error = capsys.readouterr().err
    is_line = error.startswith("Stopped: Argument `model`") and error.count("\n") == 1
    return code == 2 and is_line


@pytest.mark.parametrize("units", [10**15, -1, "many"])
def test_damaged_models_are_one_line(folder, capsys, units):
    with changed_archive(folder / "model.keras") as files:
        files["config.json"] = files["config.json"].replace(
            b'"units": 16', f'"units": {json.dumps(units)}'.encode()
        )
    assert refused_in_one_line(folder, capsys)


def write_saved_model(path):
    """Write a SavedModel that leaves a trace when it is called."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None, 16, 16, 3])])
    def serve(x):
        tf.io.write_file(str(path / "called"), "")
        return x

    module.serve = serve
    tf.saved_model.save(module, str(path), signatures={"serve": serve})
    return {"filepath": str(path), "call_endpoint": "serve"}


def write_vocabulary(path):
    path.write_text("secret\n")
    return {"vocabulary": str(path)}


@pytest.mark.parametrize(
    ("layer", "write"),
    [("TFSMLayer", write_saved_model), ("StringLookup", write_vocabulary)],
)
def test_layers_that_name_other_files_are_refused(
    folder, tmp_path, capsys, layer, write
):
    """Keras before 3.12.4 loads them in its safe mode."""
    config = {"name": "first", **write(tmp_path / "other")}
    keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Activation("relu", name="first"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    ).save(folder / "model.keras")
    with changed_archive(folder / "model.keras") as files:
        content = json.loads(files["config.json"])
        described = content["config"]["layers"][1]
        described |= {"class_name": layer, "module": "keras.layers", "config": config}
        files["config.json"] = json.dumps(content).encode()
    assert refused_in_one_line(folder, capsys)
    assert not (tmp_path / "other" / "called").exists()


def test_weights_in_other_files_are_refused(folder, tmp_path, capsys):
    secret, weights = tmp_path / "secret", tmp_path / "weights.h5"
    with changed_archive(folder / "model.keras") as files:
        weights.write_bytes(files["model.weights.h5"])
        with h5py.File(weights, "a") as file:
            names: list[str] = []
            file.visit(names.append)
            name = next(each for each in names if each.endswith("vars/0"))
            shape = file[name].shape
            secret.write_bytes(np.ones(shape, "float32").tobytes())
            del file[name]
            place = (str(secret), 0, secret.stat().st_size)
            file.create_dataset(name, shape, "float32", external=[place])
        files["model.weights.h5"] = weights.read_bytes()
    assert refused_in_one_line(folder, capsys)


def test_layers_of_other_backends_are_one_line(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(
        tmp_path / "model.keras"
    )
    with changed_archive(tmp_path / "model.keras") as files:
        config = json.loads(files["config.json"])
        config["config"]["layers"][1]["class_name"] = "TorchModuleWrapper"
        config["config"]["layers"][1]["module"] = "keras.layers"
        files["config.json"] = json.dumps(config).encode()
    with pytest.raises(ValueError, match="Argument `model` must") as error:
        model_files.load_model(tmp_path / "model.keras")
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    "who", ["x" * 131_072, "a\0b", "'" * 131_071, "\x1b[2J", "=" + "x" * 20_000]
)
def test_names_that_would_block_a_session_are_refused(folder, who):
    with Session(folder) as session:
        name = session.store.names[0]
        with pytest.raises(ValueError, match="Argument `who`"):
            telling.tell(session, [Answer(name, "", "cat", who)])
        with pytest.raises(ValueError, match="Argument `new_classes`"):
            telling.tell(session, [Answer(name, "", "cat")], new_classes=[who])
        assert session.history.entries == []
    with Session(folder) as session:
        telling.tell(session, [Answer(name, "", "cat", "x" * 10_000)])
    Session(folder).close()


def test_own_files_stay(folder):
    (folder / "thesis.tmp").write_text("mine")
    (folder / "a.tmp").mkdir()
    (folder / "queries_of_ada.png").write_text("mine")
    (folder / f"labels.csv.{'0a' * 16}.tmp").write_text("left by a killed process")
    assert main(["ask", str(folder), "--num-queries", "2"]) == 0
    names = {path.name for path in folder.iterdir()}
    assert {"thesis.tmp", "a.tmp", "queries_of_ada.png", "queries.png"} <= names
    assert not [name for name in names if "0a0a" in name]


def test_files_keep_their_permissions(folder):
    with Session(folder) as session:
        telling.tell(session, [Answer(session.store.names[0], "", "cat")])
        (folder / "labels.csv").chmod(0o600)
        telling.tell(session, [Answer(session.store.names[1], "", "cat")])
    assert (folder / "labels.csv").stat().st_mode & 0o777 == 0o600


def test_an_unknown_class_in_the_history_is_named_with_file_and_row(folder, capsys):
    with Session(folder) as session:
        names = session.store.names[:2]
        telling.tell(session, [Answer(name, "", "cat") for name in names])
        row = (folder / "labels.csv").read_text().splitlines()[1]
    with (folder / "labels.csv").open("a") as file:
        file.write(row.replace("cat", "cow") + "\r\n")
    assert main(["status", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "'cow' in row 4 of" in error
    assert "labels.csv" in error


@pytest.mark.parametrize("seed", [2**64, 10**30])
def test_large_seeds_are_refused(made, tmp_path, seed):
    with pytest.raises(ValueError, match="Argument `seed` must be at most"):
        Session.create(
            tmp_path / "new",
            images=made.parent / "images",
            model=made.parent / "model.keras",
            classes=("cat", "dog", "owl"),
            seed=seed,
        )


def test_names_of_files_do_not_control_the_terminal(folder, capsys):
    (folder.parent / "images" / "\x1b[2J\x9b.txt").write_text("")
    (folder.parent / "images" / "\u202egnp.txt").write_text("")
    assert main(["status", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert not set("\x1b\x9b\u202e") & set(shown)
    assert r"\x1b[2J\x9b.txt" in shown
