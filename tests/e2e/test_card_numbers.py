"""Card numbers go into the whole system in many spellings, and are then searched for in everything that it has kept."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

import redis
from confluent_kafka import Consumer, TopicPartition

from contract.card_masks import is_masked
from contract.transaction import encode_transaction
from local.resources import ALERT_INBOX, INGESTION_QUARANTINE_PREFIX, dead_letter_name
from ops.manifests import read_functions
from tests.support.cards import TEST_NUMBERS, in_digits_of

from .conftest import TOPIC
from .payments import new_user, payment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import System

NUMBERS: Final = [number for number in TEST_NUMBERS.values() if len(number.rstrip("0")) > 12]
"""Long enough to be in no file by chance, even with the zeros at their ends left out."""


def _in_fours(number: str, separator: str) -> str:
    return separator.join(number[place : place + 4] for place in range(0, len(number), 4))


SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "together": lambda n: n,
    "spaces": lambda n: _in_fours(n, "   "),
    "dashes": lambda n: _in_fours(n, " - "),
    "commas": lambda n: _in_fours(n, ","),
    "dots": lambda n: _in_fours(n, "."),
    "tabs": lambda n: _in_fours(n, "\t"),
    "slashes": lambda n: _in_fours(n, "/"),
    "no-break spaces": lambda n: _in_fours(n, "\u00a0"),
    "without width": lambda n: _in_fours(n, "\u200b"),
    "NULs": lambda n: "\0".join(n),
    "full width": lambda n: in_digits_of("\uff10", n),
    "Arabic": lambda n: in_digits_of("\u0660", n),
    "with an expiry": lambda n: f"{n} 12/27",
    "run together": lambda n: f"{n}1227",
    "exponent": lambda n: f"{n[0]}.{n[1:].rstrip('0') or '0'}E{len(n) - 1}",
}
"""How senders write a card number."""

PLANTED: Final = [
    (name, NUMBERS[place % len(NUMBERS)], write(NUMBERS[place % len(NUMBERS)]))
    for place, (name, write) in enumerate(SPELLINGS.items())
]
COLUMNS: Final = ("transaction_id", "user_id", "amount", "timestamp", "card_id", "channel", "location")


def rows(user_id: str, amount: str = "25000.00") -> list[dict[str, str]]:
    """A row for each spelling, the number in every field but ids."""
    at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    return [
        {
            "transaction_id": f"tx-{uuid.uuid4().hex}",
            "user_id": user_id,
            "amount": amount,
            "timestamp": at,
            "card_id": written,
            "channel": f"by {written}",
            "location": f"till {written}, DE",
        }
        for _, _, written in PLANTED
    ]


def as_csv(records: list[dict[str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def as_lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def drop_files(system: System, user_id: str) -> int:
    """Drop good and bad rows of every kind; return how many of them are good at least."""
    bad = rows(user_id, amount="much")
    half = b"\n".join(line[10:] for line in as_csv(bad).splitlines())
    files = {
        "good.jsonl": as_lines(rows(user_id)),
        "good.csv": as_csv(rows(user_id)),
        "semicolons.csv": as_csv(rows(user_id), ";"),
        f"column-{NUMBERS[0]}.jsonl": as_lines(
            [record | {f"x {NUMBERS[1]}": "1"} for record in rows(user_id)]
        ),
        "bad.jsonl": as_lines(bad),
        "bad.csv": as_csv(bad),
        "half.csv": b"user_id,card_id,amount\n" + half,
        f"utf16-{NUMBERS[2]}.csv": as_csv(bad).decode().encode("utf-16"),
        "utf16.jsonl": as_lines(bad).decode().encode("utf-16"),
        "latin.csv": as_csv(bad).decode().encode("cp1252", "replace"),
        "garbage.jsonl": as_lines(bad)[:-40].replace(b"{", b""),
    }
    for name, data in files.items():
        system.drop(f"{uuid.uuid4().hex[:6]}-{name}", data)
    return 4 * len(PLANTED)


def send_records(system: System, user_id: str) -> int:
    """Send good and bad records of every kind straight to the topic; return how many are good."""
    good = 0
    for place, (_, _, written) in enumerate(PLANTED):
        record = json.loads(encode_transaction(payment(user_id, amount=Decimal(25_000))))
        # Control characters in a text are an error of their own.
        plain = "".join(filter(str.isprintable, written))
        spoiled = record | {"card_id": written, "channel": f"by {written}", "unknown": written}
        system.produce(
            json.dumps(record | {"card_id": plain, "channel": f"by {plain}", "x": plain}).encode(), user_id
        )
        good += 1
        system.produce(json.dumps(spoiled | {"amount": "-1"}).encode(), user_id)
        system.produce(json.dumps(spoiled, ensure_ascii=False)[:-30].encode())
        system.produce(f"hello {written}".encode("utf-16" if place % 2 else "utf-8"))
    system.produce(
        json.dumps({"card_id": 4.222222222222e12, "padding": "x" * 70_000, "pan": NUMBERS[0]}).encode()
    )
    return good


def topic(system: System) -> Iterator[bytes]:
    """Every record of the topic: key, value and headers."""
    consumer = Consumer(
        {"bootstrap.servers": system.stack.bootstrap_servers, "group.id": f"search-{uuid.uuid4().hex}"}
    )
    try:
        for partition in consumer.list_topics(TOPIC, 30).topics[TOPIC].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), 30)
            consumer.assign([TopicPartition(TOPIC, partition, low)])
            for _ in range(low, high):
                message = consumer.poll(30)
                assert message is not None
                yield repr((message.key(), message.headers())).encode() + (message.value() or b"")
    finally:
        consumer.close()


def tables(system: System) -> Iterator[tuple[str, bytes]]:
    dynamodb = system.stack.client("dynamodb")
    for table in system.stack.resources.tables.values():
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield f"table {table}", str(item).encode()


def queues(system: System) -> Iterator[tuple[str, bytes]]:
    """Messages of every queue, and what is in base64 in them."""
    sqs = system.stack.client("sqs")
    names = ["quarantine", ALERT_INBOX, *map(dead_letter_name, read_functions())]
    for name in names:
        url = system.stack.resources.queues[name]
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            for message in messages:
                yield f"queue {name}", message["Body"].encode()
                for field, text in json.loads(message["Body"]).items():
                    if field.endswith("_base64"):
                        yield f"queue {name}, {field}", b64decode(text)


def objects(system: System) -> Iterator[tuple[str, bytes]]:
    """Objects of the quarantine bucket, with their names."""
    s3, bucket = system.stack.client("s3"), system.stack.resources.buckets["quarantine"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield f"object {entry['Key']}", entry["Key"].encode() + b"\n" + body


def cache(system: System) -> Iterator[tuple[str, bytes]]:
    with redis.Redis.from_url(system.stack.cache_admin_endpoint) as client:
        for key in client.scan_iter():
            yield "cache", bytes(key) + (client.dump(key) or b"")


def logs_and_metrics(system: System) -> Iterator[tuple[str, bytes]]:
    for file in system.stack.log_dir.rglob("*"):
        if file.is_file():
            yield f"log {file.name}", file.read_bytes()
    yield "metrics", str(system.metrics.snapshot()).encode()


def everything(system: System) -> Iterator[tuple[str, bytes]]:
    for part in (tables, queues, objects, cache, logs_and_metrics):
        yield from part(system)


def found_in(data: bytes) -> list[str]:
    """Planted numbers in some bytes, by plain comparison: not by the detector that is tested."""
    found = set()
    for text in (data.decode("utf-8", "replace"), data.decode("utf-16-le", "replace")):
        plain = text
        if "\\" in text:  # JSON of quarantined rows and of logs
            plain = unescaped(text)
        for spelling in {text, plain}:
            digits = "".join(
                str(int(character)) if character.isdecimal() else character
                for character in normalize("NFKC", spelling)
                if character.isalnum()
            )
            found |= {number for number in NUMBERS if number.rstrip("0") in digits}
    return sorted(found)


def unescaped(text: str) -> str:
    """The text with JSON's escapes of characters replaced: without letters and digits of their own in it."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda escape: chr(int(escape[1], 16)), text)
    return re.sub(r"\\[a-z]", " ", plain)


def quarantined_objects(system: System) -> int:
    s3, bucket = system.stack.client("s3"), system.stack.resources.buckets["quarantine"]
    return sum(
        s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().count(b"\n")
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=INGESTION_QUARANTINE_PREFIX).get("Contents", [])
        if "/_temporary/" not in entry["Key"]
    )


def test_no_planted_card_number_is_in_anything_that_the_system_keeps(system: System) -> None:
    landed, direct = new_user(), new_user()

    good = drop_files(system, landed)
    system.wait_for(lambda: system.all_rows(landed, good), "the rows of the files")
    system.wait_for(lambda: quarantined_objects(system) >= 3 * len(PLANTED), "the bad rows")
    published = list(topic(system))
    sent = send_records(system, direct)
    system.wait_for(lambda: system.all_rows(direct, sent), "the direct records")
    system.wait_for(lambda: not any(system.metrics.snapshot().backlog.values()), "the stages to finish")
    kept = [*(("topic", record) for record in published), *everything(system)]

    places = {place for place, _ in kept}
    assert places >= {"topic", "table transaction_history", "table flagged_transactions", "cache", "metrics"}
    assert places >= {"queue quarantine", "queue quarantine, value_base64", f"queue {ALERT_INBOX}"}
    assert {place: found for place, data in kept if (found := found_in(data))} == {}
    cards = [row.transaction.card_id or "" for row in system.history(landed)]
    assert all(card.startswith("tok_") for card in cards)
    assert len(set(cards)) == len({number for _, number, _ in PLANTED})
    rows_of_direct = system.history(direct)
    assert all(is_masked(row.transaction.card_id) for row in rows_of_direct)
    assert all(row.transaction.invalid_fields == ("card_id", "channel") for row in rows_of_direct)


def test_the_search_finds_a_number_in_every_spelling() -> None:
    for name, number, written in PLANTED:
        for data in (written.encode(), written.encode("utf-16"), json.dumps({"x": written}).encode()):
            assert number in found_in(b"before " + data + b" after" if data[:1] != b"\xff" else data), name
