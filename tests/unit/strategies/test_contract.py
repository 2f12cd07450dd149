"""The contract of all strategies: valid queries, and bad arguments rejected by name."""

import functools

import keras
import numpy as np
import pandas as pd
import pytest
from helpers import bad_calls, models

from dfal_keras import strategies
from dfal_keras.backend import inference
from dfal_keras.pools import Subset
from dfal_keras.strategies import skactiveml_query

NAMES = [
    *("dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random"),
    *("diverse_dfal", "cost_effective_dfal", *skactiveml_query.NAMES),
]
# Those of scikit-activeml that draw no random numbers.
DETERMINISTIC = ("margin", "least_confidence", "contrastive", "max_herding")


@pytest.fixture(scope="module")
def model(blobs):
    """A trained model. `test_every_model.py` has those of other kinds."""
    keras.utils.set_random_seed(0)
    model = models.with_normalization()
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(*blobs, epochs=2, verbose=0)
    return model


@pytest.fixture(params=NAMES)
def strategy(request):
    return strategies.get(request.param)


def run_query(strategy, model, x, seed=0, **options):
    return strategy.query(
        model, x, 10, rng=np.random.default_rng(seed), **{"x_labeled": x[:5], **options}
    )


def test_a_query_is_valid(strategy, model, blobs):
    x = blobs[0][:80]
    query = run_query(strategy, model, x)
    assert query.indices.shape == (10,)
    assert query.indices.dtype.kind == "i"
    assert len(set(query.indices)) == 10
    assert query.indices.min() >= 0
    assert query.indices.max() < 80
    if query.scores is not None:
        assert query.scores.shape == (10,)
        assert np.isfinite(query.scores).all()
    if query.companions is not None:
        assert query.companions.shape == (10, 4, 4, 1)
        assert np.isfinite(query.companions).all()
    assert query.pseudo_indices.shape == query.pseudo_labels.shape
    assert not set(query.pseudo_indices) & set(query.indices)


def test_same_seed_same_query(strategy, model, blobs):
    x = blobs[0][:80]
    assert (
        run_query(strategy, model, x).indices == run_query(strategy, model, x).indices
    ).all()


def test_the_order_of_the_candidates_does_not_matter(strategy, model, blobs):
    if isinstance(strategy, strategies.Random | strategies.BALD):
        pytest.skip("draws for each position")
    name = getattr(strategy, "query_strategy", None)
    if name is not None and name not in DETERMINISTIC:
        pytest.skip("draws for each position")
    if isinstance(strategy, strategies.CoreSet):
        pytest.skip("several covers are optimal: see test_core_set_covers_best")
    x = blobs[0][:80]
    order = np.random.default_rng(1).permutation(80)
    query = run_query(strategy, model, x)
    permuted = run_query(strategy, model, x[order], x_labeled=x[:5])
    assert set(order[permuted.indices]) == set(query.indices)


def test_a_view_of_a_pool_gives_the_same_query_as_an_array(strategy, model, blobs):
    rows = np.random.default_rng(1).permutation(300)[:80]
    array = run_query(strategy, model, blobs[0][rows])
    view = run_query(
        strategy, model, Subset(blobs[0], rows), x_labeled=blobs[0][rows[:5]]
    )
    assert (array.indices == view.indices).all()


def test_the_model_is_left_as_it_was(strategy, model, blobs):
    def state():
        seeds = [np.array(variable) for variable in model.non_trainable_variables]
        return [*model.get_weights(), *seeds]

    before, compiled = state(), (model.optimizer, model.loss, model.compiled)
    trainable = [layer.trainable for layer in model.layers]
    iterations = int(model.optimizer.iterations.numpy())
    run_query(strategy, model, blobs[0][:80])
    assert all((a == b).all() for a, b in zip(before, state(), strict=True))
    assert compiled == (model.optimizer, model.loss, model.compiled)
    assert trainable == [layer.trainable for layer in model.layers]
    assert iterations == int(model.optimizer.iterations.numpy())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "random"])
def test_the_batch_size_reaches_every_prediction(name, model, blobs, largest_batch):
    x = blobs[0][:80]
    expected = run_query(strategies.get(name), model, x)
    assert largest_batch() > 7
    found = run_query(strategies.get(name, batch_size=7), model, x)
    assert largest_batch() == 7
    if name not in ("bald", "batch_bald"):  # whose noise is drawn for each batch
        assert (found.indices == expected.indices).all()


@pytest.fixture
def largest_batch(monkeypatch):
    """Return a function: the largest batch that was predicted since it was called."""
    sizes = []
    original = inference.float_batches

    def recording(x, batch_size):
        for batch in original(x, batch_size):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr(inference, "float_batches", recording)

    def largest():
        size = max(sizes)
        sizes.clear()
        return size

    return largest


def test_all_candidates_can_be_queried(strategy, model, blobs):
    query = run_query(strategy, model, blobs[0][:10])
    assert sorted(query.indices) == list(range(10))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"num_queries": 81}, "num_queries"),
        ({"num_queries": 0}, "num_queries"),
        ({"num_queries": 2.5}, "num_queries"),
        ({"num_queries": True}, "num_queries"),
        ({"num_queries": "3"}, "num_queries"),
        ({"x_unlabeled": np.zeros((0, 4, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.zeros((80, 5, 4, 1))}, "x_unlabeled"),
        ({"x_unlabeled": np.full((80, 4, 4, 1), np.nan)}, "x_unlabeled"),
        ({"x_unlabeled": np.full((80, 4, 4, 1), 1e300)}, "x_unlabeled"),
        ({"x_unlabeled": np.zeros((80, 4, 4, 1), "datetime64[s]")}, "x_unlabeled"),
        ({"x_unlabeled": pd.DataFrame(np.zeros((80, 16)))}, "x_unlabeled"),
        ({"x_labeled": np.zeros((8, 5, 4, 1))}, "x_labeled"),
        ({"x_labeled": np.full((8, 4, 4, 1), np.nan)}, "x_labeled"),
        ({"x_labeled": "labeled.npy"}, "x_labeled"),
        ({"rng": 3}, "rng"),
        ({"rng": np.random.RandomState(0)}, "rng"),
        ({"model": None}, "model"),
    ],
)
@pytest.mark.parametrize("name", ["random", "core_set"])
def test_a_bad_query_is_rejected(name, model, blobs, changed, named):
    arguments = {
        "model": model,
        "x_unlabeled": blobs[0][:80],
        "num_queries": 10,
        "x_labeled": blobs[0][:5],
    }
    call = functools.partial(strategies.get(name).query, **{**arguments, **changed})
    bad_calls.check_rejected(named, call)


def test_all_strategies_check_their_arguments_in_the_same_way(strategy):
    assert type(strategy).query is strategies.Strategy.query


@pytest.mark.parametrize(
    ("strategy", "weight", "pixel"),
    [
        ("egl", 0, 1e30),  # gradients overflow
        ("dfal", 1, 3e38),  # outputs overflow
    ],
)
def test_numbers_that_overflow_are_rejected(strategy, weight, pixel):
    model = models.linear(3, "softmax", weights=np.full((16, 3), weight))
    x = np.full((20, 4, 4, 1), pixel)
    call = functools.partial(strategies.get(strategy).query, model, x, 3)
    bad_calls.check_rejected("model", call)


@pytest.mark.parametrize("strategy", ["bald", "egl", "core_set"])
def test_a_function_has_no_dropout_weights_or_features(strategy):
    def model(images):
        return images[:, :, 0, 0]

    call = functools.partial(strategies.get(strategy).query, model, bad_calls.IMAGES, 3)
    bad_calls.check_rejected("model", call)


def test_a_truncated_file_is_rejected(tmp_path):
    bad_calls.write_files(tmp_path)
    call = functools.partial(
        strategies.Random().query,
        models.linear(3),
        tmp_path / "cut.npy",
        num_queries=3,
    )
    bad_calls.check_rejected("x_unlabeled", call, tmp_path)


# On some processors, ReLU makes 0 of NaN: then features or outputs are finite.
NAN_WEIGHTS = {
    "all": slice(None),
    "the first layer's": slice(0, 2),
    "the last layer's": slice(-2, None),
    "one": slice(-1, None),
}


@pytest.mark.parametrize("which", NAN_WEIGHTS)
def test_a_model_with_nan_in_its_weights_is_refused(strategy, which, blobs):
    model = models.dense()
    weights = model.get_weights()
    for array in weights[NAN_WEIGHTS[which]]:
        array.flat[0] = np.nan
    model.set_weights(weights)
    with pytest.raises(ValueError, match="`model`.*finite.*Received: .*NaN"):
        run_query(strategy, model, blobs[0][:80])


BAD_OPTIONS = [
    (make, name, value)
    for make, name, values in [
        (strategies.DFAL, "num_candidates", (0, None, True)),
        (strategies.DFAL, "ord", (0.5, -np.inf, np.nan, None, "2")),
        (strategies.DFAL, "max_steps", (0, 50.0, True, None)),
        (strategies.DFAL, "overshoot", (-1, np.inf, np.nan, None)),
        (strategies.DFAL, "bounds", ((1, 1), (0, np.nan), (0, None), (0, 1, 2), 5)),
        (strategies.DFAL, "num_classes", (1, 2.5, "all")),
        (strategies.DFAL, "step_offset", (-1e-4, np.inf, np.nan, "0")),
        (strategies.DFAL, "num_closest", (0, 2.5, True, "auto")),
        (strategies.DFAL, "first_look", (0, 2.5, True)),
        *(
            (strategy, "batch_size", (0, 2.5, "all"))
            for strategy in (
                strategies.BALD,
                strategies.CEAL,
                strategies.CoreSet,
                strategies.CostEffectiveDFAL,
                strategies.DFAL,
                strategies.DiverseDFAL,
                strategies.EGL,
                strategies.Uncertainty,
            )
        ),
        (strategies.DiverseDFAL, "oversampling", (0.9, np.nan, np.inf, "5")),
        (strategies.DiverseDFAL, "ord", (0.5,)),
        (strategies.CostEffectiveDFAL, "max_ratio", (-1, np.nan, None)),
        (strategies.CostEffectiveDFAL, "max_share", (-0.1, 1.1, np.nan, None)),
        (strategies.EGL, "num_classes", (0, 2.5)),
        (strategies.BALD, "num_candidates", (0, 2.5)),
        (strategies.BALD, "num_samples", (1, True)),
        (strategies.CEAL, "threshold", (-0.1, np.nan, "0.05", None)),
        (strategies.CEAL, "max_ratio", (-1, np.nan, "")),
        (strategies.CEAL, "num_pseudo_candidates", (0, -3, 2.5, True, "300")),
        (strategies.EGL, "num_candidates", (0,)),
        (strategies.EGL, "expectation", ("mean", None)),
        (strategies.EGL, "epsilon", (-1e-7, 0.5, np.nan, "1e-7", None)),
        (strategies.CoreSet, "num_candidates", (0,)),
        (strategies.CoreSet, "features", ("pixels", ["penultimate"])),
        (strategies.CoreSet, "method", ("mip", None)),
        (strategies.CoreSet, "formulation", ("sparse",)),
        (strategies.CoreSet, "outlier_share", (-0.1, 1, np.nan)),
        (strategies.CoreSet, "time_limit", (0, -1, np.inf, np.nan)),
    ]
    for value in values
]


@pytest.mark.parametrize(("make", "name", "value"), BAD_OPTIONS)
def test_a_bad_option_is_rejected_at_construction(make, name, value):
    bad_calls.check_option_rejected(make, name, value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: strategies.DFAL(max_step=3),
        lambda: strategies.DFAL(model=None),
        lambda: strategies.get("dfal", color="red"),
        lambda: strategies.get("bald", color="red"),
        lambda: strategies.DiverseDFAL(max_step=3),
        lambda: strategies.get("random", num_candidates=3),
    ],
)
def test_an_unknown_option_is_a_type_error_at_construction(make):
    with pytest.raises(TypeError, match="argument"):
        make()


@pytest.mark.parametrize("name", NAMES)
def test_the_repr_lists_the_options_and_builds_an_equal_strategy(name):
    def options_of(strategy):
        values = vars(strategy).items()
        return {key: value for key, value in values if not key.startswith("_")}

    strategy = strategies.get(name)
    namespace = {"inf": np.inf, type(strategy).__name__: type(strategy)}
    equal = eval(repr(strategy), namespace)
    assert options_of(equal) == options_of(strategy)
