"""The served page: who gets in, and that answers are stored."""

import errno
import io
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import sessions
from PIL import Image

from dfal_keras import _files, strategies
from dfal_keras.labeling import cold_start, training
from dfal_keras.labeling.label_history import LabelHistory
from dfal_keras.labeling.serving import Desk
from dfal_keras.labeling.session import Session

flask = pytest.importorskip("flask")
pytest.importorskip("waitress")

from dfal_keras.labeling.views import server  # noqa: E402

TOKEN = "a-token"
OPTIONS = {"num_restarts": 1, "epochs": 2}


def make(path):
    """Yield a client, the desk, the session's folder and the classes."""
    folder, truth = sessions.create(path, 40)
    with Session(folder) as session:
        desk = Desk(session, 6, OPTIONS)
        desk.session = session  # for tests
        app = server.make_app(desk, TOKEN, who="Ada")
        yield app.test_client(), desk, folder, truth


@pytest.fixture
def made(tmp_path):
    yield from make(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """As `made`, for what is refused."""
    yield from make(tmp_path_factory.mktemp("unchanged"))


def get(client, address, host="127.0.0.1:5000", **options):
    return client.get(address, headers={"Host": host}, **options)


def post(client, address, content, **options):
    headers = {"Host": "127.0.0.1:5000"}
    return client.post(address, json=content, headers=headers, **options)


@pytest.mark.parametrize(
    "path",
    ["/", "/a/", "/a-toke/", "/state", "/a/state", "/a/image/00", "/favicon.ico"],
)
def test_nothing_without_the_token(unchanged, path):
    assert get(unchanged[0], path).status_code == 404
    assert post(unchanged[0], path, {}).status_code in (404, 405)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", ""]
)
def test_other_names_of_the_host_are_refused(unchanged, host):
    assert get(unchanged[0], f"/{TOKEN}/", host).status_code == 403


def test_forms_of_other_sites_are_refused(made):
    client, desk, folder, _ = made
    headers = {"Host": "127.0.0.1:5000", "Content-Type": "text/plain"}
    body = f'{{"sha256": "{desk.queried[0].sha256}", "label": "cat"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers["Content-Type"] = kind
        done = client.post(f"/{TOKEN}/answer", data=body, headers=headers)
        assert done.status_code == 415
    assert not (folder / "labels.csv").exists()


def test_the_page_and_the_original_images(made):
    client, desk, folder, _ = made
    page = get(client, f"/{TOKEN}/")
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    for image in desk.queried:
        assert f"image/{image.sha256}" in page.text
        original = get(client, f"/{TOKEN}/image/{image.sha256}")
        path = folder.parent / "images" / image.file
        assert original.data == path.read_bytes()
        assert original.mimetype == "image/png"
        shown = get(client, f"/{TOKEN}/input/{image.sha256}")
        pixels = np.asarray(Image.open(io.BytesIO(shown.data)))
        np.testing.assert_array_equal(pixels, image.image)
    assert get(client, f"/{TOKEN}/image/../../etc/passwd").status_code == 404
    assert get(client, f"/{TOKEN}/image/{'0' * 64}").status_code == 404


def test_an_answer_is_on_disk_when_the_server_says_so(made):
    client, desk, folder, truth = made
    for image in desk.queried[:3]:
        label = truth[image.file]
        content = {"sha256": image.sha256, "label": label}
        assert post(client, f"/{TOKEN}/answer", content).json == {"stored": True}
        stored = LabelHistory(folder / "labels.csv")  # as after a kill
        assert stored.latest()[image.sha256] == label
        assert stored.entries[-1].who == "Ada"
    first = desk.queried[0].sha256
    for label in ("?", "", "owl", ""):
        post(client, f"/{TOKEN}/answer", {"sha256": first, "label": label})
        assert desk.labels().get(first, "") == label
    state = get(client, f"/{TOKEN}/state").json
    assert set(state["labels"]) == {image.sha256 for image in desk.queried[1:3]}


@pytest.mark.parametrize(
    "content",
    [
        {"sha256": "0" * 64, "label": "cat"},
        {"label": "cow"},
        {"label": "cat\x00"},
        {"label": None},
        {"sha256": 3},
        [],
        "cat",
    ],
)
def test_bad_answers_change_nothing(unchanged, content):
    client, desk, folder, _ = unchanged
    if isinstance(content, dict):
        content = {"sha256": desk.queried[0].sha256, "label": "cat", **content}
    assert post(client, f"/{TOKEN}/answer", content).status_code == 400
    assert not (folder / "labels.csv").exists()


def test_a_full_disk_is_an_error_of_the_server(made, monkeypatch):
    client, desk, folder, _ = made
    content = {"sha256": desk.queried[0].sha256, "label": "cat"}

    def fail(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        for name in ("write_text", "append_text"):
            patched.setattr(_files, name, fail)
        answer = post(client, f"/{TOKEN}/answer", content)
        assert answer.status_code == 500
        assert os.strerror(errno.ENOSPC) in answer.json["error"]
        assert desk.labels() == {}
    assert post(client, f"/{TOKEN}/answer", content).json == {"stored": True}
    assert LabelHistory(folder / "labels.csv").latest() == {content["sha256"]: "cat"}


def test_train_and_ask_again(made):
    client, desk, folder, truth = made
    first = {image.sha256 for image in desk.queried}
    for image in desk.queried:
        content = {"sha256": image.sha256, "label": truth[image.file]}
        post(client, f"/{TOKEN}/answer", content)
    assert post(client, f"/{TOKEN}/train", {}).json == {"started": True}
    assert post(client, f"/{TOKEN}/train", {}).json == {"started": False}
    deadline = time.monotonic() + 120
    while get(client, f"/{TOKEN}/state").json["is_training"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    state = get(client, f"/{TOKEN}/state").json
    assert not {image.sha256 for image in desk.queried} & first
    assert state["labels"] == {}
    assert (folder / "history.csv").exists() == (len(set(truth.values())) > 1)


class Gate:
    """Where a thread waits until the test lets it go on."""

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def wait(self):
        self.reached.set()
        assert self.opened.wait(120)


class Waiting(strategies.Random):
    """A strategy that takes its time."""

    def __init__(self, gate):
        super().__init__()
        self._gate = gate

    def select(self, *args, **options):
        self._gate.wait()
        return super().select(*args, **options)


def after_a_kill(folder, target):
    """Return the labels and what the learner knows, opened from a copy."""
    shutil.copytree(folder, target / "session", dirs_exist_ok=True)
    shutil.copytree(folder.parent / "images", target / "images", dirs_exist_ok=True)
    with Session(target / "session") as session:
        told = len(session.history.entries)
        return (
            sessions.labels_by_name(session),
            sessions.learned_by_name(session),
            sorted(session.store.names[row] for row in session.learner.ignored),
            told,
        )


@pytest.mark.parametrize("where", ["training", "choosing"])
def test_answers_are_stored_while_the_server_works(made, tmp_path, monkeypatch, where):
    client, desk, folder, truth = made
    session, gate = desk.session, Gate()
    monkeypatch.setattr(cold_start, "plan", lambda *args: None)
    if where == "choosing":
        session.learner.strategy = Waiting(gate)
        monkeypatch.setattr(training, "train", lambda *args, **options: None)
    else:
        monkeypatch.setattr(training, "train", lambda *args, **options: gate.wait())
    asked = list(desk.queried)
    for image in asked[:5]:  # one is skipped
        desk.answer(image.sha256, truth[image.file], "Ada")
    assert desk.start_training()
    assert gate.reached.wait(60)
    labels = {image.file: truth[image.file] for image in asked[:5]}
    changes = {0: "owl", 1: "", 2: "?", 5: "cat", 3: "dog"}
    for i, label in changes.items():
        image = asked[i]
        labels[image.file] = label
        content = {"sha256": image.sha256, "label": label}
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(post, client, f"/{TOKEN}/answer", content)
            try:
                assert answer.result(60).json == {"stored": True}
            except BaseException:
                gate.opened.set()
                raise
        assert LabelHistory(folder / "labels.csv").latest()[image.sha256] == label
    assert post(client, f"/{TOKEN}/train", {}).json == {"started": False}
    given = {name: label for name, label in labels.items() if label}
    known = {name: label for name, label in given.items() if label != "?"}
    unknown = [name for name, label in given.items() if label == "?"]
    num_entries = len(LabelHistory(folder / "labels.csv").entries)
    expected = (given, known, unknown, num_entries)
    assert after_a_kill(folder, tmp_path / "before") == expected
    gate.opened.set()
    deadline = time.monotonic() + 60
    while desk.is_training:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert desk.state()["message"] == ""
    assert after_a_kill(folder, tmp_path / "after") == expected
    # Images of the query before can be corrected.
    corrected = asked[4]
    assert corrected.sha256 not in {image.sha256 for image in desk.queried}
    content = {"sha256": corrected.sha256, "label": "?"}
    assert post(client, f"/{TOKEN}/answer", content).json == {"stored": True}
    del known[corrected.file]
    given[corrected.file] = "?"
    expected = (given, known, sorted([*unknown, corrected.file]), num_entries + 1)
    assert after_a_kill(folder, tmp_path / "corrected") == expected
    desk.close()
    assert after_a_kill(folder, tmp_path / "closed") == expected


def test_images_answered_before_can_be_corrected(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)
    with Session(folder) as session:
        desk = Desk(session, 2, OPTIONS)
        asked = list(desk.queried)
        for image in asked:
            desk.answer(image.sha256, truth[image.file], "Ada")
        desk.close()
    with Session(folder) as session:
        desk = Desk(session, 2, OPTIONS)
        assert not {i.sha256 for i in asked} & {i.sha256 for i in desk.queried}
        desk.answer(asked[0].sha256, "owl", "Ada")
        desk.answer(asked[1].sha256, "", "Ada")
        shown = {image.sha256 for image in [*asked, *desk.queried]}
        others = [name for name in session.store.hashes if name not in shown]
        with pytest.raises(ValueError, match="was not queried"):
            desk.answer(others[0], "owl", "Ada")
        desk.close()
    with Session(folder) as session:
        assert sessions.labels_by_name(session) == {asked[0].file: "owl"}


def test_answers_are_applied_when_the_session_is_opened_again(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)
    with Session(folder) as session:
        desk = Desk(session, 6, OPTIONS)
        for image in desk.queried:
            desk.answer(image.sha256, truth[image.file], "Ada")
        removed, unknown = desk.queried[0], desk.queried[1]
        desk.answer(removed.sha256, "", "Ada")
        desk.answer(unknown.sha256, "?", "Ada")
        desk.answer(unknown.sha256, "", "Ada")
        expected = {i.file: truth[i.file] for i in desk.queried[2:]}
        # No `close`: as after a kill.
    with Session(folder) as session:
        assert sessions.learned_by_name(session) == expected
        assert sessions.labels_by_name(session) == expected
        assert len(session.learner.ignored) == 0
