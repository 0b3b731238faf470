"""How the job reads landed files: their forms, names, encodings and damage, on real Spark and real files."""

from __future__ import annotations

import doctest
import gzip
import json
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import PythonException

from contract.reading.text import DAMAGED
from glue_scripts import files, transforms
from glue_scripts.progress import Counts
from tests.integration.glue.landed_files import GOOD, KEY, by_place, clean

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

# PySpark 3.5 compares the versions of pandas and pyarrow with it; on Python 3.11 it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")


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
