"""The file in which a user names the sessions whose code he runs."""

import pytest

from dfal_keras.cli import trusted_sessions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session").mkdir()
    (tmp_path / "link").symlink_to("session")
    return tmp_path


def write(text):
    trusted_sessions.path().parent.mkdir(parents=True, exist_ok=True)
    trusted_sessions.path().write_text(text)


def test_only_named_sessions_are_trusted(folder):
    session = folder / "session"
    assert not trusted_sessions.contains(session)  # no file
    write(f"# mine\n\n{session}x\n{folder}\n{session}/more\n")
    assert not trusted_sessions.contains(session)
    write(f"# mine\n  {session}/  \n")
    for path in (session, folder / "link", folder / "." / "session"):
        assert trusted_sessions.contains(path)
    assert not trusted_sessions.contains(folder / "other")


def test_a_relative_path_names_the_session_also(folder):
    write(f"{folder}/session\n")
    assert trusted_sessions.contains(type(folder)("session"))


@pytest.mark.parametrize("text", ["session\n", "./session", "~/session"])
def test_paths_in_the_file_are_absolute(folder, text):
    write(text)
    with pytest.raises(ValueError, match=r"Argument `trust` .*trusted_sessions"):
        trusted_sessions.contains(folder / "session")


def test_it_is_not_in_the_working_folder(folder, monkeypatch):
    for value in ("", "config", "."):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        monkeypatch.setenv("HOME", str(folder / "home"))
        path = trusted_sessions.path()
        assert path == folder / "home" / ".config" / "dfal-keras" / "trusted_sessions"
