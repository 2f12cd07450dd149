import foolbox
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import models
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import dfal_keras as dfal
from dfal_keras import attacks
from dfal_keras.backend import classifier, inference


def random_linear_model(num_pixels, num_classes):
    """Return a linear classifier, its weights and its biases."""
    rng = np.random.default_rng(0)
    model = models.linear(num_classes, input_shape=(num_pixels,))
    model.set_weights(
        [rng.normal(size=(num_pixels, num_classes)), rng.normal(size=num_classes)]
    )
    return model, *(weights.astype(float) for weights in model.get_weights())


@pytest.mark.parametrize("ord", [1, 1.5, 2, 4, np.inf])
@pytest.mark.parametrize("num_classes", [2, 6])
def test_linear_models_have_the_closed_form(ord, num_classes):
    """The norm is the distance to the nearest face, min_k |g_k| / ||w_k||_q."""
    model, weights, biases = random_linear_model(20, num_classes)
    x = np.random.default_rng(1).normal(size=(50, 20)).astype("float32")
    logits = x @ weights + biases
    own = logits.argmax(axis=1)
    dual = np.inf if ord == 1 else 1 if ord == np.inf else ord / (ord - 1)
    differences = np.abs(logits - logits.max(axis=1, keepdims=True))
    normals = weights.T[None] - weights.T[own][:, None]
    with np.errstate(invalid="ignore"):
        distances = differences / np.linalg.norm(normals, dual, axis=2)
    distance = np.nanmin(distances, axis=1)

    result = dfal.deepfool(model, x, ord=ord, overshoot=0.01, step_offset=0)

    assert result.success.all()
    assert (result.num_steps == 1).all()
    assert result.norms == pytest.approx(1.01 * distance, rel=1e-5, abs=1e-6)
    assert np.linalg.norm(result.perturbations, ord, axis=1) == pytest.approx(
        result.norms, rel=1e-5
    )


@pytest.mark.parametrize(
    ("attack", "ord"),
    [
        (foolbox.attacks.L2DeepFoolAttack, 2),
        (foolbox.attacks.LinfDeepFoolAttack, np.inf),
    ],
)
@pytest.mark.parametrize("bounds", [pytest.param(None, marks=pytest.mark.slow), (0, 1)])
def test_equals_foolbox_sample_by_sample(lenet5, digits, attack, ord, bounds):
    logits = classifier.logits(lenet5)
    wrapped = foolbox.TensorFlowModel(
        lambda x: logits(x), bounds=bounds or (-1e9, 1e9), device="CPU:0"
    )
    x = digits[:64]
    images = tf.constant(x)
    predicted = tf.argmax(logits(images), axis=1)
    adversarial, _, _ = attack(steps=50, candidates=10, overshoot=0.02)(
        wrapped, images, predicted, epsilons=None
    )
    perturbations = adversarial.numpy() - x
    norms = np.linalg.norm(perturbations.reshape(64, -1), ord, axis=1)

    result = dfal.deepfool(lenet5, x, ord=ord, bounds=bounds, step_offset=1e-4)

    assert result.norms == pytest.approx(norms, rel=1e-4)
    assert result.perturbations == pytest.approx(perturbations, abs=1e-4)


def test_adversarial_examples_fool_the_model(lenet5, digits):
    result = dfal.deepfool(lenet5, digits, bounds=(0, 1))
    adversarial = digits + result.perturbations
    before = inference.predict_logits(lenet5, digits).argmax(axis=1)
    after = inference.predict_logits(lenet5, adversarial).argmax(axis=1)
    assert result.success.all()
    assert (before != after).all()
    assert adversarial.min() >= -1e-6
    assert adversarial.max() <= 1 + 1e-6


def test_one_by_one_equals_in_a_batch_in_any_order(lenet5, digits):
    x = digits[:40]
    whole = dfal.deepfool(lenet5, x)
    order = np.random.default_rng(0).permutation(len(x))
    shuffled = dfal.deepfool(lenet5, x[order], batch_size=7)
    single = [dfal.deepfool(lenet5, x[i : i + 1]) for i in range(10)]
    assert shuffled.norms == pytest.approx(whole.norms[order], rel=1e-3)
    assert (shuffled.num_steps == whole.num_steps[order]).all()
    assert [s.norms[0] for s in single] == pytest.approx(whole.norms[:10], rel=1e-3)


def test_fewer_classes_never_give_a_smaller_first_step():
    model, *_ = random_linear_model(20, 6)
    x = np.random.default_rng(1).normal(size=(50, 20)).astype("float32")
    every = dfal.deepfool(model, x)
    two = dfal.deepfool(model, x, num_classes=2)
    assert (two.norms >= every.norms * (1 - 1e-5)).all()
    assert (two.norms > every.norms * 1.01).any()


def test_one_trace_for_all_batch_sizes(digits, traced_functions):
    model = dfal.models.LeNet5(include_preprocessing=False)
    for num_samples in (1, 5, 150):
        dfal.deepfool(model, digits[:num_samples])
    counts = [each.experimental_get_tracing_count() for each in traced_functions]
    assert counts == [1, 1]  # the logits and the step


@pytest.mark.parametrize(
    ("ord", "bounds"),
    [
        (2, None),
        (np.inf, (0, 1)),
        pytest.param(2, (0, 1), marks=pytest.mark.slow),
        pytest.param(np.inf, None, marks=pytest.mark.slow),
    ],
)
def test_the_closest_alone_are_the_closest_of_all(lenet5, digits, ord, bounds):
    options = {"ord": ord, "bounds": bounds, "batch_size": 64}
    every = dfal.deepfool(lenet5, digits, **options)
    few = dfal.deepfool(lenet5, digits, num_closest=10, **options)
    closest = np.argsort(every.norms)[:10]
    assert set(np.flatnonzero(few.success)) == set(closest)
    assert few.norms[closest] == pytest.approx(every.norms[closest], rel=1e-3)
    assert (few.perturbations[~few.success] == 0).all()
    assert few.num_steps.sum() < 0.8 * every.num_steps.sum()


@pytest.mark.parametrize("num_closest", [None, 10])
def test_batches_of_any_size_give_the_same_result(lenet5, digits, num_closest):
    x = digits[:60]
    whole = dfal.deepfool(lenet5, x, num_closest=num_closest)
    for batch_size in (7, 59, 60, 61):
        parts = dfal.deepfool(lenet5, x, num_closest=num_closest, batch_size=batch_size)
        assert (parts.success == whole.success).all()
        assert parts.norms == pytest.approx(whole.norms, rel=1e-3)


def test_more_closest_than_images_is_every_image(lenet5, digits):
    every = dfal.deepfool(lenet5, digits[:20])
    more = dfal.deepfool(lenet5, digits[:20], num_closest=30)
    assert (more.norms == every.norms).all()


def test_a_sample_on_the_boundary_gets_across():
    weights = [[1.0, -1.0], [0.0, 0.0]]
    model = models.linear(2, input_shape=(2,), weights=weights)
    x = np.array([[0.0, 3.0], [1e-9, 3.0], [1.0, 3.0]], "float32")
    result = dfal.deepfool(model, x)
    assert result.success.all()
    assert result.norms[:2].max() < 1e-5
    assert result.norms[2] == pytest.approx(1.02, rel=1e-5)


def test_a_sample_with_nan_has_infinite_norm_and_does_not_affect_others(lenet5, digits):
    x = digits[:8].copy()
    alone = dfal.deepfool(lenet5, np.delete(x, 3, axis=0))
    x[3, 5, 5] = np.nan
    result = dfal.deepfool(lenet5, x)
    assert np.isinf(result.norms[3])
    assert not result.success[3]
    assert (result.perturbations[3] == 0).all()
    assert np.delete(result.norms, 3) == pytest.approx(alone.norms, rel=1e-3)


@pytest.mark.parametrize("weights", [np.zeros((5, 3)), np.full((5, 3), np.nan)])
def test_zero_or_nan_gradients_are_no_success(weights):
    model = models.linear(3, input_shape=(5,), weights=weights)
    result = dfal.deepfool(model, np.ones((4, 5), "float32"))
    assert np.isinf(result.norms).all()
    assert not result.success.any()


def test_too_few_steps_are_no_success(lenet5, digits):
    few = dfal.deepfool(lenet5, digits, max_steps=1)
    enough = dfal.deepfool(lenet5, digits)
    assert (few.success == (enough.num_steps <= 1)).all()
    assert 0 < few.success.sum() < len(digits)
    assert np.isinf(few.norms[~few.success]).all()


def test_raw_pixels_scale_the_norms_by_255(lenet5, mnist):
    raw = dfal.models.LeNet5()
    raw.set_weights(lenet5.get_weights())
    x = mnist[1][0][:32]
    scaled = dfal.deepfool(lenet5, x.astype("float32") / 255)
    assert dfal.deepfool(raw, x).norms / 255 == pytest.approx(scaled.norms, rel=1e-3)


def test_single_sigmoid_is_attacked_as_two_classes():
    model = models.linear(1, "sigmoid", input_shape=(6,))
    weights, bias = model.get_weights()
    x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    distance = np.abs(x @ weights + bias)[:, 0] / np.linalg.norm(weights)
    assert dfal.deepfool(model, x, overshoot=0.02).norms == pytest.approx(
        1.02 * distance, rel=1e-5, abs=1e-5
    )


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"x": np.zeros((0, 5))}, "x"),
        ({"x": np.zeros((3, 4))}, "x"),
        ({"x": "image.png"}, "x"),
        ({"x": np.array([["a"] * 5])}, "x"),
        ({"model": 3}, "model"),
        ({"model": lambda x: tf.nn.softmax(x)}, "model"),
        ({"model": lambda x: x[:, :0]}, "model"),
        ({"ord": 0.5}, "ord"),
        ({"ord": np.nan}, "ord"),
        ({"ord": "2"}, "ord"),
        ({"max_steps": 0}, "max_steps"),
        ({"overshoot": -0.1}, "overshoot"),
        ({"overshoot": np.inf}, "overshoot"),
        ({"bounds": (1, 0)}, "bounds"),
        ({"bounds": 1}, "bounds"),
        ({"bounds": ("a", "b")}, "bounds"),
        ({"num_classes": 1}, "num_classes"),
        ({"step_offset": -1}, "step_offset"),
        ({"num_closest": 0}, "num_closest"),
        ({"first_look": 0}, "first_look"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_bad_arguments(changed, named):
    model, *_ = random_linear_model(5, 3)
    good = {"model": model, "x": np.zeros((3, 5), "float32")}
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        dfal.deepfool(**{**good, **changed})


def test_nonfinite_logits_are_an_error_on_demand():
    model, *_ = random_linear_model(5, 3)
    x = np.ones((8, 5), "float32")
    x[3, 2] = np.nan
    options = attacks.DeepFoolOptions(
        ord=2,
        max_steps=50,
        overshoot=0.02,
        bounds=None,
        num_classes=None,
        step_offset=None,
        num_closest=None,
        first_look=None,
        batch_size=128,
    )
    result = attacks.attack(model, x, options)
    assert (result.norms == dfal.deepfool(model, x).norms).all()
    assert np.flatnonzero(~result.success).tolist() == [3]
    with pytest.raises(ValueError, match="`model` must compute finite.*sample 3 of 8"):
        attacks.attack(model, x, options, finite=True)


@settings(max_examples=40)
@given(
    ord=st.one_of(
        st.floats(1, 1000), st.sampled_from([1, 2, 16, 50, 200, 1000, np.inf])
    ),
    scale=st.sampled_from([1e-30, 1e-6, 1, 1e6, 1e30]),
    seed=st.integers(0, 1000),
)
def test_norms_of_any_order_and_scale(ord, scale, seed):
    """Against float64, where neither the power nor the sum underflows."""
    assume(ord != 2 or 1e-6 <= scale <= 1e6)  # NumPy's own, in float32
    rng = np.random.default_rng(seed)
    vectors = (scale * rng.normal(size=(3, 784))).astype("float32")
    vectors[0, 1:] = 0
    found = attacks.lp_norms(vectors, ord)
    exact = vectors.astype("float64") / scale
    largest = np.abs(exact).max(axis=1)
    expected = (
        largest
        if ord == np.inf
        else largest
        * ((np.abs(exact) / largest[:, None]) ** ord).sum(axis=1) ** (1 / ord)
    )
    assert np.isfinite(found).all()
    assert found / scale == pytest.approx(expected, rel=1e-4)
    assert (attacks.lp_norms(np.zeros((2, 5), "float32"), ord) == 0).all()


@pytest.mark.slow
def test_norms_do_not_underflow_for_a_large_order(lenet5, digits):
    result = dfal.deepfool(lenet5, digits[:20], ord=50)
    assert result.success.all()
    largest = np.abs(result.perturbations).reshape(20, -1).max(axis=1)
    assert (result.norms >= largest).all()


@pytest.fixture(scope="module")
def many_classes(mnist):
    """A network for 100 classes: digits, each in ten horizontal positions."""
    (x, y), _ = mnist
    x, y = x[:2000].astype("float32") / 255, y[:2000]
    shifted = np.concatenate([np.roll(x, 2 * k, axis=2) for k in range(10)])
    labels = np.concatenate([10 * k + y for k in range(10)])
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(100, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(shifted, labels, epochs=3, batch_size=128, verbose=0)
    assert model.evaluate(shifted, labels, verbose=0)[1] > 0.6
    return model


@pytest.mark.slow
def test_the_ten_likeliest_classes_are_compared_by_default(many_classes, digits):
    x = digits[:100]
    default = dfal.deepfool(many_classes, x)
    ten = dfal.deepfool(many_classes, x, num_classes=10)
    assert np.array_equal(default.perturbations, ten.perturbations)
    every = dfal.deepfool(many_classes, x, num_classes=100)
    # The nearest face rarely belongs to a class outside the ten likeliest.
    is_equal = np.isclose(default.norms, every.norms, rtol=1e-3)
    assert is_equal.mean() > 0.95
    assert np.median(default.norms / every.norms) == pytest.approx(1, abs=1e-3)


def test_all_classes_are_compared_up_to_ten(lenet5, digits):
    default = dfal.deepfool(lenet5, digits[:20])
    every = dfal.deepfool(lenet5, digits[:20], num_classes=10)
    assert np.array_equal(default.perturbations, every.perturbations)


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_batch_size_does_not_change_the_attack(lenet5, digits, batch_size):
    expected = dfal.deepfool(lenet5, digits[:20], batch_size=20)
    found = dfal.deepfool(lenet5, digits[:20], batch_size=batch_size)
    assert found.norms == pytest.approx(expected.norms, rel=1e-3)
