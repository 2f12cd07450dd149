import subprocess
import sys

import keras
import numpy as np
import pytest

from dfal_keras.cli import contact_sheet

CODE = """
import sys
import numpy as np
from dfal_keras.cli import contact_sheet
assert "matplotlib.figure" not in sys.modules
contact_sheet.draw("sheet.png", np.zeros((1, 4, 4, 1)), ["caption"])
"""


def test_a_sheet_needs_no_other_import_of_matplotlib(tmp_path):
    subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, check=True)
    assert (tmp_path / "sheet.png").is_file()


@pytest.mark.parametrize("num_channels", [1, 3, 4])
def test_examples_and_differences_stand_beside_their_images(tmp_path, num_channels):
    images = np.full((7, 8, 8, num_channels), 100, "uint8")
    captions = [str(i) for i in range(7)]
    contact_sheet.draw(tmp_path / "images.png", images, captions)
    examples = {1: (images[1] + 50.0, "adversarial"), 6: (images[6] - 50.0, "too")}
    contact_sheet.draw(tmp_path / "all.png", images, captions, examples)
    narrow, wide = (
        keras.utils.load_img(tmp_path / name) for name in ("images.png", "all.png")
    )
    assert wide.height == narrow.height
    assert wide.width > 2 * narrow.width


@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 8), (2, 8, 8, 2)])
def test_samples_that_are_not_images_are_rejected(tmp_path, shape):
    with pytest.raises(ValueError, match=r"`images` must have shape.*Received: shape"):
        contact_sheet.draw(tmp_path / "sheet.png", np.zeros(shape), ["", ""])
    assert not list(tmp_path.iterdir())
