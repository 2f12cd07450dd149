"""Real browsers, without a window, and the labeling page in them."""

import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.errorhandler import ErrorHandler
from selenium.webdriver.support.wait import WebDriverWait

TIMEOUT = 120  # seconds, for machines that do other work, too


@contextlib.contextmanager
def start(browser, download_folder, size=(1280, 720)):
    """Run a browser, as a Selenium driver; skip the test if there is none.

    Args:
        browser: `"chromium"` or `"firefox"`.
        download_folder: Folder in which the browser saves downloads.
        size: Width and height of the window.
    """
    begin = {"chromium": _start_chromium, "firefox": _start_firefox}[browser]
    with begin(pathlib.Path(download_folder).resolve()) as driver:
        driver.set_window_size(*size)
        yield driver


def label_in_browser(page_path, answers, download_folder, browser="chromium"):
    """Answer images with the keys, as a user does, and save.

    Args:
        page_path: The page.
        answers: For names of images, a class, or `None` for "can't tell".
        download_folder: Folder that gets `queries.csv`. It must not hold one.

    Returns:
        The path of `queries.csv`.
    """
    with start(browser, download_folder) as driver:
        driver.get(pathlib.Path(page_path).resolve().as_uri())
        keys = class_keys(driver)
        names = [image.get_attribute("title") for image in thumbnails(driver)]
        for name, answer in answers.items():
            distance = names.index(name) - current(driver)
            arrow = Keys.ARROW_RIGHT if distance > 0 else Keys.ARROW_LEFT
            press(driver, arrow * abs(distance))
            press(driver, "?" if answer is None else keys[answer])
        press(driver, "s")
        return wait_for_file(pathlib.Path(download_folder) / "queries.csv")


def press(driver, keys):
    """Type keys without a choice of an element: where the focus is."""
    webdriver.ActionChains(driver, duration=0).send_keys(keys).perform()


def thumbnails(driver):
    return driver.find_elements(By.CSS_SELECTOR, "#overview button")


def current(driver):
    """Return the position of the image shown."""
    shown = driver.find_element(By.ID, "position").text
    return int(shown.split()[0]) - 1


def class_keys(driver):
    """Return the keys that the page shows for its classes."""
    buttons = driver.find_elements(By.CSS_SELECTOR, "#classes button")
    return {
        button.find_element(By.TAG_NAME, "span").get_property("textContent"): (
            button.find_element(By.TAG_NAME, "kbd").get_property("textContent")
        )
        for button in buttons
    }


def wait_for_file(path):
    """Return the path of a file when it was downloaded wholly."""
    wait_until(
        lambda: path.exists() and path.stat().st_size,
        message=f"no {path.name} was downloaded",
    )
    return path


def wait_until(condition, seconds=TIMEOUT, message=""):
    """Wait until a function returns true.

    While a page is loaded again, its elements are stale, and then not there yet. The
    function may raise Selenium's errors of both.
    """
    ignored = [StaleElementReferenceException]  # added to `NoSuchElementException`
    wait = WebDriverWait(None, seconds, poll_frequency=0.05, ignored_exceptions=ignored)
    wait.until(lambda _: condition(), message)


# ---------------------------------------------------------------- Chromium


@contextlib.contextmanager
def _start_chromium(download_folder):
    binary = _find("chromium", "chromium-browser", "google-chrome")
    service = webdriver.ChromeService(_find("chromedriver"))
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # Chromium's sandbox does not run as root, nor its shared memory in a container.
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{flag}")
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(download_folder)}
    )
    driver = webdriver.Chrome(options, service)
    try:
        yield driver
    finally:
        driver.quit()


def _find(*names):
    """Return the path of a program, or skip the test."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"{names[0]} is not installed")


# ----------------------------------------------------------------- Firefox

# Selenium's names of commands that differ from Firefox's by more than a capital letter.
COMMANDS = {
    "get": "Navigate",
    "actions": "PerformActions",
    "clickElement": "ElementClick",
    "findChildElement": "FindElement",
    "findChildElements": "FindElements",
    "getElementAriaLabel": "GetComputedLabel",
    "getElementValueOfCssProperty": "GetElementCSSValue",
    "screenshot": "TakeScreenshot",
    "sendKeysToElement": "ElementSendKeys",
    "w3cExecuteScript": "ExecuteScript",
    "w3cGetCurrentWindowHandle": "GetWindowHandle",
    "w3cGetWindowHandles": "GetWindowHandles",
    "close": "CloseWindow",
}
# Without these, Firefox asks what to do with a file, or opens other pages at first.
PREFERENCES = {
    "marionette.port": 0,
    "browser.download.folderList": 2,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.helperApps.neverAsk.saveToDisk": "text/csv",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.disabledForTesting": True,
    "dom.disable_beforeunload": False,
    "remote.prefs.recommended": True,
}


class _Marionette:
    """Firefox's own protocol, as the command executor of a Selenium driver.

    Selenium speaks to Firefox through geckodriver, which Debian does not have. A
    message is its length, a colon, and JSON.
    """

    keep_alive = True

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._file = self._socket.makefile("rb")
        self._read()  # the greeting

    def execute(self, command, params):
        params = {key: value for key, value in params.items() if key != "sessionId"}
        if command == "newSession":
            params = params["capabilities"]
        elif command.startswith("findChild"):
            params["element"] = params.pop("id")
        name = COMMANDS.get(command, command[0].upper() + command[1:])
        text = json.dumps([0, 1, f"WebDriver:{name}", params]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        _, _, error, result = self._read()
        if error:
            text = json.dumps({"value": error})
            ErrorHandler().check_response({"status": 500, "value": text})
        if isinstance(result, dict) and set(result) == {"value"}:
            result = result["value"]
        return {"value": result}

    def _read(self):
        length = b""
        while (digit := self._file.read(1)) != b":":
            length += digit
        return json.loads(self._file.read(int(length)))

    def close(self):
        self._file.close()
        self._socket.close()


@contextlib.contextmanager
def _start_firefox(download_folder):
    binary = _find("firefox-esr", "firefox")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        preferences = {**PREFERENCES, "browser.download.dir": str(download_folder)}
        pathlib.Path(profile, "user.js").write_text(
            "".join(
                f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                for name, value in preferences.items()
            )
        )
        command = [binary, "--headless", "--marionette", "--no-remote"]
        process = subprocess.Popen(
            [*command, "--profile", profile],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port_file = pathlib.Path(profile, "MarionetteActivePort")
            executor = _Marionette(int(wait_for_file(port_file).read_text()))
            yield webdriver.Remote(executor, options=webdriver.FirefoxOptions())
            executor.close()
        finally:
            process.terminate()
            process.wait(TIMEOUT)
