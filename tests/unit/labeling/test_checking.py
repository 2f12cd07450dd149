import numpy as np
import pytest
from helpers import sessions

from dfal_keras.cli.main import main
from dfal_keras.labeling import asking, checking, telling, training
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


def test_the_sample_is_random_kept_and_never_trained_on(tmp_path):
    folder, truth = sessions.create(tmp_path, 60)
    with Session(folder) as session:
        telling.tell(session, sessions.answers(asking.ask(session, 8), truth))
        asked = {q.file for q in asking.ask(session, 4)}
        labeled = set(sessions.labels_by_name(session))
        queried = checking.check(session, 10)
        names = {q.file for q in queried}
        assert len(names) == 10
        assert not names & (labeled | asked)
        assert checking.result(session) is None
        telling.tell(session, sessions.answers(queried[:6], truth))
    with Session(folder) as session:
        assert {q.file for q in checking.check(session, 10)} == {
            q.file for q in queried[6:]
        }
        assert len(checking.check(session, 12)) == 6  # two more
        assert not set(sessions.learned_by_name(session)) & names
        assert names - {q.file for q in queried[6:]} < set(
            sessions.labels_by_name(session)
        )
        telling.tell(
            session,
            [Answer(n, "", truth[n]) for n in truth if n not in names][:40],
        )
        options = {"num_restarts": 1, "epochs": 1, "allow_missing_classes": True}
        training.train(session, **options)
        assert not set(sessions.learned_by_name(session)) & names
        left = {q.file for q in asking.ask(session, 60)}
        assert not left & names


def test_results_are_those_of_the_model(tmp_path):
    folder, truth = sessions.create(tmp_path, 60)
    with Session(folder) as session:
        queried = checking.check(session, 30)
        answers = sessions.answers(queried[1:], truth)
        answers.append(Answer(queried[0].file, "", None))  # nobody can tell
        telling.tell(session, answers)
        found = checking.result(session)
        model = session.load_model("model.keras")
        images = np.stack([q.image for q in queried[1:]])
        classes = session.settings.classes
        predicted = [classes[i] for i in model.predict(images, verbose=0).argmax(1)]
        true = [truth[q.file] for q in queried[1:]]
    is_right = np.array(predicted) == np.array(true)
    assert found.accuracy.num_images == 29
    assert found.accuracy.num_right == is_right.sum()
    for name, recall in found.recalls.items():
        mask = np.array(true) == name
        assert (recall.num_right, recall.num_images) == (
            is_right[mask].sum(),
            mask.sum(),
        )


def test_the_commands(tmp_path, capsys):
    folder, truth = sessions.create(tmp_path, 60)
    assert main(["check", str(folder), "--num", "20"]) == 0
    assert "20 images of the random sample" in capsys.readouterr().out
    assert (folder / "check_queries.html").exists()
    rows = (folder / "check_queries.csv").read_text().splitlines()
    filled = [rows[0], *(row + truth[row.split(",")[1]] for row in rows[1:])]
    (folder / "check_queries.csv").write_text("\n".join(filled))
    assert main(["tell", str(folder), str(folder / "check_queries.csv")]) == 0
    (tmp_path / "labels.csv").write_text(
        "file,label\n" + "".join(f"{n},{c}\n" for n, c in truth.items())
    )
    assert main(["import", str(folder), str(tmp_path / "labels.csv")]) == 0
    assert main(["train", str(folder), "--restarts", "1", "--epochs", "2"]) == 0
    capsys.readouterr()
    assert main(["status", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "random sample: right, images, 95 % interval" in output
    assert "recall of owl" in output
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert main(["check", str(folder), "--num", "61"]) == 2


@pytest.mark.parametrize("num", ["0", "-1", "1000"])
def test_bad_sizes(tmp_path, num, capsys):
    folder, _ = sessions.create(tmp_path, 10)
    assert main(["check", str(folder), "--num", num]) == 2
    assert "Argument `--num`" in capsys.readouterr().err
