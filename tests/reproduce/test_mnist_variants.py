"""The variants of MNIST and of LeNet5 that studies use."""

import numpy as np
import pytest
from experiments import mnist_variants, problem_data, problems, runs
from experiments.methods import RANDOM
from experiments.running import problem_training

import dfal_keras as dfal


@pytest.fixture(scope="module")
def mnist():
    return dfal.datasets.load_data("mnist")


def test_five_digits_have_a_tenth_of_their_images(mnist):
    (x, y), test_data = mnist
    (x_rare, y_rare), rare_test = mnist_variants.imbalanced()
    whole, rare = np.bincount(y), np.bincount(y_rare)
    expected = [n // 10 if digit % 2 else n for digit, n in enumerate(whole)]
    np.testing.assert_array_equal(rare, expected)
    for digit in (1, 8):
        first = x[y == digit][: rare[digit]]
        np.testing.assert_array_equal(x_rare[y_rare == digit], first)
    np.testing.assert_equal(rare_test, test_data)


def test_one_label_of_ten_is_another_class(mnist):
    (x, y), test_data = mnist
    (x_noisy, y_noisy), noisy_test = mnist_variants.noisy()
    np.testing.assert_array_equal(x_noisy, x)
    np.testing.assert_equal(noisy_test, test_data)
    is_wrong = y_noisy != y
    assert is_wrong.sum() == 6000
    assert set(np.unique(y_noisy)) == set(range(10))
    # Each of the nine other classes is about as likely: 667 +- 4 standard deviations.
    shifts = np.bincount((y_noisy[is_wrong].astype(int) - y[is_wrong]) % 10)
    assert shifts[0] == 0
    assert np.abs(shifts[1:] - 6000 / 9).max() < 4 * np.sqrt(6000 * 8 / 81)
    np.testing.assert_array_equal(mnist_variants.noisy()[0][1], y_noisy)


def test_the_augmented_network_is_lenet5_at_prediction(mnist):
    import keras

    (x, _), _ = mnist
    problem = problems.get("mnist-augmented_lenet5")
    model = problem_training.new_training(problem).model
    augmentation, rest = model.layers[:2], model.layers[2:]
    assert [type(layer).__name__ for layer in augmentation] == [
        "RandomTranslation",
        "RandomRotation",
    ]
    plain = dfal.models.LeNet5((28, 28, 1), 10)
    plain.set_weights([w for layer in rest for w in layer.get_weights()])
    images = np.asarray(x[:20], "float32")
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model(images, training=False)),
        keras.ops.convert_to_numpy(plain(images, training=False)),
    )
    moved = images
    for layer in augmentation:
        moved = layer(moved, training=True)
    assert not np.array_equal(moved, images)


@pytest.mark.slow
def test_a_training_with_augmentation_is_the_same_again(mnist):
    """So that runs resume to the same rows."""
    (x, y), _ = mnist
    problem = problems.get("mnist-augmented_lenet5")
    recipe = {"num_restarts": 1, "epochs": 2}
    weights = [
        problem_training.new_training(problem, **recipe)(x[:60], y[:60], seed=seed)
        for seed in (3, 3, 4)
    ]
    first, again, other = (model.get_weights() for model in weights)
    np.testing.assert_equal(first, again)
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", ["mnist_imbalanced-lenet5", "mnist_noisy-lenet5"])
def test_a_run_stores_the_identity_of_its_data(name):
    problem = problems.get(name)
    found = runs.Run(problem, RANDOM, 0).settings["data"]
    assert found == problem_data.fingerprint(problem)
    assert found["x_test"]["shape"] == [10_000, 28, 28, 1]
