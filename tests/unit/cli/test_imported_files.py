"""`import` and `tell` with small files as other programs write them."""

import csv
import json
import shutil
import unicodedata
import zipfile

import pytest
from helpers import image_folders, sessions

from dfal_keras import _files
from dfal_keras.cli.main import main
from dfal_keras.labeling.session import Session

NAME = "ünïcode/a;b 1.png"  # besides image_0000.png and so on


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A session with 40 images, of which one has a name that is hard to write."""
    folder = tmp_path_factory.mktemp("made")
    image_folders.write(folder / "images", 40)
    (folder / "images" / "ünïcode").mkdir()
    (folder / "images" / "image_0000.png").rename(folder / "images" / NAME)
    sessions.create(folder, 0)
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def quoted(separator, first=""):
    """Return a table as Excel writes it, with quoted cells."""

    def write(path):
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            file.write(first)
            writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
            writer.writerows(
                [["label", "file"], ["cat", "image_0001.png"], ["owl", NAME]]
            )

    return write


def as_json(content):
    return lambda path: path.write_text(json.dumps(content))


def task(number, image, *results, **annotation):
    """Return a task as Label Studio exports it."""
    made = {"id": number, "completed_by": 1, "result": list(results), **annotation}
    return {"id": number, "data": {"image": image}, "annotations": [made]}


def choice(label, question="choice"):
    return {
        "type": "choices",
        "from_name": question,
        "to_name": "image",
        "value": {"choices": [label]},
    }


UPLOADED = "/data/upload/7/0a1b2c3d-image_0001.png"
LOCAL = f"/data/local-files/?d=images/{NAME}".replace(";", "%3B")
BUCKET = f"s3://pets/2026/images/{NAME}"
COMMENT = {"type": "textarea", "from_name": "note", "value": {"text": ["blurred"]}}
BOX = {"type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["cat"]}}


def label_studio_csv(path):
    path.write_text(
        "image,id,choice,annotator,annotation_id,created_at,updated_at,lead_time\n"
        f"{UPLOADED},1,cat,1,1,2026-01-01,2026-01-01,1.5\n"
        f'"{LOCAL}",2,owl,1,2,2026-01-01,2026-01-01,1.5\n'
    )


def cvat(images):
    """Return an archive as CVAT for images 1.1."""
    tag = '<tag label="{}" source="manual"></tag>'
    body = "".join(
        f'<image id="{i}" name="{name}" width="16" height="16">'
        f"{''.join(map(tag.format, labels))}</image>"
        for i, (name, labels) in enumerate(images)
    )

    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(
                "annotations.xml",
                f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{body}'
                "</annotations>",
            )

    return write


def datumaro(items):
    names = [{"name": name, "parent": ""} for name in image_folders.CLASSES]
    found = [
        {
            "id": name.removesuffix(".png"),
            "annotations": annotations,
            "image": {"path": name},
        }
        for name, annotations in items
    ]
    return as_json({"categories": {"label": {"labels": names}}, "items": found})


def tagged(label):
    return [{"type": "label", "label_id": image_folders.CLASSES.index(label)}]


def zipped(write):
    """Return an archive as Datumaro, of what `write` writes."""

    def write_archive(path):
        write(path)
        text = path.read_text()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("annotations/default.json", text)

    return write_archive


FORMATS = {
    "comma": quoted(","),
    "semicolon": quoted(";"),
    "tab": quoted("\t"),
    "sep of Excel": quoted(";", "sep=;\r\n"),
    "Label Studio CSV": label_studio_csv,
    "Label Studio JSON_MIN": as_json(
        [
            {"image": UPLOADED, "id": 1, "choice": "cat", "annotator": 1},
            {"image": LOCAL, "id": 2, "choice": "owl", "annotator": 1},
        ]
    ),
    "Label Studio JSON": as_json(
        [task(1, UPLOADED, choice("cat")), task(2, BUCKET, choice("owl"))]
    ),
    "completions": as_json(
        [
            {
                "id": i,
                "data": {"image": image},
                "completions": [{"result": [choice(label)]}],
            }
            for i, (image, label) in enumerate([(UPLOADED, "cat"), (LOCAL, "owl")])
        ]
    ),
    "CVAT": cvat([("image_0001.png", ["cat"]), (NAME, ["owl"]), ("image_2.png", [])]),
    "Datumaro": datumaro(
        [("image_0001.png", tagged("cat")), (NAME, tagged("owl"))],
    ),
    "NFD": lambda path: path.write_text(
        "file,label\nimage_0001.png,cat\n"
        f"{unicodedata.normalize('NFD', NAME)},owl\n".replace(";", ";"),
        encoding="utf-8",
    ),
    "Windows": lambda path: path.write_text(
        "file,label\n.\\image_0001.png,cat\n"
        f"C:\\Users\\ada\\images\\{NAME},owl\n".replace("/", "\\"),
        encoding="utf-8",
    ),
    "absolute": lambda path: path.write_text(
        f"file,label\n/home/ada/images/image_0001.png,cat\n/mnt/images/{NAME},owl\n",
        encoding="utf-8",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_labels_of_other_programs(folder, name):
    FORMATS[name](folder / "labels")
    command = "import" if len(name) % 2 else "tell"
    assert main([command, "session", "labels"]) == 0
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
        learned = sessions.learned_by_name(session)
    assert found == learned == {"image_0001.png": "cat", NAME: "owl"}


LEFT_OUT = {
    "comments and boxes": (
        as_json([task(1, UPLOADED, BOX, choice("cat"), COMMENT)]),
        ["1 results of type rectanglelabels", "1 results of type textarea"],
    ),
    "a second question": (
        as_json([task(1, UPLOADED, choice("cat"), choice("day", "time"))]),
        ["1 choices of the question 'time'"],
    ),
    "rejected": (
        as_json(
            [
                task(1, UPLOADED, choice("cat")),
                task(2, LOCAL, choice("dog"), reviews=[{"accepted": False}]),
            ]
        ),
        ["1 annotations that a reviewer rejected"],
    ),
    "two tags": (
        cvat([("image_0001.png", ["cat"]), (NAME, ["owl", "dog"])]),
        ["1 images have several labels", f"{NAME}: dog, owl"],
    ),
    "two rows": (
        lambda path: path.write_text(
            f"file,label\n{NAME},dog\nimage_0001.png,cat\n{NAME},owl\n"
            "image_0001.png,cat\n"
        ),
        ["1 images have several labels", f"{NAME}: dog, owl"],
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_said_and_the_rest_imported(folder, capsys, name):
    write, expected = LEFT_OUT[name]
    write(folder / "labels")
    assert main(["import", "session", "labels"]) == 0
    output = capsys.readouterr().out
    for each in [*expected, "1 labels added"]:
        assert each in output
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


def test_two_labels_of_files_with_equal_content(folder, capsys):
    shutil.copy(folder / "images" / "image_0003.png", folder / "images" / "copy.png")
    (folder / "labels").write_text(
        "file,label\nimage_0003.png,dog\nimage_0001.png,cat\ncopy.png,owl\n"
    )
    assert main(["import", "session", "labels"]) == 0
    output = capsys.readouterr().out
    assert "1 images have several labels" in output
    assert "image_0003.png: dog, owl" in output
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


def checksum(folder, name):
    return _files.sha256(folder / "images" / name)


HISTORY = "time,who,file,sha256,label"
KNOWN = "2026-01-01,Ada,image_0001.png,,cat"


def rows(*lines, header="file,sha256,label", known="image_0001.png,,cat"):
    """Write a table; "@0003" is the name of an image, "#0003" its checksum."""

    def write(folder):
        text = "\n".join([header, *lines, known])
        for name in ("0003", "0004"):
            file = f"image_{name}.png"
            text = text.replace("#" + name, checksum(folder, file))
            text = text.replace("@" + name, file)
        (folder / "labels").write_text(text)

    return write


def on_file(write):
    return lambda folder: write(folder / "labels")


CONFLICTS = {
    "two names of one content": rows("@0003,#0003,dog", "x.png,#0003,owl"),
    "by name and by content": rows("@0003,,dog", ",#0003,owl"),
    "by name, then with both": rows("@0003,,dog", "@0003,#0003,owl"),
    "two spellings of a name": rows("@0003,,dog", ".\\@0003,,owl"),
    "a folder before the name": rows("@0003,,dog", "/mnt/images/@0003,,owl"),
    "a class and that nobody can tell": rows("@0003,,dog", "@0003,,?"),
    "three rows, the last as the first": rows("@0003,,dog", "@0003,,owl", "@0003,,dog"),
    "times of some": rows(
        "@0003,,dog,",
        "@0003,,owl,2026-01-02",
        header="file,sha256,label,updated_at",
    ),
    "equal times": rows(
        "@0003,,dog,2026-01-02",
        "@0003,,owl,2026-01-02",
        header="file,sha256,label,updated_at",
    ),
    "CVAT": on_file(
        cvat(
            [
                ("image_0003.png", ["dog"]),
                ("image_0001.png", ["cat"]),
                ("image_0003.png", ["owl"]),
            ]
        )
    ),
    "Datumaro": on_file(
        datumaro(
            [
                ("image_0003.png", tagged("dog")),
                ("image_0001.png", tagged("cat")),
                ("image_0003.png", tagged("owl")),
            ]
        )
    ),
    "JSON_MIN": on_file(
        as_json(
            [
                {"image": "/image_0003.png", "choice": "dog", "annotator": 1},
                {"image": UPLOADED, "choice": "cat", "annotator": 1},
                {"image": "/images/image_0003.png", "choice": "owl", "annotator": 1},
            ]
        )
    ),
    "completions": on_file(
        as_json(
            [
                task(1, "/image_0003.png", choice("dog")),
                task(2, UPLOADED, choice("cat")),
                task(3, "/image_0003.png", choice("owl")),
            ]
        )
    ),
}


@pytest.mark.parametrize("command", ["import", "tell"])
@pytest.mark.parametrize("name", CONFLICTS)
def test_two_labels_of_an_image_are_listed_and_the_rest_imported(
    folder, capsys, name, command
):
    CONFLICTS[name](folder)
    assert main([command, "session", "labels"]) == 0
    output = capsys.readouterr().out
    assert "1 images have several labels" in output
    assert "image_0003.png: dog, " in output
    assert "1 labels added" in output
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


FIRST, SECOND = "/image_0003.png", "/image_0004.png"
QUESTIONS = {
    "neither has a usual name": (
        [
            task(1, FIRST, choice("dog", "animal"), choice("day", "light")),
            task(2, SECOND, choice("night", "light"), choice("owl", "animal")),
        ],
        {"image_0003.png": "dog", "image_0004.png": "owl"},
    ),
    "only the second question is answered": (
        [
            task(1, FIRST, choice("dog", "animal"), choice("day", "light")),
            task(2, SECOND, choice("night", "light")),
        ],
        {"image_0003.png": "dog"},
    ),
    "only the second is answered, and one is named label": (
        [
            task(1, FIRST, choice("dog", "label"), choice("day", "light")),
            task(2, SECOND, choice("night", "light")),
        ],
        {"image_0003.png": "dog"},
    ),
    "the other one has a usual name": (
        [task(1, FIRST, choice("dog", "animal"), choice("day", "choice"))],
        {"image_0003.png": "dog"},
    ),
    "set twice": (
        [task(1, FIRST, choice("dog", "animal"), choice(" dog", "animal"))],
        {"image_0003.png": "dog"},
    ),
    "equal answers": (
        [
            task(1, FIRST, choice("dog", "animal"), choice("dog", "looks like")),
            task(2, SECOND, choice("owl", "animal"), choice("toy", "looks like")),
        ],
        {"image_0003.png": "dog", "image_0004.png": "owl"},
    ),
    "of two people": (
        [
            task(1, FIRST, choice("dog", "animal")),
            task(2, SECOND, choice("owl", "animal")),
            task(3, FIRST, choice("day", "light"), completed_by=2),
        ],
        {"image_0003.png": "dog", "image_0004.png": "owl"},
    ),
    "nobody can tell": (
        [
            task(1, FIRST, choice("?", "animal"), choice("?", "light")),
            task(2, SECOND, choice("owl", "animal"), choice("day", "light")),
        ],
        {"image_0003.png": "?", "image_0004.png": "owl"},
    ),
    "in a rejected annotation": (
        [
            task(1, FIRST, choice("dog", "animal")),
            task(2, SECOND, choice("cat", "x"), reviews=[{"accepted": False}]),
        ],
        {"image_0003.png": "dog"},
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_question_whose_choices_are_classes_is_taken(folder, name):
    tasks, expected = QUESTIONS[name]
    as_json(tasks)(folder / "labels")
    assert main(["import", "session", "labels"]) == 0
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == expected


@pytest.mark.parametrize("labels", [("cat", "dog"), ("day", "new"), ("cow", "night")])
def test_several_questions_that_fit_or_do_not_are_listed(folder, capsys, labels):
    first, second = labels
    as_json(
        [
            task(1, FIRST, choice(first, "animal"), choice(second, "other")),
            task(2, SECOND, choice(first, "animal")),
        ]
    )(folder / "labels")
    assert main(["import", "session", "labels"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for each in ("'animal'", "'other'", *labels):
        assert each in error
    assert not (folder / "session" / "labels.csv").exists()


def test_new_classes_are_choices_of_the_question(folder):
    tasks = [
        task(1, FIRST, choice("cow", "animal"), choice("day", "light")),
        task(2, SECOND, choice("cow", "animal"), choice("night", "light")),
    ]
    as_json(tasks)(folder / "labels")
    assert main(["import", "session", "labels"]) == 2
    assert main(["import", "session", "labels", "--new-class", "cow"]) == 0
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
    assert found == {"image_0003.png": "cow", "image_0004.png": "cow"}


def short(**fields):
    """Return two tasks of JSON_MIN with the pairs of values of their fields."""
    meta = {"annotator": 1, "annotation_id": 5, "lead_time": 1.5}
    return [
        {"id": number, "image": image, **meta, **dict(zip(fields, values, strict=True))}
        for number, image, values in zip(
            (1, 2), (FIRST, SECOND), zip(*fields.values(), strict=True), strict=True
        )
    ]


SHORT = {
    "another name": (short(animal=("dog", "owl")), []),
    "a second question": (
        short(animal=("dog", "owl"), light=("day", "night")),
        ["2 values of the field 'light' are left out"],
    ),
    "a second question with a usual name": (
        short(label=("day", "night"), animal=("dog", "owl")),
        ["2 values of the field 'label' are left out"],
    ),
    "a second question that few answered": (
        short(label=("dog", "owl"), light=("", {"choices": ["day", "warm"]})),
        ["1 values of the field 'light' are left out"],
    ),
    "data beside the question": (
        short(title=("A cat", "cat"), animal=("dog", {"choices": ["owl"]})),
        ["2 values of the field 'title' are left out"],
    ),
    "boxes beside the question": (
        short(box=([{"x": 1}], [{"x": 2}]), animal=("dog", "owl")),
        [],
    ),
}


@pytest.mark.parametrize("name", SHORT)
def test_the_question_is_found_by_the_classes_in_json_min(folder, capsys, name):
    tasks, lines = SHORT[name]
    as_json(tasks)(folder / "labels")
    assert main(["import", "session", "labels"]) == 0
    output = capsys.readouterr().out
    assert [line for line in output.splitlines() if "left out" in line] == lines
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
    assert found == {"image_0003.png": "dog", "image_0004.png": "owl"}


def test_several_fields_of_json_min_that_fit_are_listed(folder, capsys):
    fields = {"animal": ("dog", "owl"), "looks like": ("cat", "dog")}
    as_json(short(**fields, light=("day", "night")))(folder / "labels")
    assert main(["import", "session", "labels"]) == 2
    error = capsys.readouterr().err
    assert "'animal' with 'dog, owl'; 'looks like' with 'cat, dog'" in error
    assert "day" not in error
    assert not (folder / "session" / "labels.csv").exists()


UNKNOWN = "f" * 64


@pytest.mark.parametrize("command", ["import", "tell"])
@pytest.mark.parametrize(
    "write",
    [
        rows(f"@0003,{UNKNOWN},dog"),
        rows(f"2026-01-01,Ada,@0003,{UNKNOWN},dog", header=HISTORY, known=KNOWN),
        lambda folder: as_json(
            [
                {"image": "/image_0003.png", "sha256": UNKNOWN, "label": "dog"},
                {"image": UPLOADED, "label": "cat"},
            ]
        )(folder / "labels"),
    ],
)
def test_another_image_of_the_same_name_is_missing(folder, capsys, write, command):
    write(folder)
    assert main([command, "session", "labels"]) == 0
    output = capsys.readouterr().out
    assert "1 images are not in the folder: " in output
    assert "1 labels added" in output
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


AGREEMENTS = {
    "equal labels": rows("@0003,,dog", ",#0003,dog", ".\\@0003,,dog"),
    "later": rows(
        "@0003,,dog,2026-01-02",
        ",#0003,owl,2026-01-01",
        header="file,sha256,label,updated_at",
    ),
    "a majority by name and by content": rows(
        "@0003,,dog,Ada",
        ",#0003,dog,Bob",
        "/mnt/@0003,,owl,Cem",
        header="file,sha256,label,who",
    ),
}


@pytest.mark.parametrize("name", AGREEMENTS)
def test_labels_that_agree_or_have_a_majority_are_imported(folder, name):
    AGREEMENTS[name](folder)
    assert main(["import", "session", "labels"]) == 0
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
    assert found == {"image_0001.png": "cat", "image_0003.png": "dog"}


def test_equal_files_in_the_folders_of_two_classes(folder, capsys):
    for label, name in (("cat", "1"), ("cat", "3"), ("dog", "3"), ("dog", "4")):
        (folder / "sorted" / label).mkdir(parents=True, exist_ok=True)
        file = f"image_000{name}.png"
        shutil.copy(folder / "images" / file, folder / "sorted" / label / file)
    assert main(["import", "session", "sorted", "--by-folder"]) == 0
    output = capsys.readouterr().out
    assert "1 images have several labels" in output
    assert "image_0003.png: cat, dog" in output
    with Session(folder / "session") as session:
        found = sessions.labels_by_name(session)
    assert found == {"image_0001.png": "cat", "image_0004.png": "dog"}


def test_the_latest_label_of_a_table_with_times_counts(folder):
    """As of another session's labels.csv, which is the history of its answers."""
    (folder / "labels").write_text(
        "time,who,file,sha256,label\n"
        "2026-01-01,Ada,image_0001.png,,dog\n2026-01-02,Ada,image_0001.png,,cat\n"
    )
    assert main(["import", "session", "labels"]) == 0
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


NOTHING = {
    "JSON_MIN with another name, and no class": (
        as_json([{"id": 1, "image": UPLOADED, "animal": "cow"}]),
        "animal",
    ),
    "only boxes": (as_json([task(1, UPLOADED, BOX)]), "rectanglelabels"),
    "Datumaro with boxes": (
        datumaro([("image_0001.png", [{"type": "bbox", "label_id": 0}])]),
        "items",
    ),
    "CVAT without tags": (cvat([("image_0001.png", [])]), "images"),
    "a table with the labels in another column": (
        lambda path: path.write_text("file,label,class\nimage_0001.png,,cat\n"),
        "file, label, class",
    ),
    "a table with blanks for labels": (
        lambda path: path.write_text("label;sha256\n  ;aa\n;bb\n"),
        "label, sha256",
    ),
    "a table without rows": (
        lambda path: path.write_text("file,label\n"),
        "file, label",
    ),
    "Label Studio CSV without choices": (
        lambda path: path.write_text("image,id,choice\n/image_0001.png,1,\n"),
        "image, id, choice",
    ),
    "a history whose labels were all removed": (
        lambda path: path.write_text(
            "time,who,file,sha256,label\n1,a,image_0001.png,,cat\n"
            "2,a,image_0001.png,,\n"
        ),
        "time, who, file, sha256, label",
    ),
    "no image of the session": (
        lambda path: path.write_text("file,label\nother.png,cat\n"),
        "other.png",
    ),
}


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("command", ["import", "tell"])
def test_a_file_without_labels_of_the_session_is_an_error(
    folder, capsys, name, command
):
    write, message = NOTHING[name]
    write(folder / "labels")
    assert main([command, "session", "labels"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (folder / "session" / "labels.csv").exists()


@pytest.mark.parametrize("command", ["import", "tell"])
def test_a_prefix_before_the_names(folder, command):
    address = "https://pets.example/files/v2-image_0001.png"
    as_json([task(1, address, choice("cat"))])(folder / "labels")
    assert main([command, "session", "labels"]) == 2
    prefix = "https://pets.example/files/v2-"
    assert main([command, "session", "labels", "--prefix", prefix]) == 0
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


V2 = "v2-image_0001.png"
PREFIXED = {
    "CSV": ("v2-", lambda path: path.write_text(f"file,label\n{V2},cat\n")),
    "CSV with addresses": (
        "https://pets.example/v 2-",
        lambda path: path.write_text(
            "file,label\nhttps://pets.example/v 2-image%5F0001.png,cat\n"
        ),
    ),
    "Label Studio CSV": (
        "v2-",
        lambda path: path.write_text(f"image,choice\n{V2},cat\n"),
    ),
    "JSON_MIN": ("v2-", as_json([{"image": V2, "choice": "cat"}])),
    "JSON with a file": (
        "v2-",
        as_json([{**task(1, "", choice("cat")), "data": {"file": V2}}]),
    ),
    "CVAT archive": ("v2-", cvat([(V2, ["cat"])])),
    "CVAT": (
        "v2-",
        lambda path: path.write_text(
            f"<annotations><image name='{V2}'><tag label='cat'/></image></annotations>"
        ),
    ),
    "Datumaro": ("v2-", datumaro([(V2, tagged("cat"))])),
    "Datumaro archive": ("v2-", zipped(datumaro([(V2, tagged("cat"))]))),
}


@pytest.mark.parametrize("name", PREFIXED)
def test_a_prefix_counts_in_every_format(folder, name):
    prefix, write = PREFIXED[name]
    write(folder / "labels")
    assert main(["import", "session", "labels"]) == 2
    assert main(["import", "session", "labels", "--prefix", prefix]) == 0
    with Session(folder / "session") as session:
        assert sessions.labels_by_name(session) == {"image_0001.png": "cat"}


def test_a_prefix_of_folders_of_classes_is_refused(folder, capsys):
    arguments = ["import", "session", "images", "--by-folder", "--prefix", "v2-"]
    assert main(arguments) == 2
    assert "--prefix" in capsys.readouterr().err
