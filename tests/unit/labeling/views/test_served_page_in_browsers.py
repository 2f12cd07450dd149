"""The served page in a real browser, as a person uses it."""

import os
import threading

import pytest
from helpers import browser, sessions
from helpers.parameters import slow_after
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dfal_keras.labeling import asking, training
from dfal_keras.labeling.label_history import LabelHistory
from dfal_keras.labeling.serving import Desk
from dfal_keras.labeling.session import Session

pytest.importorskip("flask")
waitress = pytest.importorskip("waitress")

from dfal_keras.labeling.views import server  # noqa: E402

TOKEN = "token"


@pytest.fixture
def served(tmp_path):
    """Yield the address of a page, the desk, the session's folder and the classes."""
    folder, truth = sessions.create(tmp_path, 40, image_side=300)
    with Session(folder) as session:
        desk = Desk(session, 6, {"num_restarts": 1, "epochs": 2})
        app = server.make_app(desk, TOKEN, who="Ada")
        running = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{running.effective_port}/{TOKEN}/"
        yield address, desk, folder, truth
        running.close()


def stored(folder):
    path = folder / "labels.csv"
    return LabelHistory(path).latest() if path.exists() else {}


def trouble(driver):
    """Return what the page says of the server, "" if all is well."""
    return driver.find_element(By.ID, "trouble").text


def answers(driver):
    """Return what the thumbnails show."""
    return [thumbnail.text.strip() for thumbnail in browser.thumbnails(driver)]


def is_warned(driver):
    """Return whether the browser warns before the page is left."""
    return driver.execute_script(
        "return !dispatchEvent(new Event('beforeunload', { cancelable: true }));"
    )


def take_screenshot(driver, name):
    """Keep a screenshot, if a folder for them is set."""
    if os.environ.get("SCREENSHOTS"):
        driver.save_screenshot(os.path.join(os.environ["SCREENSHOTS"], name))


def test_a_page_without_its_elements_is_waited_for(tmp_path):
    with browser.start("chromium", tmp_path) as driver:
        driver.get("data:text/html,<p id=count>0 of 6</p>")
        driver.execute_script(
            "const whole = document.body.innerHTML; document.body.innerHTML = '';"
            "setTimeout(() => { document.body.innerHTML = whole; }, 1000);"
        )
        browser.wait_until(lambda: driver.find_element(By.ID, "count").text == "0 of 6")


def test_label_train_and_go_on(served, tmp_path):
    address, desk, folder, truth = served
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        image = driver.find_element(By.ID, "image")
        browser.wait_until(
            lambda: image.get_property("naturalWidth") == 300
        )  # the original
        assert not driver.find_element(By.ID, "example").is_displayed()
        take_screenshot(driver, "first.png")
        first = list(desk.queried)
        for i, queried in enumerate(first):
            label = truth[queried.file]
            if i % 2:
                browser.press(driver, keys[label])
            else:
                buttons = driver.find_elements(By.CSS_SELECTOR, "#classes button")
                next(
                    b for b in buttons if b.get_attribute("data-name") == label
                ).click()
            expected = {q.sha256: truth[q.file] for q in first[: i + 1]}
            browser.wait_until(lambda expected=expected: stored(folder) == expected)
        browser.press(driver, "u")  # undo
        browser.wait_until(lambda: not stored(folder)[first[-1].sha256])
        browser.press(driver, keys[truth[first[-1].file]])
        browser.wait_until(lambda: stored(folder)[first[-1].sha256])
        driver.refresh()  # what is stored is shown
        browser.wait_until(lambda: "6 of 6" in driver.find_element(By.ID, "count").text)
        driver.find_element(By.ID, "save").click()
        browser.wait_until(lambda: desk.queried[0].sha256 != first[0].sha256)
        browser.wait_until(lambda: "0 of 6" in driver.find_element(By.ID, "count").text)
        take_screenshot(driver, "second.png")
        errors = [e for e in driver.get_log("browser") if "favicon" not in e["message"]]
        assert errors == []


def test_zoom(served, tmp_path):
    with browser.start("chromium", tmp_path, size=(400, 800)) as driver:
        driver.get(served[0])

        def shown():
            return driver.execute_script(
                "return document.getElementById('image').getBoundingClientRect().width"
            )

        width = shown()
        browser.press(driver, "z")
        browser.wait_until(lambda: shown() == pytest.approx(3 * width, rel=0.01))
        take_screenshot(driver, "phone_zoomed.png")
        browser.press(driver, "z")
        browser.wait_until(lambda: shown() == pytest.approx(width, rel=0.01))
        take_screenshot(driver, "phone.png")


def test_two_tabs_show_the_same_answers(served, tmp_path):
    address, desk, folder, _ = served
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        driver.switch_to.new_window("tab")
        driver.get(address)
        browser.press(driver, keys["owl"])
        browser.wait_until(lambda: stored(folder) == {desk.queried[0].sha256: "owl"})
        driver.switch_to.window(driver.window_handles[0])
        driver.execute_script("window.dispatchEvent(new Event('focus'))")
        browser.wait_until(lambda: "1 of 6" in driver.find_element(By.ID, "count").text)


# What the server does while it is away: no connection, an error, or no answer at first.
AWAY = {
    "gone": "Promise.reject('gone')",
    "failing": "Promise.resolve(new Response('<html>', { status: 503 }))",
    "no JSON": "Promise.resolve(new Response('<html>'))",
    "late": "new Promise((r) => held.push(() => r(realFetch(...options))))",
}


def set_away(driver, kind):
    result = AWAY[kind] if kind else "realFetch(...options)"
    driver.execute_script(
        "window.realFetch ??= fetch; (window.held ?? []).forEach((go) => go());"
        f"window.held = []; window.fetch = (...options) => {result};"
    )


@pytest.mark.parametrize("kind", slow_after(2, AWAY))
def test_training_waits_for_a_server_that_is_away(served, tmp_path, monkeypatch, kind):
    address, desk, _, _ = served
    gate = threading.Event()
    monkeypatch.setattr(training, "train", lambda *args, **options: gate.wait(60))
    monkeypatch.setattr(asking, "ask", lambda *args, **options: desk.queried[:5])
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        browser.press(driver, keys["cat"] + keys["owl"])
        browser.wait_until(lambda: len(desk.labels()) == 2)
        set_away(driver, kind)
        browser.press(driver, "s")
        browser.wait_until(lambda: "trying again" in trouble(driver))
        assert ("does not answer" in trouble(driver)) == (kind != "failing")
        assert not desk.is_training
        set_away(driver, None)
        bar = driver.find_element(By.ID, "training")
        browser.wait_until(lambda: bar.is_displayed() and not trouble(driver))
        set_away(driver, kind)
        if kind != "late":
            browser.wait_until(lambda: not bar.is_displayed())
        browser.wait_until(lambda: "trying again" in trouble(driver))
        browser.press(driver, keys["dog"])  # one can go on
        set_away(driver, None)
        browser.wait_until(lambda: len(desk.labels()) == 3)
        browser.wait_until(lambda: bar.is_displayed() and not trouble(driver))
        assert not driver.find_element(By.ID, "save").is_enabled()
        gate.set()
        browser.wait_until(lambda: "of 5" in driver.find_element(By.ID, "count").text)
        assert driver.find_element(By.ID, "save").is_enabled()


def test_a_page_of_a_command_that_has_ended(served, tmp_path):
    """Another command, at the same port, has another token."""
    with browser.start("chromium", tmp_path) as driver:
        driver.get(served[0])
        driver.execute_script(
            "window.fetch = () => Promise.resolve(new Response('', { status: 404 }));"
        )
        browser.press(driver, "s")
        browser.wait_until(lambda: "new address" in trouble(driver))
        browser.wait_until(lambda: driver.find_element(By.ID, "save").is_enabled())
        assert not driver.find_element(By.ID, "training").is_displayed()


def test_an_answer_given_while_the_page_is_refreshed_stays(served, tmp_path):
    address, desk, folder, _ = served
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        driver.execute_script(
            # The server's state comes late: of before the answer.
            "window.realFetch = fetch; let first = true;"
            "window.fetch = async (name, options) => {"
            "  const response = await realFetch(name, options);"
            "  if (name === 'state') {"
            "    window.numStates = (window.numStates ?? 0) + 1;"
            "    if (first) { first = false; await new Promise((r) => {"
            "      window.goOn = r; }); }"
            "  }"
            "  return response;"
            "};"
            "dispatchEvent(new Event('focus'));"
        )
        browser.wait_until(lambda: driver.execute_script("return Boolean(window.goOn)"))
        desk.answer(desk.queried[3].sha256, "owl", "Ada")  # in another tab
        browser.press(driver, keys["cat"])
        browser.wait_until(lambda: stored(folder).get(desk.queried[0].sha256) == "cat")
        driver.execute_script("window.goOn()")
        browser.wait_until(lambda: answers(driver)[3] == "owl")  # the page is refreshed
        assert answers(driver)[0] == "cat"


def test_a_server_that_is_away_when_the_page_is_refreshed(served, tmp_path):
    address, desk, _, _ = served
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        set_away(driver, "gone")
        driver.execute_script("dispatchEvent(new Event('focus'))")
        browser.wait_until(lambda: "trying again" in trouble(driver))
        take_screenshot(driver, "away.png")
        desk.answer(desk.queried[1].sha256, "owl", "Ada")
        set_away(driver, None)
        browser.wait_until(lambda: answers(driver)[1] == "owl")
        assert trouble(driver) == ""


def test_answers_wait_for_a_server_that_is_away(served, tmp_path):
    address, desk, folder, _ = served
    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        driver.execute_script(
            "window.realFetch = fetch; window.fetch = () => Promise.reject('away');"
        )
        browser.press(driver, keys["cat"])
        browser.wait_until(lambda: "trying again" in trouble(driver))
        browser.press(driver, keys["owl"])  # the message of the next answer
        assert "trying again" in trouble(driver)
        assert stored(folder) == {}
        assert answers(driver)[:3] == ["cat", "owl", ""]
        driver.execute_script("window.fetch = window.realFetch;")
        expected = {desk.queried[0].sha256: "cat", desk.queried[1].sha256: "owl"}
        browser.wait_until(lambda: stored(folder) == expected)
        browser.wait_until(lambda: trouble(driver) == "")


@pytest.mark.parametrize("name", slow_after(1, ["chromium", "firefox"]))
@pytest.mark.parametrize("error", [OSError(28, "disk full"), RuntimeError("any")])
def test_answers_that_the_server_can_not_store_are_sent_again(
    served, tmp_path, monkeypatch, error, name
):
    address, desk, folder, _ = served
    first, second = (image.sha256 for image in desk.queried[:2])
    real, failing = desk.answer, {first, second}

    def answer(sha256, label, who):
        if sha256 in failing:
            raise error
        real(sha256, label, who)

    monkeypatch.setattr(desk, "answer", answer)
    with browser.start(name, tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        browser.press(driver, keys["cat"] + keys["owl"])
        browser.wait_until(lambda: "trying again" in trouble(driver))
        browser.press(driver, "?")  # of the third image
        browser.wait_until(lambda: stored(folder) == {desk.queried[2].sha256: "?"})
        assert "not stored" in trouble(driver)
        assert answers(driver)[:3] == ["cat", "owl", "?"]
        assert is_warned(driver)
        failing.remove(first)
        browser.wait_until(lambda: stored(folder).get(first) == "cat")
        failing.remove(second)
        browser.wait_until(lambda: stored(folder).get(second) == "owl")
        browser.wait_until(lambda: trouble(driver) == "")
        assert not is_warned(driver)


def test_refused_answers_are_shown_as_none(served, tmp_path, monkeypatch):
    address, desk, folder, _ = served
    first = desk.queried[0].sha256
    real = desk.answer

    def answer(sha256, label, who):
        if sha256 == first:
            raise ValueError("not this one")
        real(sha256, label, who)

    with browser.start("chromium", tmp_path) as driver:
        driver.get(address)
        keys = browser.class_keys(driver)
        monkeypatch.setattr(desk, "answer", answer)
        browser.press(driver, keys["cat"])
        browser.wait_until(lambda: "not this one" in trouble(driver))
        assert "Image 1" in trouble(driver)
        browser.press(driver, keys["owl"])
        browser.wait_until(lambda: stored(folder) == {desk.queried[1].sha256: "owl"})
        assert "not this one" in trouble(driver)
        assert answers(driver)[:3] == ["", "owl", ""]
        monkeypatch.setattr(desk, "answer", real)
        browser.press(driver, Keys.ARROW_LEFT * 2 + keys["dog"])
        browser.wait_until(lambda: stored(folder).get(first) == "dog")
        assert trouble(driver) == ""
        assert answers(driver)[0] == "dog"
