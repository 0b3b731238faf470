from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import msgspec
import pytest

from benchmarks.load import SUSPICIOUS_SHARE, payments, risky_user
from benchmarks.stage_cost import COMPARED_USERS, _for_users, row_sizes, worst_profile_bytes
from benchmarks.workload import TOPIC, batches, kafka_event, make_workload, steady_user
from contract.transaction import decode_transaction
from score.delivery import read_batch

NOW = datetime.now(UTC)


def test_the_past_is_folded_and_the_payments_have_later_offsets() -> None:
    workload = make_workload(100, users=5, past_per_user=40)

    assert sum(profile.tx_count for profile in workload.profiles.values()) == 200
    for payment in workload.payments:
        assert payment.offset > workload.folded_to[payment.partition]


def test_no_payment_is_measured_twice() -> None:
    workload = make_workload(100, users=5, past_per_user=40)

    first, second = workload.take(60), workload.take(40)

    assert not {payment.value for payment in first} & {payment.value for payment in second}
    with pytest.raises(IndexError, match="100 payments"):
        workload.take(1)


def test_the_stage_reads_every_payment_of_an_event() -> None:
    made = make_workload(50, users=5, past_per_user=40).payments

    batch = read_batch(msgspec.json.decode(kafka_event(made)), NOW)

    assert batch.rejected == []
    assert {delivery.position.offset for delivery in batch.deliveries} == {each.offset for each in made}
    assert all(delivery.position.topic == TOPIC for delivery in batch.deliveries)


def test_batches_hold_every_payment_once_and_in_order() -> None:
    made = steady_user("u", 0, 10, 1_000, round(NOW.timestamp() * 1000))

    cut = list(batches(made, 4))

    assert [len(batch) for batch in cut] == [4, 4, 2]
    assert [payment for batch in cut for payment in batch] == made


def test_a_hundred_users_make_the_same_payment_each_at_its_own_offset() -> None:
    model = steady_user("model", 3, 12, 1_000, round(NOW.timestamp() * 1000))[10:]
    users = [f"u-{number}" for number in range(COMPARED_USERS)]

    first, second = _for_users(model, users, 10)

    assert [payment.offset for payment in first + second] == list(range(10, 10 + 2 * COMPARED_USERS))
    assert [decode_transaction(payment.value).user_id for payment in first] == users


def test_the_profile_of_a_user_with_new_values_in_every_payment_stays_within_6_kib() -> None:
    assert worst_profile_bytes() <= 6 * 1_024


def test_sizes_of_approved_rows_are_listed_apart() -> None:
    def statement(decision: str) -> dict[str, object]:
        return {
            "Statement": "INSERT INTO \"t\" VALUE {'decision': ?}",
            "Parameters": [{"S": decision}],
        }

    body = msgspec.json.encode({"Statements": [statement("approve"), statement("block")]}).decode()

    sizes = row_sizes([body])

    assert (sizes.approved, sizes.others) == ([15], [13])


def test_the_load_has_its_share_of_suspicious_payments_each_of_another_user() -> None:
    made = list(islice(payments("run"), 1_000))

    suspicious = [user for user, record in made if float(record["amount"]) > 10_000]

    assert len(suspicious) == SUSPICIOUS_SHARE * 1_000
    assert len(set(suspicious)) == len(suspicious)
    assert suspicious[0] == risky_user(0)


def test_the_load_produces_valid_payments() -> None:
    for _, record in islice(payments("run"), 200):
        document = msgspec.json.encode({**record, "timestamp": "2026-01-05T12:30:00Z"})
        assert decode_transaction(document).user_id == record["user_id"]
