"""What labels say reaches the next payments' features and profiles, and nothing else depends on them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.decide import is_fraudulent
from engine.features import risk
from engine.features.stored import unpack
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import facts_of_row
from engine.profile.outcome import Outcome
from tests.support.kafka_events import event_of
from tests.support.label_copies import LabelWitness
from tests.support.payments import make_grocery_payment
from tests.unit.score.stage_system import System, payments, system

if TYPE_CHECKING:
    from contract.scored import FeatureValue, ScoredTransaction

__all__ = ["system"]


def scored(system: System, transaction_id: str) -> ScoredTransaction:
    """The stored row of a payment."""
    [row] = [row for row in system.history.scored() if row.transaction.transaction_id == transaction_id]
    return row


def features(row: ScoredTransaction) -> dict[str, FeatureValue]:
    return unpack(row.features, row.feature_set)


def label(system: System, *transaction_ids: str, is_fraud: bool | None = True) -> None:
    people = LabelWitness()
    for transaction_id in transaction_ids:
        people.label(scored(system, transaction_id), is_fraud, system.profiles.labels)


def pay(system: System, transaction_id: str, **changes: object) -> ScoredTransaction:
    """Score one more payment."""
    offset = len(system.history.rows)
    system.handle(
        event_of(make_grocery_payment(transaction_id=transaction_id, **changes), first_offset=offset)
    )
    return scored(system, transaction_id)


def test_a_fraud_at_a_merchant_is_seen_by_the_next_payment_of_another_user_there(system: System) -> None:
    pay(system, "t-1", user_id="victim")
    label(system, "t-1")

    row = pay(system, "t-2", user_id="next", card_id="c-2", device_id="d-2")

    seen = features(row)
    assert (seen["merchant_frauds_30d"], seen["merchant_fraud_run"]) == (1, 1)
    assert (seen["card_frauds_30d"], seen["device_frauds_30d"]) == (0, 0)
    assert seen["risk_age_days"] == pytest.approx(1, abs=0.01)
    assert 0.01 < float(seen["merchant_fraud_rate_30d"]) < 0.1


def test_the_usual_share_of_fraud_is_that_of_the_cache(system: System) -> None:
    system.profiles.labels.usual_rate = b"0.0042"

    assert features(pay(system, "t-1"))["usual_fraud_rate_30d"] == pytest.approx(0.0042)


def test_a_verdict_is_applied_by_the_next_payment_alone_and_named_by_its_row(system: System) -> None:
    first = pay(system, "t-1")
    label(system, "t-1", is_fraud=False)

    second, third = pay(system, "t-2"), pay(system, "t-3")

    [verdict] = second.verdicts
    assert (verdict.is_fraud, verdict.key_hash) == (False, facts_of_row(first).key_hash)
    assert third.verdicts == ()


def test_a_rebuild_from_rows_alone_comes_to_the_same_profile(system: System) -> None:
    pay(system, "t-1")
    label(system, "t-1")
    pay(system, "t-2")
    label(system, "t-1", "t-2", is_fraud=False)
    pay(system, "t-3")
    cached = system.profile()

    rebuilt = Profile()
    for row in system.history.scored():
        rebuilt.fold_row(facts_of_row(row), Outcome.of(row), row.position)

    assert to_bytes(rebuilt) == to_bytes(from_bytes(to_bytes(cached)))
    assert len(rebuilt.verdicts) == 3


def test_a_decision_can_be_made_again_from_its_row_whatever_labels_say_by_then(system: System) -> None:
    pay(system, "t-1")
    label(system, "t-1")
    row = pay(system, "t-2", amount=Decimal(5_000))
    label(system, "t-1", "t-2", is_fraud=False)

    again = is_fraudulent(features(row), row.transaction, system.ruleset, facts_of_row(row).clock_ms)

    assert (again.decision, again.risk_score, again.reasons) == (row.decision, row.risk_score, row.reasons)


def test_a_redelivered_payment_stays_as_it_is_stored_though_labels_came_meanwhile(system: System) -> None:
    event = event_of(*payments(2))
    system.handle(event)
    before = dict(system.history.rows)
    label(system, "t-0", "t-1")
    system.profiles.values.clear()  # the profile must be rebuilt, and both payments folded again

    response = system.handle(event)

    assert response == {"batchItemFailures": []}
    assert system.history.rows == before
    assert system.profile().verdicts.tolist() == []


def test_labels_that_came_between_two_tries_are_no_race(system: System) -> None:
    first = pay(system, "t-1")
    label(system, "t-1")
    event = event_of(make_grocery_payment(transaction_id="t-2"), first_offset=1)
    profile_before = system.profiles.values["user-1"]
    system.handle(event)
    label(system, "t-1", is_fraud=False)
    system.profiles.values["user-1"] = profile_before  # the first try ended before it wrote the profile
    system.profiles.marks.clear()
    settled: list[object] = []
    system.telemetry.__dict__["chain_settled"] = settled.append

    system.handle(event)

    assert first.verdicts == ()
    assert [each.raced for each in settled] == [[]]  # type: ignore[attr-defined]


def test_without_the_cache_payments_are_decided_without_risk_and_verdicts_wait(system: System) -> None:
    pay(system, "t-1")
    label(system, "t-1")
    system.profiles.is_down = True

    degraded = pay(system, "t-2")
    system.profiles.is_down = False
    later = pay(system, "t-3")

    seen = features(degraded)
    assert degraded.degraded
    assert degraded.verdicts == ()
    assert {name: seen[name] for name in risk.ABSENT} == risk.ABSENT | {"usual_fraud_rate_30d": 0.001}
    assert [verdict.is_fraud for verdict in later.verdicts] == [True]
    assert features(later)["merchant_frauds_30d"] == 1


def test_damaged_copies_count_as_missing_and_are_reported(system: System) -> None:
    pay(system, "t-1")
    label(system, "t-1")
    system.profiles.labels.damage()
    system.profiles.labels.usual_rate = b"\xff"
    reports: list[tuple[int, bool]] = []

    def labels_read(unreadable: int, *, is_complete: bool) -> None:
        reports.append((unreadable, is_complete))

    system.telemetry.__dict__["labels_read"] = labels_read

    row = pay(system, "t-2")

    seen = features(row)
    # A merchant, a card and a device, the user's verdicts, and the usual share.
    assert reports == [(5, True)]
    assert row.verdicts == ()
    assert {name: seen[name] for name in risk.ABSENT} == risk.ABSENT | {"usual_fraud_rate_30d": 0.001}


def test_a_cache_that_may_lack_copies_is_reported_and_used(system: System) -> None:
    pay(system, "t-1")
    label(system, "t-1")
    system.profiles.labels.is_complete = False
    reports: list[bool] = []
    system.telemetry.__dict__["labels_read"] = lambda _, *, is_complete: reports.append(is_complete)

    row = pay(system, "t-2")

    assert reports == [False]
    assert features(row)["merchant_frauds_30d"] == 1


def test_a_verdict_of_legitimate_that_is_undone_at_once_is_in_no_row(system: System) -> None:
    first = pay(system, "t-1")
    people = LabelWitness(recorded_s=int(first.scored_at.timestamp()))
    people.label(first, False, system.profiles.labels)

    meanwhile = pay(system, "t-2")
    people.label(first, None, system.profiles.labels)
    later = pay(system, "t-3")

    assert meanwhile.verdicts == later.verdicts == ()
    assert system.profile().verdicts.tolist() == []


@pytest.mark.parametrize("is_fraud", [True, False])
def test_verdicts_of_one_user_do_not_reach_another(system: System, is_fraud: bool) -> None:
    pay(system, "t-1", user_id="one")
    label(system, "t-1", is_fraud=is_fraud)

    row = pay(system, "t-2", user_id="other")

    assert row.verdicts == ()
    assert list(system.profile("other").verdicts) == []
