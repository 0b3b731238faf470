"""The job as a process of its own, with real Kafka and S3 through s3a; and killed in the middle."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from contract.card_tokens import CardTokens
from contract.reading.text import DAMAGED
from glue_scripts.arguments import DEFAULT_TOPIC
from local.ingestion import LOCAL_TOKENIZATION_KEY, IngestionProgress, ingestion_command, read_progress
from local.processes import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VISA = "4111111111111111"
AT = "2026-01-05T12:30:00Z"


class Job:
    """The job's process, started as often as a test wants, on one checkpoint."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._command, self._environment, self._folder = command, environment, folder
        self._starts = 0
        self.process: ManagedProcess | None = None

    def start(self) -> None:
        self._starts += 1
        log = self._folder / f"job-{self._starts}.log"
        self.process = ManagedProcess("ingestion", self._command, log, self._environment, self._folder)
        self.process.start()

    def wait_for(self, condition: Callable[[IngestionProgress], bool], what: str) -> None:
        assert self.process is not None
        self.process.wait_until(lambda: condition(self.progress()), what)

    def progress(self) -> IngestionProgress:
        assert self.process is not None
        with self.process.log.open() as lines:
            return read_progress(lines)

    def kill(self) -> None:
        """SIGKILL to Python, Java and workers at once, as when the machine fails."""
        assert self.process is not None
        os.killpg(self.process.record.pid, signal.SIGKILL)
        self.process.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()


@pytest.fixture
def buckets(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> tuple[str, str]:
    """Names of a landing and a quarantine bucket."""
    names = unique_name("landing"), unique_name("quarantine")
    for name in names:
        aws_client("s3").create_bucket(Bucket=name)
    return names


@pytest.fixture
def topic(topics: Any, unique_name: Callable[[str], str]) -> str:
    created: str = topics.create(unique_name(DEFAULT_TOPIC), partitions=2)
    return created


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """A folder with the mapping of what lands below acme/."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "acme.yaml").write_text(
        """
transaction_id: BELEG
user_id: KUNDE
amount: {column: CENT, unit: minor}
currency: {value: EUR}
timestamp: {column: ZEIT, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}
channel: {column: ART, values: {"1": pos, "2": online}}
card_id: KARTE
label: {column: BETRUG, fraud_values: ["J"]}
"""
    )
    return folder


@pytest.fixture
def job(
    kafka_bootstrap: str,
    topic: str,
    aws_endpoint: str,
    buckets: tuple[str, str],
    mappings: Path,
    tmp_path: Path,
) -> Iterator[Job]:
    landing, quarantine = buckets
    command, environment = ingestion_command(
        kafka_bootstrap,
        f"s3://{landing}/in/",
        f"s3://{quarantine}/rows",
        tmp_path / "checkpoint",
        aws_endpoint,
        topic=topic,
        mappings_dir=mappings,
    )
    job = Job(command, environment, tmp_path)
    yield job
    job.stop()


def transaction(transaction_id: str) -> dict[str, str]:
    return {
        "transaction_id": transaction_id,
        "user_id": f"u-{transaction_id}",
        "amount": "12.50",
        "timestamp": AT,
        "card_id": VISA,
    }


def consume(bootstrap: str, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """Key and value of every record that is on the topic now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
    records = []
    try:
        for partition in consumer.list_topics(topic).topics[topic].partitions:
            place = TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(place)
            consumer.assign([place])
            for _ in range(end):
                (message,) = consumer.consume(1, timeout=30)
                key, value = message.key(), message.value()
                assert key is not None
                assert value is not None
                records.append((key.decode(), json.loads(value)))
    finally:
        consumer.close()
    return records


def quarantined(s3: Any, bucket: str) -> list[dict[str, Any]]:
    """Every row of the batches that are in quarantine now, with the key of its object."""
    rows = []
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        if "/_temporary/" in item["Key"]:
            continue  # Spark renames it when the batch is written: gone before it could be read
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
        rows += [json.loads(line) | {"key": item["Key"]} for line in body.split("\n") if line]
    return rows


def test_a_job_killed_before_its_checkpoint_loses_nothing_and_quarantines_nothing_twice(
    job: Job,
    aws_client: Callable[[str], Any],
    buckets: tuple[str, str],
    kafka_bootstrap: str,
    topic: str,
    tmp_path: Path,
) -> None:
    s3 = aws_client("s3")
    landing, quarantine = buckets
    first = [json.dumps(transaction(f"a-{n}")) for n in range(20)]
    lines = [*first, f'{{"card": "{VISA}"}}', "not json"]
    s3.put_object(Bucket=landing, Key="in/day 1/a.jsonl", Body="\n".join(lines).encode())
    job.start()
    job.wait_for(lambda progress: progress.batches >= 1, "the first batch to be written")
    job.kill()
    # The kill can come just after the commit: without it, the disk is as a kill just before leaves it.
    for file in (tmp_path / "checkpoint" / "commits").glob("*0*"):
        file.unlink()

    header = "user_id,transaction_id,timestamp,amount,note\n"
    s3.put_object(Bucket=landing, Key="in/b.csv", Body=f"{header}u-b-0,b-0,{AT},7.10,x\n".encode())
    job.start()
    job.wait_for(lambda progress: progress.published >= 21, "both files to be published")
    progress = job.progress()

    records = consume(kafka_bootstrap, topic)
    times = Counter(record["transaction_id"] for _, record in records)
    assert times == Counter({f"a-{n}": 2 for n in range(20)} | {"b-0": 1})
    assert all(key == record["user_id"] for key, record in records)
    token = CardTokens(LOCAL_TOKENIZATION_KEY.encode()).token(VISA)
    assert {record["card_id"] for _, record in records if "card_id" in record} == {token}

    refused = quarantined(s3, quarantine)
    assert all("/batch_id=0/" in row["key"] for row in refused)
    assert sorted((row["line"], row["field"], row["raw"]) for row in refused) == [
        (21, "transaction_id", f'{{"card": "{token}"}}'),
        (22, "$", "not json"),
    ]
    assert {row["file"] for row in refused} == {f"s3://{landing}/in/day 1/a.jsonl"}
    assert progress.ready
    assert progress.quarantined == 2
    assert progress.dropped_columns == {"note": 1}


def test_a_banks_own_columns_reach_the_topic_by_the_mapping_of_their_prefix(
    job: Job,
    aws_client: Callable[[str], Any],
    buckets: tuple[str, str],
    kafka_bootstrap: str,
    topic: str,
) -> None:
    s3 = aws_client("s3")
    landing, quarantine = buckets
    header = "BELEG;KUNDE;CENT;ZEIT;ART;KARTE;BETRUG\n"
    good = f"b-1;k-1;123450;05.01.2026 13:30;2;{VISA};J\n"
    bad = f"b-2;k-2;viel;05.01.2026 13:30;2;{VISA};N\n"
    s3.put_object(Bucket=landing, Key="in/acme/2026/own.csv", Body=(header + good + bad).encode())
    s3.put_object(Bucket=landing, Key="in/acme.csv", Body=(header + good).encode())
    s3.put_object(Bucket=landing, Key="in/usual.jsonl", Body=json.dumps(transaction("u")).encode())
    job.start()
    job.wait_for(
        lambda progress: progress.published + progress.quarantined >= 5, "all three files to be read"
    )

    token = CardTokens(LOCAL_TOKENIZATION_KEY.encode()).token(VISA)
    assert sorted(consume(kafka_bootstrap, topic)) == [
        (
            "k-1",
            {
                "transaction_id": "b-1",
                "user_id": "k-1",
                "amount": "1234.50",
                "currency": "EUR",
                "timestamp": AT,
                "channel": "online",
                "card_id": token,
            },
        ),
        ("u-u", transaction("u") | {"card_id": token}),
    ]
    refused = [
        (row["file"].rsplit("/", 1)[1], row["line"], row["field"]) for row in quarantined(s3, quarantine)
    ]
    assert sorted(refused) == [("acme.csv", 1, "$"), ("acme.csv", 2, "$"), ("own.csv", 3, "amount")]
    assert all(VISA not in row["raw"] for row in quarantined(s3, quarantine))
    assert job.progress().dropped_columns == {"BETRUG": 1}


def test_a_job_waits_for_the_first_file_reports_damaged_ones_and_ends_at_sigterm(
    job: Job,
    aws_client: Callable[[str], Any],
    buckets: tuple[str, str],
    kafka_bootstrap: str,
    topic: str,
) -> None:
    s3 = aws_client("s3")
    landing, quarantine = buckets
    job.start()
    job.wait_for(lambda progress: progress.ready, "its query to run")

    def damaged_files() -> set[str]:
        return {row["file"] for row in quarantined(s3, quarantine) if row["reason"] == DAMAGED}

    s3.put_object(Bucket=landing, Key="in/cut.jsonl.gz", Body=gzip.compress(os.urandom(10_000))[:5000])
    s3.put_object(Bucket=landing, Key="in/garbage.csv.gz", Body=b"no gzip at all")
    job.wait_for(lambda _: len(damaged_files()) == 2, "both damaged files to be reported")
    s3.put_object(Bucket=landing, Key="in/good.jsonl", Body=json.dumps(transaction("g-0")).encode())
    job.wait_for(lambda progress: progress.published == 1, "the good file to be published")
    job.stop()

    assert damaged_files() == {f"s3://{landing}/in/cut.jsonl.gz", f"s3://{landing}/in/garbage.csv.gz"}
    assert [key for key, _ in consume(kafka_bootstrap, topic)] == ["u-g-0"]
    assert job.process is not None
    assert job.process.exit_code == 0
