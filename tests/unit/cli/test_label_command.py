"""The command `label` as a process, which is killed while answers arrive."""

import contextlib
import json
import random
import re
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


def address_in(log):
    """Return the address that a server has printed, once it has."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = re.search(r"http://\S+/", log.read_text() if log.exists() else "")
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


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


def kill_while_answering(folder, truth, num_kills, seed=0):
    """Answer over and over, killing the server; return the number of kills."""
    rng = random.Random(seed)
    acknowledged: dict[str, str] = {}
    sent: dict[str, list[str]] = {}
    for number in range(num_kills):
        log = folder.parent / f"{number}.log"
        process = killed_commands.start(
            ["label", folder, "--num-queries", 30, "--no-browser"], log
        )
        address = address_in(log)
        images = [image["sha256"] for image in images_of(address)]
        kill = threading.Timer(rng.uniform(0, 0.5), process.kill)
        kill.start()
        with contextlib.suppress(OSError):  # killed
            while True:
                sha256 = rng.choice(images)
                label = rng.choice(["cat", "dog", "owl", "?", ""])
                sent.setdefault(sha256, []).append(label)
                post(f"{address}answer", {"sha256": sha256, "label": label})
                acknowledged[sha256] = label
                sent[sha256] = []
        process.join()
        kill.cancel()
        found = LabelHistory(folder / "labels.csv").latest()
        for sha256, label in acknowledged.items():
            # The answer that was sent last may be on disk, too, but not half of it.
            assert found.get(sha256, "") in [label, *sent[sha256]]
        acknowledged = {**acknowledged, **found}
    return len(acknowledged)


def test_kills_while_answers_arrive_lose_none(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)
    assert kill_while_answering(folder, truth, num_kills=2) > 0


@pytest.mark.slow
def test_two_hundred_kills_while_answers_arrive_lose_none(tmp_path):
    folder, truth = sessions.create(tmp_path, 40)
    assert kill_while_answering(folder, truth, num_kills=200) > 10
