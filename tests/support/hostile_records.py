"""Hostile records, drawn at random, and what must hold after the whole score stage: decode, features, rules, row.

No record may end in an exception, and none may be lost. The unit test draws a few; the tests of faults draw for an hour.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from contract.clock import event_key, times_of
from contract.scored import Position, from_history_item
from contract.transaction import Transaction, decode_transaction, encode_transaction
from engine.rules.ruleset import parse_ruleset
from score.stage import ScoreStage
from tests.support.kafka_events import APPENDED_AT_MS, TOPIC, make_event
from tests.support.payments import NOW, make_grocery_payment
from tests.support.stage_world import NoTelemetry, Surroundings

DEFAULT_RULES = parse_ruleset(
    (Path(__file__).resolve().parents[2] / "rules" / "default.yaml").read_text(encoding="utf-8")
)
MAX_ITEM_BYTES = 400 * 1024
"""The largest item that DynamoDB accepts."""
MAX_KEY_BYTES = 1024
"""The longest sort key; a partition key may be twice as long."""

VALID: dict[str, Any] = json.loads(
    encode_transaction(make_grocery_payment(payee_id="p", ip_address="192.0.2.1"))
)

texts = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        (
            "",
            " ",
            "\x00",
            "\x1b[31m",
            "\u202egnp.exe",
            "\ud800",
            "\U0001f4b8" * 128,
            "é" * 128,
            "#",
            "a#b/c",
            "{amount}",
            "%s%n",
            "' OR 1=1 --",
            "🏴" * 128,
            "x" * 10_000,
            "\\u0000",
        )
    ),
)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=True).map(str),
    st.sampled_from(
        (
            "1e400",
            "-1e400",
            "NaN",
            "-0",
            "0e-400",
            "9" * 30,
            "1E-28",
            "0.0000000000000000000000000001",
            2**53,
            2**63,
            "१२३",
        )
    ),
)
instants = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.builds(
        lambda seconds, zone: datetime.fromtimestamp(seconds, zone).isoformat(),
        st.integers(0, round(NOW.timestamp()) + 86_400),
        st.timezones(),
    ),
    st.sampled_from(
        (
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+14:00",
            "2026-11-24T12:00:00",
            "2026-02-30T12:00:00Z",
            "2026-11-24T23:59:60Z",
            "2026-11-24T12:00:00.9999999Z",
            "2026-11-24T12:00:00+23:59",
        )
    ),
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
locations = st.one_of(
    texts,
    st.fixed_dictionaries(
        {},
        optional={
            "latitude": numbers,
            "longitude": numbers,
            "country": texts,
            "city": texts,
            "extra": anything,
        },
    ),
    st.builds(
        lambda latitude, longitude: {"latitude": latitude, "longitude": longitude},
        st.floats(-90, 90),
        st.floats(-180, 180),
    ),
)
hostile: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.one_of(texts, anything) for name in VALID},
    "amount": st.one_of(numbers, texts, anything),
    "timestamp": st.one_of(instants, texts, anything),
    "location": st.one_of(locations, anything),
    "currency": st.sampled_from(("USD", "JPY", "KWD", "usd", "XXX", "BTC", "")),
    "unknown": anything,
}
# A few at a time: a record with many bad fields is refused for the first of them.
hostile_fields = st.sets(st.sampled_from(sorted(hostile)), max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: hostile[name] for name in sorted(names)})
)
hostile_payments = hostile_fields.map(
    lambda fields: json.dumps(VALID | fields).encode("utf-8", "surrogatepass")
)
cut = st.builds(lambda data, end: data[: end % (len(data) + 1)], hostile_payments, st.integers(0))
flipped = st.builds(
    lambda data, place, byte: data[: place % len(data)] + bytes([byte]) + data[place % len(data) + 1 :],
    hostile_payments,
    st.integers(0),
    st.integers(0, 255),
)
records = st.one_of(
    hostile_payments,
    cut,
    flipped,
    st.binary(max_size=300),
    anything.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.none(),
)
keys = st.one_of(st.none(), st.binary(max_size=40))


batches = st.lists(records, min_size=1, max_size=12)


def check_each_is_stored_or_quarantined(batch: list[bytes | None], key: bytes | None) -> None:
    """Score a batch that ends with a good payment: every valid record is stored, every other one is quarantined."""
    world = Surroundings()
    good = encode_transaction(make_grocery_payment(transaction_id="good", user_id="somebody"))
    values = [*batch, good]

    response = _stage(world).handle(
        make_event([(Position(TOPIC, 0, place), value) for place, value in enumerate(values)], key),
        lambda: True,
    )

    assert response == {"batchItemFailures": []}
    rows = [from_history_item(item) for item in world.history.rows.values()]
    quarantined = {record.position.offset for record in world.quarantine.kept}
    payments = {
        (payment.user_id, row_key_of(payment))
        for place, value in enumerate(values)
        if place not in quarantined
        for payment in [decode_transaction(value or b"")]
    }
    assert {(row.transaction.user_id, row.event_key) for row in rows} == payments
    assert ("somebody", row_key_of(make_grocery_payment(transaction_id="good"))) in payments


def row_key_of(payment: Transaction) -> str:
    """Sort key of a payment's row, where it arrives as all do here."""
    at = times_of(payment.timestamp, APPENDED_AT_MS, is_trusted=False).at
    return event_key(at, payment.content_mark, payment.transaction_id)


def check_what_is_stored_fits_and_reads_back(fields: dict[str, Any]) -> None:
    """Score one payment with these fields changed: its row, or its quarantined record, is whole and within DynamoDB's limits."""
    world = Surroundings()
    value = json.dumps(VALID | fields).encode("utf-8", "surrogatepass")

    response = _stage(world).handle(make_event([(Position(TOPIC, 0, 0), value)]), lambda: True)

    assert response == {"batchItemFailures": []}
    assert len(world.history.rows) + len(world.quarantine.kept) == 1
    for item in world.history.rows.values():
        row = from_history_item(item)
        assert row.transaction == decode_transaction(value)
        assert 0 <= row.risk_score <= 100
        assert row.failed_rule_ids == ()
        assert sum(len(name) + len(text.encode()) for name, [text] in _texts(item)) <= MAX_ITEM_BYTES
        assert len(item["event_key"]["S"].encode()) <= MAX_KEY_BYTES
        assert len(item["user_id"]["S"].encode()) <= 2 * MAX_KEY_BYTES
    for record in world.quarantine.kept:
        assert record.value == value
        assert record.problem.isprintable()
        assert len(record.problem) < 200


def _texts(item: dict[str, dict[str, str]]) -> list[tuple[str, list[str]]]:
    return [(name, list(value.values())) for name, value in item.items()]


def _stage(world: Surroundings) -> ScoreStage:
    return ScoreStage(
        world.profiles,
        world.profiles,
        world.checkpoints,
        world.history,
        world.quarantine,
        lambda: DEFAULT_RULES,
        NoTelemetry(),
        lambda: NOW,
    )
