"""The commands of labeling sessions, with many and with large images.

    PYTHONPATH=reproduce python -m benchmarks.labeling predict
    PYTHONPATH=reproduce python -m benchmarks.labeling page

`predict` predicts 100,000 images of 224x224 and measures the memory beyond that of the
network. `page` answers 1,000 queries of 12-megapixel photographs on the served page,
and measures how long it takes until an answer is on disk, and until the next photograph
arrives: over HTTP, and in a browser if Chromium is installed. Each result is printed,
and written to `timing/labeling_predict` or `timing/labeling_page`, as CSV and Markdown,
below the folder of the results.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from experiments import options
from experiments.analysis import tables
from experiments.argument_types import at_least
from PIL import Image

from benchmarks import command_line, machine, processes
from benchmarks.stopwatch import clock

SIZE = 224
NUM_PHOTOGRAPHS = 20  # distinct ones; the others are links to them
PHOTOGRAPH_SIZE = (4000, 3000)
LOOKING = 0.3  # seconds that a person looks at an image


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line names; print and write each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=MEASURED)
    parser.add_argument("--num", type=at_least(1), help="number of images")
    options.add_output(parser, "the results", "paper")
    given = parser.parse_args(arguments)
    timing = command_line.timing_folder("paper", given.output)
    described = machine.describe()
    measure, num_images = MEASURED[given.what]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for result in measure(pathlib.Path(name), given.num or num_images):
            print(json.dumps(result), flush=True)
            rows.append({**result, "machine": described})
            table = pd.DataFrame(rows).set_index("what")
            tables.write(table, timing / f"labeling_{given.what}")


def make_session(
    folder: pathlib.Path, num_images: int, write: Callable[[pathlib.Path, int], None]
) -> None:
    """Make a session whose images are not read.

    The pixels are a file without content, and the checksums are made up.

    Args:
        folder: The folder of `images` and `session`.
        num_images: Number of images.
        write: Function that writes the images `0.jpg` and so on into a folder.
    """
    import keras

    from dfal_keras.labeling.images import table
    from dfal_keras.labeling.session import Session

    images, session = folder / "images", folder / "session"
    for each in (images, session):
        each.mkdir()
    write(images, num_images)
    rows = []
    for number in range(num_images):
        found = (images / f"{number}.jpg").stat()
        files = {f"{number}.jpg": (found.st_size, found.st_mtime_ns)}
        rows.append(table.ImageRow(f"{number:064x}", files))
    table.write_table(session / "images.csv", rows)
    shape = (num_images, SIZE, SIZE, 3)
    np.lib.format.open_memmap(session / "pool.npy", "w+", np.uint8, shape)
    model = keras.Sequential(
        [
            keras.Input(shape[1:]),
            keras.layers.Conv2D(8, 16, strides=16, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.save(folder / "model.keras")
    Session.create(
        session,
        images=images,
        classes=["a", "b", "c", "d", "e"],
        model=folder / "model.keras",
        strategy="random",
        is_trained=True,
    ).close()


def write_small_files(folder: pathlib.Path, num_images: int) -> None:
    """Write files that are never read."""
    for number in range(num_images):
        (folder / f"{number}.jpg").write_bytes(b"0")


def write_photographs(folder: pathlib.Path, num_images: int) -> None:
    """Write photographs of 12 megapixels, most of them links to the first ones."""
    rng = np.random.default_rng(0)
    for number in range(num_images):
        path = folder / f"{number}.jpg"
        if number >= NUM_PHOTOGRAPHS:
            path.hardlink_to(folder / f"{number % NUM_PHOTOGRAPHS}.jpg")
            continue
        coarse = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(PHOTOGRAPH_SIZE).save(path, quality=90)


def predict(folder: pathlib.Path, num_images: int) -> Iterator[dict]:
    """Predict all images of a session, in a process of its own; yield the result."""
    make_session(folder, num_images, write_small_files)
    yield processes.call(predict_session, folder, num_threads=2)


def predict_session(folder: pathlib.Path) -> dict:
    """Predict all images of a session, and return the seconds and the memory."""
    from dfal_keras.backend import inference
    from dfal_keras.labeling import model_files, predicting
    from dfal_keras.labeling.formats import csv_files
    from dfal_keras.labeling.session import Session

    network = model_files.load_model(folder / "model.keras")
    inference.predict_probabilities(network, np.zeros((512, SIZE, SIZE, 3), np.uint8))
    memory, num_images = processes.Memory(), 0

    def run():
        nonlocal num_images
        with Session(folder / "session") as session:
            num_images = len(session.store.pool)
            predictions = predicting.predict(session)
            csv_files.write_predictions(folder / "predictions.csv", predictions)

    peak, seconds = clock(lambda: memory.peak(run))
    return {
        "what": "predict",
        "images": num_images,
        "seconds": round(seconds, 1),
        "MB above the network": round(peak),
    }


def label(folder: pathlib.Path, num_images: int) -> Iterator[dict]:
    """Answer all queries of a served page; yield the milliseconds."""
    clients = [by_http] + [by_browser] * (shutil.which("chromedriver") is not None)
    for client in clients:
        own = folder / client.__name__
        own.mkdir()
        make_session(own, num_images, write_photographs)
        with serving(own, num_images) as (host, path):
            yield from client(host, path)


@contextlib.contextmanager
def serving(folder: pathlib.Path, num_images: int) -> Iterator[tuple[str, str]]:
    """Run the command `label`; yield the host and the path of its page."""
    command = [sys.executable, "-m", "dfal_keras", "label", str(folder / "session")]
    process = subprocess.Popen(
        [*command, "--no-browser", "--num-queries", str(num_images)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = None
        while found is None:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("The server did not start.")
            found = re.search(r"http://([^/]+)(/\S+/)", line)
        yield found[1], found[2]
    finally:
        process.kill()
        process.wait()


def by_http(host: str, path: str) -> Iterator[dict]:
    """Answer each image and get the next one, in one connection."""
    connection = http.client.HTTPConnection(host)

    def request(method, name, content=None):
        headers = {"Content-Type": "application/json"} if content else {}
        connection.request(method, path + name, content, headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{name}: {response.status}")
        return body

    page = request("GET", "").decode()
    data = re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    images = json.loads(data[1])["images"]
    answered, shown = [], []
    for image in images:
        content = json.dumps({"sha256": image["sha256"], "label": "a"})
        answered.append(clock(lambda: request("POST", "answer", content))[1])  # noqa: B023
        shown.append(clock(lambda: request("GET", image["image"]))[1])  # noqa: B023
    yield summary("answer on disk, over HTTP", answered)
    yield summary("photograph, over HTTP", shown)


SCRIPT = """
const [seconds, done] = arguments;
setTimeout(async () => {
  const started = performance.now();
  const before = document.getElementById("image").src;
  document.dispatchEvent(new KeyboardEvent("keydown", {key: "1"}));
  const image = document.getElementById("image");
  await image.decode();
  requestAnimationFrame(() => requestAnimationFrame(
    () => done([performance.now() - started, before !== image.src])));
}, 1000 * seconds);
"""


def by_browser(host: str, path: str) -> Iterator[dict]:
    """Answer each image with a key in Chromium, `LOOKING` seconds after it is shown."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    try:
        driver.set_script_timeout(60)
        driver.get(f"http://{host}{path}")
        time.sleep(5)  # the first photographs
        seconds, is_next = [], True
        while is_next:
            milliseconds, is_next = driver.execute_async_script(SCRIPT, LOOKING)
            if is_next:
                seconds.append(milliseconds / 1000)
    finally:
        driver.quit()
    yield summary("next photograph shown, in Chromium", seconds)


def summary(what: str, seconds: list[float]) -> dict:
    """Return the median, the 99th percentile and the maximum in milliseconds."""
    ordered = sorted(seconds)
    return {
        "what": what,
        "number": len(ordered),
        "median ms": round(1000 * statistics.median(ordered), 1),
        "p99 ms": round(1000 * ordered[int(0.99 * (len(ordered) - 1))], 1),
        "max ms": round(1000 * ordered[-1], 1),
    }


# How to measure each of these, and the number of images.
MEASURED: dict[str, tuple[Callable[[pathlib.Path, int], Iterator[dict]], int]] = {
    "predict": (predict, 100_000),
    "page": (label, 1000),
}

if __name__ == "__main__":
    main()
