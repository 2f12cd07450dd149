import numpy as np
import pytest
from scipy import stats

from dfal_keras.labeling import intervals


@pytest.mark.parametrize("counts", [(0, 10), (10, 10), (7, 10), (90, 100), (1, 1)])
def test_wilson_is_that_of_scipy(counts):
    expected = stats.binomtest(*counts).proportion_ci(method="wilson")
    assert intervals.wilson(*counts) == pytest.approx(tuple(expected), abs=1e-6)


def test_without_images_nothing_is_known():
    assert intervals.wilson(0, 0) == (0, 1)


@pytest.mark.parametrize("counts", [(45, 50), (50, 100), (0, 20), (0, 0)])
def test_so_many_more_halve_the_interval(counts):
    more = intervals.num_to_halve(*counts)
    share = counts[0] / counts[1] if counts[1] else 0.5

    def width(n):
        z = stats.norm.ppf(0.975)
        root = np.sqrt(share * (1 - share) / n + z**2 / 4 / n**2)
        return 2 * z * root / (1 + z**2 / n)

    before = width(counts[1]) if counts[1] else 1
    size = counts[1] + more
    assert width(size) <= before / 2 * 1.001
    assert width(size - max(2, size // 30)) > before / 2
