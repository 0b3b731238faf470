"""How the job reads files by the mapping of their prefix, on real Spark and real files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import AnalysisException

from contract.canary import CANARY_HEADER, CANARY_HEADER_VALUE, canary_payment
from contract.card_tokens import CardTokens
from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.errors import MappingError
from contract.mapping.document import ColumnMapping, Source
from contract.transaction import encode_transaction
from glue_scripts import files, transforms
from glue_scripts.progress import Counts
from tests.integration.glue.landed_files import GOOD, KEY, VISA, by_place, mappings_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")

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


def test_records_of_the_canary_have_the_header_that_says_so_and_are_not_counted_as_published(
    spark: SparkSession, landing: Path
) -> None:
    canary = canary_payment("canary-1", datetime(2026, 1, 5, 12, 30, tzinfo=UTC))
    for folder in ("canary", "live"):
        (landing / folder).mkdir()
        rows = encode_transaction(canary).decode(), json.dumps(GOOD)
        (landing / folder / "a.json").write_text("\n".join(rows))
    paths = [str(landing / folder / "a.json") for folder in ("canary", "live")]
    cleaned = transforms.clean_lines(files.read_lines(spark, paths), KEY, mappings_of(spark, landing))

    counts = transforms.counts(cleaned)
    records = {row["key"].decode(): row["headers"] for row in transforms.records(cleaned, "t").collect()}

    assert counts == Counts(published=1, quarantined=2, canaries=1, reserved_users=1)
    [header] = records["canary-1"]
    assert (header["key"], bytes(header["value"])) == (CANARY_HEADER, CANARY_HEADER_VALUE)
    assert records[GOOD["user_id"]] is None
