import keras
import numpy as np
import pytest
import tensorflow as tf

import dfal_keras as dfal
from dfal_keras import pools


class Batches(keras.utils.PyDataset):
    """A `PyDataset` of an array that records which batches are read."""

    def __init__(self, images, batch_size=7, labels=None):
        super().__init__()
        self.images, self.batch_size, self.labels = images, batch_size, labels
        self.read = []

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        self.read.append(index)
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        images = self.images[rows]
        return images if self.labels is None else (images, self.labels[rows])


def sources(images, folder):
    """Return pools of the same images, by the kind of source."""
    np.save(folder / "pool.npy", images)
    np.savez(folder / "one.npz", images)
    np.savez(folder / "named.npz", x=images, y=np.zeros(len(images)))
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(9)
    return {
        "array": images,
        "memory map": np.load(folder / "pool.npy", mmap_mode="r"),
        "npy": folder / "pool.npy",
        "npz": str(folder / "one.npz"),
        "npz with labels": folder / "named.npz",
        "PyDataset": Batches(images),
        "PyDataset with labels": Batches(images, labels=np.zeros(len(images))),
        "tf.data": pools.write_pool(dataset, folder / "written.npy"),
    }


@pytest.fixture(scope="module")
def queried(blobs, shared_train):
    """What a learner queries from an array."""
    learner = dfal.ActiveLearner(shared_train, "dfal", seed=1)
    learner.fit(*blobs, budget=30)
    return learner.labeled.indices


@pytest.mark.parametrize(
    "name",
    [
        "array",
        "memory map",
        "npy",
        "npz",
        "npz with labels",
        "PyDataset",
        "PyDataset with labels",
        "tf.data",
    ],
)
def test_every_source_gives_the_same_pool(blobs, shared_train, queried, tmp_path, name):
    x, y = blobs
    source = sources(x, tmp_path)[name]
    pool = pools.as_pool(source)
    assert pool.shape == x.shape
    assert pool.dtype == x.dtype
    assert len(pool) == len(x)
    rows = np.array([299, 3, 3, 77, 0])
    assert (pool[rows] == x[rows]).all()
    assert (pool[290:305] == x[290:305]).all()
    assert pool[5:5].shape == (0, 4, 4, 1)

    learner = dfal.ActiveLearner(shared_train, "dfal", seed=1)
    learner.fit(source, y, budget=30)
    assert (learner.labeled.indices == queried).all()

    ask = dfal.strategies.Uncertainty().query
    assert (
        ask(shared_train.model, source, 5).indices
        == ask(shared_train.model, x, 5).indices
    ).all()


def test_a_query_reads_each_batch_once(blobs):
    batches = Batches(blobs[0])
    pool = pools.as_pool(batches)
    batches.read.clear()
    pool[np.array([0, 1, 250, 2, 251])]
    assert sorted(batches.read) == [0, 35]


def test_a_failed_write_leaves_no_file(tmp_path):

    def images():
        for i in range(100):
            yield np.full((2, 8, 8, 1), i, "uint8")
        raise RuntimeError("the source failed")

    spec = tf.TensorSpec((2, 8, 8, 1), tf.uint8)
    dataset = tf.data.Dataset.from_generator(images, output_signature=spec)
    with pytest.raises(Exception, match="the source failed"):
        pools.write_pool(dataset, tmp_path / "pool.npy")
    assert list(tmp_path.iterdir()) == []
    pool = pools.write_pool(dataset.take(100), tmp_path / "pool.npy")
    assert isinstance(pool, np.memmap)
    assert (pool[:, 0, 0, 0] == np.repeat(np.arange(100), 2)).all()
    assert [path.name for path in tmp_path.iterdir()] == ["pool.npy"]


def test_image_folders_are_read_as_by_keras(tmp_path):
    for i in range(5):
        keras.utils.save_img(
            tmp_path / f"{i}.png", np.full((6, 6, 3), 40 * i), scale=False
        )
    dataset = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, shuffle=False, image_size=(4, 4), batch_size=2, verbose=0
    )
    pool = pools.write_pool(dataset, tmp_path / "pool.npy")
    assert pool.shape == (5, 4, 4, 3)
    assert (pool[:, 0, 0, 0] == 40 * np.arange(5)).all()


UNEVEN = tf.data.Dataset.from_generator(
    lambda: (np.zeros((2, size, size, 1), "uint8") for size in (4, 5)),
    output_signature=tf.TensorSpec((2, None, None, 1), tf.uint8),
)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (tf.data.Dataset.range(3), "write_pool"),
        ("missing.npy", "`source` must be a .npy file"),
        ("pool.csv", "`source` must be a .npy file"),
        (None, "`source` must be an array"),
        (np.zeros(5), "`source` must be an array"),
        (np.full((2, 3), np.inf), "`source` must hold finite"),
        (Batches(np.zeros((0, 4, 4, 1))), "`dataset` must have a known number"),
        (Batches(np.full((3, 4, 4, 1), np.nan)), "must hold finite numbers"),
        (Batches(np.zeros(9)), r"`dataset\[0\]` must be an array"),
    ],
)
def test_sources_that_are_rejected(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        pools.as_pool(source)


@pytest.mark.parametrize(
    ("dataset", "path", "message"),
    [
        (UNEVEN, "pool.npy", "batches of images of one shape"),
        (UNEVEN.take(0), "pool.npy", "must hold images"),
        (UNEVEN, "pool.dat", "`path` must end in .npy"),
        (UNEVEN, "there.npy", "`path` must end in .npy and not exist"),
        (np.zeros((3, 4)), "pool.npy", "`dataset` must be a tf.data.Dataset"),
        (tf.data.Dataset.range(3).batch(2), "pool.npy", "`dataset` must be an array"),
    ],
)
def test_datasets_that_are_rejected(dataset, path, message, tmp_path):
    (tmp_path / "there.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=message):
        pools.write_pool(dataset, tmp_path / path)
    assert [path.name for path in tmp_path.iterdir()] == ["there.npy"]
