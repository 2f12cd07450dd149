"""300 photographs of five unbalanced classes, labeled by a person with a browser.

From `dfal-keras init` to `predict` and `check`: answers are clicks and keys on the
served page, and the server is killed on the way. With the environment variable
SCREENSHOTS, pictures of the page are kept in that folder.
"""

import csv
import os
import pathlib
import re
import time

import pytest
from helpers import browser, photographs
from helpers.label_server import LabelServer
from selenium.webdriver.common.by import By

from dfal_keras.cli.main import main
from dfal_keras.labeling import check_sample
from dfal_keras.labeling.label_history import LabelHistory

pytest.importorskip("flask")
pytest.importorskip("waitress")
pytestmark = pytest.mark.slow

TIMEOUT = 600
MEDIA = "Emulation.setEmulatedMedia"
PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}


def text(driver, name):
    return driver.find_element(By.ID, name).text


def shown(driver):
    """Return the names of the page's images, in order."""
    return [image.get_attribute("title") for image in browser.thumbnails(driver)]


def answer_all(driver, truth, stored):
    """Answer what is not answered, by a key and by a click in turn."""
    names = shown(driver)
    keys = browser.class_keys(driver)
    for number in range(names.index(text(driver, "file")), len(names)):
        label = truth[names[number]]
        if number % 2:
            browser.press(driver, keys[label])
        else:
            driver.find_element(By.CSS_SELECTOR, f"[data-name='{label}']").click()
    browser.wait_until(
        lambda: stored() >= {name: truth[name] for name in names}.items(), TIMEOUT
    )


def train(driver):
    first = shown(driver)
    driver.find_element(By.ID, "save").click()
    browser.wait_until(lambda: text(driver, "count").startswith("0 of"), TIMEOUT)
    assert shown(driver) != first


def keep_screenshots(driver, name):
    """Keep the page in light and dark colors, and as a phone shows it."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder or driver.capabilities.get("browserName") == "firefox":
        return
    for color in ("light", "dark"):
        scheme = {"name": "prefers-color-scheme", "value": color}
        driver.execute_cdp_cmd(MEDIA, {"features": [scheme]})
        driver.save_screenshot(str(pathlib.Path(folder, f"{name}_{color}.png")))
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    time.sleep(0.5)
    driver.save_screenshot(str(pathlib.Path(folder, f"{name}_phone.png")))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd(MEDIA, {"features": []})


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_three_hundred_photographs(tmp_path, monkeypatch, capsys, name):
    truth = photographs.write(tmp_path / "photos", 300)
    monkeypatch.chdir(tmp_path)
    command = ["init", "session", "--pool", "photos", "--model", "LeNet5"]
    command += ["--image-size", "32", "32"]  # what a CPU trains in a minute
    assert main([*command, "--classes", *photographs.SHARES]) == 0

    def stored():
        path = tmp_path / "session" / "labels.csv"
        history = LabelHistory(path)
        return {entry.file: entry.label for entry in history.entries}.items()

    options = ("--num-queries", "20", "--restarts", "2")
    with browser.start(name, tmp_path) as driver:
        with LabelServer(tmp_path, *options) as server:
            driver.get(server.address)
            keep_screenshots(driver, "first")
            answer_all(driver, truth, stored)
            train(driver)
            label = truth[shown(driver)[0]]
            browser.press(driver, browser.class_keys(driver)[label])
            browser.wait_until(lambda: len(stored()) == 21, TIMEOUT)
            server.kill()  # in the middle of a query
        with LabelServer(tmp_path, *options) as server:
            driver.get(server.address)
            assert len(shown(driver)) == 19
            answer_all(driver, truth, stored)
            train(driver)
            answer_all(driver, truth, stored)
            keep_screenshots(driver, "answered")
            train(driver)
            assert len(stored()) == 60
            server.end()
        with LabelServer(tmp_path, "--check", "40") as server:
            driver.get(server.address)
            assert not driver.find_element(By.ID, "save").is_displayed()
            keep_screenshots(driver, "check")
            answer_all(driver, truth, stored)
            output = server.end()
        with LabelServer(tmp_path, "--review", "5", "--restarts", "1") as server:
            driver.get(server.address)
            keep_screenshots(driver, "review")
            server.end()
    assert main(["predict", "session", "--out", "predictions.csv"]) == 0
    with open("predictions.csv", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(truth)
    for file, row in rows.items():
        assert row["by"] == ("you" if file in dict(stored()) else "model")
        assert row["class"] == (truth[file] if row["by"] == "you" else row["predicted"])
    # Of the images that nobody has labeled, many more are right than by one class.
    others = [row for row in rows.values() if row["by"] == "model"]
    is_right = [row["class"] == truth[row["file"]] for row in others]
    is_circle = [truth[row["file"]] == "circle" for row in others]
    print("STORY", sum(is_right), sum(is_circle), len(others))
    assert sum(is_right) > sum(is_circle) + 0.1 * len(others)
    # The accuracy on the random sample is that of the predictions.
    sample = check_sample.read_sample(tmp_path / "session")
    checked = [row for row in rows.values() if row["sha256"] in sample]
    share = sum(row["predicted"] == truth[row["file"]] for row in checked) / 40
    assert re.search(rf"{100 * share:.1f} % +40 .*accuracy", output)
    assert main(["status", "session"]) == 0
    assert f"{100 * share:.1f} %" in capsys.readouterr().out
