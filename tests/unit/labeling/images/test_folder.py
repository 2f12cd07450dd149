import os
import pathlib
import tempfile

import hypothesis
import pytest
from hypothesis import strategies as st

from dfal_keras.labeling.images import folder as image_folder

file_names = st.binary(min_size=1, max_size=30).map(
    lambda name: os.fsdecode(name.replace(b"/", b"").replace(b"\0", b"") or b"a")
)
# Names that look as if they were escaped.
tricky_names = st.lists(
    st.sampled_from([b"\\", b"x", b"5c", b"ff", b"\xff", b"80", "ä".encode()]),
    min_size=1,
).map(lambda parts: os.fsdecode(b"".join(parts)))


def touch(path, content=b"content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def scan(folder):
    return image_folder.scan(folder, folder / "none")


@hypothesis.given(file_names | tricky_names)
def test_names_survive_the_round_trip_as_text(name):
    text = image_folder.encode_name(name)
    text.encode()  # valid UTF-8
    assert image_folder.decode_name(text) == name


@hypothesis.given(tricky_names, tricky_names)
def test_no_two_names_are_shown_alike(a, b):
    shown = image_folder.encode_name(a), image_folder.encode_name(b)
    assert (shown[0] == shown[1]) == (a == b)


def test_bytes_that_are_not_utf_8_are_shown_with_backslashes():
    assert image_folder.encode_name(os.fsdecode(b"caf\xe9.png")) == "caf\\xe9.png"
    assert image_folder.encode_name("café.png") == "café.png"
    assert image_folder.encode_name("a\\b.png") == "a\\b.png"


def test_subfolders_are_searched_and_names_are_sorted(tmp_path):
    names = ["b.png", "a/z.JPG", "a/b/c/y.webp", "a.tif", "Z.png", "a/a.jpeg"]
    for name in [*names, "notes.txt", "a/table.csv", "a/noSuffix"]:
        touch(tmp_path / name)
    found = scan(tmp_path)
    assert list(found.images) == sorted(names)
    assert found.skipped == ["a/noSuffix", "a/table.csv", "notes.txt"]
    assert found.broken == []
    state = (tmp_path / "b.png").stat()
    assert found.images["b.png"] == (7, state.st_mtime_ns)


def test_hidden_files_and_folders_are_left_out(tmp_path):
    for name in (".DS_Store", "._a.png", ".hidden/b.png", "__MACOSX/._a.png", "a.png"):
        touch(tmp_path / name)
    found = scan(tmp_path)
    assert list(found.images) == ["a.png"]
    assert found.skipped == found.broken == []


def test_links(tmp_path):
    images, elsewhere = tmp_path / "images", tmp_path / "elsewhere"
    touch(images / "a.png")
    touch(elsewhere / "b.png")
    (images / "file.png").symlink_to(elsewhere / "b.png")
    (images / "gone.png").symlink_to("nowhere.png")
    (images / "gone.txt").symlink_to("nowhere.txt")
    (images / "itself.png").symlink_to("itself.png")
    (images / "itself.txt").symlink_to("itself.txt")
    (images / "linked").symlink_to(elsewhere)
    (images / "circle").symlink_to(images)
    found = scan(images)
    assert list(found.images) == ["a.png", "file.png"]
    assert found.skipped == ["circle/", "gone.txt", "itself.txt", "linked/"]
    assert dict(found.broken) == {
        "gone.png": "a link to a missing file",
        "itself.png": "Too many levels of symbolic links",
    }
    (tmp_path / "images_link").symlink_to(images)
    assert scan(tmp_path / "images_link") == found


def test_what_is_no_file_but_is_named_as_one(tmp_path):
    touch(tmp_path / "folder.png" / "inside.png")
    os.mkfifo(tmp_path / "pipe.jpg")  # to open it would wait forever
    touch(tmp_path / "a.png")
    found = scan(tmp_path)
    assert list(found.images) == ["a.png"]
    assert found.broken == [
        ("folder.png", "a folder"),
        ("pipe.jpg", "not a regular file"),
    ]


def test_one_folder_is_left_out(tmp_path):
    touch(tmp_path / "session" / "queries-1.png")
    touch(tmp_path / "more" / "session" / "a.png")
    found = image_folder.scan(tmp_path, tmp_path / "more" / ".." / "session")
    assert list(found.images) == ["more/session/a.png"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_folder_that_can_not_be_read_is_named():
    # Other users can't enter pytest's temporary folders.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        touch(folder / "closed" / "a.png")
        touch(folder / "open" / "b.png")
        folder.chmod(0o755)
        (folder / "closed").chmod(0)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)  # nobody
            found = scan(folder)
            with pytest.raises(ValueError, match=r"`images` must be.*ermission denied"):
                scan(folder / "closed")
        finally:
            os.seteuid(user)
            (folder / "closed").chmod(0o755)
    assert list(found.images) == ["open/b.png"]
    assert found.broken == [("closed/", "Permission denied")]


@pytest.mark.parametrize("name", ["missing", "file.png"])
def test_what_is_no_folder_is_rejected(tmp_path, name):
    touch(tmp_path / "file.png")
    with pytest.raises(ValueError, match=r"Argument `images` must be .*Received: "):
        scan(tmp_path / name)
