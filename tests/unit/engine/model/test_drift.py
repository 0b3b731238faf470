"""Payments are compared with the training window by the model's own bins, and chance alone is no drift."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidModelError
from engine.model.drift import (
    MIN_PAYMENTS,
    SCORE_EDGES,
    SHIFTED,
    Baseline,
    InputCounts,
    drift,
    read_baseline,
    score_bin,
    stability_index,
)
from engine.model.tables import Model, read_model
from tests.support.model_samples import model_document
from tests.support.rule_samples import features


def _model() -> Model:
    return read_model(model_document(), "m")


MODEL = _model()
BINS = MODEL.bin_counts


def _counted(amounts: list[float], invalid: tuple[str, ...] = ()) -> InputCounts:
    counts = InputCounts()
    for amount in amounts:
        counts.add(MODEL, features(amount_base=amount), invalid)
    return counts


def _baseline(counts: InputCounts) -> Baseline:
    return Baseline(
        MODEL.sha256,
        float(counts.payments),
        {
            name: [counts.bins[name].get(place, 0) / counts.payments for place in range(BINS[name])]
            for name in BINS
        },
        [counts.scores.get(place, 0) / counts.payments for place in range(len(SCORE_EDGES) + 1)],
    )


def _amounts(seed: int, count: int, mean: float) -> list[float]:
    draw = Random(seed)
    return [draw.expovariate(1 / mean) for _ in range(count)]


def test_a_payment_is_counted_in_the_bins_of_the_model_and_of_its_probability() -> None:
    counts = _counted([50.0], ("device_id",))

    assert counts.bins["amount_base"] == {1: 1}
    assert counts.bins.keys() == BINS.keys()
    probability = MODEL.fraud_probability(features(amount_base=50.0))
    assert counts.scores == {score_bin(probability): 1}
    assert counts.expected_frauds == pytest.approx(probability)
    assert counts.invalid_fields == {"device_id": 1}


@settings(max_examples=25)
@given(st.lists(st.sampled_from([5.0, 50.0, 500.0, 5_000.0]), max_size=30), st.integers(0, 30))
def test_counts_of_two_processes_add_up(amounts: list[float], cut: int) -> None:
    whole, parts = _counted(amounts), _counted(amounts[:cut])

    parts.merge(_counted(amounts[cut:]))

    assert parts == whole
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(whole), type=InputCounts) == whole


@pytest.mark.parametrize("seed", range(10))
def test_payments_like_those_of_the_training_are_not_another_distribution(seed: int) -> None:
    baseline = _baseline(_counted(_amounts(99, 5_000, 80.0)))

    found = drift(baseline, _counted(_amounts(seed, 2_000, 80.0)))

    assert found.score is not None
    assert found.score < 0.02
    assert found.largest is not None
    assert found.largest < 0.02


def test_amounts_four_times_as_high_are_another_distribution_and_are_named_first() -> None:
    baseline = _baseline(_counted(_amounts(99, 5_000, 80.0)))

    found = drift(baseline, _counted(_amounts(1, 2_000, 320.0)))

    assert next(iter(found.features)) == "amount_base"
    assert found.largest == found.features["amount_base"] > SHIFTED
    assert found.features["channel"] == 0.0


def test_few_payments_are_not_compared() -> None:
    baseline = _baseline(_counted(_amounts(99, 5_000, 80.0)))

    found = drift(baseline, _counted(_amounts(1, MIN_PAYMENTS - 1, 320.0)))

    assert (found.score, found.features, found.largest) == (None, {}, None)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20), st.lists(st.integers(0, 500), min_size=20))
def test_the_index_is_never_negative_and_never_infinite(weights: list[float], counts: list[int]) -> None:
    shares = [each / sum(weights) for each in weights]

    index = stability_index(shares, dict(enumerate(counts[: len(shares)])))

    assert 0 <= index < 50


def test_a_bin_that_hardly_anybody_was_in_belongs_to_its_neighbour() -> None:
    assert stability_index([0.5, 0.48, 0.02], {0: 500, 2: 500}) == pytest.approx(
        stability_index([0.5, 0.5], {0: 500, 1: 500})
    )


def test_a_bin_that_everybody_has_left_is_a_large_and_finite_drift() -> None:
    assert 1.0 < stability_index([0.5, 0.5], {1: 10_000}) < 50


@pytest.mark.parametrize(
    "change", [{"model": "x"}, {"payments": 0}, {"scores": [2.0]}, {"features": {"a": "b"}}]
)
def test_a_baseline_that_is_none_is_refused_with_its_name(change: dict[str, object]) -> None:
    good: dict[str, object] = msgspec.to_builtins(_baseline(_counted([5.0])))

    assert read_baseline(msgspec.json.encode(good), "m.baseline").model == MODEL.sha256
    with pytest.raises(InvalidModelError, match=r"m\.baseline"):
        read_baseline(msgspec.json.encode(good | change), "m.baseline")
