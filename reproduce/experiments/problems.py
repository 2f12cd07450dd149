"""The problems of the tables: a data set and the network that learns it.

All that is known of a problem, except what the paper prints, is in its `Problem`.
`get` finds it by its name, which is what options, file names and rows contain.
"""

import dataclasses
import functools
import importlib
import os
import pathlib
import re
from collections.abc import Callable, Iterable

import numpy as np

from dfal_keras import _validation, datasets
from dfal_keras.backend import quiet_import
from experiments import mnist_variants
from experiments.drawings import Drawings

PRINTED_NETWORKS = ("LeNet5", "VGG8")
NETWORKS = (*PRINTED_NETWORKS, "AugmentedLeNet5")  # of `running.networks`

_SUBSET = re.compile(r"(.+)-max([1-9][0-9]*)")


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A data set and a network: one panel of Table 1.

    For a problem of your own, assign one to a variable of a module, or return one from
    a function without arguments, and pass `--problem my_module:name`.

    Args:
        dataset: Name of a data set of `dfal_keras.datasets`; or `Drawings`; or the
            arrays `(x_train, y_train), (x_test, y_test)`; or a function without
            arguments that returns them; or the `pathlib.Path` of an .npz file with
            arrays of these four names, relative to the folder of the module. Samples
            are integers or floats of shape `(num_samples, ...)`, labels are class
            indices of shape `(num_samples,)`.
        network: Function `network(input_shape, num_classes)` that returns a built Keras
            model with softmax outputs. It is compiled as the paper's networks are. Or
            one of `NETWORKS`.
        num_classes: Number of classes.
        ceal_threshold: CEAL's threshold, in nats. Defaults to `None`: there is none,
            and CEAL can't run.
        title: Title of tables and figures. Defaults to `None`, the name that is passed
            to `--problem`.
        input_shape: Shape of a sample. Defaults to `None`, that of the training
            samples.
        max_per_class: Train on the first samples of each class only, at most this many.
            `--max-per-class` sets it. Defaults to `None`, on all.
        splits_by_trial: Whether each trial splits all samples anew into training and
            test samples, with the same numbers of each class, by its seed. With few
            test samples, the mean over trials is then more precise. Defaults to
            `False`.
        stands_for: Name of the paper's problem that this is a smaller version of. The
            paper's numbers for it are shown beside ours. Defaults to "".
        name: Its name in options, stored settings and rows. `get` sets it.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> def load():
        ...     x, y = np.random.default_rng(0).random((90, 5)), np.arange(90) % 3
        ...     return (x[:60], y[:60]), (x[60:], y[60:])
        >>> def network(input_shape, num_classes):
        ...     import keras
        ...     softmax = keras.layers.Dense(num_classes, activation="softmax")
        ...     return keras.Sequential([keras.Input(input_shape), softmax])
        >>> my_problem = Problem(load, network, num_classes=3, ceal_threshold=0.1)
    """

    dataset: str | Drawings | os.PathLike | tuple | list | Callable[[], tuple]
    network: str | Callable
    num_classes: int
    ceal_threshold: float | None = None
    title: str | None = None
    input_shape: tuple[int, ...] | None = None
    max_per_class: int | None = None
    splits_by_trial: bool = False
    stands_for: str = ""
    name: str = ""

    def __post_init__(self):
        if isinstance(self.dataset, str):
            _validation.check_choice("dataset", self.dataset, datasets.NAMES)
        elif not (
            callable(self.dataset)
            or isinstance(self.dataset, (Drawings, os.PathLike, tuple, list))
        ):
            raise ValueError(
                "Argument `dataset` must be (x_train, y_train), (x_test, y_test), a "
                "function that returns them, the pathlib.Path of an .npz file, or one "
                f"of {', '.join(map(repr, datasets.NAMES))}. "
                f"Received: dataset={shortened(self.dataset)}"
            )
        if isinstance(self.network, str):
            _validation.check_choice("network", self.network, NETWORKS)
        elif not callable(self.network):
            raise ValueError(
                "Argument `network` must be a function of input_shape and num_classes. "
                f"Received: network={shortened(self.network)}"
            )
        _validation.check_count("num_classes", self.num_classes, minimum=2)
        if self.ceal_threshold is not None:
            _validation.check_number(
                "ceal_threshold", self.ceal_threshold, above=0, below=np.inf
            )
        if self.title is not None and not (
            isinstance(self.title, str)
            and self.title.strip()
            and self.title.isprintable()
        ):
            raise ValueError(
                f"Argument `title` must be one line. Received: title={self.title!r}"
            )
        _validation.check_optional_count("max_per_class", self.max_per_class)
        _validation.check_flag("splits_by_trial", self.splits_by_trial)

    def __str__(self):
        return self.name

    @property
    def is_own(self) -> bool:
        """Whether the data set is a user's."""
        return not isinstance(self.dataset, (str, Drawings))

    @property
    def is_whole(self) -> bool:
        """Whether it has all training samples."""
        return self.max_per_class is None

    @property
    def panel(self) -> str:
        """Name of the paper's problem that it is, or is a part of; or its own."""
        return self.stands_for or self.whole_name

    @property
    def is_printed(self) -> bool:
        """Whether it is one of the paper's, or a part of one."""
        return self.panel in PROBLEMS

    @property
    def whole_name(self) -> str:
        """Name of the problem that it is a subset of, or its own."""
        return _split(self.name)[0]

    @property
    def file_name(self) -> str:
        """Its name as a part of a file's name."""
        return self.name.replace(":", ".")

    @property
    def arguments(self) -> str:
        """The command-line arguments that choose it."""
        whole, limit = _split(self.name)
        chosen = f"--problem {whole}"
        return chosen if limit is None else f"{chosen} --max-per-class {limit}"

    def subset(self, max_per_class: int | None) -> "Problem":
        """Return the problem with at most this many samples of each class.

        Args:
            max_per_class: The number, `None` for all samples.
        """
        return self if max_per_class is None else get(f"{self.name}-max{max_per_class}")


def _panel(dataset, network, title, num_classes, threshold, shape):
    name, title = f"{dataset}-{network.lower()}", f"{title} ({network})"
    return Problem(
        dataset, network, num_classes, threshold, title, input_shape=shape, name=name
    )


PROBLEMS = {  # the panels (a)-(f) of Table 1; CEAL's thresholds are those of 4.2
    panel.name: panel
    for panel in (
        _panel("mnist", "LeNet5", "MNIST", 10, 0.05, (28, 28, 1)),
        _panel("mnist", "VGG8", "MNIST", 10, 0.05, (28, 28, 1)),
        _panel("shoe_bag", "LeNet5", "Shoe-Bag", 2, 0.19, (64, 64, 3)),
        _panel("shoe_bag", "VGG8", "Shoe-Bag", 2, 0.19, (64, 64, 3)),
        _panel("quick_draw", "LeNet5", "Quick-Draw", 4, 0.08, (28, 28, 1)),
        _panel("quick_draw", "VGG8", "Quick-Draw", 4, 0.08, (28, 28, 1)),
    )
}


DRAWINGS = (
    Drawings(
        "quick_draw_small",
        "quickdraw4.npz",
        ("dolphin", "cat", "face", "angel"),
        num_train=340,
        num_test=84,
    ),
    Drawings(
        "quick_draw_other",
        "quickdraw9_first3999.npz",
        ("bird", "cat", "flower", "house"),
        num_train=3199,
        num_test=800,
    ),
)


def _of_drawings(drawings, network, title, stands_for=""):
    return dataclasses.replace(
        PROBLEMS[f"quick_draw-{network.lower()}"],
        dataset=drawings,
        title=f"{title} ({network})",
        splits_by_trial=True,
        stands_for=stands_for,
        name=f"{drawings}-{network.lower()}",
    )


_SMALL, _OTHER = DRAWINGS
# Problems of fewer drawings, with the settings of the paper's Quick-Draw.
OF_DRAWINGS = {
    problem.name: problem
    for problem in (
        *(
            _of_drawings(_SMALL, network, "Quick-Draw, 1,696 drawings", panel)
            for network, panel in zip(PRINTED_NETWORKS, list(PROBLEMS)[4:], strict=True)
        ),
        _of_drawings(_OTHER, "LeNet5", "Quick-Draw, four other classes"),
    )
}


def _of_mnist(name, title, **changes):
    return dataclasses.replace(
        PROBLEMS["mnist-lenet5"], title=title, name=name, **changes
    )


# Problems of the studies.
OF_STUDIES = {
    problem.name: problem
    for problem in (
        _of_mnist(
            "mnist-augmented_lenet5",
            "MNIST (LeNet5 with augmentation)",
            network="AugmentedLeNet5",
        ),
        _of_mnist(
            "mnist_imbalanced-lenet5",
            "MNIST, imbalanced (LeNet5)",
            dataset=mnist_variants.imbalanced,
        ),
        _of_mnist(
            "mnist_noisy-lenet5",
            "MNIST, 10 % wrong labels (LeNet5)",
            dataset=mnist_variants.noisy,
        ),
    )
}
PANELS = {**PROBLEMS, **OF_DRAWINGS}  # of Tables 1 and 4
NAMED = {**PANELS, **OF_STUDIES}


@functools.cache
def get(name: str) -> Problem:
    """Return a problem by its name, the same object in each call.

    Args:
        name: A key of `NAMED`, or "module:name"; with "-max5" at its end, the subset
            of at most five samples of each class.

    Raises:
        ValueError: If there is no such problem, or its module can't be imported.
    """
    whole_name, limit = _split(name)
    if limit is not None:
        whole = get(whole_name)
        title = f"{whole.title}, at most {limit} training images a class"
        return dataclasses.replace(whole, max_per_class=limit, title=title, name=name)
    if ":" in name:
        return _import(name)
    _validation.check_choice("problem", name, NAMED)
    return NAMED[name]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems without repetition: the paper's first, in its order."""
    places = list(PROBLEMS)

    def place(problem):
        return places.index(problem.panel) if problem.is_printed else len(places)

    return sorted(dict.fromkeys(problems), key=place)


def transfer_title(source: Problem, target: Problem) -> str:
    """Return the title of a transfer from one problem to another."""
    network = target.network
    trained = network if isinstance(network, str) else target.title
    return f"{source.title} to {trained}"


def _split(name):
    """Return the name of the whole problem, and the limit of a subset or `None`."""
    subset = _SUBSET.fullmatch(name)
    return (subset[1], int(subset[2])) if subset else (name, None)


def _import(name):
    """Import the problem that "module:name" names."""
    module, _, attribute = name.partition(":")
    if not attribute.isidentifier():
        raise ValueError(f"expected module:name, received {name}")
    try:
        with quiet_import.quiet():  # it may import TensorFlow
            imported = importlib.import_module(module)
    except Exception as error:  # any error of the user's code
        raise ValueError(f"can't import {module!r}: {one_line(error)}") from error
    if not hasattr(imported, attribute):
        raise ValueError(f"module {module!r} has no {attribute!r}")
    found = getattr(imported, attribute)
    if callable(found):
        try:
            found = found()
        except Exception as error:
            raise ValueError(f"{name} raised {one_line(error)}") from error
    if not isinstance(found, Problem):
        raise ValueError(
            f"{name} must be a Problem of experiments.problems, or a function without "
            f"arguments that returns one. Received: {shortened(found)}"
        )
    dataset = found.dataset
    if isinstance(dataset, os.PathLike):
        dataset = pathlib.Path(imported.__file__ or "").parent / dataset
    return dataclasses.replace(
        found, dataset=dataset, title=found.title or name, name=name
    )


def one_line(error: BaseException) -> str:
    """Return the type of an error and the first line of its message."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"


def shortened(value: object) -> str:
    """Return the beginning of a value's representation, in one line."""
    return " ".join(repr(value).split())[:80]
