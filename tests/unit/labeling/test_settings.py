import json

import pytest

from dfal_keras.labeling import settings
from dfal_keras.labeling.settings import Settings

MADE = Settings(
    images="../images",
    classes=("cat", "=dog", "Eule, groß"),
    sample_shape=(16, 16, 3),
    strategy={"class_name": "DFAL", "config": {"num_candidates": 20}},
    seed=3,
    is_trained=False,
)


def test_settings_are_read_as_written(tmp_path):
    MADE.save(tmp_path / "settings.json")
    assert Settings.load(tmp_path / "settings.json") == MADE
    assert "Eule, groß" in (tmp_path / "settings.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 1}', '{"version": 2}', "\x00", "null"],
)
def test_damaged_settings_name_the_folder(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ValueError, match=r"`session` must be a folder.*settings\.json"):
        Settings.load(tmp_path / "settings.json")


def test_a_folder_without_settings_is_not_a_session(tmp_path):
    with pytest.raises(ValueError, match="that the command `init` made"):
        Settings.load(tmp_path / "settings.json")


def test_settings_of_unknown_fields_are_refused(tmp_path):
    MADE.save(tmp_path / "settings.json")
    content = json.loads((tmp_path / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps({**content, "more": 1}))
    with pytest.raises(ValueError, match="more"):
        Settings.load(tmp_path / "settings.json")


@pytest.mark.parametrize(
    "classes",
    [[], ["cat"], ["cat", "cat"], ["cat", " cat "], ["cat", ""], ["cat", "?"]],
)
def test_bad_names_of_classes(classes):
    with pytest.raises(ValueError, match="Argument `classes` must hold"):
        settings.check_classes(classes)


def test_names_of_classes_are_stripped():
    assert settings.check_classes([" cat ", "dog"]) == ["cat", "dog"]
