"""The point-in-time set holds what was known at its time, and nothing that became known later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract.scored import Decision
from tests.support.rule_samples import features
from training.columns import NOT_LEARNT, columns
from training.point_in_time import PointInTime, Window, combined

if TYPE_CHECKING:
    from training.point_in_time import TrainingSet

WINDOW = Window(1_000, 2_000, 3_000)
USED = tuple(each for each in columns() if each.name in ("amount_base", "channel", "is_new_device"))


def _collected(
    *payments: tuple[int, int], labels: dict[int, tuple[bool, int]] | None = None, **changes: Any
) -> PointInTime:
    """Of (key, clock); labels by key: fraud or not, and when it became known."""
    collected = PointInTime(WINDOW, USED, **changes)
    for key_hash, clock_s in payments:
        collected.see(
            key_hash, clock_s, Decision.APPROVE, 0, features(amount_base=float(key_hash), channel="online")
        )
    for key_hash, (is_fraud, known_s) in (labels or {}).items():
        collected.know(key_hash, is_fraud, known_s)
    return collected


def _amounts(training_set: TrainingSet) -> list[float]:
    return list(training_set.values[:, 0].tolist())


def test_payments_of_the_window_alone_are_learnt_from() -> None:
    training_set = _collected((1, 999), (2, 1_000), (3, 1_999), (4, 2_000)).labelled()

    assert _amounts(training_set) == [2.0, 3.0]


def test_a_payment_is_fraud_where_that_was_known_and_honest_where_nobody_complained() -> None:
    training_set = _collected(
        (1, 1_000), (2, 1_001), (3, 1_002), labels={1: (True, 3_000), 3: (False, 2_000)}
    ).labelled()

    assert training_set.is_fraud.tolist() == [True, False, False]


def test_a_label_that_became_known_later_changes_nothing() -> None:
    payments = [(1, 1_000), (2, 1_001)]
    before = _collected(*payments, labels={1: (True, 2_000)}).labelled()

    after = _collected(*payments, labels={1: (True, 2_000), 2: (True, 3_001)}).labelled()

    assert after.sha256 == before.sha256
    assert not after.is_fraud[1]


def test_the_last_label_until_then_counts() -> None:
    collected = _collected((1, 1_000), labels={1: (True, 2_000)})

    collected.know(1, False, 2_500)

    assert not collected.labelled().is_fraud[0]


@pytest.mark.parametrize(
    ("label", "amounts", "left_out"), [(None, [2.0], 1), (True, [1.0, 2.0], 0), (False, [1.0, 2.0], 0)]
)
def test_what_was_blocked_and_never_judged_is_left_out(
    label: bool | None, amounts: list[float], left_out: int
) -> None:
    collected = PointInTime(WINDOW, USED)
    collected.see(1, 1_000, Decision.BLOCK, 90, features(amount_base=1.0))
    collected.see(2, 1_001, Decision.REVIEW, 60, features(amount_base=2.0))
    if label is not None:
        collected.know(1, label, 2_000)

    training_set = collected.labelled()

    assert (_amounts(training_set), training_set.left_out) == (amounts, left_out)


def test_the_order_in_which_payments_come_changes_nothing() -> None:
    payments = [(3, 1_000), (1, 1_000), (2, 1_500)]

    assert _collected(*payments).labelled().sha256 == _collected(*reversed(payments)).labelled().sha256


def test_values_are_those_that_were_stored() -> None:
    collected = PointInTime(WINDOW, USED)
    collected.see(
        1, 1_000, Decision.APPROVE, 7, features(amount_base=12.3456, channel="atm", is_new_device=True)
    )
    collected.see(2, 1_001, Decision.APPROVE, 0, features(channel="online"))

    training_set = collected.labelled()

    assert [each.name for each in training_set.features] == ["amount_base", "channel", "is_new_device"]
    assert training_set.values.tolist() == [[12.3456, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert training_set.texts == {"channel": ("atm", "online")}
    assert training_set.points.tolist() == [7, 0]


def test_of_many_honest_payments_a_part_is_drawn_and_counts_for_several() -> None:
    keys = [key << 32 for key in range(100)]
    labels = dict.fromkeys(keys[:10], (True, 2000))

    training_set = _collected(*((key, 1_000) for key in keys), labels=labels, max_honest=45).labelled()

    assert training_set.is_fraud.sum() == 10
    assert set(training_set.weight[training_set.is_fraud].tolist()) == {1.0}
    assert set(training_set.weight[~training_set.is_fraud].tolist()) == {2.0}
    assert training_set.weight.sum() == pytest.approx(100, abs=5)


def test_beyond_the_bound_every_second_payment_is_left_out_whatever_it_is() -> None:
    labels = dict.fromkeys(range(0, 40, 4), (True, 2000))

    training_set = _collected(*((key, 1_000) for key in range(40)), labels=labels, max_kept=25).labelled()

    assert 10 <= len(training_set.is_fraud) <= 25
    assert set(training_set.weight.tolist()) == {1.0}


def test_sets_of_several_sources_follow_one_another() -> None:
    one, other = PointInTime(WINDOW, USED), PointInTime(WINDOW, USED)
    one.see(1, 1_000, Decision.APPROVE, 1, features(amount_base=1.0, channel="atm"))
    other.see(2, 1_000, Decision.APPROVE, 2, features(amount_base=2.0, channel="online"))
    other.see(3, 1_001, Decision.BLOCK, 2, features())

    both = combined([one.labelled(), other.labelled()])

    assert both.values[:, :2].tolist() == [[1.0, 0.0], [2.0, 1.0]]
    assert both.texts == {"channel": ("atm", "online")}
    assert (both.points.tolist(), both.left_out) == ([1, 2], 1)


def test_sources_of_different_years_are_cut_into_the_same_spans_of_time() -> None:
    later = Window(*(each + 10_000_000 for each in WINDOW))
    one, other = PointInTime(WINDOW, USED), PointInTime(later, USED)
    one.see(1, WINDOW.begin_s + 5, Decision.APPROVE, 0, features())
    other.see(2, later.begin_s + 5, Decision.APPROVE, 0, features())

    both = combined([one.labelled(), other.labelled()])

    assert both.since_s.tolist() == [5, 5]
    assert both.clock_s.tolist() == [WINDOW.begin_s + 5, later.begin_s + 5]


def test_a_set_is_named_by_all_that_is_trained_on() -> None:
    same = [(1, 1_000), (2, 1_001)]
    base = _collected(*same).labelled()

    changed = [
        _collected(*same, labels={1: (True, 2_000)}).labelled(),
        _collected((1, 1_000), (3, 1_001)).labelled(),
        _collected((1, 1_000), (2, 1_002)).labelled(),
    ]

    assert len({each.sha256 for each in [base, *changed]}) == 4


def test_no_model_learns_from_what_it_should_not() -> None:
    names = {each.name for each in columns()}

    assert not names & NOT_LEARNT.keys()
    assert "fraud_probability" not in names
    assert {each.name for each in columns(without=("channel",))} == names - {"channel"}


def test_more_reported_fraud_may_never_lower_the_probability() -> None:
    rising = {each.name for each in columns() if each.direction == 1}

    assert {
        "merchant_frauds_30d",
        "merchant_fraud_rate_30d",
        "merchant_fraud_run",
        "device_frauds_30d",
    } <= rising
    assert all("fraud" in name for name in rising)
    assert not any("days_since" in name for name in rising)


def test_where_fraud_is_too_frequent_honest_payments_count_for_more() -> None:
    training_set = _collected(*((key, 1_000) for key in range(1, 11)), labels={1: (True, 2_000)}).labelled()

    weighed = training_set.with_fraud_share(0.01)

    assert weighed.weight[weighed.is_fraud].sum() / weighed.weight.sum() == pytest.approx(0.01)
    assert training_set.with_fraud_share(0.5).weight.tolist() == training_set.weight.tolist()


def test_a_saved_set_can_be_read_by_the_fit(tmp_path: Any) -> None:
    training_set = _collected((1, 1_000)).labelled()

    training_set.save(tmp_path / "set.npz")

    with np.load(tmp_path / "set.npz") as stored:
        assert stored["values"].tolist() == training_set.values.tolist()
        assert b'"amount_base"' in stored["described"].tobytes()
