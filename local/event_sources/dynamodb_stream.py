"""Reads a DynamoDB table's stream as Lambda does, and makes the events that Lambda makes of it.

Each shard is read in order by a thread of its own, a child only after its parent is finished. A shard's records are distributed
by partition key to as many queues as the parallelization factor says.
"""

from __future__ import annotations

import threading
import time
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.checkpoints import Checkpoint, Checkpoints
from local.event_sources.destination import iso_milliseconds
from local.event_sources.filter import compile_filter
from local.event_sources.records import Batch, Discard, QueueKey, ResumePoint, SourceRecord
from local.event_sources.source import SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

    from local.event_sources.source import Sink
    from ops.manifests import StreamTrigger

POLL_SECONDS: Final = 0.04
"""Pause after an empty read. Lambda reads four times a second; this is shorter, because end-to-end latency is measured."""

SILENT_POLL_SECONDS: Final = 0.12
"""The same on a shard that has been silent for :data:`SILENT_AFTER_SECONDS`, so that a stack that waits needs little CPU."""

SILENT_AFTER_SECONDS: Final = 1.0

SHARDS_INTERVAL_SECONDS: Final = 2.0
"""Time between two checks for new shards."""

ERROR_PAUSE_SECONDS: Final = 0.5
ROOM_WAIT_SECONDS: Final = 0.2
PAGE_RECORDS: Final = 1000
"""DynamoDB's limit of records in one answer."""

EXPIRED: Final = frozenset({"ExpiredIteratorException"})
TRIMMED: Final = frozenset({"TrimmedDataAccessException"})


class DynamoDbStreamSource:
    """Reads one table's stream.

    Parameters
    ----------
    dynamodb, streams
        Clients of boto3.
    trigger : StreamTrigger
        Table, starting position, filter, parallelization factor.
    checkpoint_file : Path
        Where checkpoints are stored.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        streams: DynamoDBStreamsClient,
        trigger: StreamTrigger,
        checkpoint_file: Path,
    ) -> None:
        self._dynamodb = dynamodb
        self._streams = streams
        self._trigger = trigger
        self._checkpoint_file = checkpoint_file
        self._accepts = compile_filter(trigger.filter)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._readers: dict[str, threading.Thread] = {}
        self._exhausted: set[str] = set()
        self._is_empty: dict[str, bool] = {}
        self._stream_arn = ""

    def start(self, sink: Sink) -> None:
        """Find the table's stream and start to read its shards."""
        self._sink = sink
        table = self._trigger.table
        try:
            description = self._dynamodb.describe_table(TableName=table)["Table"]
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailableError(f"table {table}: {error}") from error
        if "LatestStreamArn" not in description:
            raise SourceUnavailableError(f"table {table} has no stream")
        self._stream_arn = description["LatestStreamArn"]
        self._partition_key = next(
            key["AttributeName"] for key in description["KeySchema"] if key["KeyType"] == "HASH"
        )
        self._checkpoints = Checkpoints(self._checkpoint_file, self._stream_arn)
        self._latest_shards: set[str] = set()
        try:
            shards = self._describe_shards()
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailableError(f"stream of {table}: {error}") from error
        if self._trigger.starting_position == "LATEST" and not len(self._checkpoints):
            # Only shards that exist at the very first start: a later one is new from its first record on.
            self._latest_shards = set(shards)
            self._exhausted |= {parent for parent in shards.values() if parent is not None}
        self._start_readers(shards)
        self._thread = threading.Thread(target=self._watch_shards, name="stream-shards", daemon=True)
        self._thread.start()

    def stop_reading(self) -> None:
        """Stop reading; when this returns, nothing more is offered."""
        self._stop.set()
        self._thread.join()
        for reader in self._readers.values():
            reader.join()

    def close(self) -> None:
        """Do nothing: each checkpoint is on disk once it is saved."""

    def event(self, batch: Batch) -> bytes:
        """Make the event: the records, in their order."""
        return b'{"Records":[' + b",".join(record.document for record in batch.records) + b"]}"

    def locate(self, identifier: object, batch: Batch) -> tuple[QueueKey, int] | None:
        """Find a sequence number in a batch."""
        return batch.find(identifier)

    def batch_info(self, discard: Discard) -> dict[str, dict[str, Any]]:
        """Return where discarded records are in the stream."""
        records = discard.piece.records
        return {
            "DDBStreamBatchInfo": {
                "shardId": discard.piece.queue.origin,
                "startSequenceNumber": records[0].identifier,
                "endSequenceNumber": records[-1].identifier,
                "approximateArrivalOfFirstRecord": iso_milliseconds(records[0].arrived_at_s),
                "approximateArrivalOfLastRecord": iso_milliseconds(records[-1].arrived_at_s),
                "batchSize": len(records),
                "streamArn": self._stream_arn,
            }
        }

    def save(self, origin: str, resume_point: ResumePoint) -> None:
        """Save the shard's checkpoint."""
        self._checkpoints.save(origin, resume_point)

    def backlog(self, unfinished: int) -> int:
        """Count the records that were read and are not done, and one more if the last read was not empty.

        A stream does not say how many records it holds.
        """
        return unfinished + (0 if self.is_caught_up() else 1)

    def is_caught_up(self) -> bool:
        """Return whether the last read of every shard was empty."""
        with self._lock:
            return bool(self._is_empty) and all(self._is_empty.values())

    def _watch_shards(self) -> None:
        while not self._stop.wait(SHARDS_INTERVAL_SECONDS):
            try:
                self._start_readers(self._describe_shards())
            except (BotoCoreError, ClientError) as error:
                self._sink.report(f"stream of {self._trigger.table}: {error}")

    def _describe_shards(self) -> dict[str, str | None]:
        shards: dict[str, str | None] = {}
        last: str | None = None
        while True:
            start: dict[str, Any] = {"ExclusiveStartShardId": last} if last else {}
            description = self._streams.describe_stream(StreamArn=self._stream_arn, **start)[
                "StreamDescription"
            ]
            for shard in description.get("Shards", []):
                shards[shard["ShardId"]] = shard.get("ParentShardId")
            last = description.get("LastEvaluatedShardId")
            if last is None:
                return shards

    def _start_readers(self, shards: Mapping[str, str | None]) -> None:
        finished = {shard for shard in self._exhausted if self._sink.unfinished(shard) == 0}
        for shard in ready_shards(shards, self._readers, finished):
            for part in range(self._trigger.parallelization_factor):
                self._sink.add_queue(QueueKey(shard, part), f"{shard}/{part}")
            with self._lock:
                self._is_empty[shard] = False
            self._readers[shard] = threading.Thread(
                target=self._read, args=(shard,), name="stream-reader", daemon=True
            )
            self._readers[shard].start()

    def _read(self, shard: str) -> None:
        iterator: str | None = None
        checkpoint = self._checkpoints.get(shard)
        spoke_at = time.monotonic()
        while not self._stop.is_set():
            if not self._sink.wait_for_room(shard, ROOM_WAIT_SECONDS):
                continue
            try:
                iterator = iterator or self._iterator(shard, checkpoint)
                page = self._streams.get_records(ShardIterator=iterator, Limit=PAGE_RECORDS)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                iterator = None
                if code in TRIMMED:
                    # The record is older than the stream's 24 hours. The loss is reported; what still exists is read.
                    checkpoint = None
                if code not in EXPIRED:
                    self._pause(shard, error)
                continue
            except BotoCoreError as error:
                self._pause(shard, error)
                continue
            if self._stop.is_set():
                return
            records = page.get("Records", [])
            if records:
                checkpoint = Checkpoint(records[-1]["dynamodb"]["SequenceNumber"], is_done=True)
                self._offer(shard, records, checkpoint.sequence_number)
            iterator = page.get("NextShardIterator")
            with self._lock:
                self._is_empty[shard] = not records or iterator is None
                if iterator is None:
                    self._exhausted.add(shard)
                    return
            if records:
                spoke_at = time.monotonic()
            else:
                is_silent = time.monotonic() - spoke_at > SILENT_AFTER_SECONDS
                self._stop.wait(SILENT_POLL_SECONDS if is_silent else POLL_SECONDS)

    def _pause(self, shard: str, error: Exception) -> None:
        with self._lock:
            self._is_empty[shard] = False
        self._sink.report(f"stream of {self._trigger.table}, {shard}: {error}")
        self._stop.wait(ERROR_PAUSE_SECONDS)

    def _iterator(self, shard: str, checkpoint: Checkpoint | None) -> str:
        position: dict[str, Any]
        if checkpoint is not None:
            kind = "AFTER_SEQUENCE_NUMBER" if checkpoint.is_done else "AT_SEQUENCE_NUMBER"
            position = {"ShardIteratorType": kind, "SequenceNumber": checkpoint.sequence_number}
        elif shard in self._latest_shards:
            position = {"ShardIteratorType": "LATEST"}
        else:
            position = {"ShardIteratorType": "TRIM_HORIZON"}
        answer = self._streams.get_shard_iterator(StreamArn=self._stream_arn, ShardId=shard, **position)
        return answer["ShardIterator"]

    def _offer(self, shard: str, records: Iterable[Any], read_to: str) -> None:
        by_queue: dict[QueueKey, list[SourceRecord]] = {}
        filtered = 0
        for record in records:
            event_record = to_event_record(record, self._stream_arn)
            if not self._accepts(event_record):
                filtered += 1
                continue
            key = msgspec.json.encode(record["dynamodb"]["Keys"][self._partition_key])
            queue = QueueKey(shard, zlib.crc32(key) % self._trigger.parallelization_factor)
            sequence_number = record["dynamodb"]["SequenceNumber"]
            by_queue.setdefault(queue, []).append(
                SourceRecord(
                    queue,
                    int(sequence_number),
                    sequence_number,
                    event_record["dynamodb"]["ApproximateCreationDateTime"],
                    msgspec.json.encode(event_record),
                )
            )
        self._sink.offer(shard, by_queue, read_to, filtered)


def ready_shards(
    shards: Mapping[str, str | None], started: Iterable[str], finished: Iterable[str]
) -> list[str]:
    """Choose the shards that may be read now.

    Parameters
    ----------
    shards : Mapping[str, str | None]
        Each shard of the stream with its parent.
    started, finished : Iterable[str]
        Shards that are or were read; those of them that are read to their end and done.

    Returns
    -------
    list[str]
        Those not started, without a parent that is on the stream and not finished: a parent's records come first.

    Examples
    --------
    >>> ready_shards({"a": None, "b": "a", "c": "gone"}, started=[], finished=[])
    ['a', 'c']
    """
    begun, done = set(started), set(finished)
    return [
        shard
        for shard, parent in shards.items()
        if shard not in begun and (parent is None or parent not in shards or parent in done)
    ]


def to_event_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """Convert a record of ``GetRecords`` to a record of Lambda's event.

    Times become seconds since the epoch. The rest has the wire form already; the JSON encoder writes binary values as
    base64.
    """
    change = dict(record["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    change["ApproximateCreationDateTime"] = (
        created.timestamp() if isinstance(created, datetime) else time.time()
    )
    event_record = {name: value for name, value in record.items() if name != "userIdentity"}
    if "userIdentity" in record:
        # DynamoDB itself deleted the item, for time to live.
        identity = record["userIdentity"]
        event_record["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
    return {**event_record, "dynamodb": change, "eventSourceARN": stream_arn}
