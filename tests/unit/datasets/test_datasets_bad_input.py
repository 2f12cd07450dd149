from helpers import bad_calls

from dfal_keras import datasets

CALLS = {
    "names in a list": ("name", lambda: datasets.load_data(["mnist"])),
    "a folder as a list": (
        "data_dir",
        lambda: datasets.load_data("shoe_bag", ["here"]),
    ),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, call, tmp_path)
