"""A batch that the version before stored and did not answer is delivered again to this one: each payment has one row and counts once."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.clock import EPOCH, MILLISECOND, TimeBasis, time_text
from contract.scored import Decision, Position, to_history_item
from contract.transaction import encode_transaction
from engine.profile import from_bytes
from engine.profile.fingerprints import key_hash
from tests.support.histories import DAY_S, facts_at
from tests.support.kafka_events import TOPIC, make_event
from tests.support.past_samples import PROFILE_OF_FORMAT_1, PROFILE_PAYMENTS
from tests.support.payments import make_scored
from tests.unit.score.stage_system import System, failures

if TYPE_CHECKING:
    from contract.transaction import Transaction
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent

NEXT = facts_at(5 * DAY_S + 600, "next").transaction
LATER = facts_at(5 * DAY_S + 900, "later").transaction
PAST = [facts.transaction for facts in PROFILE_PAYMENTS]


def delivered(*payments: Transaction, first_offset: int, is_trusted: bool = True) -> KafkaEvent:
    return make_event(
        [
            (Position(TOPIC, 0, first_offset + place), encode_transaction(payment))
            for place, payment in enumerate(payments)
        ],
        appended_at_ms=[(payment.timestamp - EPOCH) // MILLISECOND + 500 for payment in payments],
        is_trusted=[is_trusted] * len(payments),
    )


def old_row(payment: Transaction, offset: int) -> tuple[tuple[str, str], dict[str, Any]]:
    """Key and row of a payment as format 2 stored it: the key does not say what is paid."""
    row = make_scored(
        payment,
        position=Position(TOPIC, 0, offset),
        decision=Decision.APPROVE,
        risk_score=0,
        basis=TimeBasis.TRUSTED,
        has_content_mark=False,
    )
    item = to_history_item(row, 0)
    detail = msgspec.json.decode(item["detail"]["S"]) | {"v": 2}
    del detail["b"]
    item["detail"]["S"] = msgspec.json.encode(detail).decode()
    return (payment.user_id, item["event_key"]["S"]), item


def old_key(payment: Transaction) -> str:
    return f"{time_text(payment.timestamp)}#{payment.transaction_id}"


@pytest.fixture(params=["in the cache", "lost with the cache", "the cache is unavailable"])
def system(request: pytest.FixtureRequest, ruleset: Ruleset) -> System:
    """A system whose version before has folded five payments of a user, at offsets 0 to 4."""
    system = System(ruleset)
    system.history.rows = dict(old_row(payment, offset) for offset, payment in enumerate(PAST))
    if request.param == "in the cache":
        system.profiles.values["user-1"] = (b"old", b64decode(PROFILE_OF_FORMAT_1))
        system.profiles.marks[TOPIC, 0] = (4, 0)
    system.profiles.is_down = request.param == "the cache is unavailable"
    return system


def profile_count(system: System) -> int:
    if system.profiles.is_down:
        return from_bytes(system.checkpoints.values["user-1"][1]).tx_count
    return system.profile().tx_count


@pytest.mark.parametrize("is_trusted", [True, False])
def test_payment_that_was_stored_and_not_folded_is_folded_and_has_one_row(
    system: System, is_trusted: bool
) -> None:
    key, row = old_row(NEXT, 5)
    system.history.rows[key] = row

    response = system.handle(delivered(NEXT, first_offset=5, is_trusted=is_trusted))

    assert failures(response) == []
    assert [key[1] for key in system.history.rows] == [*map(old_key, PAST), old_key(NEXT)]
    assert profile_count(system) == 6


def test_payment_that_was_stored_and_folded_is_left_alone(system: System) -> None:
    response = system.handle(delivered(PAST[4], NEXT, first_offset=4))

    assert failures(response) == []
    assert len(system.history.rows) == 6
    assert profile_count(system) == 6


def test_whole_batch_that_was_stored_before_the_upgrade_is_folded_once_however_often_it_comes(
    system: System,
) -> None:
    for offset, payment in ((5, NEXT), (6, LATER)):
        key, row = old_row(payment, offset)
        system.history.rows[key] = row

    for _ in range(3):
        system.handle(delivered(NEXT, LATER, first_offset=5))

    assert len(system.history.rows) == 7
    assert profile_count(system) == 7


def test_another_payment_under_the_id_and_time_of_an_old_row_is_a_payment_of_its_own(system: System) -> None:
    other = msgspec.structs.replace(PAST[4], amount=PAST[4].amount * 100)

    system.handle(delivered(other, first_offset=5))

    assert len(system.history.rows) == 6
    assert profile_count(system) == 6


def test_producers_repeat_of_an_old_row_is_neither_stored_nor_folded(system: System) -> None:
    system.handle(delivered(PAST[4], first_offset=5))

    assert len(system.history.rows) == 5
    assert profile_count(system) == 5


def test_old_keys_are_looked_up_once_a_user_and_then_for_late_payments_alone(ruleset: Ruleset) -> None:
    system = System(ruleset)
    system.profiles.values["user-1"] = (b"old", b64decode(PROFILE_OF_FORMAT_1))
    system.profiles.marks[TOPIC, 0] = (4, 0)
    lookups = []

    for offset, payment in ((5, NEXT), (6, LATER)):
        before = system.history.lookups
        system.handle(delivered(payment, first_offset=offset))
        lookups.append(system.history.lookups - before)

    assert lookups == [1, 0]
    assert system.profile().holds(key_hash(old_key(PAST[4])))


def test_user_whom_the_version_before_did_not_know_costs_no_lookup(ruleset: Ruleset) -> None:
    system = System(ruleset)

    system.handle(delivered(NEXT, LATER, first_offset=0))

    assert system.history.lookups == 0
