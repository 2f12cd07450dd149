from helpers import bad_calls

from dfal_keras import models

CALLS = {
    "LeNet5: sizes as floats": ("input_shape", lambda: models.LeNet5((28.0, 28, 1))),
    "LeNet5: any size": ("input_shape", lambda: models.LeNet5((None, None, 1))),
    "LeNet5: classes as text": ("classes", lambda: models.LeNet5(classes="10")),
    "VGG8: too narrow": ("input_shape", lambda: models.VGG8((28, 15, 1))),
    "VGG8: classes as a bool": ("classes", lambda: models.VGG8(classes=True)),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, call, tmp_path)
