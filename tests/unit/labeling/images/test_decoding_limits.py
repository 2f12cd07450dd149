"""Memory of large images, and what Pillow does not invert."""

import io
import subprocess
import sys

import numpy as np
import pytest
from helpers.parameters import slow_after
from PIL import Image

from dfal_keras.labeling.images import decoding

SCRIPT = """
import concurrent.futures, resource, sys
from dfal_keras.labeling.images import decoding
content = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with decoding.without_warnings():
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda _: decoding.decode(content, (8, 8, 3)), range(4)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("mode", slow_after(1, ["L", "RGB", "P"]))
def test_a_small_file_of_many_pixels_takes_bounded_memory(tmp_path, mode):
    """Four copies of 8,000 x 8,000 pixels, at the same time."""
    path = tmp_path / "large.png"
    Image.new(mode, (8000, 8000)).save(path, compress_level=9)
    command = [sys.executable, "-c", SCRIPT, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # One image in RGB takes 250 MB (Pillow uses 4 bytes a pixel), its original less.
    assert int(done.stdout) < {"RGB": 300, "L": 400, "P": 400}[mode] * 1000


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_zero_is_white_in_some_tiff_files(bits, white_is_zero):
    values = np.array([[0, 2**bits - 1]], "uint16" if bits == 16 else "uint8")
    file = io.BytesIO()
    photometric = {262: 0} if white_is_zero else {}
    Image.fromarray(values).save(file, "TIFF", tiffinfo=photometric)
    found = decoding.decode(file.getvalue(), (1, 2, 1))[0, :, 0]
    stored_inverted = white_is_zero and bits == 8  # Pillow inverts when it writes, too
    expected = [0, 255] if not white_is_zero or stored_inverted else [255, 0]
    assert found.tolist() == expected
