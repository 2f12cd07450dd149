"""The labeling page, used as people do, in real browsers."""

import csv
import dataclasses
import itertools

import pytest
from helpers import browser, noise_images
from helpers.parameters import slow_after
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dfal_keras.labeling.formats import spreadsheet_cells
from dfal_keras.labeling.views import page as labeling_page

CLASSES = ["cat", "dog", "owl"]
NASTY = [
    "=1+1",
    "+a",
    "-a",
    "@a",
    "'a",
    "'=a",
    " =a",
    'a "quoted", b',
    "line\nbreak.png",
    "\ttab",
    "<img src=x onerror=document.title=1>",
    "</script><script>document.title=1</script>",
    "&lt;b&gt; &amp; $data ${x} \\u003c",
    "Füße 猫 🐈 \u2028",
    "a;b",
    "constructor",
    "__proto__",
]
seeds = itertools.count()  # browsers keep answers: each page has its own images


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def running(request, tmp_path_factory):
    """A browser, and its folder for downloads."""
    folder = tmp_path_factory.mktemp("downloads")
    with browser.start(request.param, folder) as driver:
        yield driver, folder


class Page:
    """A labeling page that is open in a browser."""

    def __init__(self, running, path):
        self.driver, self.downloads = running
        self.path = path

    def open(self, queried=None, classes=CLASSES, num_images=4, **options):
        if queried is None:
            queried = noise_images.make(num_images, seed=next(seeds))
        labeling_page.write_page(self.path, queried, classes, **options)
        self.driver.get(self.path.as_uri())
        return self

    def press(self, *keys):
        for key in keys:
            browser.press(self.driver, key)

    def click(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def click_class(self, name):
        buttons = self.driver.find_elements(By.CSS_SELECTOR, "#classes button")
        shown = [button for button in buttons if button.is_displayed()]
        next(button for button in shown if name in button.text).click()

    def text(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def run(self, script):
        return self.driver.execute_script(script)

    @property
    def current(self):
        return browser.current(self.driver)

    @property
    def answers(self):
        """What the thumbnails show."""
        return [thumbnail.text.strip() for thumbnail in self.thumbnails]

    @property
    def thumbnails(self):
        return browser.thumbnails(self.driver)

    def downloaded(self):
        """Return the bytes of the file that was downloaded, and remove it."""
        path = browser.wait_for_file(self.downloads / "queries.csv")
        content = path.read_bytes()
        path.unlink()
        return content

    def rows(self):
        return list(csv.DictReader(self.downloaded().decode().splitlines()))


@pytest.fixture
def page(running, tmp_path):
    return Page(running, tmp_path / "queries.html")


def test_with_the_keyboard_alone(page):
    page.open(num_images=5).press("2", "?", Keys.ARROW_RIGHT, "3")
    assert page.answers == ["dog", "?", "", "owl", ""]
    assert page.text("#count") == "3 of 5 answered"
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, "1")
    assert page.current == 4  # the next one that is not answered
    page.press("1")
    assert page.current == 4
    assert "All images are answered" in page.text("#message")
    page.press(Keys.ARROW_LEFT, Keys.DELETE, "s")
    rows = page.rows()
    assert [row["label"] for row in rows] == ["dog", "?", "cat", "", "cat"]
    assert [row["file"] for row in rows] == [f"images/{i}.png" for i in range(5)]


@pytest.mark.parametrize("is_review", [False, True])
def test_labels_are_looked_at_in_a_review_only(page, is_review):
    made = noise_images.make(4, seed=next(seeds))
    labels = ["cat", "dog", "", "owl"]
    queried = [
        dataclasses.replace(image, label=label)
        for image, label in zip(made, labels, strict=True)
    ]
    page.open(queried, is_review=is_review)
    assert page.current == (0 if is_review else 2)
    page.press("2")
    assert page.current == (1 if is_review else 2)
    if is_review:
        page.press("2", "3", "1")
        assert page.current == 3  # the last one
        assert page.answers == ["dog", "dog", "owl", "cat"]
    else:
        assert page.answers == ["cat", "dog", "dog", "owl"]


def test_with_the_mouse_alone(page):
    page.open()
    page.click_class("owl")
    page.click("#cannot-tell")
    page.click("#next")
    page.click_class("cat")
    assert page.answers == ["owl", "?", "", "cat"]
    page.click("#undo")
    page.thumbnails[0].click()
    page.click("#clear")
    page.click("#next")
    page.click_class("dog")
    page.click("#save")
    assert [row["label"] for row in page.rows()] == ["", "dog", "", ""]


def test_focus_reaches_all_that_can_be_clicked(page):
    page.open().press("1", Keys.ARROW_LEFT)
    focused = set()
    for _ in range(40):
        page.press(Keys.TAB)
        focused.add(page.run("return document.activeElement"))
    clickable = page.driver.find_elements(
        By.CSS_SELECTOR, "button:enabled:not([tabindex='-1']), input:not(#filter)"
    )
    assert len(clickable) == 12  # 4 answers, 3 moves, zoom, 2 switches, save, thumbnail
    assert focused >= set(clickable)
    for element in clickable:
        assert element.accessible_name


def test_a_focused_button_is_pressed_with_enter(page):
    page.open()
    page.run("document.querySelectorAll('#classes button')[1].focus()")
    page.press(Keys.ENTER)
    assert page.answers == ["dog", "", "", ""]


def test_undo_takes_back_one_answer_at_a_time(page):
    page.open().press("1", "2", Keys.ARROW_LEFT, Keys.ARROW_LEFT, "3", Keys.BACKSPACE)
    assert page.answers == ["owl", "dog", "", ""]
    page.press(Keys.ARROW_LEFT, Keys.BACKSPACE)
    assert page.answers == ["owl", "", "", ""]
    page.press("u")
    assert page.answers == ["owl", "dog", "", ""]
    assert page.current == 1
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(
        Keys.CONTROL
    ).perform()
    assert page.answers == ["cat", "dog", "", ""]
    assert page.current == 0
    page.press("u", "u", "u", "u")
    assert page.answers == ["", "", "", ""]
    assert not page.driver.find_element(By.ID, "undo").is_enabled()


def test_answers_survive_a_reload(page):
    page.open().press("2", "?")
    page.driver.refresh()
    assert page.answers == ["dog", "?", "", ""]
    assert page.current == 2
    page.press("s")
    assert [row["label"] for row in page.rows()] == ["dog", "?", "", ""]
    page.open()  # another query
    assert page.answers == ["", "", "", ""]


def test_two_tabs_show_the_same_answers(page):
    page.open().press("2")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.driver.get(page.path.as_uri())
        page.press("3")
        page.driver.switch_to.window(first)
        assert page.answers == ["dog", "owl", "", ""]
        page.driver.switch_to.window(page.driver.window_handles[-1])
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)


def is_warned(page):
    return page.run(
        "const event = new Event('beforeunload', { cancelable: true });"
        "return !window.dispatchEvent(event);"
    )


def test_leaving_with_unsaved_answers_warns(page):
    page.open()
    assert not is_warned(page)
    page.press("1")
    assert is_warned(page)
    page.press("s")
    page.downloaded()
    assert not is_warned(page)
    page.driver.refresh()
    assert not is_warned(page)
    page.press("2")
    page.driver.refresh()
    assert is_warned(page)


def test_where_a_browser_keeps_nothing(page):
    """In a frame of its own origin, the browser forbids to keep data."""
    page.open()
    outer = page.path.with_name("frame.html")
    outer.write_text(f'<iframe sandbox="allow-scripts" src="{page.path.name}">')
    page.driver.get(outer.as_uri())
    page.driver.switch_to.frame(0)
    assert "keeps no answers" in page.text("#message")
    page.run("document.querySelector('#classes button').click()")
    assert page.answers == ["cat", "", "", ""]
    assert is_warned(page)
    page.driver.switch_to.default_content()


def test_labels_that_are_there_already(page):
    images = noise_images.make(3, seed=next(seeds))
    images[1] = dataclasses.replace(images[1], label="owl")
    page.open(images)
    assert page.answers == ["", "owl", ""]
    assert not is_warned(page)
    page.press("1")
    assert page.current == 2


def test_predictions_are_shown_when_asked_for(page):
    page.open()
    everything = "return document.body.innerText"
    assert "predicted" not in page.run(everything)
    page.press("p", "a")
    assert "predicted cat (50%)" in page.text("#stage")
    assert "predicted owl" in page.text("#example")
    page.click("#show-prediction")
    assert "predicted" not in page.run(everything)


def test_the_adversarial_example_can_be_hidden(page):
    images = noise_images.make(3, seed=next(seeds))
    images[1] = dataclasses.replace(images[1], adversarial_example=None)
    page.open(images)
    example = page.driver.find_element(By.ID, "example")
    is_shown = [example.is_displayed()]
    for key in ("a", "a", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT):
        page.press(key)
        is_shown.append(example.is_displayed())
    assert is_shown == [False, True, False, False, False]
    without = noise_images.make(2, seed=next(seeds), examples=False)
    page.open(without)
    assert not page.driver.find_element(By.ID, "example").is_displayed()
    assert not page.driver.find_element(By.ID, "example-switch").is_displayed()


def test_names_are_shown_as_text_and_survive_the_file(page):
    """The file equals one that is written with Python's csv module."""
    images = [
        dataclasses.replace(image, file=name, predicted=name, score=None)
        for image, name in zip(
            noise_images.make(len(NASTY), seed=next(seeds)), NASTY, strict=True
        )
    ]
    page.open(images, NASTY)
    for number, name in enumerate(NASTY, 1):
        assert page.run("return document.getElementById('file').textContent") == name
        page.press(*f"{number:02}")
        said = page.run("return document.getElementById('message').textContent")
        assert said.startswith(f"Image {number}: {name}.")
    labels = "return [...document.querySelectorAll('#overview span')]"
    assert page.run(f"{labels}.map((label) => label.textContent)") == NASTY
    assert list(browser.class_keys(page.driver)) == NASTY
    assert page.driver.title == "Images to label"
    assert len(page.driver.find_elements(By.TAG_NAME, "img")) == 2 + len(NASTY)
    assert len(page.driver.find_elements(By.TAG_NAME, "script")) == 2
    page.press("s")
    content = page.downloaded()
    expected = page.path.with_name("expected.csv")
    with expected.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["rank", "file", "sha256", "score", "predicted", "probability", "label"]
        )
        for image, name in zip(images, NASTY, strict=True):
            cell = spreadsheet_cells.escape(name)
            writer.writerow([image.rank, cell, image.sha256, "", cell, "0.5000", cell])
    assert content == expected.read_bytes()
    with expected.open(newline="", encoding="utf-8") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    assert [spreadsheet_cells.unescape(label) for label in labels] == NASTY


def test_many_classes_have_numbers(page):
    page.open(classes=[f"class {i}" for i in range(1, 13)])
    page.press("0", "3", "1", "2")
    assert page.answers == ["class 3", "class 12", "", ""]
    page.press("1", "5")  # no such class
    assert "No class has the number 15" in page.text("#message")
    page.press("1", Keys.ESCAPE, "0", Keys.BACKSPACE, "0", Keys.ARROW_RIGHT, "0", "1")
    assert page.answers == ["class 3", "class 12", "", "class 1"]


def test_an_answer_draws_two_thumbnails_again(page):
    """Of a thousand, the others cost as much time as a photograph."""
    page.open(num_images=30)
    page.run(
        "window.changed = new Set();"
        "new MutationObserver((found) => found.forEach(({target}) => {"
        "  const element = target.nodeType === 1 ? target : target.parentElement;"
        "  changed.add(element.closest('button').title);"
        "})).observe(document.getElementById('overview'), {subtree: true,"
        "  attributes: true, childList: true, characterData: true});"
    )
    page.press("2")
    assert page.run("return [...changed].sort()") == ["images/0.png", "images/1.png"]
    assert page.answers[:3] == ["dog", "", ""]
    assert page.current == 1


def test_many_classes_are_found_by_name(page):
    classes = ["cat", "dog", *(f"bird {i}" for i in range(10)), "owl"]
    page.open(classes=classes).press("/", "W", Keys.ENTER)
    assert page.answers == ["owl", "", "", ""]
    page.press("xyz", Keys.ENTER, "dog", Keys.ENTER)  # the focus stays in the field
    assert page.answers == ["owl", "dog", "", ""]
    page.press("7", Keys.ESCAPE, "0", "1")
    assert page.answers == ["owl", "dog", "cat", ""]
    page.click("#filter")
    page.press("bird 7")
    page.click_class("bird 7")
    assert page.answers == ["owl", "dog", "cat", "bird 7"]


def test_digits_are_the_keys_of_classes_named_so(page):
    page.open(classes=[str(i) for i in range(10)]).press("7", "0")
    assert page.answers == ["7", "0", "", ""]


def send_event(page, **fields):
    page.run(
        f"const event = new KeyboardEvent('keydown', {{ bubbles: true, ...{fields} }});"
        "document.body.dispatchEvent(event);"
    )


def test_a_key_that_is_held_down_answers_once(page):
    page.open()
    send_event(page, key="1")
    for _ in range(3):
        send_event(page, key="1", repeat=1)
    assert page.answers == ["cat", "", "", ""]
    for _ in range(2):
        send_event(page, key="ArrowRight", repeat=1)
    assert page.current == 3


def test_a_french_keyboard_needs_no_shift_key(page):
    page.open()
    send_event(page, key="é", code="Digit2")
    send_event(page, key="1", code="Digit1", shiftKey=1)
    send_event(page, key="!", code="Digit1", shiftKey=1)  # on an American keyboard
    assert page.answers == ["dog", "cat", "", ""]


def test_small_images_are_enlarged_without_smoothing(page):
    page.open().press("a")
    for name in ("image", "example-image"):
        shown = page.driver.find_element(By.ID, name)
        assert min(shown.size["width"], shown.size["height"]) >= 4 * 64
        assert shown.value_of_css_property("image-rendering") == "pixelated"
        assert page.run(f"return document.getElementById('{name}').naturalWidth") == 64
    page.open(noise_images.make(2, size=300, seed=next(seeds)))
    shown = page.driver.find_element(By.ID, "image")
    assert shown.value_of_css_property("image-rendering") == "auto"


def hidden(page):
    """Return how much of the image the frame hides: left, top, right and bottom."""
    return page.run(
        "const [a, b] = ['image', 'frame'].map("
        "  (id) => document.getElementById(id).getBoundingClientRect());"
        "return [b.left - a.left, b.top - a.top,"
        "  a.right - b.right, a.bottom - b.bottom];"
    )


def drag(page, x, y, kind="mouse"):
    pointer = PointerInput(kind, kind)
    actions = ActionBuilder(page.driver, mouse=pointer, duration=50)
    frame = page.driver.find_element(By.ID, "frame")
    actions.pointer_action.move_to(frame).pointer_down()
    actions.pointer_action.move_by(x, y).pointer_up()
    actions.perform()


CORNERS = [
    *((1, 1), (-1, -1)),
    *(pytest.param(each, marks=pytest.mark.slow) for each in [(-1, 1), (1, -1)]),
]


@pytest.mark.parametrize("kind", ["mouse", "touch"])
@pytest.mark.parametrize("corner", CORNERS)
def test_dragging_reaches_the_corners_of_the_enlarged_image(page, kind, corner):
    page.open()
    size = page.driver.find_element(By.ID, "frame").size
    drag(page, 50, 30, kind)
    assert hidden(page) == pytest.approx([0, 0, 0, 0], abs=1)
    page.press("z")
    width, height = size["width"], size["height"]
    assert hidden(page) == pytest.approx([width, height, width, height], abs=1)
    x, y = corner
    drag(page, 60 * x, 40 * y, kind)
    expected = [width - 60 * x, height - 40 * y, width + 60 * x, height + 40 * y]
    assert hidden(page) == pytest.approx(expected, abs=1)
    assert page.run("return document.getElementById('image').style.transform")
    for _ in range(10):
        drag(page, int(0.45 * width) * x, int(0.45 * height) * y, kind)
    edges = hidden(page)
    assert edges[0 if x > 0 else 2] == pytest.approx(0, abs=1)
    assert edges[1 if y > 0 else 3] == pytest.approx(0, abs=1)
    assert min(edges) > -1  # nothing beside the image is shown
    page.press(Keys.ARROW_RIGHT)  # the next image is not enlarged
    assert hidden(page) == pytest.approx([0, 0, 0, 0], abs=1)


@pytest.mark.parametrize("corner", CORNERS)
def test_shift_and_arrow_keys_reach_the_corners(page, corner):
    page.open(num_images=5).press(Keys.ARROW_RIGHT, "z")
    begin = hidden(page)
    x, y = corner
    keys = [Keys.ARROW_LEFT if x > 0 else Keys.ARROW_RIGHT]
    keys.append(Keys.ARROW_UP if y > 0 else Keys.ARROW_DOWN)
    for step in range(5):
        actions = ActionChains(page.driver, duration=0).key_down(Keys.SHIFT)
        actions.send_keys(*keys).key_up(Keys.SHIFT).perform()
        if not step:
            moved = page.driver.find_element(By.ID, "frame").size["width"] * x / 4
            assert hidden(page)[0] == pytest.approx(begin[0] - moved, abs=1)
    edges = hidden(page)
    assert edges[0 if x > 0 else 2] == pytest.approx(0, abs=1)
    assert edges[1 if y > 0 else 3] == pytest.approx(0, abs=1)
    assert page.current == 1
    page.press(Keys.ARROW_LEFT)  # without Shift
    assert page.current == 0


def test_scrolling_enlarges_around_the_pointer(page):
    page.open().press("z")
    drag(page, 100, 60)

    def scroll(delta):
        page.run(
            "const frame = document.getElementById('frame');"
            "const box = frame.getBoundingClientRect();"
            f"frame.dispatchEvent(new WheelEvent('wheel', {{ deltaY: {delta},"
            "  clientX: box.left + box.width / 4, clientY: box.top + box.height / 2,"
            "  cancelable: true }}));".replace("}}", "}")
        )

    def under_pointer():
        left, top, right, bottom = hidden(page)
        size = page.driver.find_element(By.ID, "frame").size
        x = (left + size["width"] / 4) / (left + right + size["width"])
        y = (top + size["height"] / 2) / (top + bottom + size["height"])
        return x, y

    before = under_pointer()
    scroll(-1)
    assert hidden(page)[0] > 0
    assert under_pointer() == pytest.approx(before, abs=0.005)
    for _ in range(12):
        scroll(1)
    assert hidden(page) == pytest.approx([0, 0, 0, 0], abs=1)


@pytest.mark.parametrize("num_classes", slow_after(2, [3, 10, 40]))
@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_fits_the_window(page, width, num_classes):
    """Headless browsers have no window below 500 pixels."""
    page.driver.set_window_size(width, 860)
    page.open(classes=[f"class {i}" for i in range(num_classes)], num_images=30)
    page.press(Keys.ARROW_RIGHT)
    for axis in ("Width", "Height") if width == 1280 else ("Width",):
        needed, offered = page.run(
            f"return [document.documentElement.scroll{axis}, window.inner{axis}]"
        )
        assert needed <= offered
    page.driver.set_window_size(1280, 720)


@pytest.mark.parametrize(
    "name", ["chromium", pytest.param("firefox", marks=pytest.mark.slow)]
)
def test_the_helper_labels_a_page(tmp_path, name):
    path = tmp_path / "queries.html"
    labeling_page.write_page(path, noise_images.make(4, seed=next(seeds)), CLASSES)
    answers = {"images/3.png": "owl", "images/0.png": None, "images/2.png": "cat"}
    saved = browser.label_in_browser(path, answers, tmp_path, name)
    assert saved == tmp_path / "queries.csv"
    with saved.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["?", "", "cat", "owl"]
