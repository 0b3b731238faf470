"""Files of labels through the job as a process of its own: real S3 and SQS, and a queue that is not there at first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract.card_tokens import CardTokens
from contract.label_message import decode_label_message, identified
from glue_scripts import stream_transactions
from glue_scripts.arguments import DEFAULT_TOPIC, parse_arguments
from glue_scripts.pins import MappingsChangedError
from local.ingestion import (
    LOCAL_TOKENIZATION_KEY,
    IngestionProgress,
    LabelFiles,
    ingestion_command,
    read_progress,
)
from local.processes import ManagedProcess
from tests.support.landed_rows import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

VISA = "4111111111111111"
MAPPING = """
transaction_id: TXN
verdict: {column: CODE, values: {"10.4": fraud, "13.1": none}}
source: {value: chargeback}
fraud_type: {column: CODE, values: {"10.4": card_not_present, "13.1": ""}}
known_at: {column: DATE, format: "%Y%m%d"}
label_id: CASE
"""


class Job:
    """The job, the buckets that it reads and writes, and its queue."""

    def __init__(self, folder: Path, aws_client: Callable[[str], Any], names: dict[str, str]) -> None:
        self.folder = folder
        self.names = names
        self.s3, self.sqs = aws_client("s3"), aws_client("sqs")
        for bucket in ("landing", "quarantine"):
            self.s3.create_bucket(Bucket=names[bucket])
        self.queue_url = self.sqs.create_queue(QueueName=names["queue"])["QueueUrl"]
        self.process: ManagedProcess | None = None

    def start(self, bootstrap: str, topic: str, aws_endpoint: str) -> None:
        landing, quarantine = self.names["landing"], self.names["quarantine"]
        command, environment = ingestion_command(
            bootstrap,
            f"s3://{landing}/transactions/",
            f"s3://{quarantine}/ingestion/",
            self.folder / "checkpoint",
            aws_endpoint,
            topic=topic,
            labels=LabelFiles(
                landing_uri=f"s3://{landing}/labels/",
                quarantine_uri=f"s3://{quarantine}/label_files/",
                checkpoint_dir=self.folder / "labels-checkpoint",
                queue_url=self.queue_url,
                mappings_dir=self.folder / "mappings",
            ),
        )
        self.process = ManagedProcess("ingestion", command, self.folder / "job.log", environment, self.folder)
        self.process.start()

    def land(self, key: str, body: str) -> None:
        self.s3.put_object(Bucket=self.names["landing"], Key=key, Body=body.encode())

    def wait_for(self, condition: Callable[[IngestionProgress], bool], what: str) -> None:
        assert self.process is not None
        self.process.wait_until(lambda: condition(self.progress()), what)

    def progress(self) -> IngestionProgress:
        with (self.folder / "job.log").open() as lines:
            return read_progress(lines)

    def messages(self) -> list[bytes]:
        """Take what is in the queue."""
        taken: list[bytes] = []
        while found := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            taken += [message["Body"].encode() for message in found]
        return taken

    def quarantined(self, prefix: str) -> list[dict[str, Any]]:
        rows = []
        for item in self.s3.list_objects_v2(Bucket=self.names["quarantine"], Prefix=prefix).get(
            "Contents", []
        ):
            body = self.s3.get_object(Bucket=self.names["quarantine"], Key=item["Key"])["Body"].read()
            rows += [json.loads(line) for line in body.decode().splitlines()]
        return rows


@pytest.fixture
def job(aws_client: Callable[[str], Any], unique_name: Callable[[str], str], tmp_path: Path) -> Iterator[Job]:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "acme.yaml").write_text(MAPPING)
    job = Job(tmp_path, aws_client, {name: unique_name(name) for name in ("landing", "quarantine", "queue")})
    yield job
    if job.process is not None:
        job.process.stop()


def label(number: int) -> dict[str, Any]:
    return {
        "transaction_id": f"t-{number}",
        "verdict": "fraud",
        "source": "customer",
        "known_at": "2026-11-26T08:00:00Z",
    }


def test_labels_reach_their_queue_payments_their_topic_and_bad_rows_quarantine_although_the_queue_came_late(
    job: Job,
    kafka_bootstrap: str,
    topics: Any,
    unique_name: Callable[[str], str],
    aws_endpoint: str,
) -> None:
    landing = job.names["landing"]
    cards = "CASE;CARD;TXN;CODE;DATE\n"
    good = "".join(f"cb-{number};{VISA};c-{number};10.4;20261126\n" for number in range(25))
    job.land(
        "labels/acme/2026/cb.csv",
        f"{cards}{good}cb-x;{VISA};c-x;13.1;20261126\ncb-y;{VISA};c-y;83;20261126\n",
    )
    job.land(
        "labels/own.jsonl", "\n".join(json.dumps(label(number)) for number in (1, 2, 1)) + "\nnot json\n"
    )
    payment = {
        "transaction_id": "p-1",
        "user_id": "u-1",
        "amount": "5.00",
        "timestamp": "2026-11-26T08:00:00Z",
    }
    job.land("transactions/a.jsonl", json.dumps(payment))
    job.sqs.delete_queue(QueueUrl=job.queue_url)

    job.start(kafka_bootstrap, topics.create(unique_name(DEFAULT_TOPIC)), aws_endpoint)
    job.wait_for(lambda progress: bool(progress.labels.failure), "the query of the labels to fail")
    job.wait_for(lambda progress: progress.published == 1, "the payment to be published nevertheless")
    failure = job.progress().labels.failure
    job.sqs.create_queue(QueueName=job.names["queue"])
    job.wait_for(lambda progress: progress.labels.sent == 28, "the labels to be sent")
    progress = job.progress()

    labels = [identified(decode_label_message(body), NOW) for body in job.messages()]
    assert {message.transaction_id for message in labels} == {"t-1", "t-2", *(f"c-{n}" for n in range(25))}
    # A batch that failed may have sent some of its labels before. Whatever is sent twice has one id.
    assert len({message.label_id for message in labels}) == 27
    assert {message.source for message in labels} == {"chargeback", "customer"}
    assert failure.startswith("QueueDoesNotExist An error occurred")
    token = CardTokens(LOCAL_TOKENIZATION_KEY.encode()).token(VISA)
    assert sorted(
        (row["file"], row["line"], row["field"], row["raw"]) for row in job.quarantined("label_files/")
    ) == [
        (f"s3://{landing}/labels/acme/2026/cb.csv", 28, "verdict", f"cb-y;{token};c-y;83;20261126"),
        (f"s3://{landing}/labels/own.jsonl", 4, "$", "not json"),
    ]
    assert job.quarantined("ingestion/") == []
    assert (progress.quarantined, progress.labels.quarantined, progress.labels.ready) == (0, 2, True)


class Query:
    """The query of the labels on folders of one test; the queue is a list here, and takes a batch before the job is killed."""

    def __init__(self, spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._spark = spark
        self.folder = folder
        self.sent: list[bytes] = []
        self.is_killed_after_sending = False
        monkeypatch.setattr(stream_transactions, "send", self._send)
        monkeypatch.setattr(stream_transactions, "print_line", lambda _line: None)
        values = {
            "landing_path": "l",
            "quarantine_path": "q",
            "checkpoint_path": "c",
            "kafka_bootstrap_servers": "none:9092",
            "tokenization_key": "env:K",
            "labels_path": f"file://{folder}/labels/",
            "labels_quarantine_path": f"file://{folder}/quarantine/",
            "labels_checkpoint_path": f"file://{folder}/checkpoint/",
            "labels_queue_url": "none",
            "labels_trigger_interval": "0 seconds",
            "label_mappings_path": f"file://{folder}/mappings",
        }
        arguments = parse_arguments([part for name, value in values.items() for part in (f"--{name}", value)])
        assert arguments.labels is not None
        self.feed = stream_transactions.labels_feed(arguments, arguments.labels)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self) -> None:
        mappings = stream_transactions.read_mappings(self._spark, self.feed)
        query = stream_transactions.start(self._spark, self.feed, b"a key for these tests", mappings)
        try:
            query.processAllAvailable()
        finally:
            query.stop()

    def _send(self, cleaned: DataFrame, _queue_url: str) -> None:
        rows = cleaned.where("record is not null").select("record").collect()
        self.sent += [bytes(row["record"]) for row in rows]
        if self.is_killed_after_sending:
            raise RuntimeError("killed")


@pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")
def test_a_batch_that_was_sent_before_the_job_was_killed_is_sent_again_as_the_same_labels_or_not_at_all(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Query(spark, tmp_path, monkeypatch)
    without_case = MAPPING.replace("label_id: CASE\n", "")
    query.write("mappings/acme.yaml", without_case)
    query.write("labels/acme/cb.csv", "CASE;TXN;CODE;DATE\ncb-1;c-1;10.4;20261126\n")
    query.is_killed_after_sending = True
    with pytest.raises(Exception, match="killed"):
        query.run()
    query.is_killed_after_sending = False

    query.write("mappings/acme.yaml", MAPPING)
    with pytest.raises(MappingsChangedError, match="batch 0 was begun with the mappings of digest"):
        query.run()
    query.write("mappings/acme.yaml", without_case)
    query.run()

    assert len(query.sent) == 2
    assert len({identified(decode_label_message(body), NOW).label_id for body in query.sent}) == 1


@pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")
def test_a_file_that_replaces_one_that_was_read_is_not_read_so_each_needs_a_name_of_its_own(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Query(spark, tmp_path, monkeypatch)
    query.write("mappings/acme.yaml", MAPPING)
    for number, name in enumerate(("today.jsonl", "today.jsonl", "tomorrow.jsonl")):
        query.write(f"labels/{name}", json.dumps(label(number)) + "\n")
        query.run()

    assert [decode_label_message(body).transaction_id for body in query.sent] == ["t-0", "t-2"]
