"""What the tests of the job's transforms share: a good payment, and landed files read as the job reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue_scripts import files, stream_transactions, transforms
from glue_scripts.arguments import parse_arguments

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, Row, SparkSession

    from glue_scripts.prefix_mappings import PrefixMappings

KEY = b"a key for these tests"
VISA = "4111111111111111"
GOOD = {"transaction_id": "t-1", "user_id": "u-1", "amount": "12.50", "timestamp": "2026-01-05T12:30:00Z"}


def clean(spark: SparkSession, landing: Path) -> DataFrame:
    paths = [str(path) for path in sorted(landing.rglob("*.*"))]
    return transforms.clean_lines(files.read_lines(spark, paths), KEY)


def by_place(cleaned: DataFrame) -> dict[tuple[str, int], Row]:
    """File name and line to the row."""
    return {(row["file"].rsplit("/", 1)[1], row["line"]): row for row in cleaned.collect()}


def mappings_of(spark: SparkSession, landing: Path, folder: Path | None = None) -> PrefixMappings:
    """What the job reads at its start, from arguments as the local stack writes them; without a folder, no mappings."""
    arguments = {
        "landing_path": f"{landing.as_uri()}/",
        **({} if folder is None else {"mappings_path": folder.as_uri()}),
        "quarantine_path": "q",
        "checkpoint_path": "c",
        "kafka_bootstrap_servers": "k",
        "tokenization_key": "env:K",
    }
    argv = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    return stream_transactions.read_mappings(spark, stream_transactions.payments_feed(parse_arguments(argv)))
