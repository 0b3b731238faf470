"""The Glue job is killed after a batch is on the topic, and before its checkpoint."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.errors import InvalidTransactionError
from contract.scored import Position
from contract.transaction import decode_transaction
from local.ingestion import IngestionProgress, LabelFiles, ingestion_command, read_progress
from local.processes import ManagedProcess

from .site import TOPIC, Site
from .stream import Sent, Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fault import Send


class GlueJob:
    """The job's process, with a checkpoint and a folder of the landing bucket of its own.

    Parameters
    ----------
    site : Site
        The stack.
    name : str
        Of the folders.
    labels : LabelFiles | None
        Files of labels that it reads too.
    variables : str
        Further variables of its environment.
    """

    def __init__(self, site: Site, name: str, labels: LabelFiles | None = None, **variables: str) -> None:
        self._site = site
        self._prefix = f"{name}/"
        self._checkpoint = site.folder / f"{name}-checkpoint"
        self._quarantine = f"{name}-rows"
        buckets = site.resources.buckets
        self._command, self._environment = ingestion_command(
            site.broker.endpoint,
            f"s3://{buckets['landing']}/{self._prefix}",
            f"s3://{buckets['quarantine']}/{self._quarantine}",
            self._checkpoint,
            site.aws_api.endpoint,
            labels=labels,
        )
        self._environment |= variables
        self._starts = 0
        self.process: ManagedProcess | None = None

    def start(self) -> None:
        """Start it at its checkpoint."""
        self._starts += 1
        log = self._site.logs / "glue" / f"{self._prefix[:-1]}-{self._starts}.log"
        self.process = ManagedProcess("ingestion", self._command, log, self._environment, self._site.folder)
        self.process.start()

    def land(self, lines: list[bytes]) -> None:
        """Put a file with these lines into the landing bucket."""
        self._site.client("s3").put_object(
            Bucket=self._site.resources.buckets["landing"],
            Key=f"{self._prefix}a.jsonl",
            Body=b"\n".join(lines),
        )

    def kill(self) -> None:
        """SIGKILL Python, Java and the workers at once, as when the machine fails, before the checkpoint is written."""
        assert self.process is not None
        os.killpg(self.process.record.pid, signal.SIGKILL)
        self.process.stop()
        # The kill may come just after the commit. Without the commit, the disk is as after a kill just before it.
        for file in (self._checkpoint / "commits").glob("*0*"):
            file.unlink()

    def progress(self) -> IngestionProgress:
        """What the job has reported since its last start."""
        assert self.process is not None
        with self.process.log.open() as lines:
            return read_progress(lines)

    def refused_lines(self) -> list[int]:
        """Numbers of the file's lines that are in quarantine, each as often as it is there."""
        return refused_lines(self._site, f"{self._quarantine}/")


@contextmanager
def kill_glue_job(site: Site, seed: int) -> Iterator[Send]:
    """The records come from the landing bucket. The whole batch, or a part of it, is written to the topic twice."""
    job = GlueJob(site, f"glue-{time.monotonic_ns()}")
    begins = ends_of(site)

    def count() -> int:
        return sum(end - begins.get(partition, 0) for partition, end in ends_of(site).items())

    def send(records: list[Sent]) -> list[Written]:
        lines = [record.value for record in records if record.value]
        bad = [number for number, line in enumerate(lines, 1) if not is_payment(line)]
        wanted = len(lines) - len(bad)
        job.land(lines)
        job.start()
        assert job.process is not None
        some = 1 if seed % 2 else wanted
        job.process.wait_until(lambda: count() >= some, f"{some} records on the topic")
        job.kill()
        before = count()
        job.start()
        job.process.wait_until(
            lambda: job.progress().published >= wanted, "the batch to be on the topic again"
        )
        records_read = read_topic(site, begins)
        assert len(records_read) == before + wanted
        assert job.refused_lines() == bad
        times = Counter(each.record.value for each in records_read)
        assert max(times.values()) > 1, "nothing is on the topic twice"
        return records_read

    try:
        yield send
    finally:
        if job.process is not None:
            job.process.stop()


def refused_lines(site: Site, prefix: str) -> list[int]:
    """Numbers of the lines that the quarantine bucket holds below a prefix, each as often as it is there."""
    s3, bucket = site.client("s3"), site.resources.buckets["quarantine"]
    rows: list[Any] = []
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        rows += [msgspec.json.decode(line) for line in body.splitlines()]
    return sorted(row["line"] for row in rows)


def is_payment(line: bytes) -> bool:
    """Whether the job must publish a line."""
    try:
        decode_transaction(line)
    except InvalidTransactionError:
        return False
    return True


def ends_of(site: Site) -> dict[int, int]:
    """Partition to the offset after its last record."""
    consumer = Consumer({"bootstrap.servers": site.broker.endpoint, "group.id": "none"})
    try:
        partitions = consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions
        return {
            number: consumer.get_watermark_offsets(TopicPartition(TOPIC, number), 10)[1]
            for number in partitions
        }
    finally:
        consumer.close()


def read_topic(site: Site, begins: dict[int, int]) -> list[Written]:
    """All records from these offsets on, each partition's in order."""
    consumer = Consumer(
        {"bootstrap.servers": site.broker.endpoint, "group.id": "none", "enable.auto.commit": False}
    )
    records = []
    try:
        for partition, end in ends_of(site).items():
            consumer.assign([TopicPartition(TOPIC, partition, begins.get(partition, 0))])
            for _ in range(end - begins.get(partition, 0)):
                [message] = consumer.consume(1, timeout=30)
                key, value = message.key(), message.value()
                assert key is not None
                assert value is not None
                position = Position(TOPIC, partition, message.offset() or 0)
                is_trusted = (TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE) in (message.headers() or [])
                sent = Sent(key.decode(), value)
                records.append(Written(position, sent, message.timestamp()[1], is_trusted))
    finally:
        consumer.close()
    return records
