"""The blended score, by formula."""

import numpy as np
import pytest

from scoring.benchmark.blend import Blend
from scoring.contracts import Metric, ScoreValue
from scoring.metrics.sn34 import combine


def score(value: float, low: float, high: float) -> ScoreValue:
    return ScoreValue(
        value=value,
        ci=(low, high),
        higher_is_better=True,
        version="1",
        details={"mcc": 0.5, "brier": 0.1, "cross_entropy": 0.3},
    )


@pytest.fixture
def blend() -> Blend:
    degradation = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    return Blend(base=score(0.9, 0.8, 0.95), augmented=score(0.6, 0.4, 0.7), degradation=degradation)


def test_the_worn_samples_count_a_fifth(blend: Blend) -> None:
    assert blend.score().value == pytest.approx(0.8 * 0.9 + 0.2 * 0.6)
    assert blend.score().ci == pytest.approx((0.8 * 0.8 + 0.2 * 0.4, 0.8 * 0.95 + 0.2 * 0.7))


def test_robustness_is_the_share_that_is_left(blend: Blend) -> None:
    assert blend.robustness == pytest.approx(0.6 / 0.9)


def test_the_fields_are_those_of_gasbench(blend: Blend) -> None:
    assert blend.fields() == pytest.approx(
        {
            "aug_sn34_score": 0.6,
            "augmentation_robustness": 2 / 3,
            "aug_total_samples": 5,
            "aug_paired_samples": 5,
            "aug_binary_mcc": 0.5,
            "aug_binary_cross_entropy": 0.3,
            "aug_binary_brier": 0.1,
            "aug_mean_prob_degradation": 0.2,
            # Numpy's linear quantile: position 0.95 * 4 = 3.8, between 0.3 and 0.4.
            "aug_p95_prob_degradation": 0.38,
        }
    )


def test_the_blend_takes_the_place_of_the_score_and_the_base_stands_under_its_own_name(blend: Blend) -> None:
    other = score(0.1, 0.0, 0.2)

    assert blend.put_into({Metric.SN34_SCORE: blend.base, Metric.ACCURACY: other}) == {
        Metric.SN34_SCORE: blend.score(),
        "base_sn34_score": blend.base,
        Metric.ACCURACY: other,
    }


def test_at_its_floor_a_score_has_nothing_to_lose() -> None:
    floor = score(float(combine(-1.0, 1.0)), 0.0, 0.1)
    blend = Blend(base=floor, augmented=score(0.5, 0.4, 0.6), degradation=np.zeros(1))

    assert blend.robustness is None
    assert blend.fields()["augmentation_robustness"] is None
    assert set(blend.score().details) == {"base_sn34_score", "aug_sn34_score"}


def test_a_model_that_gains_by_wear_has_a_robustness_above_1(blend: Blend) -> None:
    turned = Blend(base=blend.augmented, augmented=blend.base, degradation=-blend.degradation)

    assert turned.robustness == pytest.approx(1.5)
    assert turned.fields()["aug_mean_prob_degradation"] == pytest.approx(-0.2)
