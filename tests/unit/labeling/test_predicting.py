import csv
import shutil

import numpy as np
import pytest
from helpers import sessions

from dfal_keras.cli.main import main
from dfal_keras.labeling import predicting, telling
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sessions.create(tmp_path_factory.mktemp("made"), 30)[0]


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "copy")
    return tmp_path / "copy" / "session"


def test_every_file_gets_a_class_and_labels_win(folder):
    images = folder.parent / "images"
    (images / "sub").mkdir()
    shutil.copy(images / "image_0003.png", images / "sub" / "same.png")
    with Session(folder) as session:
        pool = session.store.pool
        outputs = session.load_model("model.keras").predict(pool[:], verbose=0)
        classes = session.settings.classes
        first = classes[outputs[0].argmin()]
        answers = [Answer(session.store.names[0], "", first)]
        answers.append(Answer(session.store.names[1], "", None))
        telling.tell(session, answers)
        num_predicted = []
        found = list(predicting.predict(session, progress=num_predicted.append))
        assert sum(num_predicted) == 30
        names = {path.relative_to(images).as_posix() for path in images.rglob("*.png")}
        assert {each.file for each in found} == names
        assert len(found) == 31
        for each in found:
            row = session.store.find(each.file, None)
            ranked = np.argsort(-outputs[row])
            assert each.predicted == classes[ranked[0]]
            assert each.second == classes[ranked[1]]
            expected = outputs[row][ranked]
            assert each.probability == pytest.approx(expected[0], abs=1e-5)
            assert each.margin == pytest.approx(expected[0] - expected[1], abs=1e-5)
            assert each.is_labeled == (row == 0)
            assert each.label == (first if row == 0 else each.predicted)


def test_the_command_writes_a_table_and_folders(folder, tmp_path, capsys):
    out, target = tmp_path / "out.csv", tmp_path / "sorted"
    arguments = ["predict", str(folder), "--out", str(out), "--sort-into", str(target)]
    before = {p.name: p.read_bytes() for p in (folder.parent / "images").iterdir()}
    assert main(arguments) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == set(before)
    for row in rows:
        copy = target / row["class"] / row["file"]
        assert copy.read_bytes() == before[row["file"]]
        assert not copy.is_symlink()
    assert {p.name: p.read_bytes() for p in (folder.parent / "images").iterdir()} == (
        before
    )
    assert main(arguments) == 2  # the folder is not empty
    assert main(arguments[:4]) == 0  # a file of predictions is replaced
    arguments[-1] = str(tmp_path / "links")
    assert main([*arguments, "--link"]) == 0
    links = [path for path in (tmp_path / "links").rglob("*.png")]
    assert len(links) == len(rows)
    assert all(path.is_symlink() and path.is_file() for path in links)


def edit(path, change):
    """Change the cells of a file, as a person does with a spreadsheet program."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    rows = change(rows) or rows
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def other_class(rows, line=5):
    """Set another class than the predicted one."""
    rows[line][2] = "cat" if rows[line][4] != "cat" else "dog"


CHANGES = {
    "class": other_class,
    "class of a label": lambda rows: other_class(rows, 1),
    "new class": lambda rows: rows[5].__setitem__(2, "cow"),
    "no class": lambda rows: rows[5].__setitem__(2, ""),
    "a further column": lambda rows: [[*row, "note"] for row in rows],
    "a further cell": lambda rows: rows[5].append("blurred"),
    "a row of another image": lambda rows: rows.append(["x.png", "", "dog"]),
}


@pytest.mark.parametrize("is_default", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_predictions_that_a_person_changed_are_kept(
    folder, tmp_path, capsys, name, is_default
):
    out = folder / "predictions.csv" if is_default else tmp_path / "out.csv"
    arguments = ["predict", str(folder), *([] if is_default else ["--out", str(out)])]
    with Session(folder) as session:
        # A label that is neither the prediction, nor what `CHANGES` sets.
        telling.tell(session, [Answer(session.store.names[0], "", "owl")])
    assert main(arguments) == 0
    edit(out, CHANGES[name])
    before = out.read_bytes()
    capsys.readouterr()
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(out) in error
    assert out.read_bytes() == before


def test_predictions_of_labels_that_were_corrected_since_are_replaced(folder, tmp_path):
    out = tmp_path / "out.csv"
    with Session(folder) as session:
        names = session.store.names[:3]
    arguments = ["predict", str(folder), "--out", str(out)]
    for label in ("owl", "dog", "cat", None):
        with Session(folder) as session:
            telling.tell(session, [Answer(name, "", label) for name in names])
        assert main(arguments) == 0
    edit(out, lambda rows: None)  # saved by another program, without a change
    assert main(arguments) == 0


@pytest.mark.parametrize("name", ["labels.csv", "out.txt", "none/out.csv"])
def test_other_files_are_not_replaced(folder, tmp_path, name):
    (tmp_path / "labels.csv").write_text("mine")
    assert main(["predict", str(folder), "--out", str(tmp_path / name)]) == 2
    assert (tmp_path / "labels.csv").read_text() == "mine"


def test_nothing_is_sorted_into_the_images(folder):
    target = folder.parent / "images" / "sorted"
    assert main(["predict", str(folder), "--sort-into", str(target)]) == 2
    assert not target.exists()


def test_names_of_classes_become_distinct_names_of_folders():
    classes = ["cat", "CAT", "a/b", "a\\b", "..", ".hidden", "x. ", "c:*?"]
    found = predicting.class_folders(classes)
    assert list(found) == classes
    assert len({name.lower() for name in found.values()}) == len(classes)
    for name in found.values():
        assert not set(name) & set('/\\:*?"<>|')
        assert name not in (".", "..")
        assert not name.startswith(".")


def test_a_model_that_is_not_trained_predicts_nothing(tmp_path):
    folder, _ = sessions.create(tmp_path, 10, is_trained=False)
    with Session(folder) as session, pytest.raises(ValueError, match="trained model"):
        predicting.predict(session)
