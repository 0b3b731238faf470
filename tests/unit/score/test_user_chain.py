"""One user's payments of a batch: which are scored, folded, failed, and how the others are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contract.scored import Decision, Position, ScoredTransaction, to_history_item
from engine.profile import Profile, to_bytes
from engine.profile.recent_payments import RING_CAPACITY
from score.delivery import Delivery
from score.history_store import InsertResult, RowKey
from score.user_chain import SettledChain, UserChain, needs_lookup, rebuild, row_key
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, NOW, make_scored, make_transaction, trusted_facts
from tests.support.score_stores import past_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STORED, EXISTS, FAILED = InsertResult.STORED, InsertResult.EXISTS, InsertResult.FAILED
FIRST_AT = NOW - timedelta(days=3)


def delivery(
    name: int, offset: int | None = None, partition: int = 0, *, minutes: int | None = None
) -> Delivery:
    """Payment ``name``, in the minute of its number unless ``minutes`` is given, at the offset of its number."""
    transaction = make_transaction(
        transaction_id=f"t-{name}",
        timestamp=FIRST_AT + timedelta(minutes=name if minutes is None else minutes),
    )
    position = Position(TOPIC, partition, name if offset is None else offset)
    return Delivery(trusted_facts(transaction), position, 0, is_key_mismatch=False)


def profile_of(*deliveries: Delivery) -> Profile:
    profile = Profile()
    for one in deliveries:
        profile.fold(one.facts, APPROVED, one.position)
    return profile


def score(delivery: Delivery, profile: Profile, _stored: ScoredTransaction | None) -> ScoredTransaction:
    return make_scored(
        delivery.facts.transaction, position=delivery.position, profile_version=profile.tx_count
    )


def stored(
    one: Delivery, position: Position | None = None, **changes: object
) -> dict[RowKey, ScoredTransaction]:
    """The row of a payment, from its own position unless another one is given."""
    row = make_scored(one.facts.transaction, position=position or one.position, **changes)
    return {row_key(one): row}


class Chain:
    """A chain that was scored."""

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        before: Sequence[Delivery] = (),
        existing: Mapping[RowKey, ScoredTransaction] | None = None,
    ) -> None:
        self.chain = UserChain(deliveries, profile_of(*before), to_bytes(profile_of(*before)), existing or {})
        for one in deliveries:
            self.chain.score(one, score)

    @property
    def scored(self) -> list[tuple[str, int]]:
        """New rows: the payment, and how many the profile held before it."""
        return [(row.transaction.transaction_id, row.profile_version) for row in self.chain.rows]

    def settle(
        self, *results: InsertResult, found: Mapping[RowKey, ScoredTransaction] | None = None
    ) -> SettledChain:
        keys = [(row.transaction.user_id, row.event_key) for row in self.chain.rows]
        return self.chain.settle(dict(zip(keys, results, strict=True)), found or {})


def counts(settled: SettledChain) -> tuple[int, list[int], list[int], int, int]:
    """Payments in the profile, offsets folded and failed, repeats, redelivered."""
    return (
        settled.profile.tx_count,
        [one.delivery.position.offset for one in settled.folded],
        [position.offset for position in settled.failed],
        settled.repeats,
        settled.redelivered,
    )


def test_new_payments_are_scored_in_order_and_folded() -> None:
    chain = Chain([delivery(1), delivery(2)], before=[delivery(0)])

    settled = chain.settle(STORED, STORED)

    assert chain.scored == [("t-1", 1), ("t-2", 2)]
    assert counts(settled) == (3, [1, 2], [], 0, 0)
    assert settled.profile.folded_offset(TOPIC, 0) == 2


def test_payment_that_the_profile_holds_is_a_repeat() -> None:
    chain = Chain([delivery(0), delivery(1)], before=[delivery(0)])

    assert chain.scored == [("t-1", 1)]
    assert counts(chain.settle(STORED)) == (2, [1], [], 1, 0)


def test_payment_that_is_twice_in_the_batch_is_scored_once() -> None:
    chain = Chain([delivery(1), delivery(1, offset=2), delivery(1, offset=3)])

    settled = chain.settle(STORED)

    assert chain.scored == [("t-1", 0)]
    assert counts(settled) == (1, [1], [], 2, 0)
    assert settled.profile.folded_offset(TOPIC, 0) == 3


def test_row_from_the_same_position_is_folded_and_not_scored_again() -> None:
    one = delivery(1)
    chain = Chain([one, delivery(2)], existing=stored(one))

    assert chain.scored == [("t-2", 1)]
    assert counts(chain.settle(STORED)) == (2, [1, 2], [], 0, 1)


def test_row_from_another_position_is_a_repeat_of_the_producer() -> None:
    one = delivery(1)
    chain = Chain([one, delivery(2)], existing=stored(one, Position(TOPIC, 0, 0)))

    assert chain.scored == [("t-2", 0)]
    assert counts(chain.settle(STORED)) == (1, [2], [], 1, 0)


def test_row_from_the_same_position_that_the_profile_has_folded_is_a_repeat() -> None:
    old = delivery(0)
    recent = [delivery(name) for name in range(1, RING_CAPACITY + 1)]
    chain = Chain([old, delivery(99)], before=[old, *recent], existing=stored(old))

    assert chain.scored == [("t-99", RING_CAPACITY + 1)]
    assert counts(chain.settle(STORED)) == (RING_CAPACITY + 2, [99], [], 1, 0)


def test_rows_that_turn_out_to_exist_from_the_same_positions_are_redelivered() -> None:
    batch = [delivery(1), delivery(2), delivery(3)]
    found = stored(batch[0]) | stored(batch[1])

    settled = Chain(batch, before=[delivery(0)]).settle(EXISTS, EXISTS, STORED, found=found)

    assert counts(settled) == (4, [1, 2, 3], [], 0, 2)


def test_row_that_turns_out_to_exist_from_another_position_is_a_repeat_and_not_folded() -> None:
    batch = [delivery(1), delivery(2)]
    found = stored(batch[0], Position(TOPIC, 1, 7))

    settled = Chain(batch).settle(EXISTS, STORED, found=found)

    assert counts(settled) == (1, [2], [], 1, 0)


def test_rows_behind_one_that_was_stored_otherwise_are_listed_as_raced() -> None:
    batch = [delivery(1), delivery(2), delivery(3)]
    found = stored(batch[1], decision=Decision.APPROVE)

    settled = Chain(batch).settle(STORED, EXISTS, STORED, found=found)

    assert [position.offset for position in settled.raced] == [3]
    assert [one.outcome.decision for one in settled.folded] == [
        Decision.BLOCK,
        Decision.APPROVE,
        Decision.BLOCK,
    ]


def test_row_of_an_earlier_try_that_this_one_would_decide_otherwise_is_listed_as_raced() -> None:
    batch = [delivery(1), delivery(2)]
    existing = stored(batch[1], features=b"other features")

    settled = Chain(batch, existing=existing).settle(STORED)

    assert [position.offset for position in settled.raced] == [2]


def test_rows_that_are_stored_as_they_were_decided_race_with_nobody() -> None:
    batch = [delivery(1), delivery(2), delivery(3)]

    settled = Chain(batch).settle(EXISTS, STORED, STORED, found=stored(batch[0]))

    assert settled.raced == []


def test_payments_after_a_failed_one_on_its_partition_are_not_folded() -> None:
    batch = [
        delivery(1),
        delivery(2),
        delivery(3, partition=1),
        delivery(4),
        delivery(1, offset=5),
    ]

    settled = Chain(batch, before=[delivery(0)]).settle(STORED, FAILED, STORED, STORED)

    assert counts(settled) == (3, [1, 3], [2], 0, 0)
    assert settled.profile.folded_offset(TOPIC, 0) == 1
    assert settled.profile.folded_offset(TOPIC, 1) == 3


def test_one_payment_fails_on_each_partition() -> None:
    batch = [delivery(1), delivery(2, partition=1), delivery(3), delivery(4, partition=1)]

    assert counts(Chain(batch).settle(FAILED, FAILED, STORED, STORED)) == (0, [], [1, 2], 0, 0)


def test_counts_are_the_same_whether_or_not_the_batch_is_folded_again() -> None:
    held, own, new, repeat = delivery(0), delivery(1), delivery(2), delivery(2, offset=3)
    existing = stored(own)
    last = delivery(4, partition=1)

    smooth = Chain([held, own, new, repeat, last], before=[held], existing=existing).settle(STORED, STORED)
    again = Chain([held, own, new, repeat, last], before=[held], existing=existing).settle(STORED, FAILED)

    assert counts(smooth) == (4, [1, 2, 4], [], 2, 1)
    assert counts(again) == (3, [1, 2], [4], 2, 1)


def test_repeats_advance_the_mark_of_the_profile() -> None:
    settled = Chain([delivery(0, offset=9)], before=[delivery(0)]).settle()

    assert settled.profile.folded_offset(TOPIC, 0) == 9
    assert counts(settled) == (1, [], [], 1, 0)


def test_mark_of_the_profile_does_not_go_back() -> None:
    settled = Chain([delivery(0, offset=2)], before=[delivery(0, offset=5)]).settle()

    assert settled.profile.folded_offset(TOPIC, 0) == 5


@pytest.mark.parametrize(
    ("name", "offset", "minutes", "needed"),
    [
        (1, 1, 1, False),
        (1, 1, 0, True),
        (1, 1, -1, True),
        (1, 0, 1, True),
        (0, 1, 0, False),
        (0, 0, 0, False),
    ],
    ids=["later", "same time", "earlier", "offset folded", "held, sent again", "held"],
)
def test_lookup_is_needed_for_what_may_be_a_repeat(
    name: int, offset: int, minutes: int, needed: bool
) -> None:
    profile = profile_of(delivery(0))

    one = delivery(name, offset, minutes=minutes)

    assert needs_lookup(one, profile, is_counted=None) is needed


@pytest.mark.parametrize(("complete_to", "needed"), [(4, False), (5, True)])
def test_empty_profile_needs_a_lookup_up_to_the_offset_that_it_is_complete_to(
    complete_to: int, needed: bool
) -> None:
    profile = Profile()
    profile.mark_complete_to(TOPIC, 0, complete_to)

    assert needs_lookup(delivery(5), profile, is_counted=None) is needed


@pytest.mark.parametrize(
    ("offset", "needed"), [(0, True), (9, False)], ids=["folded by an earlier try", "sent again"]
)
def test_payment_that_the_profile_holds_and_its_entities_lack_needs_a_lookup(
    offset: int, needed: bool
) -> None:
    profile = profile_of(delivery(0))

    assert needs_lookup(delivery(0, offset), profile, is_counted=False) is needed


@pytest.mark.parametrize(("is_counted", "needed"), [(None, False), (False, False), (True, True)])
def test_payment_that_its_entities_have_counted_needs_a_lookup_of_what_it_saw(
    is_counted: bool | None, needed: bool
) -> None:
    """An earlier try stored it; scored anew it would see itself, and later ones."""
    assert needs_lookup(delivery(1), profile_of(delivery(0)), is_counted=is_counted) is needed


@pytest.mark.parametrize("is_counted", [None, True])
def test_payment_that_the_profile_holds_needs_none_unless_its_entities_lack_it(
    is_counted: bool | None,
) -> None:
    assert needs_lookup(delivery(0), profile_of(delivery(0)), is_counted=is_counted) is False


def rows_of(*deliveries: Delivery) -> list[ScoredTransaction]:
    return [make_scored(one.facts.transaction, position=one.position) for one in deliveries]


def rebuilt(rows: Sequence[ScoredTransaction], *batch: Delivery) -> Profile:
    past = [past_row(to_history_item(row, 0)) for row in rows]
    return rebuild(Profile(), past, lambda row, _: trusted_facts(row.transaction), batch, [])


def test_profile_is_rebuilt_from_rows_before_the_batch_on_each_partition() -> None:
    rows = rows_of(
        delivery(0),
        delivery(4),
        delivery(5),
        delivery(6),
        delivery(7, offset=2, partition=1),
        delivery(8, offset=3, partition=1),
        delivery(9, offset=100, partition=2),
    )

    profile = rebuilt(rows, delivery(5), delivery(6), delivery(8, offset=3, partition=1))

    assert profile.tx_count == 4
    assert [profile.folded_offset(TOPIC, partition) for partition in range(4)] == [4, 2, 100, -1]


def test_rows_are_folded_in_the_order_of_their_positions() -> None:
    one, two = delivery(1, minutes=9), delivery(2, minutes=3)

    profile = rebuilt(rows_of(two, one), delivery(5))

    assert to_bytes(profile) == to_bytes(rebuilt(rows_of(one, two), delivery(5)))
    assert profile.folded_offset(TOPIC, 0) == 4


def test_rebuilt_profile_without_rows_is_complete_to_the_offset_before_the_batch() -> None:
    profile = rebuilt([], delivery(5))

    assert (profile.tx_count, profile.folded_offset(TOPIC, 0)) == (0, 4)


def test_rows_that_a_checkpoint_holds_are_not_read() -> None:
    [row] = rows_of(delivery(1))
    unreadable = past_row(to_history_item(row, 0) | {"detail": {"S": "?"}})
    [later] = rows_of(delivery(2))

    profile = rebuild(
        profile_of(delivery(0), delivery(1)),
        [unreadable, past_row(to_history_item(later, 0))],
        lambda row, _: trusted_facts(row.transaction),
        [delivery(5)],
        [],
    )

    assert profile.tx_count == 3
