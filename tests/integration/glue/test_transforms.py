"""What the job's transforms publish, refuse and count, on real Spark and real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from contract.card_tokens import CardTokens
from contract.errors import InvalidTransactionError
from contract.transaction import decode_transaction, encode_transaction
from glue_scripts import files, transforms
from glue_scripts.progress import MAX_NAME_CHARACTERS, MAX_NAMED_COLUMNS, Counts
from tests.integration.glue.landed_files import GOOD, KEY, VISA, by_place, clean

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")


def contract_outcome(line: bytes, now: datetime) -> bytes | str:
    """The record as the contract writes it, or the field that it refuses."""
    try:
        return encode_transaction(decode_transaction(line))
    except InvalidTransactionError as error:
        return error.field


def test_good_rows_become_keyed_records_and_bad_rows_keep_file_and_line(
    spark: SparkSession, landing: Path
) -> None:
    bad = f'{{"amount": "-1", "card": "{VISA}"}}'
    (landing / "a.jsonl").write_text(f"{json.dumps(GOOD)}\n{bad}\n")
    cleaned = clean(spark, landing)

    (record,) = transforms.records(cleaned, "a-topic").collect()
    (refused,) = transforms.refused(cleaned).collect()

    assert record.asDict() == {
        "topic": "a-topic",
        "key": b"u-1",
        "value": json.dumps(GOOD, separators=(",", ":")).encode(),
        "headers": None,
    }
    assert refused.asDict() == {
        "reason": "missing",
        "field": "transaction_id",
        "file": f"file:{landing}/a.jsonl",
        "line": 2,
        "raw": bad.replace(VISA, CardTokens(KEY).token(VISA)),
    }


def test_unknown_columns_are_dropped_and_counted(spark: SparkSession, landing: Path) -> None:
    (landing / "a.csv").write_text(
        "transaction_id,user_id,amount,timestamp,label\n"
        + "".join(f"t-{n},u-1,1,2026-01-05 12:30:00,0\n" for n in range(5))
    )
    (landing / "b.jsonl").write_text(json.dumps(GOOD | {"label": 1, "note": "x"}) + "\n{}\n")

    counts = transforms.counts(clean(spark, landing))

    assert counts == Counts(published=6, quarantined=1, dropped_columns={"label": 6, "note": 1})
    assert counts.rows == 7


def test_names_that_rows_invent_do_not_all_come_to_the_driver(spark: SparkSession, landing: Path) -> None:
    long = "x" * 1000
    lines = [
        json.dumps(GOOD | {"label": 1, f"{long}{number}": 1, f"c-{number:03}": 1, f"d-{number % 30:02}": 1})
        for number in range(300)
    ]
    (landing / "a.jsonl").write_text("\n".join(lines))

    counts = transforms.counts(clean(spark, landing))

    named = {"label": 300, long[:MAX_NAME_CHARACTERS]: 300} | {f"d-{number:02}": 10 for number in range(18)}
    assert len(named) == MAX_NAMED_COLUMNS
    assert counts == Counts(300, 0, named, other_dropped_values=300 + 12 * 10)


def test_an_empty_batch_counts_nothing(spark: SparkSession, landing: Path) -> None:
    (landing / "empty.csv").touch()

    assert transforms.counts(clean(spark, landing)) == Counts(0, 0)


def test_the_contract_accepts_what_is_published_and_what_it_refuses_is_quarantined(
    spark: SparkSession, landing: Path
) -> None:
    now = datetime.now(UTC)
    changes: list[dict[str, object]] = [
        {},
        {"amount": 12.5, "location": {"latitude": 48.1, "longitude": 11.5}},
        {"amount": "NaN"},
        {"amount": "90071992547409.93"},
        {"currency": "XXX"},
        {"user_id": ""},
        {"transaction_id": "x" * 129},
        {"timestamp": "2026-01-05T12:30:00"},
        {"timestamp": "9999-01-01T00:00:00Z"},
        {"location": {"latitude": 91, "longitude": 0}},
        {"device_id": "a\u200bb"},
        {"merchant_id": "x" * 70_000},
        {"amount": "1e400"},
    ]
    lines = [json.dumps(GOOD | change).encode() for change in changes] + [
        b"\xff",
        b"[]",
        b'"',
        b"x" * 100_000,
    ]
    (landing / "a.jsonl").write_bytes(b"\n".join(lines))

    rows = by_place(clean(spark, landing))

    assert set(rows) == {("a.jsonl", number) for number in range(1, len(lines) + 1)}
    for number, line in enumerate(lines, start=1):
        row, expected = rows["a.jsonl", number], contract_outcome(line, now)
        assert row["record"] == (expected if isinstance(expected, bytes) else None)
        # What is wrong with a row as a whole the job can see first.
        assert row["field"] in ((None,) if isinstance(expected, bytes) else (expected, "$"))


def test_a_short_key_fails_before_any_task_runs(spark: SparkSession, landing: Path) -> None:
    (landing / "a.jsonl").touch()

    with pytest.raises(ValueError, match="at least 16"):
        transforms.clean_lines(files.read_lines(spark, [str(landing / "a.jsonl")]), b"short")


def test_refunds_and_files_without_a_payment_are_counted(spark: SparkSession, landing: Path) -> None:
    good, refund, bad = (json.dumps(GOOD | {"amount": amount}) for amount in ("1", "-9.00", "x"))
    (landing / "a.jsonl").write_text("\n".join([good, refund, bad, refund]))
    (landing / "b.jsonl").write_text("\n".join([bad, refund]))
    (landing / "empty.csv").write_text("")

    counts = transforms.counts(clean(spark, landing))

    assert counts == Counts(1, 2, refunds=3, files_without_payments=1)
    assert counts.rows == 6
