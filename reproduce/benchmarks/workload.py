"""How much `speed.py` times."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    """Sizes of the benchmarks.

    Attributes:
        num_images: By network, the numbers of images to attack.
        growing: Sizes over which the growth of cost is timed.
        num_labeled: Sizes of the labeled set. Defaults to `(100, 500, 1000)`.
        repeats: Timed runs, after one that is not counted. Defaults to 3.
        pools: Sizes of memory-mapped pools. Defaults to none.
        candidates: Numbers of candidates of DFAL, memory-mapped. Defaults to none.
        classes: Networks, shapes of an image and numbers of classes of the queries
            with many classes. Defaults to none.
        num_attacked: Number of candidates of these queries. Defaults to 300.
    """

    num_images: dict[str, tuple[int, ...]]
    growing: tuple[int, ...]
    num_labeled: tuple[int, ...] = (100, 500, 1000)
    repeats: int = 3
    pools: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    classes: tuple[tuple[str, tuple[int, int, int], int], ...] = ()
    num_attacked: int = 300


DIGIT = (28, 28, 1)
PRESETS = {
    "quick": Workload(
        num_images={"LeNet5": (256,)},
        growing=(200, 400, 800),
        pools=(10_000, 30_000, 100_000),
        candidates=(300, 1000, 3000),
        classes=(("LeNet5", DIGIT, 10), ("LeNet5", DIGIT, 100)),
    ),
    "paper": Workload(
        num_images={"LeNet5": (256, 800), "VGG8": (32,)},
        growing=(200, 400, 800, 1600, 3200),
        pools=(31_623, 100_000, 316_228, 1_000_000),
        candidates=(1000, 3000, 10_000, 30_000, 60_000),
        classes=(
            ("LeNet5", DIGIT, 10),
            ("LeNet5", DIGIT, 100),
            ("LeNet5", DIGIT, 1000),
            ("MobileNetV2", (224, 224, 3), 1000),
        ),
    ),
}
