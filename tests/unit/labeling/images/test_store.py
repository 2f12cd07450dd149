import csv
import os
import shutil
import threading

import numpy as np
import pytest
from helpers import image_files
from PIL import Image

from dfal_keras.labeling.images import reader as image_reader
from dfal_keras.labeling.images import store as image_store
from dfal_keras.labeling.images.store import Changes, ImageStore

SHAPE = (4, 6, 3)
NOTHING = Changes(0, 0, 0, 0, [], [])


@pytest.fixture
def images(tmp_path):
    """A folder of seven images, with subfolders."""
    names = ["b.png", "a.png", "c/a.png", "c/d/a.png", "c/d/b.png", "z.png", "y.png"]
    for name, color in zip(names, image_files.colors(7), strict=True):
        image_files.write(tmp_path / "images" / name, color)
    return tmp_path / "images"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def opened(folder, images):
    return ImageStore(folder, images, SHAPE)


def refreshed(folder, images):
    store = opened(folder, images)
    store.refresh()
    return store


def state(store):
    """Return what a store shows, with a copy of the pixels."""
    rows = zip(store.names, store.hashes, store.is_present.tolist(), strict=True)
    return list(rows), np.array(store.pool)


def check_same(a, b):
    assert a[0] == b[0]
    np.testing.assert_array_equal(a[1], b[1])


def test_a_new_store(folder, images):
    store = opened(folder, images)
    assert (store.names, store.hashes, len(store.pool)) == ([], [], 0)
    assert list(folder.iterdir()) == []
    assert store.refresh() == Changes(7, 0, 0, 0, [], [])
    image_files.check(store, images, SHAPE)
    assert store.names == sorted(store.names)
    assert isinstance(store.pool, np.memmap)
    assert not store.pool.flags.writeable
    assert sorted(os.listdir(folder)) == [".pool.npy.lock", "images.csv", "pool.npy"]
    np.testing.assert_array_equal(np.load(folder / "pool.npy"), store.pool)
    check_same(state(opened(folder, images)), state(store))


def test_unchanged_files_are_not_read_again(folder, images, monkeypatch):
    store = refreshed(folder, images)
    before = state(store)
    monkeypatch.setattr(image_reader, "read_image", None)
    assert store.refresh() == NOTHING
    assert opened(folder, images).refresh() == NOTHING
    check_same(state(store), before)


def test_files_that_were_just_written_are_read_again(folder, images):
    """They may have changed within a step of the clock, without a change of size."""
    path = images / "a.png"
    image_files.write(path, (1, 2, 3)).touch()
    store = refreshed(folder, images)
    changed = path.stat()
    image_files.write(path, (3, 2, 1))
    os.utime(path, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    assert path.stat().st_size == changed.st_size
    assert store.refresh().num_added == 1
    image_files.check(store, images, SHAPE)


def test_a_moved_file_keeps_its_row(folder, images):
    store = refreshed(folder, images)
    rows = dict(zip(store.hashes, range(7), strict=True))
    (images / "a.png").rename(images / "zz.png")
    (images / "c").rename(images / "0")
    assert store.refresh() == Changes(0, 4, 0, 0, [], [])
    assert dict(zip(store.hashes, range(7), strict=True)) == rows
    image_files.check(store, images, SHAPE)
    assert store.find("a.png", None) is None


def test_names_that_are_swapped(folder, images):
    store = refreshed(folder, images)
    a, b = store.find("a.png", None), store.find("b.png", None)
    (images / "a.png").rename(images / "t")
    (images / "b.png").rename(images / "a.png")
    (images / "t").rename(images / "b.png")
    assert store.refresh().num_moved == 2
    assert (store.find("b.png", None), store.find("a.png", None)) == (a, b)
    image_files.check(store, images, SHAPE)


def test_a_file_that_sorts_first_shifts_no_row(folder, images):
    store = refreshed(folder, images)
    before = state(store)
    image_files.write(images / "0.png", (9, 9, 9))
    assert store.refresh() == Changes(1, 0, 0, 0, [], [])
    rows, pixels = state(store)
    check_same((rows[:7], pixels[:7]), before)
    assert rows[7][0] == "0.png"


def test_a_removed_file_keeps_its_pixels_and_may_return(folder, images):
    store = refreshed(folder, images)
    before = state(store)
    row = store.find("c/a.png", None)
    (images / "c" / "a.png").rename(images.parent / "away.png")
    assert store.refresh() == Changes(0, 0, 1, 0, [], [])
    assert np.flatnonzero(~store.is_present).tolist() == [row]
    assert store.path(row) is None
    assert store.find("c/a.png", None) == store.find(None, store.hashes[row]) == row
    rows, pixels = state(store)
    assert [(n, h) for n, h, _ in rows] == [(n, h) for n, h, _ in before[0]]
    np.testing.assert_array_equal(pixels, before[1])
    (images.parent / "away.png").rename(images / "back.png")
    assert store.refresh() == Changes(0, 0, 0, 1, [], [])
    assert store.names[row] == "back.png"
    image_files.check(store, images, SHAPE)


def test_a_changed_file_is_a_new_row(folder, images):
    store = refreshed(folder, images)
    old = store.find("a.png", None)
    old_hash = store.hashes[old]
    content = (images / "a.png").read_bytes()
    image_files.write(images / "a.png", (7, 7, 7))
    assert store.refresh() == Changes(1, 0, 1, 0, [], [])
    assert store.find("a.png", None) == 7
    assert store.find("a.png", old_hash) == old
    assert store.names[old] == store.names[7] == "a.png"
    assert store.path(old) is None
    image_files.check(store, images, SHAPE)
    (images / "a.png").write_bytes(content)
    assert store.refresh() == Changes(0, 0, 1, 1, [], [])
    assert store.find("a.png", None) == old


def test_equal_files_share_a_row(folder, images):
    for copy in ("a2.png", "0.png", "c/a9.png"):
        shutil.copy2(images / "a.png", images / copy)
    store = opened(folder, images)
    assert store.refresh().num_added == 7
    row = store.find("0.png", None)
    assert store.names[row] == "0.png"
    for name in ("a.png", "a2.png", "c/a9.png"):
        assert store.find(name, None) == row
    (images / "a.png").unlink()
    assert store.refresh() == NOTHING
    (images / "0.png").unlink()
    assert store.refresh() == Changes(0, 1, 0, 0, [], [])
    assert store.names[row] == "a2.png"
    assert store.path(row) == images / "a2.png"
    (images / "a2.png").unlink()
    assert store.path(row) == images / "c/a9.png"  # no refresh needed


def test_find(folder, images):
    store = refreshed(folder, images)
    row = store.find("b.png", None)
    assert store.find("other.png", store.hashes[row].upper()) == row
    assert store.find("b.png", "f" * 64) is None  # another image of this name
    assert store.find("b.png", "") == row
    assert store.find("other.png", "f" * 64) is None
    assert store.find(None, None) is store.find("", "") is None


def test_skipped_and_broken_files_are_named_and_the_rest_goes_on(folder, images):
    (images / "notes.txt").write_text("notes")
    (images / "cut.png").write_bytes((images / "a.png").read_bytes()[:50])
    (images / "c" / "text.webp").write_text("no image")
    (images / "folder.png").mkdir()
    (images / "link.png").symlink_to("nowhere.png")
    store = opened(folder, images)
    changes = store.refresh()
    assert changes.num_added == len(store.names) == 7
    assert changes.skipped == ["notes.txt"]
    names = [name for name, _ in changes.broken]
    assert names == ["c/text.webp", "cut.png", "folder.png", "link.png"]
    assert all(reason for _, reason in changes.broken)
    assert store.refresh().broken == changes.broken
    shutil.copy(images / "a.png", images / "cut.png")
    assert len(store.refresh().broken) == 3
    assert store.find("cut.png", None) == store.find("a.png", None)


def test_a_file_that_is_damaged_later_is_not_present(folder, images):
    store = refreshed(folder, images)
    row = store.find("a.png", None)
    (images / "a.png").write_bytes(b"damaged")
    changes = store.refresh()
    assert changes.num_removed == 1
    assert [name for name, _ in changes.broken] == ["a.png"]
    assert not store.is_present[row]


NAMES = [
    b"caf\xe9.png",
    b"\xff\xfe/\xff.png",
    b"a\\xff.png",
    b"a,b;c.png",
    b'"quoted".png',
    b"'apostrophe.png",
    b"=1+1.png",
    b"-1.png",
    b"@a.png",
    b"line\nbreak\r.png",
    b"tab\t.png",
    b" leading and trailing .png",
    "\u2028ü\x85.png".encode(),
    "日本/語.png".encode(),
]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_any_name_survives(folder, images):
    for name, color in zip(NAMES, image_files.colors(len(NAMES), seed=1), strict=True):
        path = os.fsdecode(os.path.join(os.fsencode(images), name))
        image_files.write(path, color)
    store = refreshed(folder, images)
    read = opened(folder, images)
    check_same(state(read), state(store))
    assert read.refresh() == NOTHING
    for name, color in zip(NAMES, image_files.colors(len(NAMES), seed=1), strict=True):
        shown = name.decode("utf-8", "backslashreplace")
        if name == b"a\\xff.png":
            shown = "a\\x5cxff.png"
        row = read.find(shown, None)
        assert (read.pool[row] == color).all()
        relative = os.path.relpath(read.path(row), images)
        assert os.fsencode(relative) == name
    with (folder / "images.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["file"] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell.strip()[:1] in "=+-@"]


def test_progress_is_reported(folder, images):
    seen = []
    (images / "bad.png").write_bytes(b"")
    (images / "a.png").unlink()
    store = opened(folder, images)
    store.refresh(lambda *counts: seen.append(counts))
    assert seen == [(i, 7) for i in range(1, 8)]
    (images / "bad.png").unlink()
    store.refresh(lambda *counts: seen.append(counts))
    assert len(seen) == 7


def test_the_store_may_lie_in_the_folder_of_images(images):
    folder = images / "session"
    folder.mkdir()
    store = opened(folder, images)
    image_files.write(folder / "queries-1.png", (5, 5, 5))
    store.refresh()
    assert len(store.names) == 7


def test_a_folder_without_images_is_rejected_and_nothing_changes(folder, images):
    store = opened(folder, images.parent / "none")
    with pytest.raises(ValueError, match=r"Argument `images` must be a folder.*Rec"):
        store.refresh()
    empty = images.parent / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="which holds no file"):
        opened(folder, empty).refresh()
    for i in range(5):
        (empty / f"{i}.txt").write_text("text")
    message = r"\.jpg.*which holds '0.txt' \(no suffix of an image\), .*, and 2 more"
    with pytest.raises(ValueError, match=message):
        opened(folder, empty).refresh()
    assert list(folder.iterdir()) == []
    (empty / "a.png").write_text("text")
    with pytest.raises(ValueError, match=r"which holds 'a.png' \(not an image of"):
        opened(folder, empty).refresh()


def test_a_drive_that_is_not_mounted_changes_nothing(folder, images):
    store = refreshed(folder, images)
    before, content = state(store), (folder / "images.csv").read_bytes()
    images.rename(images.parent / "away")
    images.mkdir()
    with pytest.raises(ValueError, match="`images` must be a folder with images"):
        store.refresh()
    check_same(state(store), before)
    assert (folder / "images.csv").read_bytes() == content
    check_same(state(opened(folder, images)), before)


def test_arguments_that_are_rejected(folder, images, tmp_path):
    for other in (tmp_path / "none", images, images / "." / "c" / ".."):
        with pytest.raises(ValueError, match=r"Argument `folder` must be .*Received"):
            ImageStore(other, images, SHAPE)
    with pytest.raises(ValueError, match="Argument `sample_shape` must be"):
        ImageStore(folder, images, (4, 6, 2))


def test_images_that_do_not_fit_on_the_disk_are_not_decoded(
    folder, images, monkeypatch
):
    usage = shutil.disk_usage(folder)._replace(free=7 * 4 * 6 * 3 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match="`sample_shape` must be small enough for 7"):
        opened(folder, images).refresh()


def test_another_sample_shape_is_rejected(folder, images):
    refreshed(folder, images)
    with pytest.raises(ValueError, match=r"must be \(4, 6, 3\), the shape of the imag"):
        ImageStore(folder, images, (4, 6, 1))


def test_a_lost_table_is_not_made_again(folder, images):
    """The rows would have another order."""
    refreshed(folder, images)
    (folder / "images.csv").unlink()
    with pytest.raises(ValueError, match="images.csv must exist, as pool.npy does"):
        opened(folder, images)


def test_a_damaged_table_is_named(folder, images):
    refreshed(folder, images)
    (folder / "images.csv").write_text("row,file\n0,a.png\n")
    with pytest.raises(ValueError, match="images.csv must be as it was written"):
        opened(folder, images)


@pytest.mark.parametrize("damage", ["missing", "short", "header"])
def test_damaged_pixels_are_read_again(folder, images, damage):
    before = state(refreshed(folder, images))
    image_files.write(images / "0.png", (9, 9, 9))
    path = folder / "pool.npy"
    content = path.read_bytes()
    damaged = {"missing": b"", "short": content[:400], "header": b"?" * len(content)}
    path.write_bytes(damaged[damage])
    if damage == "missing":
        path.unlink()
    store = opened(folder, images)
    with pytest.raises(ValueError, match=r"pool.npy must hold 7 .*damaged after [03]"):
        store.pool  # noqa: B018
    store.refresh()
    rows, pixels = state(store)
    check_same((rows[:7], pixels[:7]), before)
    image_files.check(store, images, SHAPE)


@pytest.mark.parametrize("lost", ["removed", "changed"])
def test_damaged_pixels_without_a_file_are_an_error_that_overwrites_nothing(
    folder, images, lost
):
    refreshed(folder, images)
    path = folder / "pool.npy"
    path.write_bytes(b"?" * 600)
    if lost == "removed":
        (images / "z.png").unlink()
    else:
        image_files.write(images / "z.png", (8, 8, 8))
    with pytest.raises(ValueError, match=r"pool.npy must hold .*'z.png'.* not in"):
        opened(folder, images).refresh()
    assert path.read_bytes() == b"?" * 600


def test_many_images_are_committed_in_parts(folder, images, monkeypatch):
    """A process that is killed keeps what was committed."""
    monkeypatch.setattr(image_store, "_NUM_PER_COMMIT", 3)
    commits = []

    store = opened(folder, images)
    store.refresh(lambda *_: commits.append(len(opened(folder, images).names)))
    assert commits == [0, 0, 0, 3, 3, 3, 6]
    image_files.check(store, images, SHAPE)


def test_two_processes_do_not_refresh_at_once(folder, images):
    store, other = opened(folder, images), opened(folder, images)
    errors = []

    def refresh_other(*_):
        try:
            other.refresh()
        except ValueError as error:
            errors.append(str(error))

    store.refresh(refresh_other)
    assert len(errors) == 7
    assert "in use by another process" in errors[0]
    assert other.refresh() == NOTHING  # it reads the rows that it did not know
    check_same(state(other), state(store))


def test_a_refresh_continues_from_what_another_process_stored(folder, images):
    store = refreshed(folder, images)
    image_files.write(images / "0.png", (1, 1, 1))
    refreshed(folder, images)
    image_files.write(images / "00.png", (2, 2, 2))
    assert store.refresh().num_added == 1
    assert store.names[7:] == ["0.png", "00.png"]
    image_files.check(store, images, SHAPE)


def test_files_that_change_meanwhile(folder, images):
    """Every pixel belongs to the checksum of its row, whatever was read."""
    contents = [
        image_files.write(images.parent / f"{i}.png", (i, i, i)).read_bytes()
        for i in range(50)
    ]
    is_done = threading.Event()

    def change():
        while not is_done.is_set():
            for content in contents:
                (images / "a.png").write_bytes(content)

    thread = threading.Thread(target=change)
    thread.start()
    store = opened(folder, images)
    for _ in range(20):
        store.refresh()
    is_done.set()
    thread.join()
    store.refresh()
    image_files.check(store, images, SHAPE)
    for i, content in enumerate(contents):
        (images / f"{i:03}.png").write_bytes(content)
    store.refresh()
    (images / "a.png").unlink()
    store.refresh()
    image_files.check(store, images, SHAPE)


def test_memory_does_not_grow_with_the_folder(folder, tmp_path):
    """A pool of 60 MB is written by a process that may take 40 MB more."""
    psutil = pytest.importorskip("psutil")
    images = tmp_path / "many"
    images.mkdir()
    for i in range(80):
        Image.new("L", (2, 2), i).save(images / f"{i}.png")
    store = ImageStore(folder, images, (500, 500, 3))
    process = psutil.Process()
    before = process.memory_info().rss
    peaks = []
    store.refresh(lambda *_: peaks.append(process.memory_info().rss - before))
    assert store.pool.nbytes == 60_000_000
    assert max(peaks) < 40_000_000
