import inspect

import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras import strategies


def test_dfal_queries_the_smallest_perturbations_and_returns_their_adversarial_examples(
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


def test_dfal_never_queries_an_unfooled_sample_before_a_fooled_one(lenet5, digits):
    one_step = dfal.deepfool(lenet5, digits[:50], max_steps=1)
    num_fooled = int(one_step.success.sum())
    query = strategies.DFAL(max_steps=1).query(lenet5, digits[:50], num_fooled)
    assert 0 < num_fooled < 50
    assert one_step.success[query.indices].all()


def test_a_small_num_closest_has_no_effect(lenet5, digits):
    expected = strategies.DFAL(num_closest=None).query(lenet5, digits[:50], 10)
    for num_closest in (1, 9, 10, 20):
        strategy = strategies.DFAL(num_closest=num_closest)
        query = strategy.query(lenet5, digits[:50], 10)
        assert (query.indices == expected.indices).all()
        assert (query.scores == expected.scores).all()


def test_dfal_passes_every_option_to_deepfool(lenet5, digits, monkeypatch):
    """Each option has another value than its default and `deepfool`'s."""
    options = {
        "ord": np.inf,
        "max_steps": 30,
        "overshoot": 0.1,
        "bounds": (0, 1),
        "num_classes": 4,
        "step_offset": 1e-4,
        "num_closest": 12,
        "first_look": 5,
        "batch_size": 7,
    }
    signature = inspect.signature(dfal.deepfool).parameters
    keywords = [p.name for p in signature.values() if p.kind == p.KEYWORD_ONLY]
    assert sorted(options) == sorted(keywords)
    passed = []

    def deepfool(model, x, **given):
        passed.append(given)
        return dfal.deepfool(model, x, **given)

    monkeypatch.setattr(dfal.strategies.dfal, "deepfool", deepfool)
    strategies.DFAL(**options).query(lenet5, digits[:20], 10)
    assert passed == [options]
    strategies.DFAL().query(lenet5, digits[:20], 10)
    defaults = {name: signature[name].default for name in keywords}
    assert passed[1] == {**defaults, "num_closest": 10, "first_look": 8}
