"""Labels are read with the rows of their payments, a part of the users at a time; of several labels of a payment one counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.unreadable_rows import UnreadableRows
from contract.items import to_item
from contract.label import LABELS_TABLE, LabelVerdict
from contract.scored import HISTORY_TABLE, Position, to_history_item
from drift.store import SEGMENTS, LabelledPayments, RulesBucket
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from tests.support.labels import make_label, make_withdrawal
from tests.support.payments import NOW, Log, make_grocery_payment, trusted_facts
from tests.support.rule_samples import ruleset
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.label import Label
    from contract.scored import ScoredTransaction

RULES = ruleset({"points": 60, "when": "amount_base > 1.0"})


@pytest.fixture
def dynamodb(aws: Callable[[str], Any]) -> Any:
    client = aws("dynamodb")
    make_table(client, LABELS_TABLE)
    make_table(client, HISTORY_TABLE)
    return client


def _row(user_id: str) -> ScoredTransaction:
    facts = trusted_facts(make_grocery_payment(user_id=user_id))
    decided = decide(facts, Profile(), RULES)
    return scored_transaction(facts, decided, RULES, Position("t", 0, 1), NOW, NOW, profile_version=0)


def _put(client: Any, *labels: Label) -> None:
    for label in labels:
        client.put_item(
            TableName=LABELS_TABLE,
            Item={**to_item(label), "label_key": {"S": f"{label.event_key}#{label.label_id}"}},
        )


def _labelled(client: Any, user_id: str, **changes: Any) -> Label:
    row = _row(user_id)
    item: dict[str, Any] = to_history_item(row, 2_000_000_000)
    item["features"] = {"B": row.features}
    client.put_item(TableName=HISTORY_TABLE, Item=item)
    label = make_label(user_id=user_id, event_key=row.event_key, occurred_at=row.occurred_at, **changes)
    _put(client, label)
    return label


def _payments(client: Any, log: Log | None = None) -> LabelledPayments:
    return LabelledPayments(client, LABELS_TABLE, HISTORY_TABLE, lambda _: None, UnreadableRows(log or Log()))


def test_a_label_is_joined_with_the_decision_and_the_probability_of_its_payment(dynamodb: Any) -> None:
    label = _labelled(dynamodb, "user-1")

    (judged,), share = _payments(dynamodb).read(
        10_000, 3, lambda row: row.ruleset_version.endswith(RULES.digest)
    )

    assert share == 1.0
    assert (judged.occurred_at, judged.known_at) == (label.occurred_at, label.known_at)
    assert (judged.is_fraud, judged.is_flagged, judged.probability) == (True, True, 0.0)


def test_a_payment_that_another_model_decided_has_no_probability(dynamodb: Any) -> None:
    _labelled(dynamodb, "user-1")

    (judged,), _ = _payments(dynamodb).read(10_000, 0, lambda _: False)

    assert judged.probability is None


def test_of_several_labels_the_one_that_counts_is_taken(dynamodb: Any) -> None:
    first = _labelled(dynamodb, "user-1")
    later = make_label(
        user_id="user-1",
        event_key=first.event_key,
        label_id="l-2",
        verdict=LabelVerdict.LEGITIMATE,
        known_at=first.known_at + timedelta(days=1),
    )
    gone = _labelled(dynamodb, "user-2")
    _put(dynamodb, later, make_withdrawal(gone, user_id="user-2", event_key=gone.event_key))

    judged, _ = _payments(dynamodb).read(10_000, 0, lambda _: True)

    assert [each.is_fraud for each in judged] == [False]


def test_a_label_that_cannot_be_read_is_left_out_and_reported(dynamodb: Any) -> None:
    log, label = Log(), _labelled(dynamodb, "user-1")
    for number, (name, value) in enumerate(
        [("verdict", "perhaps"), ("known_at", "soon"), ("source", "nobody")]
    ):
        bad = make_label(user_id=f"bad-{number}", label_id=f"b-{number}")
        item = {**to_item(bad), "label_key": {"S": f"key#b-{number}"}}
        dynamodb.put_item(TableName=LABELS_TABLE, Item=item | {name: {"S": value}})

    judged, share = _payments(dynamodb, log).read(10_000, 0, lambda _: True)

    assert ([each.known_at for each in judged], share) == ([label.known_at], 1.0)
    assert sorted(str(line["row"]) for line in log.lines) == ["key#b-0", "key#b-1", "key#b-2"]


def test_a_label_without_a_row_is_left_out(dynamodb: Any) -> None:
    _put(dynamodb, make_label())

    assert _payments(dynamodb).read(10_000, 0, lambda _: True) == ([], 1.0)


def test_no_further_part_is_read_after_enough_labels_and_the_share_says_so(dynamodb: Any) -> None:
    for number in range(200):
        _put(dynamodb, make_label(user_id=f"user-{number}"))
    read = []
    payments = _payments(dynamodb)
    part = payments._part
    payments._part = lambda segment: read.append(segment) or part(segment)  # type: ignore[method-assign, func-returns-value]

    _, share = payments.read(20, 60, lambda _: True)

    assert read[:2] == [60, 61]
    assert share == len(read) / SEGMENTS < 1.0


def test_an_object_that_is_missing_is_none(aws: Callable[[str], Any]) -> None:
    aws("s3").create_bucket(Bucket="rules")
    aws("s3").put_object(Bucket="rules", Key="a", Body=b"1")
    bucket = RulesBucket(aws("s3"), "rules")

    assert (bucket.get("a"), bucket.get("b")) == (b"1", None)
