"""What became known of payments: how late, how right alerts were, and whether the probabilities held; and the report that says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.model.drift import Drift, InputCounts, score_bin
from engine.model.health_report import health_report
from engine.model.outcomes import JudgedPayment, mature_window, outcomes

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def _judged(days_ago: float, delay_days: float = 5, **changes: Any) -> JudgedPayment:
    at = NOW - days_ago * DAY
    made = JudgedPayment(at, at + delay_days * DAY, is_fraud=True, is_flagged=True, probability=0.3)
    return msgspec.structs.replace(made, **changes)


def test_labels_of_the_last_30_days_say_how_late_they_are() -> None:
    judged = [_judged(20, delay) for delay in range(1, 11)] + [_judged(80, 30)]

    found = outcomes(judged, 1.0, 0.0, {}, NOW)

    assert (found.labels, found.delay_days, found.late_delay_days) == (10, 5.0, 9.0)
    assert found.newest_known_at == NOW - 10 * DAY


def test_precision_is_the_share_of_fraud_among_flagged_payments_with_a_label() -> None:
    judged = [_judged(9), _judged(9, is_fraud=False), _judged(9), _judged(9, is_flagged=False)]

    assert outcomes(judged, 1.0, 0.0, {}, NOW).precision == pytest.approx(2 / 3)
    assert outcomes([], 1.0, 0.0, {}, NOW).precision is None


def test_probabilities_are_compared_with_frauds_of_payments_that_have_their_labels() -> None:
    old, young = [_judged(45) for _ in range(30)], [_judged(10) for _ in range(500)]
    honest = [_judged(45, is_fraud=False) for _ in range(50)]
    other = [_judged(45, probability=None) for _ in range(50)]

    found = outcomes([*old, *young, *honest, *other], 0.5, 40.0, {score_bin(0.3): 200}, NOW)

    assert (found.known_frauds, found.expected_frauds, found.calibration) == (60.0, 40.0, 1.5)
    assert (0.5, 200.0, 60.0) in found.by_score


@pytest.mark.parametrize("days_ago", [30.0, 60.1])
def test_the_window_is_30_to_60_days_ago(days_ago: float) -> None:
    found = outcomes([_judged(days_ago)] * 30, 1.0, 40.0, {}, NOW)

    assert found.known_frauds == 0
    assert mature_window(NOW) == (NOW - 60 * DAY, NOW - 30 * DAY)


@pytest.mark.parametrize(("known", "expected"), [(3, 4.0), (40, 0.0)])
def test_too_few_frauds_are_not_judged(known: int, expected: float) -> None:
    assert outcomes([_judged(45)] * known, 1.0, expected, {}, NOW).calibration is None


def test_the_report_says_what_moved_what_was_invalid_and_what_became_known() -> None:
    inputs = InputCounts(payments=2_000, invalid_fields={"device_id": 100, "country": 2})
    drift = Drift(2_000, 0.12, {"amount_base": 0.4, "channel": 0.01})
    found = outcomes(
        [_judged(45)] * 30 + [_judged(9, 2, is_fraud=False)], 1.0, 20.0, {score_bin(0.3): 90}, NOW
    )

    lines = health_report("Model 0123", drift, inputs, found, NOW).splitlines()

    assert lines[0] == "Model 0123. 2,000 payments of the last day were counted, one in 16."
    assert "  fraud_probability                      0.120  moved" in lines
    assert "  amount_base                            0.400  another distribution" in lines
    assert "  channel                                0.010" in lines
    assert "  device_id                              5.00%" in lines
    assert "1 labels of the last 30 days were read; the newest became known 168 hours ago." in lines
    assert "0% of the flagged payments with a label were fraud." in lines
    assert any(
        line.endswith("30 frauds are known, the model expected 20: 1.50 times as many.") for line in lines
    )
    assert "  0.5                           90        30   33.333%" in lines


def test_the_report_says_what_it_does_not_know() -> None:
    nothing = outcomes([], 1.0, 0.0, {}, NOW)

    assert "no baseline beside the model" in health_report("M", None, InputCounts(), nothing, NOW)
    few = health_report("M", Drift(9, None, {}), InputCounts(payments=9), nothing, NOW)
    assert "before 1,000 payments are counted" in few
    assert few.endswith("No label was found.")
    young = outcomes([_judged(5)], 1.0, 0.0, {}, NOW)
    assert health_report("M", None, InputCounts(), young, NOW).endswith(
        "too few frauds to judge the probabilities."
    )
