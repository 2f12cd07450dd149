"""Kill processes that refresh a store of images, and check what they leave.

Run as a script, `killed_refreshes.py FOLDER BEGIN LINES TIMES`: each refresh runs in a
forked process, which must not have TensorFlow's threads. `BEGIN` says what the store is
before: "empty", "known" or "damaged". `LINES` refreshes are killed before some line of
the package is executed, evenly spread, and `TIMES` after some time.
"""

import os
import pathlib
import random
import shutil
import signal
import sys
import time

import numpy as np
from helpers import image_files

import dfal_keras
from dfal_keras.labeling.images import store as image_store
from dfal_keras.labeling.images.store import ImageStore

SHAPE = (4, 6, 3)
PACKAGE = str(pathlib.Path(dfal_keras.__file__).parent)


def prepare(folder, begin):
    """Write a folder of images, and a store that has seen an earlier state of it."""
    images, store = folder / "images", folder / "store"
    store.mkdir()
    colors = image_files.colors(14)
    for i in range(6):
        image_files.write(images / f"{i}.png", colors[i])
    if begin != "empty":
        ImageStore(store, images, SHAPE).refresh()
    if begin == "damaged":
        (store / "pool.npy").write_bytes((store / "pool.npy").read_bytes()[:300])
    else:
        (images / "1.png").unlink()
    for i in range(6, 12):
        image_files.write(images / "new" / f"{i}.png", colors[i])
    if begin != "damaged":
        (images / "2.png").rename(images / "moved.png")
        image_files.write(images / "3.png", colors[12])
    shutil.copy2(images / "4.png", images / "copy.png")
    return images, store


def in_child(function):
    """Run a function in a forked process; return the process."""
    child = os.fork()
    if not child:
        try:
            function()
        finally:
            os._exit(0)
    return child


def kill_at_line(number, function):
    """Run a function; kill this process before a line of the package."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count += event == "line"
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    function()
    sys.settrace(None)
    return count


def contents(store):
    """Return what must not depend on a kill: all but the order of new rows."""
    rows = zip(store.hashes, store.names, store.is_present.tolist(), strict=True)
    pixels = {h: store.pool[i].tobytes() for i, h in enumerate(store.hashes)}
    return sorted(rows), pixels


def check(folder, images, known, expected, is_damaged):
    """Check a store that a killed process left, before and after a refresh."""
    left = ImageStore(folder, images, SHAPE)
    assert left.hashes[: len(known)] == known
    if not is_damaged:
        for row, sha256 in enumerate(left.hashes):
            assert left.pool[row].tobytes() == expected[1][sha256]
    left.refresh()
    assert left.hashes[: len(known)] == known
    assert contents(left) == expected
    assert contents(ImageStore(folder, images, SHAPE)) == expected
    np.testing.assert_array_equal(np.load(folder / "pool.npy"), left.pool)
    files = {path.name for path in folder.iterdir()}
    assert {"images.csv", "pool.npy"} <= files


def main(folder, begin, num_lines, num_times):
    """Run all refreshes, and return the number of those that were killed."""
    image_store._NUM_PER_COMMIT = 3
    os.fsync = lambda descriptor: None  # slow, and only for failures of power
    images, before = prepare(folder, begin)
    known = ImageStore(before, images, SHAPE).hashes
    tried = folder / "tried"

    def refresh():
        ImageStore(tried, images, SHAPE).refresh()

    def start_anew():
        shutil.rmtree(tried, ignore_errors=True)
        shutil.copytree(before, tried)

    start_anew()
    start = time.perf_counter()
    refresh()
    duration = time.perf_counter() - start
    expected = contents(ImageStore(tried, images, SHAPE))
    start_anew()
    all_lines = kill_at_line(-1, refresh)
    num_killed = 0
    for line in np.linspace(1, all_lines, num_lines).astype(int):
        start_anew()
        child = in_child(lambda line=line: kill_at_line(line, refresh))
        num_killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        check(tried, images, known, expected, begin == "damaged")
    for _ in range(num_times):
        start_anew()
        child = in_child(refresh)
        time.sleep(random.uniform(0, 1.2 * duration))
        os.kill(child, signal.SIGKILL)
        num_killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        check(tried, images, known, expected, begin == "damaged")
    return num_killed


if __name__ == "__main__":
    print(main(pathlib.Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
