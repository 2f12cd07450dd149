import numpy as np
import pytest
from helpers import sessions

from dfal_keras.cli.main import main
from dfal_keras.labeling import reviewing, telling
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session

pytest.importorskip("cleanlab")


@pytest.mark.slow
def test_wrong_labels_are_found_and_predictions_by_their_margin(tmp_path):
    folder, truth = sessions.create(tmp_path, 90)
    names = sorted(truth)[:75]
    wrong = [name for name in names if truth[name] == "cat"][:4]
    with Session(folder) as session:
        labels = {name: "dog" if name in wrong else truth[name] for name in names}
        telling.tell(session, [Answer(n, "", label) for n, label in labels.items()])
        options = {"num_restarts": 1, "epochs": 40}
        rows = reviewing.suspicious_labels(session, **options)
        found = [session.store.names[row] for row in rows]
        assert len(set(found[:6]) & set(wrong)) >= 3
        queried = reviewing.review(session, 5, **options)
        assert [q.label != "" for q in queried].index(False) == min(5, len(rows))
        unlabeled = [q for q in queried if not q.label]
        assert len(unlabeled) == 5
        model = session.load_model("model.keras")
        rest = [n for n in truth if n not in names]
        pixels = np.stack(
            [session.store.pool[session.store.find(n, None)] for n in rest]
        )
        outputs = np.sort(model.predict(pixels, verbose=0), axis=1)
        margins = outputs[:, -1] - outputs[:, -2]
        expected = [rest[i] for i in np.argsort(margins)[:5]]
        assert [q.file for q in unlabeled] == expected
        for q in unlabeled:
            outputs = model.predict(q.image[None], verbose=0)[0]
            assert q.predicted == session.settings.classes[outputs.argmax()]
            assert q.probability == pytest.approx(outputs.max(), abs=1e-5)
        assert all(q.predicted for q in queried)


def test_images_without_a_file_are_not_reviewed(tmp_path, monkeypatch):
    folder, truth = sessions.create(tmp_path, 30)
    names = sorted(truth)
    with Session(folder) as session:
        telling.tell(session, [Answer(n, "", truth[n]) for n in names[:5]])
    (tmp_path / "images" / names[1]).unlink()
    with Session(folder) as session:
        rows = [session.store.find(name, None) for name in names[:3]]
        monkeypatch.setattr(reviewing, "suspicious_labels", lambda *_, **__: rows)
        queried = reviewing.review(session, 3)
    labeled = [q.file for q in queried if q.label]
    assert labeled == [names[0], names[2]]


def test_too_few_labels_to_judge_them(tmp_path):
    folder, truth = sessions.create(tmp_path, 30)
    with Session(folder) as session:
        telling.tell(session, [Answer(n, "", truth[n]) for n in sorted(truth)[:2]])
        assert reviewing.suspicious_labels(session) == []


def test_the_command(tmp_path, capsys):
    folder, _ = sessions.create(tmp_path, 30)
    assert main(["predict", str(folder), "--review", "3"]) == 0
    assert "0 labels and 3 predictions" in capsys.readouterr().out
    assert (folder / "review.html").exists()
    assert (folder / "review.csv").read_text().count("\n") == 4
