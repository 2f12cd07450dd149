"""Sessions: identity of images, labels and their history."""

import random
import shutil

import numpy as np
import pytest
from helpers import image_folders, sessions

from dfal_keras import ActiveLearner
from dfal_keras.labeling import asking, telling
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A new session of 40 images, and their classes. Do not change it."""
    return sessions.create(tmp_path_factory.mktemp("made"))


@pytest.fixture
def fresh(made, tmp_path):
    """A copy of `made` with its images."""
    shutil.copytree(made[0].parent, tmp_path / "copy")
    return tmp_path / "copy" / "session", made[1]


def test_the_folder_holds_what_people_can_read(made):
    names = {path.name for path in made[0].iterdir()} - {".lock", ".pool.npy.lock"}
    assert names == {
        *("settings.json", "images.csv", "pool.npy", "learner.npz"),
        *("initial_model.keras", "model.keras"),
    }


def test_opening_removes_what_a_killed_command_was_writing(fresh):
    folder, _ = fresh
    left = [f"labels.csv.{'0' * 32}.tmp", f"model.keras.{'a1' * 16}.tmp"]
    kept = ["notes.tmp", "labels.csv.1.tmp", f"{'0' * 32}.tmp"]  # of nobody knows whom
    for name in (*left, *kept):
        (folder / name).write_text("half")
    Session(folder).close()
    assert not [name for name in left if (folder / name).exists()]
    assert [name for name in kept if (folder / name).exists()] == kept


def test_told_labels_are_those_of_the_learner(fresh):
    folder, truth = fresh
    with Session(folder) as session:
        queried = asking.ask(session, 5)
        told = telling.tell(session, sessions.answers(queried, truth))
        assert (told.num_labeled, told.num_unchanged, told.missing) == (5, 0, [])
        assert session.learner.labeled.num_annotations == 5
        assert len(session.learner.labeled.companion_rows) == 5
    expected = {q.file: truth[q.file] for q in queried}
    with Session(folder) as session:
        assert sessions.labels_by_name(session) == expected
        assert sessions.learned_by_name(session) == expected
        again = telling.tell(session, sessions.answers(queried, truth))
        assert (again.num_labeled, again.num_unchanged) == (0, 5)
        assert len(session.history.entries) == 5


def test_the_order_of_answers_does_not_matter(fresh, tmp_path):
    folder, truth = fresh
    with Session(folder) as session:
        answers = sessions.answers(asking.ask(session, 6), truth)
    states = []
    for seed in range(3):
        copy = tmp_path / f"order{seed}"
        shutil.copytree(folder, copy / "session")
        shutil.copytree(folder.parent / "images", copy / "images")
        mixed = random.Random(seed).sample(answers, len(answers))
        with Session(copy / "session") as session:
            telling.tell(session, mixed[: seed + 1])
        with Session(copy / "session") as session:
            telling.tell(session, mixed[seed + 1 :])
            states.append(vars(session.learner.labeled))
    for state in states[1:]:
        for name, array in state.items():
            np.testing.assert_array_equal(array, states[0][name])


def test_a_correction_counts_and_the_history_stays(fresh):
    folder, _ = fresh
    with Session(folder) as session:
        first, second, *_ = asking.ask(session, 3)
        wrong = [Answer(q.file, q.sha256, "owl", "Ada") for q in (first, second)]
        telling.tell(session, wrong)
        told = telling.tell(session, [Answer(first.file, "", "cat", "Bob")])
        assert told.num_corrected == 1
        telling.tell(session, [Answer(second.file, second.sha256, None, "Bob")])
    with Session(folder) as session:
        assert sessions.labels_by_name(session) == {first.file: "cat", second.file: "?"}
        assert sessions.learned_by_name(session) == {first.file: "cat"}
        said = [
            (entry.who, entry.file, entry.label) for entry in session.history.entries
        ]
        assert said == [
            *sorted(
                [("Ada", first.file, "owl"), ("Ada", second.file, "owl")],
                key=lambda row: row[1],
            ),
            ("Bob", first.file, "cat"),
            ("Bob", second.file, "?"),
        ]
        labeled = session.learner.labeled
        assert labeled.companion_labels.tolist() == [0]  # corrected, too


def test_what_nobody_can_tell_is_not_asked_again_but_may_be_told_later(fresh):
    folder, _ = fresh
    with Session(folder) as session:
        queried = asking.ask(session, 2)
        telling.tell(session, [Answer(q.file, q.sha256, None) for q in queried])
        unknown = {q.file for q in queried}
        others = {q.file for q in asking.ask(session, 20)}
        assert len(others) == 20
        assert not others & unknown
        ignored = {session.store.names[row] for row in session.learner.ignored}
        assert ignored == unknown
        told = telling.tell(session, [Answer(min(unknown), "", "cat")])
        assert told.num_corrected == 1
        assert sessions.learned_by_name(session) == {min(unknown): "cat"}


def test_labels_that_are_there_already_are_brought_along(fresh):
    folder, truth = fresh
    names = sorted(truth)[:7]
    with Session(folder) as session:
        told = telling.tell(session, [Answer(name, "", truth[name]) for name in names])
        assert told.num_labeled == 7
        assert not {q.file for q in asking.ask(session, 33)} & set(names)


def test_images_that_are_not_there_are_named(fresh):
    folder, truth = fresh
    missing = [Answer("no.png", "", "cat"), Answer("", "00", "dog")]
    with Session(folder) as session:
        told = telling.tell(session, [*missing, Answer(min(truth), "", "cat")])
        assert told.missing == ["no.png", "00"]
        assert len(session.history.entries) == 1
        with pytest.raises(ValueError, match="images of the session.*no.png, 00"):
            telling.tell(session, missing)
        assert len(session.history.entries) == 1


def test_unknown_classes_are_refused_with_the_known_ones(fresh):
    folder, truth = fresh
    names = sorted(truth)[:2]
    with Session(folder) as session:
        answers = [Answer(names[0], "", "cat"), Answer(names[1], "", "cow")]
        with pytest.raises(ValueError, match="new_classes.*cat, dog, owl.*'cow'"):
            telling.tell(session, answers)
        assert session.history.entries == []
        telling.tell(session, answers, new_classes=["cow"])
        assert session.settings.classes == ("cat", "dog", "owl", "cow")
    with Session(folder) as session:
        assert sessions.learned_by_name(session) == {names[0]: "cat", names[1]: "cow"}


def test_a_session_is_created_again_after_a_kill_at_the_end(tmp_path):
    """Everything is stored and the command has not ended: the same one succeeds."""
    folder, truth = sessions.create(tmp_path)
    sessions.create(tmp_path)
    with pytest.raises(ValueError, match="new or an empty folder"):
        sessions.create(tmp_path, seed=1)
    with Session(folder) as session:
        telling.tell(session, sessions.answers(asking.ask(session, 2), truth))
    with pytest.raises(ValueError, match="new or an empty folder"):
        sessions.create(tmp_path)
    with Session(folder) as session:
        assert len(session.labels()) == 2


def test_a_new_class_is_told_again_after_a_kill(fresh, monkeypatch):
    """The class is stored and the label is not: the same command adds it."""
    folder, truth = fresh
    answers = [Answer(min(truth), "", "cow")]
    with Session(folder) as session, monkeypatch.context() as patch:
        patch.setattr(session.history, "append", lambda entries: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            telling.tell(session, answers, new_classes=["cow"])
    with Session(folder) as session:
        assert telling.tell(session, answers, new_classes=["cow"]).num_labeled == 1
        assert session.settings.classes == ("cat", "dog", "owl", "cow")
        with pytest.raises(ValueError, match="distinct"):
            telling.tell(session, answers, new_classes=["hen", "hen"])


def test_images_with_two_labels_are_listed_and_the_others_told(fresh):
    folder, truth = fresh
    images = folder.parent / "images"
    first, second, third, *_ = sorted(truth)
    shutil.copy(images / second, images / "equal.png")
    said = {first: ["cat", "dog", "cat"], second: ["owl"], "equal.png": [None]}
    said[third] = ["dog", "dog"]
    answers = [Answer(n, "", label) for n, labels in said.items() for label in labels]
    with Session(folder) as session:
        told = telling.tell(session, answers)
        assert told.conflicts == [f"{first} (cat, dog)", f"{second} (?, owl)"]
        assert sessions.labels_by_name(session) == {third: "dog"}


def test_files_are_added_moved_removed_and_changed(fresh):
    folder, truth = fresh
    images = folder.parent / "images"
    with Session(folder) as session:
        queried = asking.ask(session, 6)
        telling.tell(session, sessions.answers(queried[:3], truth))
        known = sessions.learned_by_name(session)
    moved, removed, changed = (q.file for q in queried[:3])
    gone = queried[3].file  # asked, not answered
    (images / "sub").mkdir()
    (images / moved).rename(images / "sub" / "other.png")
    (images / removed).unlink()
    (images / gone).unlink()
    shutil.copy(images / queried[4].file, images / "copy of a queried image.png")
    image_folders.write(images, 1, seed=5, first=0)  # sorts first
    (images / "image_0000.png").rename(images / "a.png")
    new = image_folders.write(images, 2, seed=6, first=900)
    (images / "image_0900.png").replace(images / changed)
    with Session(folder) as session:
        learned = sessions.learned_by_name(session)
        expected = {
            {moved: "sub/other.png"}.get(name, name): label
            for name, label in known.items()
        }
        assert learned.pop(changed, None) == expected.pop(changed)
        assert learned == expected
        left = asking.ask(session, 6, resume=True)
        assert {q.file for q in left} <= {q.file for q in queried[4:]} | {
            "copy of a queried image.png"
        }
        assert len(left) == 2
        telling.tell(
            session,
            sessions.answers(
                left, {**truth, "copy of a queried image.png": truth[queried[4].file]}
            ),
        )
        rest = {q.file for q in asking.ask(session, 100)}
    assert "a.png" in rest
    assert "image_0901.png" in rest
    assert changed in rest  # its content is new
    assert not rest & {"sub/other.png", removed, gone}
    assert len(new) == 2


@pytest.mark.parametrize("pending", [1, 3])
def test_answers_that_only_the_log_has_are_caught_up(fresh, pending):
    """As after a kill between the two files."""
    folder, truth = fresh
    with Session(folder) as session:
        queried = asking.ask(session, 4)
        telling.tell(session, sessions.answers(queried[:1], truth))
        before = (folder / "learner.npz").read_bytes()
        telling.tell(session, sessions.answers(queried[1 : 1 + pending], truth))
        expected = vars(session.learner.labeled)
    (folder / "learner.npz").write_bytes(before)
    with Session(folder) as session:
        for name, array in vars(session.learner.labeled).items():
            np.testing.assert_array_equal(array, expected[name])
    assert (folder / "learner.npz").read_bytes() != before


def test_an_edited_history_is_refused(fresh):
    folder, truth = fresh
    with Session(folder) as session:
        telling.tell(session, [Answer(min(truth), "", "cat")])
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(text.replace(",cat", ",dog"))
    with pytest.raises(ValueError, match="must not change"):
        Session(folder)
    (folder / "labels.csv").write_text(text)
    Session(folder).close()


def test_a_session_is_used_by_one_process_at_a_time(fresh):
    with Session(fresh[0]), pytest.raises(ValueError, match="no other command uses"):
        Session(fresh[0])
    Session(fresh[0]).close()


def test_the_learner_is_saved_with_its_strategy_and_pool(fresh):
    folder, _ = fresh
    learner = ActiveLearner.load(
        folder / "learner.npz", lambda x, y, seed: None, pool=folder / "pool.npy"
    )
    assert type(learner.strategy).__name__ == "DFAL"
    assert learner.strategy.num_candidates == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["cat", "dog"]}, "must hold 3 names"),
        ({"classes": ["cat", "dog", "dog"]}, "distinct names"),
        ({"strategy": "best"}, "Argument `strategy`"),
        ({"seed": -1}, "Argument `seed`"),
        ({"model": "none.keras"}, "Argument `model`.*does not exist"),
        ({"images": "none"}, "none"),
        ({"image_size": (8, 8)}, "Argument `image_size`.*model accepts"),
    ],
)
def test_bad_arguments_leave_no_folder(made, tmp_path, options, message):
    given = {
        "images": made[0].parent / "images",
        "model": made[0].parent / "model.keras",
        "classes": image_folders.CLASSES,
    }
    with pytest.raises(ValueError, match=message):
        Session.create(tmp_path / "session", **{**given, **options})
    assert not (tmp_path / "session").exists()


@pytest.mark.parametrize("name", ["thesis.txt", "settings.json"])
def test_other_folders_are_not_taken(made, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ValueError, match="new or an empty folder"):
        Session.create(
            tmp_path,
            images=made[0].parent / "images",
            model=made[0].parent / "model.keras",
            classes=image_folders.CLASSES,
        )
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"
