"""`SkActiveML`: equal to scikit-activeml called by hand on the same arrays."""

import json
import logging
import sys

import keras
import numpy as np
import pytest
from helpers import models
from helpers.parameters import slow_after, slow_but
from skactiveml import pool
from skactiveml.base import SkactivemlClassifier
from sklearn.cluster import MiniBatchKMeans

import dfal_keras as dfal
from dfal_keras import strategies
from dfal_keras.backend import mc_dropout, output_kinds
from dfal_keras.strategies.skactiveml_query import NAMES

TYPICAL = ("badge", "typiclust", "batch_bald")  # of a classifier, features, dropout
HAND_MADE = {
    "badge": pool.Badge,
    "typiclust": pool.TypiClust,
    "prob_cover": pool.ProbCover,
    "max_herding": pool.MaxHerding,
    "clue": pool.Clue,
    "falcun": pool.Falcun,
    "drop_query": pool.DropQuery,
    "contrastive": pool.ContrastiveAL,
    "margin": lambda **o: pool.UncertaintySampling(method="margin_sampling", **o),
    "least_confidence": lambda **o: pool.UncertaintySampling("least_confident", **o),
    "batch_bald": lambda **o: pool.BatchBALD(
        1000, sample_predictions_method_name="sample", **o
    ),
}


class LastLayer(SkactivemlClassifier):
    """A softmax of X W + b, with given passes of dropout."""

    def __init__(self, weights, bias, passes):
        super().__init__()
        self.weights, self.bias, self.passes = weights, bias, passes
        self.classes_ = np.arange(10)

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        raise NotImplementedError

    def predict_proba(self, X):  # noqa: N803
        powers = np.exp(X @ self.weights + self.bias)
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X):  # noqa: N803
        return self.predict_proba(X).argmax(axis=1)

    def sample(self, X):  # noqa: N803
        return np.array(self.passes, np.float64)


def ask(strategy, model, x, seed=0, num_queries=10, **options):
    rng = np.random.default_rng(seed)
    return strategy.query(model, x, num_queries, rng=rng, **options)


def by_hand(name, model, x, x_labeled, num_queries):
    """Return what a strategy of scikit-activeml chooses, as rows of `x`."""
    rng = np.random.default_rng(0)
    seed = int(rng.integers(2**31))
    last = [each for each in model.layers if isinstance(each, keras.layers.Dense)][-1]
    hidden = keras.Model(model.inputs, last.input)
    features = hidden.predict(np.concatenate([x_labeled, x]), verbose=0)
    features = features.astype(np.float64)
    y = np.full(len(features), np.nan)
    y[: len(x_labeled)] = np.arange(len(x_labeled)) % 10
    options, arguments, passes = {"random_state": seed}, {}, None
    if name in ("clue", "drop_query"):
        options["cluster_algo_dict"] = {"random_state": seed}
    if name == "prob_cover":
        options["n_classes"] = 10
    if name in ("typiclust", "prob_cover"):
        features /= np.linalg.norm(features, axis=1, keepdims=True)
    if name == "batch_bald":
        scores = mc_dropout.predict_scores(model, x, num_samples=10, rng=rng)
        passes = output_kinds.softmax(scores)
    argument = {"clue": "estimator", "batch_bald": "ensemble"}.get(name, "clf")
    if name not in ("typiclust", "prob_cover", "max_herding"):
        classifier = LastLayer(*last.get_weights(), passes)
        arguments = {argument: classifier, f"fit_{argument}": False}
    strategy = HAND_MADE[name](**options)
    indices, utilities = strategy.query(
        features, y, batch_size=num_queries, return_utilities=True, **arguments
    )
    rows = np.arange(num_queries)
    return np.array(indices) - len(x_labeled), utilities[rows, indices]


@pytest.mark.parametrize("name", NAMES)
def test_queries_are_those_of_scikit_activeml(name, lenet5, digits):
    x, x_labeled = digits[:150], digits[150:180]
    indices, scores = by_hand(name, lenet5, x, x_labeled, num_queries=12)
    query = ask(strategies.get(name), lenet5, x, num_queries=12, x_labeled=x_labeled)
    assert query.indices.tolist() == indices.tolist()
    assert query.scores == pytest.approx(scores, rel=1e-3, abs=1e-5)


def test_the_names_are_those_of_the_registry():
    assert set(NAMES) == set(HAND_MADE)
    for name in NAMES:
        assert strategies.get(name.upper()).query_strategy == name


@pytest.mark.parametrize("name", NAMES)
def test_without_labeled_samples(name, lenet5, digits):
    query = ask(strategies.get(name), lenet5, digits[:60])
    query.check(60, 10)
    assert len(query.indices) == 10


@pytest.mark.parametrize("name", slow_but(TYPICAL, NAMES))
def test_the_random_state_of_numpy_has_no_effect(name, lenet5, digits):
    found = []
    strategy = strategies.get(name)  # queries twice, on other candidates
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        ask(strategy, lenet5, digits[100 + seed : 160])
        found.append(ask(strategy, lenet5, digits[:60]).indices.tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["badge", "falcun", "drop_query", "batch_bald"])
def test_random_numbers_come_from_the_generator(name, lenet5, digits):
    chosen = {
        tuple(ask(strategies.get(name), lenet5, digits[:60], seed).indices.tolist())
        for seed in range(4)
    }
    assert len(chosen) > 1


def answer_rounds(learner, model, num_rounds):
    """Answer queries; return the queried rows."""
    rows = []
    for _ in range(num_rounds):
        query = learner.choose(model=model)
        learner.tell(query.indices, np.zeros(len(query.indices), int))
        rows.append(query.indices.tolist())
    return rows


@pytest.mark.parametrize("name", slow_but(TYPICAL, NAMES))
def test_a_saved_learner_continues_with_the_same_queries(
    name, lenet5, digits, tmp_path
):
    options = {"num_queries": 5, "pool": digits, "seed": 3}
    strategy = strategies.get(name, num_candidates=40)
    expected = answer_rounds(
        dfal.ActiveLearner(strategy=strategy, **options), lenet5, 3
    )
    learner = dfal.ActiveLearner(strategy=strategy, **options)
    rows = answer_rounds(learner, lenet5, 1)
    learner.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(tmp_path / "learner.npz", pool=digits)
    assert loaded.strategy.query_strategy == name
    assert rows + answer_rounds(loaded, lenet5, 2) == expected
    assert len(np.unique(expected)) == 15


@pytest.mark.parametrize(
    ("name", "kind"),
    slow_after(
        2,
        [
            ("badge", "adversarial"),
            ("batch_bald", "noise"),
            *((name, "copies") for name in NAMES),
        ],
    ),
)
def test_companions_can_be_added(name, kind, lenet5, digits):
    x, x_labeled = digits[:60], digits[60:80]
    expected = ask(strategies.get(name), lenet5, x, x_labeled=x_labeled)
    strategy = strategies.WithCompanions(name, kind)
    query = ask(strategy, lenet5, x, x_labeled=x_labeled)
    assert strategy.num_candidates == 300
    assert (query.indices == expected.indices).all()
    assert query.companions.shape == (10, 28, 28, 1)
    again = strategies.get(strategies.serialize(strategy))
    assert (ask(again, lenet5, x, x_labeled=x_labeled).indices == query.indices).all()
    distances = np.abs(query.companions - x[query.indices]).max(axis=(1, 2, 3))
    assert (distances == 0).all() if kind == "copies" else (distances > 0).all()


@pytest.mark.parametrize("name", slow_but(TYPICAL, NAMES))
def test_a_learner_trains_with_it_by_name(name, shared_train, blobs):
    learner = dfal.ActiveLearner(shared_train, name, num_queries=5)
    history = learner.fit(*blobs, budget=20)
    assert [each.num_annotations for each in history] == [10, 15, 20]


@pytest.fixture(scope="module")
def single_logit():
    """A model of two classes with one output. The table of models has all others."""
    keras.utils.set_random_seed(0)
    return models.convolutional(num_outputs=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_output_means_two_classes(name, single_logit, blobs):
    x, x_labeled = blobs[0][:60], blobs[0][60:80]
    query = ask(strategies.get(name), single_logit, x, x_labeled=x_labeled)
    query.check(60, 10)
    outputs = single_logit.predict(x, verbose=0).astype(np.float64)
    lead = np.abs(2 / (1 + np.exp(-outputs[:, 0])) - 1)  # p_(1) - p_(2)
    expected = {"margin": 1 - lead, "least_confidence": (1 - lead) / 2}
    if name in expected:
        scores = expected[name]
        assert scores[query.indices] == pytest.approx(query.scores, abs=1e-5)
        assert query.scores == pytest.approx(np.sort(scores)[:-11:-1], abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_equal_features_are_no_error(name, blobs):
    model = models.dense()
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    query = ask(strategies.get(name), model, blobs[0][:40], x_labeled=blobs[0][40:50])
    query.check(40, 10)
    assert len(query.indices) == 10


def test_samples_that_can_not_be_told_apart_are_drawn_with_a_warning(blobs, caplog):
    model = models.dense()
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    x = blobs[0][:40]
    for name, labeled in (("typiclust", x[:3]), ("typiclust", None), ("batch_bald", x)):
        caplog.clear()
        query = ask(strategies.get(name), model, x, x_labeled=labeled)
        assert len(set(query.indices.tolist())) == 10
        assert query.scores is None
        assert "drawn at random" in caplog.text


def test_a_committee_never_chooses_a_copy_twice(lenet5, digits):
    """In scikit-activeml 1.0.1, ties are broken twice, by two random states."""
    x = np.concatenate([digits[:3]] * 10)
    for seed in range(5):
        query = ask(strategies.get("batch_bald"), lenet5, x, seed)
        assert len(set(query.indices.tolist())) == 10
        assert query.scores is not None


def test_warnings_are_logged(lenet5, digits, recwarn, caplog):
    with caplog.at_level(logging.WARNING):
        ask(strategies.get("prob_cover", deltas=[1.4, 1.5]), lenet5, digits[:60])
    assert "ProbCover: The maximum purity" in caplog.text
    assert not [str(each) for each in recwarn.list]


def test_options_reach_the_strategy(lenet5, digits):
    """They change the query, or at least its scores."""
    x, x_labeled = digits[:100], digits[100:120]
    for name, options in {
        "contrastive": {"nearest_neighbors_dict": {"n_neighbors": 1}},
        "typiclust": {"normalize": False},
        "prob_cover": {"deltas": [0.05]},
        "clue": {"cluster_algo": MiniBatchKMeans},
        "batch_bald": {"num_samples": 3},
        "max_herding": {"metric": "linear"},
    }.items():
        default = ask(strategies.get(name), lenet5, x, x_labeled=x_labeled)
        changed = ask(strategies.get(name, **options), lenet5, x, x_labeled=x_labeled)
        is_same = np.array_equal(default.indices, changed.indices)
        if is_same and default.scores is not None:
            is_same = default.scores == pytest.approx(changed.scores, rel=1e-3)
        assert not is_same, name


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("falcun", {"gamma": np.float32(5)}),
        ("clue", {"cluster_algo_dict": {"n_init": 3}, "num_candidates": 7}),
        ("typiclust", {"k": np.int64(3), "normalize": False}),
        ("margin", {"stochastic": "power", "method": "entropy"}),
        ("margin", {"cost_matrix": np.ones((10, 10)) - np.eye(10)}),
    ],
)
def test_options_are_in_the_config_and_the_repr(name, options, lenet5, digits):
    strategy = strategies.get(name, **options)
    serialized = json.loads(json.dumps(strategies.serialize(strategy)))
    again = strategies.get(serialized)
    assert again.get_config() == strategy.get_config()
    for each in options:
        assert np.all(again.get_config()[each] == np.array(options[each]))
    of_repr = eval(repr(strategy), {"SkActiveML": strategies.SkActiveML})
    assert of_repr.get_config() == strategy.get_config()
    if "cost_matrix" not in options:
        expected = ask(strategy, lenet5, digits[:40], x_labeled=digits[40:50])
        found = ask(again, lenet5, digits[:40], x_labeled=digits[40:50])
        assert found.indices.tolist() == expected.indices.tolist()


def test_an_object_of_scikit_activeml(lenet5, digits):
    x, x_labeled = digits[:100], digits[100:120]
    made = pool.Badge(random_state=7)  # which is ignored
    strategy = strategies.SkActiveML(made, num_candidates=50)
    expected = ask(strategies.get("badge"), lenet5, x, x_labeled=x_labeled)
    query = ask(strategy, lenet5, x, x_labeled=x_labeled)
    assert (query.indices == expected.indices).all()
    assert strategy.num_candidates == 50
    assert made.random_state == 7
    with pytest.raises(ValueError, match="`strategy` must have a method `get_config`"):
        strategies.serialize(strategy)


@pytest.mark.parametrize(
    ("query_strategy", "needs"),
    [
        (pool.Quire(classes=[0, 1]), "labels"),
        (pool.CostEmbeddingAL(classes=[0, 1]), "labels"),
        (pool.DiscriminativeAL(), "discriminator"),
        (pool.ExpectedModelChangeMaximization(), "reg"),
    ],
)
def test_what_needs_more_than_a_network_is_refused(query_strategy, needs):
    with pytest.raises(
        ValueError, match=f"`query_strategy` must .*Received.*needs .*{needs}"
    ):
        strategies.SkActiveML(query_strategy)


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.SkActiveML(pool.MonteCarloEER()),
        strategies.SkActiveML(pool.ProbabilisticAL()),
        strategies.SkActiveML(pool.Falcun(gamma=-1)),
        strategies.get("falcun", gamma=-1),
        strategies.get("clue", method="badge"),
        strategies.get("prob_cover", alpha=2.0),
        strategies.get("typiclust", k=0),
        strategies.get("max_herding", metric="no kernel"),
        strategies.get("drop_query", dropout_rate=1.5),
        strategies.get("contrastive", eps=0),
        strategies.get("margin", method="entropie"),
        strategies.get("margin", cost_matrix=np.ones((3, 3))),
        strategies.get("batch_bald", eps=-1),
    ],
    ids=repr,
)
def test_what_scikit_activeml_refuses_is_refused_before_training(strategy, lenet5):
    with pytest.raises(ValueError, match="^Argument `query_strategy` must .*Received"):
        strategy.check_model(lenet5)


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.SkActiveML(pool.CoreSet()),
        strategies.SkActiveML(pool.GreedyBALD()),
        strategies.SkActiveML(pool.GreedySamplingX()),
        strategies.get("margin", cost_matrix=1 - np.eye(10)),
        strategies.get("prob_cover", n_classes=25, deltas=[0.1]),
        strategies.get("typiclust", cluster_algo_dict={"n_init": 2}),
        strategies.get("contrastive", nearest_neighbors_dict={"n_neighbors": 3}),
        strategies.get("batch_bald", n_MC_samples=50),
    ],
    ids=repr,
)
def test_other_options_are_accepted(strategy, lenet5, digits, caplog):
    strategy.check_model(lenet5)
    assert not caplog.text  # by the check of the options
    ask(strategy, lenet5, digits[:40], x_labeled=digits[40:50]).check(40, 10)


@pytest.mark.parametrize(
    ("arguments", "options", "named"),
    [
        (("deepfool",), {}, "query_strategy"),
        ((None,), {}, "query_strategy"),
        ((pool.Badge,), {}, "query_strategy"),
        ((pool.Falcun(),), {"gamma": 3}, "query_strategy"),
        (("badge",), {"num_candidates": 0}, "num_candidates"),
        (("badge",), {"num_samples": 1}, "num_samples"),
        (("badge",), {"batch_size": 0}, "batch_size"),
        (("badge",), {"normalize": True}, "normalize"),
        (("typiclust",), {"normalize": "l2"}, "normalize"),
    ],
)
def test_bad_arguments_are_named(arguments, options, named):
    with pytest.raises(ValueError, match=f"^Argument `{named}` must .*Received"):
        strategies.SkActiveML(*arguments, **options)


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="argument"):
        strategies.get("badge", gamma=3)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skactiveml", None)
    with pytest.raises(ValueError, match=r"'badge' needs .*dfal-keras\[skactiveml\]"):
        strategies.get("badge")
    strategies.get("bald")


def test_an_old_version_is_named(monkeypatch):
    monkeypatch.delattr(pool, "MaxHerding")
    with pytest.raises(ValueError, match=r"needs scikit-activeml 1\.0.*\[skactiveml\]"):
        strategies.get("badge")


@pytest.mark.parametrize("name", NAMES)
def test_models_without_a_last_layer_are_refused_before_training(name, shared_train):
    model = models.built(models.Subclassed())
    with pytest.raises(ValueError, match="^Argument `model` must .*Received"):
        strategies.get(name).check_model(model)
    train = dfal.Training(shared_train.model)
    train.model = model
    learner = dfal.ActiveLearner(train, name, pool=np.zeros((30, 4, 4, 1)))
    with pytest.raises(ValueError, match="^Argument `model` must .*Received"):
        learner.ask()


def test_features_of_a_subclassed_model_suffice_without_a_classifier(blobs):
    model = models.built(models.SubclassedWithMethods())
    for name in ("typiclust", "prob_cover", "max_herding"):
        ask(strategies.get(name), model, blobs[0][:40]).check(40, 10)
    with pytest.raises(ValueError, match="^Argument `model` must .*Received"):
        ask(strategies.get("badge"), model, blobs[0][:40])


def test_a_committee_needs_dropout(blobs):
    model = models.linear(3)
    with pytest.raises(ValueError, match="^Argument `model` must .*noise.*Received"):
        ask(strategies.get("batch_bald"), model, blobs[0][:40])


@pytest.mark.parametrize(
    ("name", "options", "argument"),
    [
        ("badge", {"random_state": 3}, "random_state"),
        ("typiclust", {"normalize": "yes"}, "normalize"),
        ("badge", {"normalize": True}, "normalize"),
    ],
)
def test_options_that_it_sets_itself_are_refused(name, options, argument):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must"):
        strategies.get(name, **options)
