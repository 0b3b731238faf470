"""Reads a Kafka topic as Lambda's pollers do, and makes the events that Lambda makes of it.

Partitions are assigned by hand, without joining a group. Processed offsets are committed to the mapping's consumer group, so
that reading resumes there after a restart, and every Kafka tool shows the lag.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # its stubs do not re-export it

from local.event_sources.destination import iso_milliseconds
from local.event_sources.filter import compile_filter
from local.event_sources.kafka_record import to_filter_input, to_source_record
from local.event_sources.records import Batch, Discard, QueueKey, ResumePoint
from local.event_sources.source import SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.event_sources.source import Sink
    from ops.manifests import KafkaTrigger

METADATA_INTERVAL_SECONDS: Final = 5.0
"""Time between two checks for new partitions."""

REQUEST_TIMEOUT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.2
PAUSED_POLL_SECONDS: Final = 0.02
"""Shorter while a partition is paused: no message announces that there is room for its records again."""

EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]

READ_AHEAD: Final = 1000
"""Most messages that are taken from the client at once."""


class KafkaSource:
    """Reads one topic.

    Parameters
    ----------
    bootstrap_servers : str
        ``host:port[,host:port]``.
    trigger : KafkaTrigger
        Topic, consumer group, starting position, filter, pollers.
    cluster_arn : str
        The ARN of the event's source.
    pollers : int
        Number of groups that the partitions are divided into; partitions of one poller may share a batch.
    """

    def __init__(self, bootstrap_servers: str, trigger: KafkaTrigger, cluster_arn: str, pollers: int) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._trigger = trigger
        self._cluster_arn = cluster_arn
        self._pollers = pollers
        self._accepts = compile_filter(trigger.filter)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._read_to: dict[int, int] = {}
        self._to_commit: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._paused: set[int] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": trigger.consumer_group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",  # if the committed offset has expired: reads all that is left
                "fetch.queue.backoff.ms": 10,
                "queued.max.messages.kbytes": 16 * 1024,
                "on_commit": self._on_commit,
            }
        )
        # A connection of its own for requests of offsets: on the consumer's they would wait behind its long polls.
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers})

    def start(self, sink: Sink) -> None:
        """Assign the topic's partitions and start to read them."""
        self._sink = sink
        try:
            self._assign_new(is_first=True)
        except (KafkaException, TimeoutError) as error:
            raise SourceUnavailableError(f"topic {self._trigger.topic}: {error}") from error
        self._thread = threading.Thread(target=self._read, name="kafka-reader", daemon=True)
        self._thread.start()

    def stop_reading(self) -> None:
        """Stop reading; when this returns, nothing more is offered."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        """Commit all offsets, and wait until the broker has them."""
        try:
            self._commit(wait=True)
        except KafkaException as error:
            self._sink.report(f"commit: {error}")
        self._consumer.close()

    def event(self, batch: Batch) -> bytes:
        """Make the event: the records by topic and partition."""
        by_origin = [
            msgspec.json.encode(piece.queue.origin)
            + b":["
            + b",".join(r.document for r in piece.records)
            + b"]"
            for piece in batch.pieces
        ]
        head = msgspec.json.encode(
            {
                "eventSource": "aws:kafka",
                "eventSourceArn": self._cluster_arn,
                "bootstrapServers": self._bootstrap_servers,
            }
        )
        return head[:-1] + b',"records":{' + b",".join(by_origin) + b"}}"

    def locate(self, identifier: object, batch: Batch) -> tuple[QueueKey, int] | None:
        """Find ``{"partition": "<topic>-<n>", "offset": <offset>}`` in a batch."""
        if not isinstance(identifier, dict):
            return None
        for piece in batch.pieces:
            if piece.queue.origin == identifier.get("partition"):
                offset = identifier.get("offset")
                if any(record.position == offset for record in piece.records):
                    return piece.queue, cast("int", offset)
        return None

    def batch_info(self, discard: Discard) -> dict[str, dict[str, Any]]:
        """Return where discarded records are on the topic."""
        records = discard.piece.records
        return {
            "KafkaBatchInfo": {
                "batchSize": len(records),
                "eventSourceArn": self._cluster_arn,
                "bootstrapServers": self._bootstrap_servers,
                "payloadSize": len(self.event(Batch((discard.piece,)))),
                "recordsInfo": {
                    discard.piece.queue.origin: {
                        "firstRecordOffset": records[0].identifier,
                        "lastRecordOffset": records[-1].identifier,
                        "firstRecordTimestamp": iso_milliseconds(records[0].arrived_at_s),
                        "lastRecordTimestamp": iso_milliseconds(records[-1].arrived_at_s),
                    }
                },
            }
        }

    def save(self, origin: str, resume_point: ResumePoint) -> None:
        """Note the offset to resume at; the reading thread commits it within a poll's time."""
        if resume_point.first_unfinished is not None:
            offset = resume_point.first_unfinished.position
        elif resume_point.read_to is not None:
            offset = int(resume_point.read_to) + 1
        else:
            return
        partition = int(origin.rpartition("-")[2])
        with self._lock:
            if offset > self._committed.get(partition, -1):
                self._to_commit[partition] = offset

    def backlog(self, unfinished: int) -> int:
        """Count the records that were not read yet, and those that were read and are not done."""
        return unfinished + self._unread()

    def is_caught_up(self) -> bool:
        """Return whether everything on the topic has been read; False if the broker does not answer."""
        try:
            return self._unread() == 0
        except SourceUnavailableError:
            return False

    def _unread(self) -> int:
        with self._lock:
            positions = dict(self._read_to)
        try:
            ends = self._offsets(positions, LATEST)
        except (KafkaException, TimeoutError) as error:
            raise SourceUnavailableError(f"topic {self._trigger.topic}: {error}") from error
        return sum(max(0, ends[partition] - at) for partition, at in positions.items())

    def _offsets(self, partitions: Iterable[int], which: OffsetSpec) -> dict[int, int]:
        """Return the first or next offset of each partition, with one request."""
        asked = {TopicPartition(self._trigger.topic, partition): which for partition in partitions}
        if not asked:
            return {}
        answers = self._admin.list_offsets(asked, request_timeout=REQUEST_TIMEOUT_SECONDS)
        return {
            partition.partition: answer.result(REQUEST_TIMEOUT_SECONDS).offset
            for partition, answer in answers.items()
        }

    def _read(self) -> None:
        # This thread makes every call of the consumer. The client serves one call at a time: another thread's would wait
        # until a poll ends, which may be long while messages keep coming.
        check_at = time.monotonic() + METADATA_INTERVAL_SECONDS
        while not self._stop.is_set():
            self._resume()
            self._commit(wait=False)
            first = self._consumer.poll(PAUSED_POLL_SECONDS if self._paused else POLL_SECONDS)
            if first is not None:
                self._offer([first, *self._consumer.consume(READ_AHEAD, 0)])
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + METADATA_INTERVAL_SECONDS
                try:
                    self._assign_new(is_first=False)
                except (KafkaException, TimeoutError) as error:
                    self._sink.report(f"topic {self._trigger.topic}: {error}")

    def _commit(self, *, wait: bool) -> None:
        with self._lock:
            offsets = [TopicPartition(self._trigger.topic, *each) for each in self._to_commit.items()]
            self._committed |= self._to_commit
            self._to_commit = {}
        if offsets and wait:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        elif offsets:
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def _offer(self, messages: list[Message]) -> None:
        by_partition: defaultdict[int, list[Message]] = defaultdict(list)
        for message in messages:
            problem = message.error()
            if problem is not None:
                self._sink.report(f"topic {self._trigger.topic}: {problem}")
            else:
                by_partition[cast("int", message.partition())].append(message)
        for partition, of_partition in by_partition.items():
            origin = self._origin(partition)
            queue = QueueKey(origin)
            records = [
                to_source_record(message, queue) for message in of_partition if self._is_accepted(message)
            ]
            last = cast("int", of_partition[-1].offset())
            self._sink.offer(origin, {queue: records}, str(last), len(of_partition) - len(records))
            with self._lock:
                self._read_to[partition] = last + 1
            if not self._sink.wait_for_room(origin, 0):
                self._consumer.pause([TopicPartition(self._trigger.topic, partition)])
                self._paused.add(partition)

    def _resume(self) -> None:
        for partition in list(self._paused):
            if self._sink.wait_for_room(self._origin(partition), 0):
                self._consumer.resume([TopicPartition(self._trigger.topic, partition)])
                self._paused.remove(partition)

    def _assign_new(self, *, is_first: bool) -> None:
        """Assign the partitions that are not read yet, each at its committed offset."""
        topic = self._trigger.topic
        # With the client that asks for offsets next: otherwise it would learn of a new partition only minutes later.
        metadata = self._admin.list_topics(topic, timeout=REQUEST_TIMEOUT_SECONDS).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        found = sorted(set(metadata.partitions) - set(self._read_to))
        if not found:
            return
        requested = [TopicPartition(topic, partition) for partition in found]
        # A partition that is added later is read from its start, with any starting position: records that were written before
        # it was noticed are new too.
        at_end = is_first and self._trigger.starting_position == "LATEST"
        first = self._offsets(found, LATEST if at_end else EARLIEST)
        assigned: list[TopicPartition] = []
        started: list[TopicPartition] = []
        for place in self._consumer.committed(requested, timeout=REQUEST_TIMEOUT_SECONDS):
            if place.offset == OFFSET_INVALID:
                place.offset = first[place.partition]
                started.append(place)
            with self._lock:
                self._read_to[place.partition] = place.offset
            self._sink.add_queue(
                QueueKey(self._origin(place.partition)), f"poller-{place.partition % self._pollers}"
            )
            assigned.append(place)
        if started:
            # Committed at once. Otherwise a mapping that starts at the end, stops before its first record and starts again
            # would miss what was written meanwhile.
            self._consumer.commit(offsets=started, asynchronous=False)
        self._consumer.incremental_assign(assigned)

    def _is_accepted(self, message: Message) -> bool:
        if self._trigger.filter is None:
            return True
        return self._accepts(to_filter_input(message))

    def _origin(self, partition: int) -> str:
        return f"{self._trigger.topic}-{partition}"

    def _on_commit(self, error: Any, _: Any) -> None:
        if error is not None:
            self._sink.report(f"commit: {error}")
