"""One contract for every strategy, and each one's own formula."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers
from skactiveml.pool import average_kl_divergence, k_greedy_center

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.backend import inference, mc_dropout
from dfal_keras.backend.loss_gradients import gradient_lengths
from dfal_keras.pools import Subset
from dfal_keras.strategies.bald import mutual_information
from dfal_keras.strategies.uncertainty import entropy

NAMES = ["dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random"]


def softmax_model():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def logits_model():
    return keras.Sequential([*softmax_model().layers[:-1], layers.Dense(3)])


def batch_norm_model():
    inputs = keras.Input((4, 4, 1))
    outputs = layers.BatchNormalization()(layers.Rescaling(1 / 255)(inputs))
    outputs = layers.Dense(8, activation="relu")(layers.Flatten()(outputs))
    outputs = layers.Dropout(0.5)(layers.BatchNormalization()(outputs))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(3)(outputs)))


@pytest.fixture(scope="module", params=[softmax_model, logits_model, batch_norm_model])
def model(request, blobs):
    keras.utils.set_random_seed(0)
    model = request.param()
    model.build((None, 4, 4, 1))
    from_logits = request.param is logits_model
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
    )
    model.fit(*blobs, epochs=2, verbose=0)
    return model


@pytest.fixture(params=NAMES)
def strategy(request):
    return strategies.get(request.param)


def ask(strategy, model, x, seed=0, **options):
    return strategy.query(
        model, x, 10, rng=np.random.default_rng(seed), **{"x_labeled": x[:5], **options}
    )


def test_a_query_is_valid(strategy, model, blobs):
    x = blobs[0][:80]
    query = ask(strategy, model, x)
    assert query.indices.shape == (10,)
    assert query.indices.dtype.kind == "i"
    assert len(set(query.indices)) == 10
    assert query.indices.min() >= 0
    assert query.indices.max() < 80
    if query.scores is not None:
        assert query.scores.shape == (10,)
        assert np.isfinite(query.scores).all()
    if query.adversarial_examples is not None:
        assert query.adversarial_examples.shape == (10, 4, 4, 1)
        assert np.isfinite(query.adversarial_examples).all()
    assert query.pseudo_indices.shape == query.pseudo_labels.shape
    assert not set(query.pseudo_indices) & set(query.indices)


def test_same_seed_same_query(strategy, model, blobs):
    x = blobs[0][:80]
    assert (ask(strategy, model, x).indices == ask(strategy, model, x).indices).all()


def test_the_order_of_the_candidates_does_not_matter(strategy, model, blobs):
    if isinstance(strategy, strategies.Random | strategies.BALD):
        pytest.skip("draws for each position")
    if isinstance(strategy, strategies.CoreSet):
        pytest.skip("several covers are optimal: see test_core_set_covers_best")
    x = blobs[0][:80]
    order = np.random.default_rng(1).permutation(80)
    query = ask(strategy, model, x)
    permuted = ask(strategy, model, x[order])
    assert set(order[permuted.indices]) == set(query.indices)


def test_a_view_of_a_pool_is_as_good_as_an_array(strategy, model, blobs):
    rows = np.random.default_rng(1).permutation(300)[:80]
    array = ask(strategy, model, blobs[0][rows])
    view = ask(strategy, model, Subset(blobs[0], rows), x_labeled=blobs[0][rows[:5]])
    assert (array.indices == view.indices).all()


def test_the_model_is_left_as_it_was(strategy, model, blobs):
    def state():
        seeds = [np.array(variable) for variable in model.non_trainable_variables]
        return [*model.get_weights(), *seeds]

    before, compiled = state(), (model.optimizer, model.loss, model.compiled)
    trainable = [layer.trainable for layer in model.layers]
    iterations = int(model.optimizer.iterations.numpy())
    ask(strategy, model, blobs[0][:80])
    assert all((a == b).all() for a, b in zip(before, state(), strict=True))
    assert compiled == (model.optimizer, model.loss, model.compiled)
    assert trainable == [layer.trainable for layer in model.layers]
    assert iterations == int(model.optimizer.iterations.numpy())


def test_all_candidates_can_be_asked_for(strategy, model, blobs):
    query = ask(strategy, model, blobs[0][:10])
    assert sorted(query.indices) == list(range(10))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"num_queries": 81}, "num_queries"),
        ({"num_queries": 0}, "num_queries"),
        ({"num_queries": 2.5}, "num_queries"),
        ({"x_unlabeled": np.zeros((0, 4, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.zeros((80, 5, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.full((80, 4, 4, 1), np.nan)}, "x_unlabeled"),
        ({"x_labeled": np.zeros((8, 5, 4, 1))}, "x_labeled"),
        ({"model": None}, "model"),
    ],
)
def test_bad_arguments(strategy, blobs, changed, named):
    good = {
        "model": softmax_model(),
        "x_unlabeled": blobs[0][:80],
        "num_queries": 10,
        "x_labeled": blobs[0][:5],
    }
    with pytest.raises(ValueError, match=f"`{named}`.*Received: "):
        strategy.query(**{**good, **changed})


def test_a_model_of_nan_gives_an_error_or_no_ranking_by_nan(strategy, blobs):
    model = softmax_model()
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    if isinstance(strategy, strategies.Random | strategies.CoreSet):
        pytest.skip("does not look at the outputs")
    with pytest.raises(ValueError, match="`model`.*finite.*Received: "):
        ask(strategy, model, blobs[0][:80])


def test_get():
    assert isinstance(strategies.get("dfal", num_candidates=7), strategies.DFAL)
    assert strategies.get("dfal", num_candidates=7).num_candidates == 7
    own = strategies.Random()
    assert strategies.get(own) is own
    for wrong in ("DeepFool", None, 3, strategies.Random):
        with pytest.raises(ValueError, match="one of.*'dfal'.*Received: "):
            strategies.get(wrong)


def test_entropy_has_its_closed_form():
    rows = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [1e-40, 1, 0, 0]])
    expected = [0, np.log(4), np.log(2), 0]
    assert entropy(rows) == pytest.approx(expected, abs=1e-12)
    assert not np.signbit(entropy(rows[0]))


def test_uncertainty_asks_for_the_highest_entropy_and_certain_samples_last():
    def one_hot_for_the_first_five(images):
        return images * 1000

    x = np.eye(3, dtype="float32")[np.arange(10) % 3]
    x[5:] = 1 / 3 + np.arange(5)[:, None] * np.array([1e-4, 0, -1e-4])
    query = strategies.Uncertainty().query(one_hot_for_the_first_five, x, 10)
    assert list(query.indices[:5]) == [5, 6, 7, 8, 9]
    assert query.scores[0] == pytest.approx(np.log(3))
    assert query.scores[5:] == pytest.approx(np.zeros(5))


def test_random_is_uniform():
    rng = np.random.default_rng(0)
    x = np.zeros((20, 1), "float32")
    counts = np.zeros(20)
    for _ in range(1000):
        query = strategies.Random().query(lambda x: x, x, 5, rng=rng)
        counts[query.indices] += 1
    assert (np.abs(counts - 250) < 5 * np.sqrt(250 * 0.75)).all()


def test_dfal_asks_for_the_smallest_perturbations_and_returns_their_twins(
    lenet5, digits
):
    attack = dfal.deepfool(lenet5, digits[:50])
    query = strategies.DFAL().query(lenet5, digits[:50], num_queries=10)
    closest = np.argsort(attack.norms)[:10]
    assert (query.indices == closest).all()
    assert query.scores == pytest.approx(np.sort(attack.norms)[:10], rel=1e-4)
    expected = digits[closest] + attack.perturbations[closest]
    assert query.adversarial_examples == pytest.approx(expected, abs=1e-4)
    ablation = strategies.DFAL(adversarial=False).query(lenet5, digits[:50], 10)
    assert (ablation.indices == query.indices).all()
    assert ablation.adversarial_examples is None


def test_dfal_never_asks_for_an_unfooled_sample_before_a_fooled_one(lenet5, digits):
    one_step = dfal.deepfool(lenet5, digits[:50], max_steps=1)
    num_fooled = int(one_step.success.sum())
    query = strategies.DFAL(max_steps=1).query(lenet5, digits[:50], num_fooled)
    assert 0 < num_fooled < 50
    assert one_step.success[query.indices].all()


@pytest.fixture(scope="module")
def noisy():
    """Dropout on the pixels, then a linear layer: the noise has a closed form."""
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dropout(0.25), layers.Dense(2, use_bias=False)]
    )
    model.build()
    return model


def test_bald_samples_dropout_and_nothing_else(noisy):
    """A pixel is 0 or x / (1 - p), so Var f = sum w^2 x^2 p / (1 - p)."""
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    passes = mc_dropout.predict_logits(
        noisy, x, num_samples=4000, rng=np.random.default_rng(0)
    )
    weights = np.array(noisy.layers[-1].kernel)
    assert passes.shape == (4000, 5, 2)
    assert passes.mean(axis=0) == pytest.approx(x @ weights, abs=0.08)
    assert passes.var(axis=0) == pytest.approx(x**2 @ weights**2 / 3, rel=0.1)


def test_bald_runs_batch_normalization_and_augmentation_as_in_inference(blobs):
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.Sequential([layers.RandomFlip(), layers.RandomTranslation(0.5, 0.5)]),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(1e-12),
            layers.Dense(3),
        ]
    )
    model.compile("adam", "mse")
    model.fit(blobs[0], np.zeros((300, 3)), verbose=0)
    x = blobs[0][:9]
    rng = np.random.default_rng(0)
    passes = mc_dropout.predict_logits(model, x, num_samples=3, rng=rng)
    expected = np.array(model(x, training=False))
    assert passes == pytest.approx(np.stack([expected] * 3), rel=1e-4, abs=1e-5)


def test_bald_needs_noise():
    silent = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="must have layers of noise"):
        strategies.BALD().query(silent, np.zeros((9, 6)), 2)


def test_mutual_information_equals_scikit_activeml():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(4, 0.3), size=(10, 50))
    ours = mutual_information(probabilities)
    assert ours == pytest.approx(average_kl_divergence(probabilities), abs=1e-6)


def test_mutual_information_of_certain_samples_is_zero_not_nan():
    one_hot = np.eye(3)[np.zeros((10, 4), int)]
    one_hot[::2, 3] = [0, 1, 0]  # half of the networks say otherwise
    scores = mutual_information(one_hot)
    assert scores[:3] == pytest.approx(np.zeros(3))
    assert scores[3] == pytest.approx(np.log(2))


def test_ceal_pseudo_labels_what_the_model_is_sure_of(lenet5, digits):
    query = strategies.CEAL(threshold=0.05).query(lenet5, digits, 10)
    plain = strategies.Uncertainty().query(lenet5, digits, 10)
    probabilities = inference.predict_probabilities(lenet5, digits)
    sure = entropy(probabilities) < 0.05
    assert (query.indices == plain.indices).all()
    assert set(query.pseudo_indices) == set(np.flatnonzero(sure)) - set(query.indices)
    assert 0 < len(query.pseudo_indices) < len(digits) - 10
    predicted = probabilities.argmax(axis=1)[query.pseudo_indices]
    assert (query.pseudo_labels == predicted).all()


def test_ceal_never_pseudo_labels_what_it_asks_for(lenet5, digits):
    query = strategies.CEAL(threshold=10).query(lenet5, digits, 10)
    assert len(query.pseudo_indices) == len(digits) - 10
    assert not set(query.indices) & set(query.pseudo_indices)
    assert not len(strategies.CEAL(threshold=0).query(lenet5, digits, 10).pseudo_labels)


def test_ceal_pseudo_labels_below_the_threshold_not_at_it():
    def identity(images):
        return images

    logits = np.array([[0, 0], [0, 0.5], [0, 1], [0, 2]], "float32")
    entropies = entropy(inference.softmax(logits))
    for threshold, expected in (
        (entropies[2], [3]),
        (np.nextafter(entropies[2], np.float32(1)), [2, 3]),
        (entropies[2] + 5e-4, [2, 3]),
        (entropies[2] - 5e-4, [3]),
    ):
        strategy = strategies.CEAL(threshold=float(threshold))
        query = strategy.query(identity, logits, 1)
        assert query.pseudo_indices.tolist() == expected


def test_ceal_thins_pseudo_labels_at_random(lenet5, digits):
    strategy = strategies.CEAL(threshold=10, max_ratio=0.5)
    drawn = [
        strategy.query(
            lenet5, digits, 10, x_labeled=digits[:15], rng=np.random.default_rng(seed)
        )
        for seed in (0, 0, 1)
    ]
    assert [len(set(query.pseudo_indices)) for query in drawn] == [7, 7, 7]
    assert set(drawn[0].pseudo_indices) == set(drawn[1].pseudo_indices)
    assert set(drawn[0].pseudo_indices) != set(drawn[2].pseudo_indices)
    with pytest.raises(ValueError, match="`x_labeled` must be given"):
        strategy.query(lenet5, digits, 10)


def test_ceal_pseudo_labels_in_a_random_subset(lenet5, digits):
    everywhere = strategies.CEAL(threshold=0.3).query(lenet5, digits, 10)
    strategy = strategies.CEAL(threshold=0.3, num_pseudo_candidates=100)
    drawn = [
        strategy.query(lenet5, digits, 10, rng=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    sure = dict(zip(everywhere.pseudo_indices, everywhere.pseudo_labels, strict=True))
    for query in drawn:
        assert (query.indices == everywhere.indices).all()
        assert set(query.pseudo_indices) < sure.keys()
        labels = [sure[index] for index in query.pseudo_indices]
        assert (query.pseudo_labels == labels).all()
        share = len(query.pseudo_indices) / len(sure)
        assert 0.25 < share < 0.55  # 100 of 256
    assert (drawn[0].pseudo_indices == drawn[1].pseudo_indices).all()
    assert set(drawn[0].pseudo_indices) != set(drawn[2].pseudo_indices)
    for size in (256, 1000):
        strategy = strategies.CEAL(threshold=0.3, num_pseudo_candidates=size)
        query = strategy.query(lenet5, digits, 10)
        assert (query.pseudo_indices == everywhere.pseudo_indices).all()


def test_ceal_never_pseudo_labels_more_than_its_subset(lenet5, digits):
    """All are below the threshold: what is queried counts in the subset too."""
    x_labeled = digits[:40]
    strategy = strategies.CEAL(threshold=10, num_pseudo_candidates=50)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        query = strategy.query(lenet5, digits, 100, rng=rng)
        assert 10 < len(query.pseudo_indices) < 50
    strategy = strategies.CEAL(threshold=10, num_pseudo_candidates=50, max_ratio=0.5)
    query = strategy.query(lenet5, digits, 10, x_labeled=x_labeled)
    assert len(query.pseudo_indices) == 20


@pytest.mark.parametrize("expectation", ["norm", "uniform"])
def test_egl_equals_a_loop_over_samples_and_classes(lenet5, digits, expectation):
    loss = keras.losses.SparseCategoricalCrossentropy()
    lengths = gradient_lengths(lenet5, digits[:6], expectation)
    for image, length in zip(digits[:6], lengths, strict=True):
        gradients = []
        for label in range(10):
            with tf.GradientTape() as tape:
                value = loss(np.array([label]), lenet5(image[None]))
            rows = tape.gradient(value, [v.value for v in lenet5.trainable_variables])
            gradients.append(np.concatenate([np.ravel(row) for row in rows]))
        if expectation == "uniform":
            expected = np.linalg.norm(np.mean(gradients, axis=0))
        else:
            probabilities = np.array(lenet5(image[None]))[0]
            expected = probabilities @ np.linalg.norm(gradients, axis=1)
        assert length == pytest.approx(expected, rel=1e-3)


def clipped_lengths(model, x, epsilon=1e-7):
    """Literally: the mean over one-hot targets of the clipped loss's gradients."""
    weights = [variable.value for variable in model.trainable_variables]
    lengths = []
    for image in x:
        total = 0
        for label in range(10):
            with tf.GradientTape() as tape:
                probability = model(image[None], training=False)[0, label]
                loss = -tf.math.log(tf.clip_by_value(probability, epsilon, 1 - epsilon))
            rows = tape.gradient(loss, weights)
            total += np.concatenate([np.ravel(row) for row in rows]).astype("float64")
        lengths.append(np.linalg.norm(total / 10))
    return np.array(lengths)


@pytest.mark.parametrize("scale", [None, 1, 2, 10])
def test_egl_uniform_is_the_gradient_of_the_clipped_loss(lenet5, digits, scale):
    """On a fresh network, a trained one, and such as are sure beyond reason."""
    keras.utils.set_random_seed(1)
    model = dfal.models.LeNet5(include_preprocessing=False)
    x = digits[:12]
    if scale is not None:
        *others, kernel, bias = lenet5.get_weights()
        model.set_weights([*others, kernel * scale, bias * scale])
    probabilities = inference.predict_probabilities(model, x)
    is_clipped = (probabilities < 1e-7) | (probabilities > 1 - 1e-7)
    shares = {None: (0, 0), 1: (0, 0.2), 2: (0.2, 0.8), 10: (0.8, 1)}
    low, high = shares[scale]
    assert low <= is_clipped.mean() <= high
    lengths = gradient_lengths(model, x, "uniform")
    assert lengths == pytest.approx(clipped_lengths(model, x), rel=1e-3, abs=1e-6)
    plain = gradient_lengths(model, x, "uniform", epsilon=0)
    is_whole = ~is_clipped.any(axis=1)
    assert lengths[is_whole] == pytest.approx(plain[is_whole], rel=1e-6)
    if scale == 2:
        assert (np.abs(lengths - plain) > 0.1 * plain).any()


def test_egl_uniform_of_a_certain_sample_is_zero():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    model.set_weights([np.zeros((4, 3)), np.array([100.0, 0, 0])])
    query = strategies.EGL(expectation="uniform").query(model, np.ones((3, 4)), 2)
    assert (query.scores == 0).all()
    plain = strategies.EGL(expectation="uniform", epsilon=0)
    assert (plain.query(model, np.ones((3, 4)), 2).scores > 0.5).all()


def test_egl_uniform_counts_classes_at_the_limits_themselves():
    """Exactly epsilon and 1 - epsilon, as the clip does: grad = (sum t) p - t."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2, use_bias=False)])
    model.set_weights([np.array([[0.0, np.log(3)]])])
    p = np.array([0.25, 0.75])
    for epsilon, counts in ((0.25, [1, 1]), (0.2501, [0, 0]), (0.2499, [1, 1])):
        lengths = gradient_lengths(
            model, np.ones((1, 1), "float32"), "uniform", epsilon=epsilon
        )
        t = np.array(counts) / 2
        assert lengths == pytest.approx([np.linalg.norm(t.sum() * p - t)], abs=1e-6)


def test_egl_equals_finite_differences():
    """For p = softmax(W x): dloss/dW = (p - e_k) x, each entry by differences."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    x = np.random.default_rng(0).normal(size=(1, 4)).astype("float32")
    kernel, bias = model.get_weights()
    squares = np.zeros(3)
    step = 1e-2
    for weights in (kernel, bias):
        for place in np.ndindex(weights.shape):
            kept, losses = weights[place], []
            for sign in (1, -1):
                weights[place] = kept + sign * step
                model.set_weights([kernel, bias])
                losses.append(-np.log(np.array(model(x))[0]))
            weights[place] = kept
            squares += ((losses[0] - losses[1]) / (2 * step)) ** 2
    model.set_weights([kernel, bias])
    expected = np.array(model(x))[0] @ np.sqrt(squares)
    assert gradient_lengths(model, x, "norm")[0] == pytest.approx(expected, rel=1e-2)


def test_egl_readings_rank_the_opposite_way(lenet5, digits):
    """Settles' prefers samples of high entropy, the authors' those of low entropy."""
    entropies = entropy(inference.predict_probabilities(lenet5, digits))
    ranks = {
        expectation: pd.Series(gradient_lengths(lenet5, digits, expectation)).corr(
            pd.Series(entropies), method="spearman"
        )
        for expectation in ("norm", "uniform")
    }
    assert ranks["norm"] > 0.9
    assert ranks["uniform"] < -0.3


def test_egl_is_traced_once(digits, traced_functions):
    model = dfal.models.LeNet5(include_preprocessing=False)
    for num_samples in (1, 20, 150):
        gradient_lengths(model, digits[:num_samples], "uniform")
    counts = [each.experimental_get_tracing_count() for each in traced_functions]
    assert counts == [1, 1]  # the logits and the norms


def covering_radius(features, centers):
    distances = np.linalg.norm(features[:, None] - features[centers], axis=2)
    return distances.min(axis=1).max()


def test_core_set_covers_best(lenet5, digits):
    x, x_labeled = digits[:100], digits[100:120]
    features = inference.predict_features(lenet5, digits[:120])
    assert features.shape == (120, 10)
    labeled = np.arange(100, 120)

    def radius(**options):
        strategy = strategies.CoreSet(**options)
        query = strategy.query(lenet5, x, 10, x_labeled=x_labeled)
        return covering_radius(features, np.append(query.indices, labeled))

    labels = np.where(np.arange(120) < 100, np.nan, 0)
    greedy, _ = k_greedy_center(features, labels, batch_size=10)
    expected = covering_radius(features, np.append(greedy, labeled))
    assert radius(method="greedy") == pytest.approx(expected, rel=1e-5)
    best = radius()
    assert expected / 2 <= best < expected
    assert radius(formulation="literal", time_limit=30) <= expected
    order = np.random.default_rng(0).permutation(100)
    permuted = strategies.CoreSet().query(lenet5, x[order], 10, x_labeled=x_labeled)
    centers = np.append(order[permuted.indices], labeled)
    assert covering_radius(features, centers) == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize(
    ("features", "describe"),
    [
        ("penultimate", inference.predict_features),
        ("outputs", inference.predict_logits),
        ("probabilities", inference.predict_probabilities),
    ],
)
def test_core_set_covers_the_features_that_it_is_told(
    lenet5, digits, features, describe
):
    expected, _ = k_greedy_center(
        describe(lenet5, digits[:120]),
        np.where(np.arange(120) < 100, np.nan, 0),
        batch_size=10,
    )
    strategy = strategies.CoreSet(features=features, method="greedy")
    query = strategy.query(lenet5, digits[:100], 10, x_labeled=digits[100:120])
    assert query.indices.tolist() == expected.tolist()
    assert strategies.CoreSet().features == "penultimate"


def test_core_set_keeps_away_from_the_labeled():
    def identity(images):
        return images

    x = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]], "float32")
    strategy = strategies.CoreSet(features="outputs")
    for corner in range(4):
        query = strategy.query(identity, x, 1, x_labeled=np.delete(x, corner, axis=0))
        assert query.indices == [corner]


def test_core_set_allows_a_share_of_outliers():
    x = np.array([[0.0, 0], [1, 0], [2, 0], [100, 0]], "float32")
    chosen = {
        share: strategies.CoreSet(features="outputs", outlier_share=share)
        .query(lambda images: images, x, 1)
        .indices.tolist()
        for share in (0.0, 0.25)
    }
    assert chosen == {0.0: [2], 0.25: [1]}


def test_core_set_counts_the_labeled_among_what_it_covers():
    """One of eight points may be left out, which is none of four candidates."""
    x = np.array([[0.0, 0], [1, 0], [2, 0], [100, 0]], "float32")
    x_labeled = np.full((4, 2), [30, 0], "float32")
    for share, chosen in ((0.125, 1), (0.124, 3)):
        strategy = strategies.CoreSet(features="outputs", outlier_share=share)
        query = strategy.query(lambda images: images, x, 1, x_labeled=x_labeled)
        assert query.indices == [chosen]


@pytest.mark.parametrize(
    ("make", "options", "named"),
    [
        (strategies.DFAL, {"num_candidates": 0}, "num_candidates"),
        (strategies.BALD, {"num_candidates": 2.5}, "num_candidates"),
        (strategies.BALD, {"num_samples": 1}, "num_samples"),
        (strategies.CEAL, {"threshold": -0.1}, "threshold"),
        (strategies.CEAL, {"threshold": np.nan}, "threshold"),
        (strategies.CEAL, {"threshold": "0.05"}, "threshold"),
        (strategies.CEAL, {"max_ratio": -1}, "max_ratio"),
        *(
            (strategies.CEAL, {"num_pseudo_candidates": n}, "num_pseudo_candidates")
            for n in (0, -3, 2.5, True, "300")
        ),
        *(
            (strategies.EGL, {"epsilon": epsilon}, "epsilon")
            for epsilon in (-1e-7, 0.5, np.nan, "1e-7", None)
        ),
        (strategies.EGL, {"expectation": "mean"}, "expectation"),
        (strategies.EGL, {"num_candidates": 0}, "num_candidates"),
        (strategies.CoreSet, {"features": "pixels"}, "features"),
        (strategies.CoreSet, {"method": "mip"}, "method"),
        (strategies.CoreSet, {"formulation": "sparse"}, "formulation"),
        (strategies.CoreSet, {"outlier_share": 1}, "outlier_share"),
        (strategies.CoreSet, {"time_limit": -1}, "time_limit"),
        (strategies.CoreSet, {"time_limit": np.inf}, "time_limit"),
    ],
)
def test_bad_options(make, options, named):
    with pytest.raises(ValueError, match=f"`{named}` must be.*Received: {named}="):
        make(**options)
