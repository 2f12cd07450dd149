"""The command `label` as a process, which is killed while answers arrive."""

import contextlib
import http.client
import json
import random
import re
import signal
import threading
import time
import urllib.request

import pytest
from helpers import killed_commands, sessions
from helpers.label_server import LabelServer

from dfal_keras.labeling.label_history import LabelHistory
from dfal_keras.labeling.session import Session

pytest.importorskip("flask")
pytest.importorskip("waitress")

TIMEOUT = 300  # seconds


def address_in(log, process):
    """Return the address that a server has printed, `None` if it was killed before."""
    deadline = time.monotonic() + TIMEOUT
    while process.is_alive() and time.monotonic() < deadline:
        found = re.search(r"http://\S+/", log.read_text() if log.exists() else "")
        if found:
            return found[0]
        time.sleep(0.02)
    assert not process.is_alive(), log.read_text()
    return None


def get(address):
    with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
        return response.read().decode()


def post(address, content):
    request = urllib.request.Request(
        address,
        json.dumps(content).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        return json.loads(response.read())


def images_of(address):
    """Return the images that the page shows."""
    text = re.search(r'id="page-data">(.*?)</script>', get(address), re.S)[1]
    return json.loads(text)["images"]


@pytest.mark.slow
def test_nothing_is_lost_when_the_server_is_killed(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)

    def answer(address, images):
        for image in images:
            content = {"sha256": image["sha256"], "label": truth[image["file"]]}
            assert post(f"{address}answer", content) == {"stored": True}

    with LabelServer(tmp_path, "--num-queries", "6") as server:
        address = server.address
        first = images_of(address)
        answer(address, first[:3])
        server.kill()
    with LabelServer(tmp_path, "--num-queries", "6") as server:
        assert server.address != address  # a new token
        left = images_of(server.address)
        assert [i["file"] for i in left] == [i["file"] for i in first[3:]]
        answer(server.address, left)
        assert "all answers are stored" in server.end()
    expected = {image["file"]: truth[image["file"]] for image in first}
    with Session(folder) as session:
        assert sessions.labels_by_name(session) == expected
        assert sessions.learned_by_name(session) == expected


@pytest.mark.slow
def test_the_random_sample_and_a_review_on_the_served_page(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)
    with LabelServer(tmp_path, "--check", "5") as server:
        sample = images_of(server.address)
        assert len(sample) == 5
        assert post(f"{server.address}train", {}) == {"started": False}
        for image in sample:
            content = {"sha256": image["sha256"], "label": truth[image["file"]]}
            post(f"{server.address}answer", content)
        assert "accuracy" in server.end()
    with Session(folder) as session:
        assert len(session.labels()) == 5
        assert len(session.learner.labeled.labels) == 0  # never trained on
    with LabelServer(tmp_path, "--check", "5") as server:
        assert "all of these images are labeled" in server.wait()
    with LabelServer(tmp_path, "--review", "4") as server:
        shown = images_of(server.address)
        assert len(shown) == 4
        assert not {i["file"] for i in shown} & {i["file"] for i in sample}


class Annotator:
    """Answers over and over, and remembers in order what the server has stored."""

    def __init__(self, seed):
        self.stored: list[tuple[str, str]] = []
        self._rng = random.Random(seed)

    def answer(self, address, known):
        """Answer until the server is away.

        Args:
            address: The address of the page.
            known: The label of each answered image, by its checksum. An answer that
                changes nothing is not stored.
        """
        images = [image["sha256"] for image in images_of(address)]
        while True:
            sha256 = self._rng.choice(images)
            labels = {"cat", "dog", "owl", "?", ""} - {known.get(sha256, "")}
            label = self._rng.choice(sorted(labels))
            content = {"sha256": sha256, "label": label}
            assert post(f"{address}answer", content) == {"stored": True}
            self.stored.append((sha256, label))
            known = {**known, sha256: label}


def kill_while_answering(folder, num_kills, seed=0):
    """Answer and kill the server at random moments, also while it starts.

    Returns:
        The answers that were acknowledged, in order.
    """
    rng, annotator, labels = random.Random(seed), Annotator(seed), folder / "labels.csv"
    # A start takes about twice as long as `status`, with TensorFlow imported already.
    for _ in range(2):
        code, seconds = killed_commands.run(["status", folder], folder.parent / "log")
        assert code == 0
    for number in range(1, num_kills + 1):
        log = folder.parent / f"{number}.log"
        process = killed_commands.start(
            ["label", folder, "--num-queries", 10, "--no-browser"], log
        )
        kill = threading.Timer(rng.uniform(0, 8 * seconds), process.kill)
        kill.start()
        address = address_in(log, process)
        known = LabelHistory(labels).latest()
        with contextlib.suppress(OSError, http.client.HTTPException):  # killed
            if address is not None:
                annotator.answer(address, known)
        process.join()
        assert process.exitcode == -signal.SIGKILL, log.read_text()
        check_history(labels, annotator.stored, number)
    return annotator.stored


def check_history(path, stored, num_kills):
    """Check that a file has all answers, in order, and at most one more for a kill."""
    found = [(e.sha256, e.label) for e in LabelHistory(path).entries]
    others = iter(found)
    assert all(answer in others for answer in stored)
    assert len(found) <= len(stored) + num_kills


def check_kills(tmp_path, num_kills):
    # Without a trained model, a server starts fast.
    options = {"is_trained": False, "strategy": "random"}
    folder, _ = sessions.create(tmp_path, 20 + 5 * num_kills, **options)
    stored = kill_while_answering(folder, num_kills)
    assert len(stored) > num_kills
    labels = LabelHistory(folder / "labels.csv").latest()
    with Session(folder) as session:
        hashes = dict(zip(session.store.names, session.store.hashes, strict=True))
        learned = sessions.learned_by_name(session)
    given = {name: labels.get(sha256, "") for name, sha256 in hashes.items()}
    assert learned == {k: v for k, v in given.items() if v not in ("", "?")}


@pytest.mark.slow
def test_kills_while_answers_arrive_lose_none(tmp_path):
    check_kills(tmp_path, num_kills=3)


@pytest.mark.slow
def test_two_hundred_kills_while_answers_arrive_lose_none(tmp_path):
    check_kills(tmp_path, num_kills=200)
