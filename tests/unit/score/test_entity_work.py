"""What a batch counts at its entities: each payment once, up to the first failed offset, however often it is delivered."""

from __future__ import annotations

from base64 import b64decode

import pytest

from contract.canary import canary_payment
from contract.entity_ids import EntityKind
from contract.scored import Decision, Position
from engine.entities.book import NO_ENTITIES
from engine.entities.kinds import POPULATION_IDS
from engine.entities.sightings import sighting_of
from engine.features.past import PAST_CATALOGUES
from score.delivery import Delivery
from score.entity_store import EntityMark
from tests.support.kafka_events import TOPIC
from tests.support.past_samples import PACKED_BY_SET_861800
from tests.support.payments import NOW, trusted_facts
from tests.support.rule_samples import features
from tests.unit.score.entity_batches import (
    LATER_S,
    MERCHANT,
    NOW_S,
    Work,
    added,
    delivery,
    of_new,
    of_stored,
    row_of,
    settled,
)


def test_entities_that_a_batch_touches_are_read_once_with_all_populations() -> None:
    work = Work([delivery(0), delivery(1)]).work

    assert work.keys == [*POPULATION_IDS, MERCHANT]


def test_a_canary_reads_and_counts_nothing_and_its_mark_moves() -> None:
    facts = trusted_facts(canary_payment("canary-3", NOW))
    canary = Delivery(facts, Position(TOPIC, 0, 0), 0, is_key_mismatch=False)
    each = Work([canary], -1).see()

    assert each.work.keys == [*POPULATION_IDS]
    assert each.adds(settled(canary)) == ([(-1, 0)], {})


@pytest.mark.parametrize(
    ("mark", "first", "is_gap"),
    [
        (-1, 0, False),
        (-1, 5, True),
        (3, 5, True),
        (4, 5, False),
        (9, 5, False),
    ],
    ids=["a new partition", "no mark", "a mark behind", "the batch before", "delivered again"],
)
def test_a_mark_that_does_not_reach_the_batch_is_a_gap(mark: int, first: int, is_gap: bool) -> None:
    each = Work([delivery(first), delivery(first + 1)], mark).work

    assert each.gap_s == (NOW_S if is_gap else 0)
    assert each.known(delivery(first)).partial == ("none" if is_gap else "")


def test_a_gap_of_one_partition_concerns_the_whole_batch() -> None:
    each = Work([delivery(5), delivery(8, 1)], 4, 6).work

    assert each.gap_s == NOW_S


def test_an_added_partition_that_begins_at_0_is_no_gap_beside_one_that_goes_on() -> None:
    each = Work([delivery(5), delivery(0, 1)], 4, -1).see()

    assert each.work.gap_s == 0
    assert each.adds(settled(*each.deliveries)) == ([(4, 5), (-1, 0)], of_new(*each.deliveries))


def test_state_is_complete_since_the_later_of_what_is_stored_and_what_is_found() -> None:
    hour_ago, gap = (
        Work([delivery(5)], 4, since_s=NOW_S - 3_600),
        Work([delivery(5)], 3, since_s=NOW_S - 9_999),
    )

    assert hour_ago.work.known(delivery(5)).partial == "1h"
    assert gap.work.known(delivery(5)).partial == "none"


def test_without_the_cache_nothing_is_known_or_counted() -> None:
    each = Work([delivery(0)])

    assert each.work.known(delivery(0)) == NO_ENTITIES
    assert each.work.is_counted(Position(TOPIC, 0, 0)) is None
    assert each.see().adds(settled(delivery(0))) is None


@pytest.mark.parametrize(("offset", "is_counted"), [(3, True), (4, True), (5, False)])
def test_a_payment_is_counted_up_to_the_mark(offset: int, is_counted: bool) -> None:
    each = Work([delivery(number) for number in range(3, 6)], 4).work

    assert each.is_counted(Position(TOPIC, 0, offset)) is is_counted


def test_new_payments_are_counted_and_the_mark_moves_to_the_last() -> None:
    batch = [delivery(number) for number in (4, 5, 6)]

    assert Work(batch, 3).see().adds(settled(*batch)) == ([(3, 6)], of_new(*batch))


def test_a_batch_that_was_counted_adds_nothing() -> None:
    batch = [delivery(4), delivery(5)]

    assert Work(batch, 5).adds(settled(), existing=map(row_of, batch)) is None


def test_what_follows_the_first_failed_offset_is_not_counted() -> None:
    batch = [delivery(number) for number in range(4, 9)]

    found = Work(batch, 3).see().adds(settled(batch[0], batch[2], batch[4]), failed=[batch[3], batch[1]])

    assert found == ([(3, 4)], of_new(batch[0]))


def test_a_batch_whose_first_offset_failed_adds_nothing() -> None:
    batch = [delivery(4), delivery(5)]

    assert Work(batch, 3).see().adds(settled(batch[1]), failed=[batch[0]]) is None


def test_a_failed_first_offset_behind_a_gap_moves_the_mark_to_the_batch() -> None:
    """What lies in the gap is not counted any more; the time since when the state is complete says so."""
    each = Work([delivery(4), delivery(5)], -1).see()

    assert each.adds(settled(), failed=[delivery(4)]) == ([(-1, 3)], {})
    assert each.work.gap_s == NOW_S


def test_each_partition_stops_at_its_own_failed_offset() -> None:
    batch = [delivery(4), delivery(5), delivery(8, 1), delivery(9, 1)]

    found = Work(batch, 3, 7).see().adds(settled(batch[0], batch[2], batch[3]), failed=[batch[1]])

    assert found == ([(3, 4), (7, 9)], of_new(batch[0], batch[2], batch[3]))


def test_a_repeat_is_not_counted() -> None:
    one, again = delivery(4), delivery(5)

    found = Work([one, again], 3).see(one).adds(settled(one), settled(again, repeats=77))

    assert found == ([(3, 5)], of_new(one))


def test_a_payment_that_was_stored_from_another_record_is_not_counted_at_this_one() -> None:
    one = delivery(4)
    elsewhere = row_of(one, Position(TOPIC, 1, 2))

    assert Work([one], 3).adds(settled(), existing=[elsewhere]) == ([(3, 4)], {})


def test_a_new_payment_from_two_records_is_counted_at_the_one_that_its_row_names() -> None:
    """Two partitions, since keys moved: the chain scored the first record, which then failed, and folded the second."""
    first, second = delivery(4), delivery(4, 1)

    found = Work([first, second], 3, 3).see(first).adds(settled(second), failed=[first])

    assert found == ([(3, 3), (3, 4)], {})


@pytest.mark.parametrize("is_folded", [True, False], ids=["folded now", "folded by an earlier try"])
def test_a_row_that_exists_is_counted_as_it_is_stored(is_folded: bool) -> None:
    one = delivery(4)
    row = row_of(one)
    chain = settled(one) if is_folded else settled()

    assert Work([one], 3).see().adds(chain, existing=[row]) == ([(3, 4)], of_stored(one))


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.BLOCK])
def test_a_row_that_was_not_approved_is_counted_as_one_that_teaches_nothing(decision: Decision) -> None:
    one = delivery(4)
    known = features(amount_base=99.0, is_micro_amount=True)
    stopped = sighting_of(one.user_id, one.facts.clock_ms, known, is_approved=False)

    found = Work([one], 3).see().adds(settled(), existing=[row_of(one, decision=decision)])

    assert found == ([(3, 4)], added((one, stopped)))


def test_a_stored_repeat_is_not_counted() -> None:
    one = delivery(4)

    assert Work([one], 3).adds(settled(), existing=[row_of(one, repeats=5)]) == ([(3, 4)], {})


def test_a_row_of_an_earlier_feature_set_is_counted_by_the_features_that_it_has() -> None:
    one = delivery(4)
    assert "861800" in PAST_CATALOGUES
    row = row_of(one, features=b64decode(PACKED_BY_SET_861800), feature_set="861800")

    found = Work([one], 3).adds(settled(), existing=[row])

    assert found is not None
    _, values = found
    assert values.keys() == {MERCHANT, POPULATION_IDS[EntityKind.MERCHANT]}


def test_a_row_of_a_catalogue_that_is_not_known_is_counted_as_a_payment_of_its_user() -> None:
    one = delivery(4)
    row = row_of(one, features=b"\x90", feature_set="ffffff")

    found = Work([one], 3).adds(settled(), existing=[row])

    assert found == ([(3, 4)], added((one, sighting_of(one.user_id, one.facts.clock_ms, {}))))


def test_what_a_late_writer_counted_meanwhile_is_left_out() -> None:
    batch = [delivery(number) for number in range(4, 8)]
    each = Work(batch, 3).see()
    each.work.use_marks([5], LATER_S)

    assert each.adds(settled(*batch)) == ([(5, 7)], of_new(*batch[2:]))
    assert each.work.gap_s == 0


def test_marks_that_went_back_meanwhile_are_a_gap() -> None:
    """A replica that lagged behind answers now."""
    each = Work([delivery(4), delivery(5)], 3).see()
    each.work.use_marks([1], LATER_S)

    found = each.adds(settled(*each.deliveries))

    assert found == ([(1, 5)], of_new(*each.deliveries))
    assert each.work.gap_s == LATER_S


def test_what_was_counted_and_is_lost_again_meanwhile_is_a_gap_where_the_batch_did_not_look_it_up() -> None:
    """The cache is emptied between a redelivered batch's read and its addition: nothing lies between the mark that is left and the batch."""
    batch = [delivery(number) for number in range(4, 8)]
    each = Work(batch, 5).see(*batch[2:])
    each.work.use_marks([3], LATER_S)

    found = each.work.additions([settled(*batch[2:])], {}, set())

    assert found is not None
    assert found.marks == [EntityMark(TOPIC, 0, first=6, read=3, counted=7)]
    assert found.added == of_new(*batch[2:])
    assert each.work.gap_s == LATER_S


def test_what_was_lost_meanwhile_stays_lost_whatever_the_mark_says_next() -> None:
    batch = [delivery(number) for number in range(4, 8)]
    each = Work(batch, 5).see()
    each.work.use_marks([3], LATER_S)
    each.work.use_marks([4], LATER_S)

    assert each.adds(settled(*batch)) == ([(4, 7)], of_new(*batch[2:]))
    assert each.work.gap_s == LATER_S
