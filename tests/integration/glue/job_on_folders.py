"""The job's query of payments on folders of one test; Kafka is a list here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from glue_scripts import stream_transactions, transforms
from glue_scripts.arguments import parse_arguments

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from glue_scripts.arguments import Arguments
    from glue_scripts.feeds import Feed
    from glue_scripts.prefix_mappings import PrefixMappings

KEY = b"a key for these tests"
MAPPING = "transaction_id: NR\nuser_id: KUNDE\namount: {column: CENT, unit: minor}\ntimestamp: ZEIT\n"
HEADER = "NR,KUNDE,CENT,ZEIT\n"
ROW = "t-1,u-1,1250,2026-01-05 12:30:00\n"
BAD = "t-2,u-2,viel,2026-01-05 12:30:00\n"


class Job:
    """The job's query on folders of one test, started as often as the test wants."""

    def __init__(self, spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._spark = spark
        self.folder = folder
        self.topic: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.is_killed_after_kafka = False
        monkeypatch.setattr(stream_transactions, "publish", self._publish)
        monkeypatch.setattr(
            stream_transactions, "print_line", lambda line: self.lines.append(json.loads(line))
        )

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, landing: str = "", *, with_mappings: bool = True) -> None:
        """Take all files that have landed; a failure of the query is the job's."""
        feed, mappings = self.feed(landing, with_mappings=with_mappings)
        query = stream_transactions.start(self._spark, feed, KEY, mappings)
        try:
            query.processAllAvailable()
        finally:
            query.stop()

    def feed(self, landing: str = "", *, with_mappings: bool = True) -> tuple[Feed, PrefixMappings]:
        """The feed of the payments, and its mappings as they are now."""
        arguments = self.arguments(landing or f"file://{self.folder}/landing", with_mappings=with_mappings)
        feed = stream_transactions.payments_feed(arguments)
        return feed, stream_transactions.read_mappings(self._spark, feed)

    def run_killed(self, *, with_mappings: bool = True) -> None:
        """Stop after Kafka's write and before the checkpoint's commit."""
        self.is_killed_after_kafka = True
        with pytest.raises(Exception, match="killed"):
            self.run(with_mappings=with_mappings)
        self.is_killed_after_kafka = False

    def quarantined(self) -> list[dict[str, Any]]:
        parts = sorted((self.folder / "quarantine").rglob("*.json"))
        return [json.loads(line) for part in parts for line in part.read_text().splitlines()]

    def pins(self) -> list[str]:
        return [
            file.name.partition("-")[0] for file in (self.folder / "checkpoint" / "mappings").glob("[!.]*")
        ]

    def _publish(self, cleaned: DataFrame, arguments: Arguments) -> None:
        rows = transforms.records(cleaned, arguments.topic).collect()
        self.topic += [json.loads(bytes(row["value"])) for row in rows]
        if self.is_killed_after_kafka:
            raise RuntimeError("killed")

    def arguments(self, landing: str, *, with_mappings: bool) -> Arguments:
        """The job's, with all folders below the test's."""
        values = {
            "landing_path": landing,
            "quarantine_path": f"file://{self.folder}/quarantine",
            "checkpoint_path": f"file://{self.folder}/checkpoint/",
            "kafka_bootstrap_servers": "none:9092",
            "tokenization_key": "env:K",
            "trigger_interval": "0 seconds",
        }
        if with_mappings:
            values["mappings_path"] = f"file://{self.folder}/mappings"
        return parse_arguments([part for name, value in values.items() for part in (f"--{name}", value)])
