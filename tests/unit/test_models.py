import numpy as np
import pytest

from dfal_keras import models


@pytest.mark.parametrize(
    ("build", "input_shape", "classes", "num_parameters"),
    [
        (models.LeNet5, (28, 28, 1), 10, 166_936),
        (models.LeNet5, (28, 28, 1), 4, 166_336),
        (models.LeNet5, (64, 64, 3), 2, 1_708_692),
        (models.VGG8, (28, 28, 1), 10, 6_641_930),
        (models.VGG8, (28, 28, 1), 4, 6_617_348),
        (models.VGG8, (64, 64, 3), 2, 38_067_586),
    ],
)
def test_parameter_counts_are_those_of_the_authors_code(
    build, input_shape, classes, num_parameters
):
    model = build(input_shape, classes)
    assert model.count_params() == num_parameters
    assert model.output_shape == (None, classes)


def test_preprocessing_is_division_by_255(mnist):
    (x, _), _ = mnist
    raw = models.LeNet5()
    scaled = models.LeNet5(include_preprocessing=False)
    scaled.set_weights(raw.get_weights())
    images = x[:5].astype("float32")
    expected = np.array(scaled(images / 255))
    assert np.array(raw(images)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("build", [models.LeNet5, models.VGG8])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (((28, 28), 10), "input_shape"),
        (((28, 28, 0), 10), "input_shape"),
        (((8, 28, 1), 10), "input_shape"),
        ((28, 10), "input_shape"),
        (((28, 28, 1), 1), "classes"),
        (((28, 28, 1), 2.5), "classes"),
    ],
)
def test_bad_arguments(build, arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`.*Received: {named}="):
        build(*arguments)
