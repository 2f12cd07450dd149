import pytest
import tensorflow as tf
from helpers import bad_calls
from helpers.bad_calls import IMAGES, NAN

from dfal_keras import pools

BATCHES = tf.data.Dataset.from_tensor_slices(IMAGES).batch(6)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder of files, see `bad_calls.write_files`."""
    folder = tmp_path_factory.mktemp("given")
    bad_calls.write_files(folder)
    return folder


CALLS = {
    "as_pool: two arrays": ("source", lambda folder: pools.as_pool(folder / "two.npz")),
    "as_pool: an empty file": (
        "source",
        lambda folder: pools.as_pool(folder / "empty.npy"),
    ),
    "as_pool: text": ("source", lambda folder: pools.as_pool(folder / "text.npz")),
    "as_pool: a folder": ("source", lambda folder: pools.as_pool(folder / "empty")),
    "as_pool: images of another shape": (
        "source",
        lambda folder: pools.as_pool(IMAGES, sample_shape=(None, None, 3)),
    ),
    "write_pool: NaN": (
        "dataset",
        lambda folder: pools.write_pool(
            tf.data.Dataset.from_tensor_slices(NAN).batch(6), "pool.npy"
        ),
    ),
    "write_pool: text": (
        "dataset",
        lambda folder: pools.write_pool(
            tf.data.Dataset.from_tensors([["a"]]), "pool.npy"
        ),
    ),
    "write_pool: by name": (
        "dataset",
        lambda folder: pools.write_pool(
            tf.data.Dataset.from_tensors({"image": IMAGES}), "pool.npy"
        ),
    ),
    "write_pool: over another": (
        "path",
        lambda folder: pools.write_pool(BATCHES, folder / "pool.npy"),
    ),
    "write_pool: no suffix": ("path", lambda folder: pools.write_pool(BATCHES, "pool")),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(given, named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, lambda: call(given), tmp_path, given)
