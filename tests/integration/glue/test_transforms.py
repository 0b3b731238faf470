"""The job's transforms, on real Spark and real files."""

from __future__ import annotations

import doctest
import gzip
import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import AnalysisException, PythonException

from contract.card_tokens import CardTokens
from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.errors import InvalidTransactionError, MappingError
from contract.mapping.document import ColumnMapping, Source
from contract.reading.text import DAMAGED
from contract.transaction import decode_transaction, encode_transaction
from glue_scripts import files, stream_transactions, transforms
from glue_scripts.arguments import parse_arguments
from glue_scripts.progress import MAX_NAME_CHARACTERS, MAX_NAMED_COLUMNS, Counts

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, Row, SparkSession

    from glue_scripts.prefix_mappings import PrefixMappings


# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")

KEY = b"a key for these tests"
VISA = "4111111111111111"
GOOD = {"transaction_id": "t-1", "user_id": "u-1", "amount": "12.50", "timestamp": "2026-01-05T12:30:00Z"}


def clean(spark: SparkSession, landing: Path) -> DataFrame:
    paths = [str(path) for path in sorted(landing.rglob("*.*"))]
    return transforms.clean_lines(files.read_lines(spark, paths), KEY)


def by_place(cleaned: DataFrame) -> dict[tuple[str, int], Row]:
    """File name and line to the row."""
    return {(row["file"].rsplit("/", 1)[1], row["line"]): row for row in cleaned.collect()}


def contract_outcome(line: bytes, now: datetime) -> bytes | str:
    """The record as the contract writes it, or the field that it refuses."""
    try:
        return encode_transaction(decode_transaction(line))
    except InvalidTransactionError as error:
        return error.field


def test_the_examples_of_the_docstrings_hold() -> None:
    result = doctest.testmod(files)

    assert result.attempted > 0
    assert result.failed == 0


def test_csv_files_with_their_columns_in_another_order_are_read_each_by_its_header(
    spark: SparkSession, landing: Path
) -> None:
    (landing / "a.csv").write_text(
        "transaction_id,user_id,amount,timestamp\nt-1,u-1,1.10,2026-01-05 12:30:00\n"
    )
    (landing / "b.CSV").write_text("Amount;ts;customer;txn_id\n2.20;1767616200;u-2;t-2\n")
    (landing / "c.csv.gz").write_bytes(
        gzip.compress(b"user_id,amount,note,timestamp,transaction_id\nu-3,3.30,x,1767616200000,t-3\n")
    )

    rows = by_place(clean(spark, landing))

    records = {place: json.loads(row["record"]) for place, row in rows.items()}
    at = "2026-01-05T12:30:00Z"
    assert records == {
        ("a.csv", 2): {"transaction_id": "t-1", "user_id": "u-1", "amount": "1.10", "timestamp": at},
        ("b.CSV", 2): {"transaction_id": "t-2", "user_id": "u-2", "amount": "2.20", "timestamp": at},
        ("c.csv.gz", 2): {"transaction_id": "t-3", "user_id": "u-3", "amount": "3.30", "timestamp": at},
    }


def test_json_lines_plain_and_compressed_flow_with_bad_rows_beside_them(
    spark: SparkSession, landing: Path
) -> None:
    lines = [json.dumps(GOOD), "", "not json", json.dumps(GOOD | {"transaction_id": "t-2"})]
    (landing / "folder").mkdir()
    (landing / "a.jsonl").write_text("\ufeff" + "\n".join(lines))
    (landing / "folder" / "b.json.gz").write_bytes(gzip.compress("\r\n".join(lines).encode()))

    rows = by_place(clean(spark, landing))

    outcomes = {place: row["user_id"] or row["reason"][:8] for place, row in rows.items()}
    assert outcomes == {
        (name, line): outcome
        for name in ("a.jsonl", "b.json.gz")
        for line, outcome in ((1, "u-1"), (3, "not JSON"), (4, "u-1"))
    }


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


MAPPING = """
transaction_id: NR
user_id: KUNDE
amount: {column: CENT, unit: minor}
currency: {value: EUR}
timestamp: {column: ZEIT, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}
card_id: KARTE
"""
MAPPED = {
    "transaction_id": "t-1",
    "user_id": "u-1",
    "amount": "12.50",
    "timestamp": "2026-01-05T12:30:00Z",
    "currency": "EUR",
}


def mappings_of(spark: SparkSession, landing: Path, folder: Path) -> PrefixMappings:
    """What the job reads at its start, from arguments as the local stack writes them."""
    arguments = {
        "landing_path": f"{landing.as_uri()}/",
        "mappings_path": folder.as_uri(),
        "quarantine_path": "q",
        "checkpoint_path": "c",
        "kafka_bootstrap_servers": "k",
        "tokenization_key": "env:K",
    }
    argv = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    return stream_transactions.read_mappings(spark, parse_arguments(argv))


def test_files_below_a_prefix_are_read_by_its_mapping_and_others_by_known_names(
    spark: SparkSession, landing: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mappings"
    (folder / "acme 1").mkdir(parents=True)
    (folder / "acme 1.yaml").write_text(MAPPING)
    (folder / "acme 1" / "wallet.yaml").write_text(MAPPING.replace("KUNDE", "WALLET"))
    row = f"t-1;u-1;1250;05.01.2026 13:30;{VISA}\n"
    for name, data in {
        "a.jsonl": json.dumps(GOOD),
        "acme 1/2026/b.csv": "NR;KUNDE;CENT;ZEIT;KARTE\n" + row,
        "acme 1/wallet/c.csv": "NR;WALLET;CENT;ZEIT;KARTE\n" + row,
        "acme 1/wallet/d.csv": "NR;KUNDE;CENT;ZEIT;KARTE\n" + row,
        "acme 10/e.csv": "NR;KUNDE;CENT;ZEIT;KARTE\n",
    }.items():
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_text(data)

    paths = [str(path) for path in sorted(landing.rglob("*.*"))]
    mappings = mappings_of(spark, landing, folder)
    cleaned = transforms.clean_lines(files.read_lines(spark, paths), KEY, mappings)
    rows = by_place(cleaned)

    token = CardTokens(KEY).token(VISA)
    assert {place: json.loads(row["record"]) for place, row in rows.items() if row["record"]} == {
        ("a.jsonl", 1): GOOD,
        ("b.csv", 2): MAPPED | {"card_id": token},
        ("c.csv", 2): MAPPED | {"card_id": token},
    }
    assert {place: (row["reason"], row["raw"]) for place, row in rows.items() if row["reason"]} == {
        ("d.csv", 1): (
            "not a CSV header that fits acme 1/wallet.yaml: no column 'WALLET', mapped to user_id",
            "NR;KUNDE;CENT;ZEIT;KARTE",
        ),
        ("d.csv", 2): (
            "not a CSV header that fits acme 1/wallet.yaml: no column 'WALLET', mapped to user_id",
            row.strip().replace(VISA, token),
        ),
        ("e.csv", 1): (
            "first line of a CSV file, and no column name in it is known",
            "NR;KUNDE;CENT;ZEIT;KARTE",
        ),
    }


def test_a_csv_file_is_refused_with_one_reason_unless_a_complete_header_follows(
    spark: SparkSession, landing: Path
) -> None:
    (landing / "a.csv").write_text("no,header\nt-1,card\nt-2,5\n")
    (landing / "b.csv").write_text(
        "payments of May\nid,user,amount,time\nt-1,u-1,5,2026-01-05 12:30:00\nt-2\n"
    )

    rows = by_place(clean(spark, landing))

    unknown = "first line of a CSV file, and no column name in it is known"
    assert {place: row["reason"] for place, row in rows.items()} == {
        ("a.csv", 1): unknown,
        ("a.csv", 2): unknown,
        ("a.csv", 3): unknown,
        ("b.csv", 1): unknown,
        ("b.csv", 3): None,
        ("b.csv", 4): "1 values for 4 columns",
    }


def test_the_job_does_not_start_with_a_mapping_that_cannot_be_used(
    spark: SparkSession, landing: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "acme.yaml").write_text(MAPPING + "payer: NR\n")

    with pytest.raises(MappingError, match=r"^acme\.yaml: payer: not a field"):
        mappings_of(spark, landing, folder)


def test_the_job_does_not_start_without_the_folder_of_its_mappings(
    spark: SparkSession, landing: Path, tmp_path: Path
) -> None:
    with pytest.raises(AnalysisException, match="nowhere"):
        mappings_of(spark, landing, tmp_path / "nowhere")

    (tmp_path / "empty").mkdir()
    with pytest.raises(MappingError, match=r"empty: .*no mapping"):
        mappings_of(spark, landing, tmp_path / "empty")


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


def test_rows_that_our_own_code_fails_on_are_quarantined_and_counted_and_stop_nothing(
    spark: SparkSession, landing: Path
) -> None:
    (landing / "acme").mkdir()
    (landing / "acme" / "a.jsonl").write_text(f"{json.dumps(GOOD)}\nnot json\n")
    # Such a failure: a mapping that no document can give.
    broken = ColumnMapping({"amount": Source(column="amount", values=5)})  # type: ignore[arg-type]
    lines = files.read_lines(spark, [str(landing / "acme" / "a.jsonl")])
    (landing.parent / "mappings").mkdir()
    (landing.parent / "mappings" / "acme.yaml").write_text("trusted: true")
    mappings = mappings_of(spark, landing, landing.parent / "mappings")
    cleaned = transforms.clean_lines(lines, KEY, replace(mappings, by_prefix={"acme": broken}))

    counts = transforms.counts(cleaned)
    reasons = {row["line"]: row["reason"] for row in transforms.refused(cleaned).collect()}

    assert counts == Counts(published=0, quarantined=2, internal_errors=1, files_without_payments=1)
    assert reasons[1] == "internal: TypeError"
    assert reasons[2].startswith("not JSON")


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


def test_a_large_csv_file_is_read_whole_by_one_task(spark: SparkSession, landing: Path) -> None:
    # 12 MiB: two tasks' worth, were it not for the session's settings.
    padding = "x" * 10_000
    good = f"t-1,u-1,1,2026-01-05 12:30:00,{padding}\n"
    (landing / "a.csv").write_text("transaction_id,user_id,amount,timestamp,note\n" + good * 1200)

    assert transforms.counts(clean(spark, landing)) == Counts(1200, 0, {"note": 1200})


def test_a_file_that_is_read_in_parts_is_refused_and_not_read_wrongly(
    spark: SparkSession, landing: Path
) -> None:
    (landing / "a.csv").write_text(
        "transaction_id,user_id,amount,timestamp\n" + "t,u,1,2026-01-05 12:30:00\n" * 100
    )
    session = spark.newSession()
    lines = files.read_lines(session, [str(landing / "a.csv")])
    for name in files.WHOLE_FILES:
        session.conf.set(name, "1000")

    with pytest.raises(PythonException, match="is read in parts"):
        transforms.clean_lines(lines, KEY).collect()


def test_a_short_key_fails_before_any_task_runs(spark: SparkSession, landing: Path) -> None:
    (landing / "a.jsonl").touch()

    with pytest.raises(ValueError, match="at least 16"):
        transforms.clean_lines(files.read_lines(spark, [str(landing / "a.jsonl")]), b"short")


def test_names_that_look_like_patterns_are_read_as_they_are(spark: SparkSession, landing: Path) -> None:
    for name in ("a[1].jsonl", "b{x,y}.jsonl", "c*.jsonl", "d e.jsonl", "1.jsonl"):
        (landing / name).write_text(json.dumps(GOOD))

    assert transforms.counts(clean(spark, landing)) == Counts(5, 0)
    assert transforms.counts(clean(spark, landing).where("file like '%a[1]%'")) == Counts(1, 0)


def test_damaged_and_deleted_files_are_found_among_good_ones(spark: SparkSession, landing: Path) -> None:
    good, damaged, gone = (
        str(landing / name) for name in ("good.jsonl.gz", "damaged.jsonl.gz", "gone.jsonl")
    )
    body = gzip.compress("\n".join(json.dumps(GOOD | {"user_id": f"u-{n}"}) for n in range(20_000)).encode())
    (landing / "good.jsonl.gz").write_bytes(body)
    (landing / "damaged.jsonl.gz").write_bytes(body[: len(body) // 2])

    assert files.unreadable_files(spark, [good, damaged, gone]) == [
        files.Unreadable(damaged, DAMAGED),
        files.Unreadable(gone, files.GONE),
    ]


def test_refunds_and_files_without_a_payment_are_counted(spark: SparkSession, landing: Path) -> None:
    good, refund, bad = (json.dumps(GOOD | {"amount": amount}) for amount in ("1", "-9.00", "x"))
    (landing / "a.jsonl").write_text("\n".join([good, refund, bad, refund]))
    (landing / "b.jsonl").write_text("\n".join([bad, refund]))
    (landing / "empty.csv").write_text("")

    counts = transforms.counts(clean(spark, landing))

    assert counts == Counts(1, 2, refunds=3, files_without_payments=1)
    assert counts.rows == 6


def test_files_of_any_encoding_and_packing_are_read_on_spark_as_they_are(
    spark: SparkSession, landing: Path
) -> None:
    rows = [
        GOOD | {"transaction_id": f"t-{number}", "merchant_id": f"ਊ {number}"} for number in range(1, 400)
    ]
    names = list(rows[0])
    forged = (
        ",".join(names)
        + '\nt-0,u-1,1.00,2026-01-05T12:30:00Z,"a\nt-forged,u-9,9.00,2026-01-05T12:30:00Z,x\nb"\n'
    )
    table = "\r\n".join([",".join(names), *(",".join(row.values()) for row in rows)])
    (landing / "utf16.csv").write_bytes(table.encode("utf-16"))
    (landing / "UTF16BE.CSV.GZ").write_bytes(gzip.compress(b"\xfe\xff" + table.encode("utf-16-be")))
    (landing / "forged.csv").write_text(forged)
    (landing / "array.json").write_text(json.dumps(rows))
    (landing / "pretty.json").write_text(json.dumps(rows, indent=2))
    with zipfile.ZipFile(landing / "only.csv.zip", "w") as archive:
        archive.writestr("payments.csv", table)

    found = [row for row in clean(spark, landing).collect() if row["record"] is not None]

    ids = Counter(
        (row["file"].rsplit("/", 1)[1], json.loads(row["record"])["transaction_id"]) for row in found
    )
    whole = ("utf16.csv", "UTF16BE.CSV.GZ", "array.json", "pretty.json", "only.csv.zip")
    # Whether a value with a line break in it is text the contract decides; it is one row either way.
    assert ids.keys() - {("forged.csv", "t-0")} == {
        (name, row["transaction_id"]) for name in whole for row in rows
    }
    assert set(ids.values()) == {1}


def test_records_of_a_feed_that_is_declared_trusted_have_the_header_that_says_so(
    spark: SparkSession, landing: Path
) -> None:
    for folder in ("backfill", "live"):
        (landing / folder).mkdir()
        (landing / folder / "a.jsonl").write_text(json.dumps(GOOD | {"transaction_id": folder}))
    (landing.parent / "mappings").mkdir()
    (landing.parent / "mappings" / "backfill.yaml").write_text("trusted: true")
    mappings = mappings_of(spark, landing, landing.parent / "mappings")
    paths = [str(landing / folder / "a.jsonl") for folder in ("backfill", "live")]
    cleaned = transforms.clean_lines(files.read_lines(spark, paths), KEY, mappings)

    found = {
        json.loads(row["value"])["transaction_id"]: row["headers"]
        for row in transforms.records(cleaned, "t").collect()
    }

    [header] = found["backfill"]
    assert (header["key"], bytes(header["value"])) == (TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE)
    assert found["live"] is None
