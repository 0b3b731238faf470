"""A topic as the stage's consumer sees it: partitions with their records, and how far each is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.scored import Position
from tests.support.kafka_events import TOPIC, make_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from score.delivery import KafkaEvent
    from tests.support.stage_world import Writer


@dataclass(frozen=True)
class LoggedRecord:
    """A record as the broker keeps it; at each delivery it is the same."""

    value: bytes | None
    appended_at_ms: int
    is_trusted: bool = False


class Topic:
    """Partitions with their records, and the offset that the consumer has committed on each."""

    def __init__(self, partitions: int) -> None:
        self.logs: list[list[LoggedRecord]] = [[] for _ in range(partitions)]
        self.committed = [0] * partitions
        self.highest_committed = [0] * partitions
        self._not_before = [0] * partitions

    def append(self, partition: int, record: LoggedRecord) -> Position:
        """Append one record."""
        self.logs[partition].append(record)
        return Position(TOPIC, partition, len(self.logs[partition]) - 1)

    def backlog(self, partition: int) -> int:
        """Records from the committed offset on."""
        return len(self.logs[partition]) - self.committed[partition]

    def add_partition(self) -> None:
        """Add an empty one. Keys move, and Kafka has no order between a user's partitions, so earlier records are not redelivered."""
        self._not_before = [*self.highest_committed, 0]
        self.logs.append([])
        self.committed.append(0)
        self.highest_committed.append(0)

    def rewind(self, partition: int, count: int) -> None:
        """Undo the latest commits, as for a consumer whose commit was lost."""
        self.committed[partition] = max(
            self.committed[partition] - count, min(self._not_before[partition], self.committed[partition])
        )

    def event(self, sizes: Mapping[int, int]) -> tuple[dict[int, tuple[int, int]], KafkaEvent]:
        """The next batch: at most so many records of each partition."""
        spans = {}
        records: list[tuple[Position, LoggedRecord]] = []
        for partition, size in sizes.items():
            first = self.committed[partition]
            stop = min(first + size, len(self.logs[partition]))
            if stop > first:
                spans[partition] = (first, stop)
                records += [
                    (Position(TOPIC, partition, offset), self.logs[partition][offset])
                    for offset in range(first, stop)
                ]
        return spans, make_event(
            [(position, record.value) for position, record in records],
            appended_at_ms=[record.appended_at_ms for _, record in records],
            is_trusted=[record.is_trusted for _, record in records],
        )

    def answered(self, writer: Writer) -> None:
        """Commit what a writer's answer says is done: up to the lowest record to be delivered again."""
        if writer.response is None:
            return
        for partition, (_, stop) in writer.spans.items():
            again = [
                failure["itemIdentifier"]["offset"]
                for failure in writer.response["batchItemFailures"]
                if failure["itemIdentifier"]["partition"] == f"{TOPIC}-{partition}"
            ]
            self.committed[partition] = min([stop, *again])
            self.highest_committed[partition] = max(
                self.highest_committed[partition], self.committed[partition]
            )
