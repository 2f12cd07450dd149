import gzip
import shutil

import numpy as np
import pytest

from dfal_keras import datasets
from dfal_keras.datasets import mnist as module


def test_mnist(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert x_train.shape == (60_000, 28, 28, 1)
    assert x_test.shape == (10_000, 28, 28, 1)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert list(np.bincount(y_test)) == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert list(y_train[:5]) == [5, 0, 4, 1, 9]
    assert x_train.mean() == pytest.approx(33.318, abs=1e-3)  # the usual 0.1307 * 255


@pytest.mark.parametrize("name", ["MNIST", "cifar10", None, 3])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="`name` must be one of.*Received: "):
        datasets.load_data(name)


def test_a_corrupted_file_is_named(tmp_path):
    shutil.copytree(module.FOLDER, tmp_path / "mnist")
    name = "t10k-images-idx3-ubyte.gz"
    path = tmp_path / "mnist" / name
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5000] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ValueError, match=f"corrupted: .*{name}"):
        module.load_data(tmp_path / "mnist")
    path.unlink()
    with pytest.raises(ValueError, match=f"missing. Expected: .*{name}"):
        module.load_data(tmp_path / "mnist")
