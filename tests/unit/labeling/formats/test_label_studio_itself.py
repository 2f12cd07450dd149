"""Label Studio itself, if the environment variable DFAL_LABEL_STUDIO names its command.

Install it in an environment of its own (600 MB): `pip install label-studio`.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import pytest
import requests
from helpers import queried_images
from PIL import Image

from dfal_keras.labeling.formats import label_studio_tasks, reading

COMMAND = shutil.which(os.environ.get("DFAL_LABEL_STUDIO", "label-studio"))
TOKEN = "0123456789abcdef0123456789abcdef01234567"
CAT, DOG, OWL = queried_images.CLASSES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COMMAND is None, reason="DFAL_LABEL_STUDIO names no command"),
]


@pytest.fixture
def server(tmp_path):
    """Start Label Studio on 127.0.0.1; return its address and its files' folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    files = tmp_path / "files"
    files.mkdir()
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path / "data"),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files),
        "DJANGO_DB": "sqlite",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    user = ["--username", "ann@example.com", "--password", "only-for-tests"]
    command = [COMMAND, "start", "trial", "--init", "--no-browser", *user]
    command += ["--user-token", TOKEN, "--enable-legacy-api-token"]
    command += ["--internal-host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address, process)
        yield address, files
    finally:
        process.terminate()
        process.wait(30)


def wait_until_healthy(address, process):
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{address}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(1)
    pytest.fail("Label Studio did not start")


class User:
    """A user of Label Studio, who acts through its API."""

    def __init__(self, address, **headers):
        self.address = address
        self.session = requests.Session()
        self.session.headers.update(headers)

    def call(self, method, path, **options):
        response = self.session.request(method, self.address + path, **options)
        assert response.ok, (response.status_code, response.text[:500])
        return response

    def annotate(self, task, *choices, **options):
        result = label_choice(*choices) if choices else []
        content = {"result": result, "lead_time": 1.5, **options}
        self.call("POST", f"/api/tasks/{task}/annotations/", json=content)


def label_choice(*choices):
    """Return the result of an annotation."""
    value = {"choices": list(choices)}
    return [
        {"type": "choices", "from_name": "label", "to_name": "image", "value": value}
    ]


def sign_up(owner, email):
    """Return a second user of the owner's organization."""
    invitation = owner.call("GET", "/api/invite").json()["invite_url"]
    user = User(owner.address)
    form = user.call("GET", invitation).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[1]
    content = {
        "csrfmiddlewaretoken": token,
        "email": email,
        "password": "only-for-tests",
        "how_find_us": "Other",
        "elaborate": "test",
    }
    user.call("POST", invitation, data=content, headers={"Referer": owner.address})
    user.session.headers["X-CSRFToken"] = user.session.cookies["csrftoken"]
    user.session.headers["Referer"] = owner.address
    return user


def create_project(owner, files, tasks):
    """Return the number of a project, with tasks whose images are in a folder."""
    config = label_studio_tasks.labeling_config(queried_images.CLASSES)
    content = {"title": "trial", "label_config": config, "maximum_annotations": 2}
    project = owner.call("POST", "/api/projects", json=content).json()["id"]
    content = {"project": project, "path": str(files / "pool"), "use_blob_urls": True}
    owner.call("POST", "/api/storages/localfiles", json=content)
    imported = owner.call("POST", f"/api/projects/{project}/import", json=tasks).json()
    assert imported["task_count"] == imported["prediction_count"] == len(tasks)
    return project


def test_tasks_are_imported_annotated_and_exported(server, tmp_path):
    address, files = server
    queried = queried_images.make()
    for query in queried:
        path = files / "pool" / query.file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(query.image).save(path)
    prefix = "/data/local-files/?d=pool/"
    label_studio_tasks.write_tasks(tmp_path / "tasks.json", queried, prefix=prefix)
    tasks = json.loads((tmp_path / "tasks.json").read_text())

    ann = User(address, Authorization=f"Token {TOKEN}")
    bob = sign_up(ann, "bob@example.com")
    project = create_project(ann, files, tasks)
    listed = ann.call("GET", f"/api/tasks?project={project}&fields=all").json()["tasks"]
    listed.sort(key=lambda task: task["data"]["rank"])
    for query, task in zip(queried, listed, strict=True):
        shown = ann.call("GET", task["data"]["image"]).content
        assert shown == (files / "pool" / query.file).read_bytes()
        assert task["predictions"][0]["result"][0]["value"]["choices"] == [
            query.predicted
        ]

    one, two, three, four, five, six = [task["id"] for task in listed]
    ann.annotate(one, DOG)
    ann.annotate(one, CAT)  # replaces the answer before
    bob.annotate(one, CAT)
    ann.annotate(two, DOG)
    bob.annotate(two, OWL)
    ann.annotate(three, OWL)
    bob.annotate(four, DOG)
    ann.annotate(four, was_cancelled=True)
    bob.annotate(five, was_cancelled=True)
    draft = {"result": label_choice(CAT), "lead_time": 1}
    ann.call("POST", f"/api/tasks/{six}/drafts?project={project}", json=draft)

    exports = {}
    for kind in ("JSON", "JSON_MIN", "CSV"):
        options = f"exportType={kind}&download_all_tasks=true"
        export = ann.call("GET", f"/api/projects/{project}/export?{options}").content
        path = tmp_path / f"export.{kind}"
        path.write_bytes(export)
        exports[kind] = reading.by_majority(reading.read_answers(path))
        folder = os.environ.get("DFAL_LABEL_STUDIO_EXPORTS")
        if folder:  # to make the files in tests/data again
            pathlib.Path(folder, path.name).write_bytes(export)

    labels = {"cat 1.png": CAT, "ü#%&?.png": OWL, "=1+1.png": DOG}
    for kind, (decided, ties) in exports.items():
        expected = labels | ({"line\nbreak.png": None} if kind == "JSON" else {})
        assert {answer.file: answer.label for answer in decided} == expected, kind
        assert [answer.file for answer in ties] == ["sub/owl,2;.png"]
        for answer in (*decided, *ties):
            rank = queried_images.NAMES.index(answer.file) + 1
            assert answer.sha256 == queried_images.checksum(rank)
