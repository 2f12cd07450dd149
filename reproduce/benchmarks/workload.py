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
    """

    num_images: dict[str, tuple[int, ...]]
    growing: tuple[int, ...]
    num_labeled: tuple[int, ...] = (100, 500, 1000)
    repeats: int = 3


PRESETS = {
    "quick": Workload(num_images={"LeNet5": (256,)}, growing=(200, 400, 800)),
    "paper": Workload(
        num_images={"LeNet5": (256, 800), "VGG8": (32, 256, 800)},
        growing=(200, 400, 800, 1600, 3200),
    ),
}
