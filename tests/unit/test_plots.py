"""Pictures: the data of their axes, compared with what was to be drawn."""

import dataclasses

import keras
import matplotlib
import numpy as np
import pytest
from helpers import bad_calls

import dfal_keras as dfal
from dfal_keras import plots
from dfal_keras.strategies import Query

matplotlib.use("Agg")

import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    plt.close("all")  # of other tests of this process
    yield
    plt.close("all")


def rounds(accuracies):
    """Return made-up rounds with these accuracies."""
    zeros = {name: 0.0 for name in ("fit_seconds", "evaluate_seconds", "query_seconds")}
    return [
        dfal.Round(k, 10 + 10 * k, 10 + 20 * k, accuracy, 0.1, **zeros, recalls=(1.0,))
        for k, accuracy in enumerate(accuracies)
    ]


def points(axes):
    return [
        (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.lines
    ]


def saved(path, accuracies):
    learner = dfal.ActiveLearner(strategy="random")
    learner.history = rounds(accuracies)
    learner.save(path)
    return learner


def test_a_learning_curve_of_rounds_a_learner_and_its_file(tmp_path):
    path = tmp_path / "learner.npz"
    learner = saved(path, [0.25, 0.5, 0.75])
    expected = [([10, 20, 30], [25.0, 50.0, 75.0])]
    for history in (learner.history, tuple(learner.history), learner, path, str(path)):
        axes = plots.learning_curve(history)
        assert points(axes) == expected
        assert axes.get_legend() is None
    assert len(plt.get_fignums()) == 5  # a new figure for each


def test_learning_curves_are_compared_in_given_axes(tmp_path):
    saved(tmp_path / "learner.npz", [0.5])
    axes = plt.figure().add_subplot()
    curves = {"DFAL": rounds([0.5, 0.75]), "RANDOM": tmp_path / "learner.npz"}
    assert plots.learning_curve(curves, axes=axes) is axes
    assert points(axes) == [([10, 20], [50.0, 75.0]), ([10], [50.0])]
    assert [text.get_text() for text in axes.get_legend().texts] == ["DFAL", "RANDOM"]
    plots.learning_curve(rounds([1.0]), label="more", axes=axes)
    assert len(axes.lines) == 3
    assert len(plt.get_fignums()) == 1


def test_rounds_without_an_accuracy_are_left_out():
    assert points(plots.learning_curve(rounds([0.5, np.nan, 0.75]))) == [
        ([10, 30], [50.0, 75.0])
    ]


@pytest.mark.parametrize(
    "history", [[], {}, rounds([np.nan]), [1, 2], None, dfal.ActiveLearner()]
)
def test_no_curve_is_refused(history):
    bad_calls.check_rejected("history", lambda: plots.learning_curve(history))


def test_the_curve_that_is_refused_is_named():
    with pytest.raises(ValueError, match=r"Argument `history\['a'\]` must be"):
        plots.learning_curve({"b": rounds([0.5]), "a": []})


def test_a_file_that_is_no_learner_is_refused(tmp_path):
    bad_calls.check_rejected(
        "history", lambda: plots.learning_curve(tmp_path / "missing.npz")
    )


IMAGES = np.array([0, 255, 100, 50], "uint8").reshape(4, 1, 1, 1).repeat(2, 1)
CHANGES = np.array([10, -40, 20, 0], "float32").reshape(4, 1, 1, 1).repeat(2, 1)


def result(perturbations=CHANGES, success=(True, True, True, False)):
    success = np.array(success[: len(perturbations)])
    norms = np.where(success, np.abs(perturbations).max(axis=(1, 2, 3)), np.inf)
    return dfal.DeepFoolResult(
        perturbations, norms, success, np.ones(len(success), int)
    )


def picture(axes):
    """Return the first pixel of what is drawn, `None` for nothing."""
    if not axes.images:
        return None
    return np.ravel(np.asarray(axes.images[0].get_array()))[0].item()


def grid(figure, num_columns):
    drawn = [picture(axes) for axes in figure.axes]
    return [drawn[i : i + num_columns] for i in range(0, len(drawn), num_columns)]


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_the_picture_of_an_attack():
    figure = plots.attack(IMAGES, result())
    images, differences, examples = grid(figure, 4)
    assert images == pytest.approx([0, 1, 100 / 255, 50 / 255])
    # Of the largest change, 40: -1 is drawn as 0 and +1 as 1.
    assert differences[:3] == pytest.approx([0.5 + 10 / 80, 0, 0.5 + 20 / 80])
    assert examples[:3] == pytest.approx([10 / 255, 215 / 255, 120 / 255])
    assert differences[3] is None  # not fooled
    assert examples[3] is None
    assert titles(figure)[:4] == ["norm 10", "norm 40", "norm 20", "norm inf"]
    assert "40" in figure.axes[4].get_ylabel()


def test_chosen_rows_of_an_attack():
    figure = plots.attack(IMAGES, result(), rows=[2, 0])
    assert grid(figure, 2)[0] == pytest.approx([100 / 255, 0])
    assert titles(figure)[:2] == ["norm 20", "norm 10"]
    assert "20" in figure.axes[2].get_ylabel()  # the largest of these


def test_eight_images_are_drawn_by_default():
    many = np.zeros((12, 2, 2))
    found = dfal.DeepFoolResult(many, np.zeros(12), np.ones(12, bool), np.zeros(12))
    assert len(plots.attack(many, found).axes) == 3 * 8


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (np.full((1, 2, 2), 0.5, "float32"), 0.5),
        (np.full((1, 2, 2, 3), 51, "uint8"), 0.2),
        (np.full((1, 2, 2, 4), 1.0), 1.0),
        (np.array([-1, 1, 3, 0], "float32").reshape(1, 2, 2, 1), 0.0),
        (np.full((1, 2, 2), -5.0), 0.0),
        (np.full((1, 2, 2), True), 1.0),
    ],
    ids=["floats", "RGB bytes", "RGBA", "standardized", "constant", "bool"],
)
def test_any_range_of_pixels(images, expected):
    figure = plots.query(images, Query(np.array([0])))
    assert picture(figure.axes[0]) == pytest.approx(expected)


def test_the_picture_of_a_query_with_companions_of_some():
    companions = np.full((2, 2, 1, 1), 200, "float32")
    asked = Query(
        np.array([1, 3, 0]), np.array([0.5, 1.25, np.inf]), companions, np.array([2, 0])
    )
    figure = plots.query(IMAGES, asked)
    images, differences, examples = grid(figure, 3)
    assert images == pytest.approx([1, 50 / 255, 0])
    assert titles(figure)[:3] == ["score 0.5", "score 1.25", "score inf"]
    assert differences == [pytest.approx(0.5 - 55 / 400), None, pytest.approx(1)]
    assert examples == [pytest.approx(200 / 255), None, pytest.approx(200 / 255)]


def test_the_difference_of_transparent_images_is_opaque():
    images = np.full((1, 2, 2, 4), 100, "uint8")
    changes = np.full((1, 2, 2, 4), 5, "float32")
    figure = plots.attack(images, result(changes))
    drawn = [axes.images[0].get_array().shape for axes in figure.axes]
    assert drawn == [(2, 2, 4), (2, 2, 3), (2, 2, 4)]


def test_an_attack_that_fools_nothing_is_drawn_without_changes():
    figure = plots.attack(IMAGES[3:], result(CHANGES[3:], success=(False,)))
    assert [bool(axes.images) for axes in figure.axes] == [True, False, False]


def test_a_function_can_be_the_model():
    def logits(images):
        return keras.ops.reshape(images, (-1, 2)) * np.array([-1, 0], "float32")

    figure = plots.query(IMAGES, Query(np.array([1, 2])), model=logits)
    assert titles(figure) == ["predicted 1", "predicted 1"]


def test_copies_have_no_difference():
    asked = Query(np.array([2]), companions=IMAGES[2:3].astype("float32"))
    (_, (difference,), (copy,)) = grid(plots.query(IMAGES, asked), 1)
    assert (difference, copy) == pytest.approx((0.5, 100 / 255))


def test_a_query_without_companions_is_one_row():
    asked = Query(np.array([3, 1]))
    figure = plots.query(IMAGES, asked, rows=[1])
    assert grid(figure, 1) == [[1.0]]
    assert titles(figure) == [""]


def test_predictions_are_titles(lenet5, digits):
    x = digits
    found = dfal.deepfool(lenet5, x[:3])
    figure = plots.attack(x[:3], found, model=lenet5)
    examples = x[:3] + found.perturbations
    for images, shown in ((x[:3], titles(figure)[:3]), (examples, titles(figure)[6:])):
        guesses = lenet5.predict(images, verbose=0).argmax(axis=1)
        assert [title[-1] for title in shown] == [str(guess) for guess in guesses]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda: plots.attack(IMAGES[:3], result())),
        ("x", lambda: plots.attack(np.zeros((4, 7)), result(np.zeros((4, 7, 1, 1))))),
        ("rows", lambda: plots.attack(IMAGES, result(), rows=[4])),
        ("rows", lambda: plots.attack(IMAGES, result(), rows=[])),
        ("result", lambda: plots.attack(IMAGES, CHANGES)),
        ("query", lambda: plots.query(IMAGES, Query(np.array([4])))),
        ("x", lambda: plots.query(np.zeros((4, 2, 2, 2)), Query(np.array([0])))),
        ("rows", lambda: plots.query(IMAGES, Query(np.array([1])), rows=[1])),
        ("query", lambda: plots.query(IMAGES, np.array([1]))),
        ("model", lambda: plots.query(IMAGES, Query(np.array([1])), model=3)),
    ],
)
def test_invalid_arguments_are_refused(name, call):
    bad_calls.check_rejected(name, call)
    assert plt.get_fignums() == []


def test_the_history_of_a_learner_is_that_of_its_rounds(tmp_path, shared_train, blobs):
    train, (x, y) = shared_train, blobs
    whole = dfal.ActiveLearner(train, "random", num_queries=5, num_initial=5)
    expected = whole.fit(x, y, budget=20, test_data=(x, y))
    assert whole.history == expected
    first = dfal.ActiveLearner(train, "random", num_queries=5, num_initial=5)
    first.fit(x, y, budget=10, test_data=(x, y))
    first.save(tmp_path / "learner.npz")
    again = dfal.ActiveLearner.load(tmp_path / "learner.npz", train)
    assert again.history == first.history
    again.fit(x, y, budget=20, test_data=(x, y))
    again.save(tmp_path / "learner.npz")
    loaded = dfal.ActiveLearner.load(tmp_path / "learner.npz", train)
    assert loaded.history == again.history
    for found, row in zip(loaded.history, expected, strict=True):
        times = ("fit_seconds", "evaluate_seconds", "query_seconds")
        same = {name: 0 for name in times}
        assert dataclasses.replace(found, **same) == dataclasses.replace(row, **same)


@pytest.mark.parametrize(
    "indices", [[-3, 1], [0, 0], [0, 99], [0.5, 1.0], np.empty(0, int)]
)
def test_a_query_of_other_samples_is_refused(indices):
    query = dfal.strategies.Query(np.array(indices))
    with pytest.raises(ValueError, match="Argument `(query|rows)`|at least one"):
        plots.query(np.zeros((5, 4, 4, 1)), query)


def test_rows_that_are_no_rounds_are_refused():
    bad_calls.check_rejected(
        "history", lambda: plots.learning_curve([*rounds([0.5]), 3])
    )


def test_a_curve_of_several_is_named():
    with pytest.raises(ValueError, match=r"Argument `history\['b'\]`"):
        plots.learning_curve({"a": rounds([0.5]), "b": []})


def test_axes_must_be_axes():
    bad_calls.check_rejected(
        "axes", lambda: plots.learning_curve(rounds([0.5]), axes=3)
    )
