import pytest
from helpers import image_folders, sessions

from dfal_keras.labeling import asking, model_files, telling
from dfal_keras.labeling.formats.answer import Answer
from dfal_keras.labeling.session import Session


def test_queried_images_have_predictions_and_adversarial_examples(tmp_path):
    folder, _ = sessions.create(tmp_path)
    model = model_files.load_model(tmp_path / "model.keras")
    num_read = []
    with Session(folder) as session:
        queried = asking.ask(session, 4, progress=num_read.append)
        assert [q.rank for q in queried] == [1, 2, 3, 4]
        assert [q.score for q in queried] == sorted(q.score for q in queried)
        for q in queried:
            row = session.store.find(q.file, None)
            assert session.store.hashes[row] == q.sha256
            assert (q.image == session.store.pool[row]).all()
            images = [q.image, q.adversarial_example]
            outputs = [model.predict(i[None], verbose=0)[0] for i in images]
            names = [image_folders.CLASSES[o.argmax()] for o in outputs]
            assert [q.predicted, q.adversarial_predicted] == names
            assert q.predicted != q.adversarial_predicted
            assert q.probability == pytest.approx(outputs[0].max(), abs=1e-5)
    assert sum(num_read) >= 20


def test_an_open_query_is_asked_again(tmp_path):
    folder, truth = sessions.create(tmp_path)
    with Session(folder) as session:
        first = asking.ask(session, 4)
    with Session(folder) as session:
        again = asking.ask(session, 2)
        assert [q.file for q in again] == [q.file for q in first]
        telling.tell(session, sessions.answers(first[1:3], truth))
        left = asking.ask(session, 4, resume=True)
        assert [q.file for q in left] == [first[0].file, first[3].file]
        assert [q.rank for q in left] == [1, 2]


@pytest.mark.parametrize("is_trained", [False, True])
def test_images_that_were_skipped_come_last(tmp_path, is_trained):
    folder, truth = sessions.create(tmp_path, 30, is_trained=is_trained)
    with Session(folder) as session:
        first = asking.ask(session, 4)
        telling.tell(session, sessions.answers(first[1:3], truth))
        second = asking.ask(session, 3)
        skipped = [first[0], first[3]]
        assert len(second) == 5
        assert [q.file for q in second[3:]] == [q.file for q in skipped]
        assert not {q.file for q in second[:3]} & {q.file for q in first}
        assert [q.rank for q in second] == [1, 2, 3, 4, 5]
        for before, after in zip(skipped, second[3:], strict=True):
            assert before.score == after.score
            assert (before.adversarial_example is None) == (not is_trained)
            if is_trained:
                example = after.adversarial_example
                assert (before.adversarial_example == example).all()
    with Session(folder) as session:  # as it was saved
        again = asking.ask(session, 3)
        assert [q.file for q in again] == [q.file for q in second]
        told = [second[0], second[4]]
        telling.tell(session, sessions.answers(told, truth))
        third = asking.ask(session, 2)
        left = [second[1], second[2], second[3]]
        assert [q.file for q in third[2:]] == [q.file for q in left]
        rows = session.learner.labeled
        assert len(rows.indices) == 4
        assert len(rows) == (8 if is_trained else 4)  # with adversarial examples


def test_what_was_skipped_is_asked_when_nothing_else_is_left(tmp_path):
    folder, truth = sessions.create(tmp_path, 6, is_trained=False)
    with Session(folder) as session:
        first = asking.ask(session, 6)
        telling.tell(session, sessions.answers(first[:4], truth))
        assert [q.file for q in asking.ask(session, 3)] == [q.file for q in first[4:]]


def test_an_untrained_model_asks_at_random(tmp_path):
    folder, truth = sessions.create(tmp_path, is_trained=False)
    with Session(folder) as session:
        said = []
        for _ in range(2):
            queried = asking.ask(session, 6, report=said.append)
            assert [q.predicted for q in queried] == [""] * 6
            assert {q.score for q in queried} == {None}
            telling.tell(session, sessions.answers(queried, truth))
        assert len(session.labels()) == 12
        assert len(said) == 2
        assert "random" in said[0]
        assert "not trained" in said[0]


def test_a_session_without_images_to_label_says_so(tmp_path):
    folder, truth = sessions.create(tmp_path, num_images=5)
    with Session(folder) as session:
        telling.tell(
            session, [Answer(name, "", label) for name, label in truth.items()]
        )
        with pytest.raises(ValueError, match="all labeled, ignored or excluded"):
            asking.ask(session, 1)


@pytest.mark.parametrize("num_queries", [0, 1.5, "3"])
def test_bad_numbers_of_queries(tmp_path, num_queries):
    folder, _ = sessions.create(tmp_path, num_images=5)
    with Session(folder) as session, pytest.raises(ValueError, match="num_queries"):
        asking.ask(session, num_queries)
