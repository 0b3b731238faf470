"""Labels take effect once, in any order, despite crashes and other workers."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.entity_ids import entity_ids
from contract.label import LabelSource, LabelVerdict
from contract.scored import Decision
from engine.entities.risk import Risk
from tests.support.label_world import Calls, Crash, LabelWorld, MemoryBackend, State
from tests.support.labels import KNOWN_AT, make_message
from tests.support.payments import NOW, make_scored, make_transaction

if TYPE_CHECKING:
    from contract.label import LabelMessage

HOUR = timedelta(hours=1)
FRAUD = make_message(transaction_id="tx-1", label_id="fraud")
HONEST = make_message(
    transaction_id="tx-1", label_id="honest", verdict=LabelVerdict.LEGITIMATE, known_at=KNOWN_AT + HOUR
)
WITHDRAWAL = make_message(
    transaction_id="tx-1",
    label_id="back",
    verdict=LabelVerdict.WITHDRAWN,
    withdraws="honest",
    known_at=KNOWN_AT + 2 * HOUR,
)
BLOCKED = make_scored()
APPROVED = make_scored(decision=Decision.APPROVE, reasons=(), risk_score=5)
AT_S = int((NOW - timedelta(minutes=1)).timestamp())
KNOWN_S = int(KNOWN_AT.timestamp())
MERCHANT = entity_ids(make_transaction())[4] or b""


def after(world: LabelWorld, *messages: LabelMessage) -> State:
    """What a new world holds after these messages, one by one."""
    world.clear()
    world.pay(BLOCKED)
    for message in messages:
        assert world.send(message) == []
    return world.state()


def test_fraud_label_sets_status_risk_and_verdict(world: LabelWorld) -> None:
    key = world.pay(BLOCKED)

    failed = world.send(FRAUD)

    state = world.state()
    assert failed == []
    assert world.state().statuses[key.event_key] == "confirmed_fraud"
    assert state.labels == {(key.event_key, "fraud")}
    assert state.risks[MERCHANT] == Risk((AT_S,), 0, KNOWN_S)
    assert len(state.risks) == 4  # no payee, and no network
    assert len(state.risk_rows) == 5  # and the day
    (verdict,) = state.verdicts["user-1"]
    assert (verdict.is_fraud, verdict.at_s) == (True, AT_S)


def test_fraud_label_on_an_approved_payment_works_without_a_flagged_row(world: LabelWorld) -> None:
    world.pay(APPROVED)

    failed = world.send(FRAUD)

    assert failed == []
    assert world.state().risks[MERCHANT].frauds_s == (AT_S,)
    assert world.state().statuses == {}


def test_legitimate_label_makes_a_false_positive_of_the_row(world: LabelWorld) -> None:
    key = world.pay(BLOCKED)

    world.send(HONEST)

    assert world.state().statuses[key.event_key] == "false_positive"
    assert world.state().risks[MERCHANT] == Risk((), AT_S, KNOWN_S + 3600)
    assert {row[0] for row in world.state().risk_rows if row[0].startswith("day")} == set()


def test_withdrawal_undoes_exactly_what_the_label_had_done(world: LabelWorld) -> None:
    nothing = after(world)
    withdrawal = make_message(
        transaction_id="tx-1", label_id="w", verdict=LabelVerdict.WITHDRAWN, withdraws="fraud"
    )

    state = after(world, FRAUD, withdrawal)

    assert state._replace(labels=set()) == nothing
    assert state.labels == {(BLOCKED.event_key, "fraud"), (BLOCKED.event_key, "w")}


def test_row_that_an_analyst_looks_at_stays_so_when_nothing_counts(world: LabelWorld) -> None:
    memory = MemoryBackend()
    world.backend = memory
    key = world.pay(BLOCKED)
    memory.tables.statuses[key] = "in_review"

    world.send(WITHDRAWAL)

    assert world.state().statuses[key.event_key] == "in_review"
    world.send(FRAUD)
    assert world.state().statuses[key.event_key] == "confirmed_fraud"


@pytest.mark.parametrize("order", list(permutations([FRAUD, HONEST, WITHDRAWAL])))
def test_order_of_arrival_changes_nothing(world: LabelWorld, order: tuple[LabelMessage, ...]) -> None:
    assert after(world, *order) == after(world, FRAUD, HONEST, WITHDRAWAL)


def test_verdict_that_returns_is_another_one_and_a_confirmed_one_is_not(world: LabelWorld) -> None:
    confirmed = make_message(
        transaction_id="tx-1", label_id="cb", source=LabelSource.CHARGEBACK, known_at=KNOWN_AT + HOUR
    )

    first, same = after(world, FRAUD).verdicts, after(world, FRAUD, confirmed).verdicts
    returned = after(world, FRAUD, HONEST, WITHDRAWAL).verdicts

    assert first["user-1"] == same["user-1"]
    assert first["user-1"][0].verdict_hash != returned["user-1"][0].verdict_hash
    assert returned["user-1"][0].is_fraud


def test_message_that_comes_twice_is_one_label(world: LabelWorld) -> None:
    once = after(world, FRAUD)

    assert after(world, FRAUD, FRAUD) == once
    assert world.metrics.total("LabelsRepeated") == 1


def test_message_without_id_that_is_delivered_again_is_one_label(world: LabelWorld) -> None:
    world.pay(BLOCKED)
    message = make_message(transaction_id="tx-1", known_at=None)

    world.send(message)
    world.send(message)

    assert len(world.state().labels) == 1


def test_honest_label_that_is_older_than_the_run_of_frauds_does_not_end_it(world: LabelWorld) -> None:
    payments = [
        make_scored(make_transaction(transaction_id=f"tx-{day}", timestamp=NOW - timedelta(days=day)))
        for day in (1, 2, 3)
    ]
    payments = [
        make_scored(payment.transaction, appended_at=payment.transaction.timestamp + timedelta(seconds=1))
        for payment in payments
    ]
    for payment in payments:
        world.pay(payment)
    world.send(make_message(transaction_id="tx-1"), make_message(transaction_id="tx-2"))

    world.send(make_message(transaction_id="tx-3", verdict=LabelVerdict.LEGITIMATE, known_at=KNOWN_AT + HOUR))

    risk = world.state().risks[MERCHANT]
    now_s = int(NOW.timestamp())
    assert risk.run(now_s) == (2, now_s - 2 * 86_400)
    assert risk.honest_s == now_s - 3 * 86_400


def test_only_the_newest_64_frauds_of_an_entity_are_copied(world: LabelWorld) -> None:
    for number in range(70):
        at = NOW - timedelta(minutes=number)
        scored = make_scored(
            make_transaction(transaction_id=f"tx-{number}", timestamp=at, user_id=f"user-{number}"),
            appended_at=at,
        )
        world.pay(scored)
        world.send(make_message(transaction_id=f"tx-{number}"))

    frauds = world.state().risks[MERCHANT].frauds_s
    assert frauds == tuple(int(NOW.timestamp()) - 60 * minutes for minutes in reversed(range(64)))


# Crashes and other workers


def calls_of(world: LabelWorld, *messages: LabelMessage) -> list[str]:
    world.clear()
    world.pay(BLOCKED)
    for message in messages[:-1]:
        world.send(message)
    calls = Calls()
    world.send(messages[-1], calls=calls)
    return calls.names


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("is_after", [False, True])
def test_after_a_crash_at_any_call_a_redelivery_gives_the_same_state(
    world: LabelWorld, is_after: bool
) -> None:
    expected = after(world, FRAUD, HONEST)
    names = calls_of(world, FRAUD, HONEST)
    assert len(names) >= 15

    for number in range(len(names)):
        after(world, FRAUD)
        calls = Calls(number, after=crash) if is_after else Calls(number, before=crash)
        with pytest.raises(Crash):
            world.send(HONEST, calls=calls)

        assert world.send(HONEST) == []

        assert world.state() == expected, names[number]


def test_two_workers_with_two_labels_of_one_payment_give_what_one_would(world: LabelWorld) -> None:
    expected = after(world, FRAUD, HONEST)
    for first, second in ((FRAUD, HONEST), (HONEST, FRAUD)):
        for number in range(len(calls_of(world, first))):
            after(world)

            def other(message: LabelMessage = second) -> None:
                assert world.send(message) == []

            failed = world.send(first, calls=Calls(number, before=other))

            assert failed == []
            assert world.state() == expected, number


def test_worker_that_stops_amid_a_label_and_goes_on_after_another_is_right(world: LabelWorld) -> None:
    """The other one does its work in the middle, and a withdrawal comes a little later."""
    expected = after(world, FRAUD, HONEST, WITHDRAWAL)
    for number in range(len(calls_of(world, FRAUD))):
        after(world)
        failed = world.send(
            FRAUD,
            calls=Calls(number, before=lambda: world.send(HONEST), after=lambda: world.send(WITHDRAWAL)),
        )

        assert failed == []
        assert world.state() == expected, number


def test_two_payments_at_one_merchant_are_both_in_its_copy(world: LabelWorld) -> None:
    other = make_scored(make_transaction(transaction_id="tx-2", user_id="user-2", card_id="tok_2"))
    second = make_message(transaction_id="tx-2", label_id="two")
    for number in range(len(calls_of(world, FRAUD))):
        after(world)
        world.pay(other)

        world.send(FRAUD, calls=Calls(number, before=lambda: world.send(second)))

        assert world.state().risks[MERCHANT] == Risk((AT_S, AT_S), 0, KNOWN_S), number


LABELS = st.lists(
    st.builds(
        make_message,
        transaction_id=st.just("tx-1"),
        verdict=st.sampled_from([LabelVerdict.FRAUD, LabelVerdict.LEGITIMATE]),
        source=st.sampled_from(list(LabelSource)),
        confidence=st.sampled_from([0.3, 0.8, 1.0]),
        known_at=st.integers(0, 3).map(lambda hours: KNOWN_AT + hours * HOUR),
        label_id=st.sampled_from(["a", "b", "c", "d"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda message: message.label_id,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LABELS, st.sets(st.sampled_from(["a", "b", "c", "d"])), st.randoms(use_true_random=False))
def test_any_labels_in_any_order_with_repeats_give_the_same_state(  # type: ignore[no-untyped-def]  # hypothesis' Random
    world: LabelWorld, labels: list[LabelMessage], withdrawn: set[str], random
) -> None:
    labels = labels + [
        make_message(
            transaction_id="tx-1",
            label_id=f"w-{label_id}",
            verdict=LabelVerdict.WITHDRAWN,
            withdraws=label_id,
            known_at=KNOWN_AT + HOUR,
        )
        for label_id in sorted(withdrawn)
    ]
    shuffled = [*labels, labels[0]]
    random.shuffle(shuffled)

    assert after(world, *shuffled) == after(world, *labels)
