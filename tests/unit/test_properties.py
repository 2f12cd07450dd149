"""For any pixels and labels: a valid result, or a ValueError."""

import dataclasses
import functools

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from helpers import models
from hypothesis import HealthCheck, assume, example, given, settings

import dfal_keras as dfal
from dfal_keras import strategies

CALM = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SHAPES = ((4, 4, 1), (6,))
KINDS = ("random", "one class")
DTYPES = ("uint8", "bool", "int64", "float16", "float32", "float64")
ODD_PIXELS = (np.nan, np.inf, -np.inf, 1e20, -1e30, 3e38, 1e300)

# Overflow is expected for such pixels.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@functools.cache
def build(shape):
    """Return one model for each shape, so that functions are traced once."""
    keras.utils.set_random_seed(0)
    model = models.dense(input_shape=shape)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model, dfal.Training(model, num_restarts=1, epochs=2), model.get_weights()


def load(shape, kind):
    """Return the model with random weights, or with a constant prediction."""
    model, _, weights = build(shape)
    if kind == "one class":
        weights = [*weights[:2], weights[2] * 0, np.array([0.0, 5.0, 0.0])]
    model.set_weights(weights)
    return model


@st.composite
def images(draw, shape, min_size=1, max_size=9):
    """Draw images, some of which are duplicates, constant or have odd pixels."""
    num_samples = draw(st.integers(min_size, max_size))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dtype = draw(st.sampled_from(DTYPES))
    x = rng.uniform(0, 255, (num_samples, *shape))
    x = (x > 128 if dtype == "bool" else x).astype(dtype)
    rows = st.integers(0, num_samples - 1)
    for source, copy in draw(st.lists(st.tuples(rows, rows), max_size=3)):
        x[copy] = x[source]
    for row in draw(st.lists(rows, max_size=2)):
        x[row] = draw(st.sampled_from((0, 1, 255))) if dtype != "bool" else True
    if dtype.startswith("float"):
        pixels = st.tuples(rows, st.sampled_from(ODD_PIXELS))
        for row, value in draw(st.lists(pixels, max_size=2)):
            x[row].flat[draw(st.integers(0, x[row].size - 1))] = value
    return x


def huge(value, dtype):
    """Return images of ones with a huge value at one pixel."""
    x = np.ones((8, 6), dtype)
    x[:, 2] = value
    return x


BEYOND_FLOAT32 = huge(1e300, "float64")
HIDDEN_NAN = huge(1e22, "float32")  # NaN weights, which ReLU hides from the loss


def attempt(x, function, *arguments, **options):
    """Call a function; return `None` if it rejects pixels that are not in range."""
    try:
        return function(*arguments, **options)
    except ValueError as error:
        rejection = error
    assert "Received: " in str(rejection)
    assert not (np.abs(x) <= 255).all(), rejection
    return None


def contents(*arrays):
    return [np.array(array).tobytes() for array in arrays]


@st.composite
def query_arguments(draw):
    shape, kind = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(KINDS))
    x = draw(images(shape))
    num_queries = draw(st.sampled_from((1, len(x))) | st.integers(1, len(x)))
    return shape, kind, x, num_queries


def check_query(strategy, arguments):
    """Check that a query is valid and does not change images or model."""
    shape, kind, x, num_queries = arguments
    model = load(shape, kind)
    labeled = np.zeros((2, *shape), "uint8")
    before = contents(x, *model.get_weights())
    query = attempt(x, strategy.query, model, x, num_queries, x_labeled=labeled)
    assert contents(x, *model.get_weights()) == before
    if query is None:
        return
    assert np.abs(x).max() <= np.finfo("float32").max
    assert query.indices.shape == (num_queries,)
    assert query.indices.dtype.kind == "i"
    assert len(set(query.indices.tolist())) == num_queries
    assert set(query.indices.tolist()) <= set(range(len(x)))
    if query.scores is not None:
        assert query.scores.shape == (num_queries,)
        assert not np.isnan(query.scores).any()
        is_dfal = isinstance(strategy, strategies.DFAL)
        assert is_dfal or np.isfinite(query.scores).all()
        ranked = query.scores if is_dfal else -query.scores
        assert (ranked[:-1] <= ranked[1:]).all()
    if query.companions is not None:
        assert (query.companion_rows == np.flatnonzero(np.isfinite(query.scores))).all()
        assert query.companions.shape == (len(query.companion_rows), *shape)
        assert not np.isnan(query.companions).any()
    pseudo = query.pseudo_indices.tolist()
    assert len(set(pseudo)) == len(pseudo) == len(query.pseudo_labels)
    assert not set(pseudo) & set(query.indices.tolist())
    assert set(query.pseudo_labels.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.DFAL(),
        strategies.DFAL(ord=np.inf, num_closest=None, adversarial=False),
        strategies.DiverseDFAL(oversampling=2),
        strategies.CostEffectiveDFAL(max_ratio=2),
        strategies.BALD(num_samples=3),
        strategies.CEAL(threshold=1.0),
        strategies.CEAL(threshold=np.inf, max_ratio=np.inf),
        strategies.CEAL(threshold=1.0, num_pseudo_candidates=3),
        strategies.CoreSet(method="greedy"),
        strategies.EGL(expectation="norm"),
        strategies.EGL(expectation="uniform"),
        strategies.Uncertainty(),
        strategies.Random(),
    ],
    ids=repr,
)
@given(arguments=query_arguments())
@example(arguments=((6,), "random", BEYOND_FLOAT32, 3))
@CALM
def test_a_query_is_valid_or_an_error(strategy, arguments):
    check_query(strategy, arguments)


@given(arguments=query_arguments())
@settings(CALM, max_examples=8)
def test_so_is_one_by_the_integer_program(arguments):
    check_query(strategies.CoreSet(), arguments)


@given(
    shape=st.sampled_from(SHAPES),
    kind=st.sampled_from(KINDS),
    attack=st.sampled_from([(1, None), (2, (0, 255)), (np.inf, None)]),
    max_steps=st.sampled_from([1, 3, 50]),
    num_closest=st.none() | st.integers(1, 4),
    data=st.data(),
)
@CALM
def test_deepfool_never_returns_nan(shape, kind, attack, max_steps, num_closest, data):
    x, model = data.draw(images(shape)), load(shape, kind)
    ord, bounds = attack
    before = contents(x, *model.get_weights())
    result = dfal.deepfool(
        model,
        x,
        ord=ord,
        bounds=bounds,
        max_steps=max_steps,
        num_closest=num_closest,
        batch_size=4,
    )
    assert contents(x, *model.get_weights()) == before
    assert not np.isnan(result.norms).any()
    assert (result.success == np.isfinite(result.norms)).all()
    assert np.isfinite(result.perturbations).all()
    assert result.perturbations.shape == x.shape
    assert (result.perturbations[~result.success] == 0).all()
    assert result.num_steps.max() <= max_steps
    flat = result.perturbations.reshape(len(x), -1).astype("float64")
    lengths = np.linalg.norm(flat, ord, axis=1)
    assert result.norms[result.success] == pytest.approx(
        lengths[result.success], rel=1e-4
    )
    if kind == "one class":
        assert not result.success.any()


@given(
    x=st.sampled_from(SHAPES).flatmap(lambda shape: images(shape, min_size=2)),
    classes=st.sampled_from([(0,), (2,), (0, 1, 2)]),
    seed=st.integers(0, 9),
)
@example(x=BEYOND_FLOAT32, classes=(0, 1, 2), seed=0)
@example(x=HIDDEN_NAN, classes=(0,), seed=0)
@CALM
def test_a_trained_model_has_finite_weights(x, classes, seed):
    y = np.resize(classes, len(x))
    model, train, _ = build(x.shape[1:])
    before = contents(x, y)
    trained = attempt(x, train, x, y, seed=seed)
    assert contents(x, y) == before
    if trained is not None:
        assert trained is model
        assert all(np.isfinite(weights).all() for weights in model.get_weights())


def state(learner):
    """Return the state of a learner without its model, in comparable form."""
    found = {**vars(learner), "model": None, "_has_trained": None}
    for name, value in vars(learner).items():
        if dataclasses.is_dataclass(value):  # the labeled set and the query
            fields = vars(value).items()
            found |= {f"{name}.{field}": value for field, value in fields}
    return {
        name: (value.dtype, value.shape, value.tobytes())
        if isinstance(value, np.ndarray)
        else value
        for name, value in found.items()
        if isinstance(value, np.ndarray | int | None)
    }


@given(
    strategy=st.sampled_from(["dfal", "ceal", "random"]),
    numbers=st.fixed_dictionaries(
        {
            "num_queries": st.integers(1, 6),
            "num_initial": st.integers(1, 6),
            "seed": st.sampled_from([0, 7, 2**62]),
        }
    ),
    has_model=st.booleans(),
    parts=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    data=st.data(),
)
@CALM
def test_what_is_saved_at_any_time_loads_to_the_same(
    strategy, numbers, has_model, parts, data, tmp_path
):
    model = load((6,), "random")
    pool = np.random.default_rng(0).uniform(0, 255, (15, 6)).astype("float32")

    def train(x, y, seed):
        return model

    given_again = {"pool": pool, "model": model if has_model else None}
    learner = dfal.ActiveLearner(train, strategy, **numbers, **given_again)
    answers = st.sampled_from([None, 0, 1, 2])

    def reload():
        learner.save(tmp_path / "learner.npz")
        loaded = dfal.ActiveLearner.load(
            tmp_path / "learner.npz", train, strategy, **given_again
        )
        assert state(loaded) == state(learner)
        return loaded

    learner = reload()
    for part in parts:
        left = len(pool) - learner.labeled.num_annotations - len(learner.ignored)
        assume(left > 0)
        asked = learner.ask().indices
        learner = reload()
        assert learner.ask().indices.tolist() == asked.tolist()
        told = asked[:part]
        learner.tell(told, [data.draw(answers) for _ in told])
        learner = reload()
    assert [path.name for path in tmp_path.iterdir()] == ["learner.npz"]
