"""What a running stack shows under load: backlogs, latencies, alerts, and the CPU and memory of its processes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psutil

from contract.alert import Alert, AlertState, decode_message
from contract.flagged import FLAGGED_TABLE
from local.stack_metrics import StackMetrics

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from local.event_sources.config import MappingStatus
    from local.stack import Stack

IDLE_SECONDS: Final = 1.5
"""A stack is at rest when every stage has been idle for longer than this."""


class AlertCount(msgspec.Struct, frozen=True):
    """Alerts since the stack started, counted when the stack is at rest."""

    due: int
    """Flagged rows that no other alert of their window covers."""
    arrived: int
    """Messages that the subscriber received."""
    missing: int
    """Rows for which an alert was due and no message arrived."""

    @property
    def complete(self) -> bool:
        """Whether each due alert arrived, and arrived once."""
        return self.missing == 0 and self.arrived == self.due

    def __str__(self) -> str:
        if self.complete:
            return f"each of {self.due:,} due alerts arrived once"
        more = self.arrived - (self.due - self.missing)
        return f"{self.due:,} alerts were due and {self.arrived:,} arrived; missing: {self.missing:,}, repeated or not due: {more:,}"


def count_alerts(due: Collection[str], arrived: Sequence[str]) -> AlertCount:
    """Compare the alerts that were due with those that arrived, by the flagged payment's id.

    Examples
    --------
    >>> str(count_alerts(["a", "b"], ["b", "a"]))
    'each of 2 due alerts arrived once'
    >>> str(count_alerts(["a", "b", "c"], ["a", "a", "b"]))
    '3 alerts were due and 3 arrived; missing: 1, repeated or not due: 1'
    """
    return AlertCount(len(due), len(arrived), len(set(due) - set(arrived)))


class Usage(msgspec.Struct, frozen=True):
    """CPU that a process has used so far, and the memory that it uses now."""

    cpu_s: float
    rss_bytes: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Read them from the kernel; ``psutil.NoSuchProcess`` if the process has ended."""
        with process.oneshot():
            times = process.cpu_times()
            return cls(times.user + times.system, process.memory_info().rss)

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_s + other.cpu_s, self.rss_bytes + other.rss_bytes)


class StackMonitor:
    """Samples one running stack.

    Parameters
    ----------
    stack : Stack
        Started by this process.
    build_dir : Path
        Its build folder.
    """

    def __init__(self, stack: Stack, build_dir: Path) -> None:
        self._stack = stack
        self._metrics = StackMetrics(build_dir)
        self._arrived: list[str] = []
        """Flagged payments of the alerts that arrived, once for each message."""
        self._workers: dict[psutil.Process, str] = {}
        """Every worker seen so far, with its function's name; psutil distinguishes a later process with the same id."""

    def backlog(self) -> int | None:
        """Records that wait before or in any stage; None while a mapping's backlog is unknown."""
        backlogs = [None if status is None else status.backlog for status in self._statuses()]
        known = [backlog for backlog in backlogs if backlog is not None]
        return sum(known) if len(known) == len(backlogs) else None

    def is_at_rest(self) -> bool:
        """Whether every stage has been idle for :data:`IDLE_SECONDS`."""
        return all(
            status is not None
            and status.idle_since_ms is not None
            and status.at_ms - status.idle_since_ms > IDLE_SECONDS * 1000
            for status in self._statuses()
        )

    def wait_until_at_rest(self, seconds: float) -> bool:
        """Wait until the stack is at rest; False if it is not after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not self.is_at_rest():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def usage(self) -> dict[str, Usage]:
        """CPU and memory by process: servers, mappings (``score-mapping``), workers (``score``), and this one (``load``)."""
        found: dict[str, Usage] = {"load": Usage.of(psutil.Process())}
        for record in self._stack.state.processes:
            process = record.find()
            if process is None:
                continue
            try:
                found[record.name] = Usage.of(process)
                workers = process.children()
            except psutil.NoSuchProcess:
                continue  # it ended just now; `Stack.ended_processes` reports it
            if not record.name.endswith("-mapping"):
                continue
            function = record.name.removesuffix("-mapping")
            self._workers.update(dict.fromkeys(workers, function))
            for worker in workers:
                with suppress(psutil.NoSuchProcess):
                    found[function] = found.get(function, Usage(0.0, 0)) + Usage.of(worker)
        return found

    def ended_workers(self) -> dict[str, int]:
        """Count the workers that :meth:`usage` saw and that have ended: a replacement starts with fresh memory and hides a leak."""
        return count_ended(self._workers)

    def alert_count(self) -> AlertCount:
        """Compare the alerts received by :meth:`take_alert_latencies` with the flagged rows; the stack must be at rest.

        It scans the whole table, so do not call it while anything is measured.
        """
        rows = self._stack.client("dynamodb").get_paginator("scan")
        due = [
            item["transaction_id"]["S"]
            for page in rows.paginate(
                TableName=self._stack.resources.tables[FLAGGED_TABLE],
                ProjectionExpression="transaction_id, alert_state",
                ConsistentRead=True,
            )
            for item in page["Items"]
            if item.get("alert_state", {}).get("S") != AlertState.SUPPRESSED
        ]
        return count_alerts(due, self._arrived)

    def take_alert_latencies(self) -> list[tuple[float, float]]:
        """Receive and delete the alerts in the subscriber's queue: delivery time (ms since the epoch) and latency (ms) of each.

        Latency starts at the payment's event time, when the producer made it, a little before Kafka appended it. It ends when the
        subscriber's queue took the message.
        """
        sqs: Any = self._stack.client("sqs")
        url = self._stack.alerts_inbox_url
        found = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["SentTimestamp"]
        ).get("Messages"):
            for message in messages:
                alert = decode_message(msgspec.json.decode(message["Body"])["Message"])
                if not isinstance(alert, Alert):
                    continue  # a digest is of no single payment
                sent_ms = float(message["Attributes"]["SentTimestamp"])
                self._arrived.append(alert.transaction.transaction_id)
                found.append((sent_ms, sent_ms - alert.transaction.occurred_at.timestamp() * 1000))
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return sorted(found)

    def _statuses(self) -> list[MappingStatus | None]:
        return [self._metrics.mapping_status(name) for name in self._stack.state.functions]


def cores_used(before: dict[str, Usage], after: dict[str, Usage], seconds: float) -> dict[str, float]:
    """Cores that each process kept busy, most first; a process that is missing from either sample is left out."""
    used = {
        name: (after[name].cpu_s - usage.cpu_s) / seconds for name, usage in before.items() if name in after
    }
    return dict(sorted(used.items(), key=lambda each: -each[1]))


def count_ended(workers: Mapping[psutil.Process, str]) -> dict[str, int]:
    """Count the processes that have ended, by their names in ``workers``; a name without any is left out."""
    ended: dict[str, int] = {}
    for worker, name in workers.items():
        if not _is_running(worker):
            ended[name] = ended.get(name, 0) + 1
    return ended


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
