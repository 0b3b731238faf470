"""What can be seen of a running stack under load: backlogs, latencies, and the processes' CPU and memory."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psutil

from benchmarks.stats import percentile, slope
from contract.alert import AlertState, decode_alert
from contract.flagged import FLAGGED_TABLE
from local.stack_metrics import StackMetrics

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from local.stack import Stack

REST_SECONDS: Final = 1.5
"""So long nothing may wait or be in flight before a stack counts as at rest."""
FLAT_SHARE: Final = 0.01
"""A backlog that grows by less than this share of the rate counts as flat: noise of when it is looked at."""
STANDING_SECONDS: Final = 1.0
"""A flat backlog holds no more than what comes in this time."""


class LatencySummary(msgspec.Struct, frozen=True):
    """Latencies, ms."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float


class BacklogVerdict(msgspec.Struct, frozen=True):
    """Whether what waits stays what it is."""

    flat: bool
    growth_per_s: float
    """Records a second, by the middle of all slopes."""
    latency_growth_ms_per_s: float
    typical: float
    """Median, records."""
    worst: float


def summarise(latencies_ms: Sequence[float]) -> LatencySummary:
    """Sum latencies up; ValueError without any."""
    return LatencySummary(
        count=len(latencies_ms),
        p50=percentile(latencies_ms, 0.50),
        p95=percentile(latencies_ms, 0.95),
        p99=percentile(latencies_ms, 0.99),
        worst=max(latencies_ms),
    )


def judge_backlog(
    samples: Sequence[tuple[float, float]], latencies: Sequence[tuple[float, float]], tps: float
) -> BacklogVerdict:
    """Say whether what waits anywhere between topic and SNS is flat.

    What the mappings have not read yet they cannot count, so latency is held to the same two bounds: by Little's law it is the
    backlog over the rate.

    Parameters
    ----------
    samples : Sequence[tuple[float, float]]
        Seconds and records waiting, at two different times at least.
    latencies : Sequence[tuple[float, float]]
        Seconds and ms of the deliveries, at two different times at least.
    tps : float
        Records that come in a second.

    Examples
    --------
    >>> waiting = [(0, 5.0), (1, 0.0), (2, 7.0), (3, 3.0)]
    >>> judge_backlog(waiting, [(0, 80.0), (1, 95.0), (2, 85.0)], 200).flat
    True
    >>> judge_backlog(waiting, [(0, 80.0), (1, 480.0), (2, 890.0)], 200).flat
    False
    """
    growth, latency_growth = slope(samples), slope(latencies)
    waiting = [records for _, records in samples]
    typical = percentile(waiting, 0.5)
    typical_ms = percentile([latency for _, latency in latencies], 0.5)
    # Both bounds: what grew at once and stands then is flat by its slope alone.
    flat = (
        growth <= FLAT_SHARE * tps
        and typical <= STANDING_SECONDS * tps
        and latency_growth <= FLAT_SHARE * 1000
        and typical_ms <= STANDING_SECONDS * 1000
    )
    return BacklogVerdict(flat, growth, latency_growth, typical, max(waiting))


class AlertCount(msgspec.Struct, frozen=True):
    """Alerts since the stack began, counted when nothing was on its way any more."""

    due: int
    """Flagged rows that no other alert of their window told of."""
    arrived: int
    """Messages that the subscriber got."""
    missing: int
    """Rows that an alert was due of, and of which not one message came."""

    @property
    def complete(self) -> bool:
        """Whether each of those came, and came once."""
        return self.missing == 0 and self.arrived == self.due

    def __str__(self) -> str:
        if self.complete:
            return f"each of {self.due:,} due alerts came once"
        more = self.arrived - (self.due - self.missing)
        return f"{self.due:,} alerts were due and {self.arrived:,} came; missing: {self.missing:,}, repeated or not due: {more:,}"


def count_alerts(due: Collection[str], arrived: Sequence[str]) -> AlertCount:
    """Compare what was due with what came, by the flagged payment's id.

    Examples
    --------
    >>> str(count_alerts(["a", "b"], ["b", "a"]))
    'each of 2 due alerts came once'
    >>> str(count_alerts(["a", "b", "c"], ["a", "a", "b"]))
    '3 alerts were due and 3 came; missing: 1, repeated or not due: 1'
    """
    return AlertCount(len(due), len(arrived), len(set(due) - set(arrived)))


class Usage(msgspec.Struct, frozen=True):
    """What a process has used and holds."""

    cpu_s: float
    rss_bytes: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Ask the kernel; ``psutil.NoSuchProcess`` where it has ended."""
        with process.oneshot():
            times = process.cpu_times()
            return cls(times.user + times.system, process.memory_info().rss)

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_s + other.cpu_s, self.rss_bytes + other.rss_bytes)


class Watch:
    """Looks at one running stack.

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
        """Flagged payments of the alerts that came, once for each message."""
        self._workers: dict[psutil.Process, str] = {}
        """Every worker that was ever seen, with its function's name; psutil tells a later process of the same id apart."""

    def backlog(self) -> int | None:
        """Records that wait before or in any stage; None where a mapping could not say."""
        told = [self._metrics.mapping_status(name) for name in self._stack.state.functions]
        backlogs = [None if status is None else status.backlog for status in told]
        known = [backlog for backlog in backlogs if backlog is not None]
        return sum(known) if len(known) == len(backlogs) else None

    def is_at_rest(self) -> bool:
        """Whether no stage has had anything to do for a while."""
        told = [self._metrics.mapping_status(name) for name in self._stack.state.functions]
        return all(
            status is not None
            and status.idle_since_ms is not None
            and status.at_ms - status.idle_since_ms > REST_SECONDS * 1000
            for status in told
        )

    def wait_until_at_rest(self, seconds: float) -> bool:
        """Wait for that; False where it did not come."""
        deadline = time.monotonic() + seconds
        while not self.is_at_rest():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def usage(self) -> dict[str, Usage]:
        """CPU and memory of every process: servers, mappings (``score-mapping``), workers (``score``), and this one."""
        found: dict[str, Usage] = {"load": Usage.of(psutil.Process())}
        for record in self._stack.state.processes:
            process = record.find()
            if process is None:
                continue
            try:
                found[record.name] = Usage.of(process)
                workers = process.children()
            except psutil.NoSuchProcess:
                continue  # it ended just now, which is told of by who looks for that
            if not record.name.endswith("-mapping"):
                continue
            function = record.name.removesuffix("-mapping")
            self._workers.update(dict.fromkeys(workers, function))
            for worker in workers:
                with suppress(psutil.NoSuchProcess):
                    found[function] = found.get(function, Usage(0.0, 0)) + Usage.of(worker)
        return found

    def ended_workers(self) -> dict[str, int]:
        """Count the functions' workers that :meth:`usage` saw and that run no more; a new one in their place hides a leak."""
        return count_ended(self._workers)

    def alert_count(self) -> AlertCount:
        """Compare the alerts taken out by :meth:`alert_latencies` with the flagged rows; only of a stack at rest.

        It reads the whole table, so not while anything is measured.
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

    def alert_latencies(self) -> list[tuple[float, float]]:
        """Take the delivered alerts out of the inbox: when each was delivered, ms since the epoch, and its latency, ms.

        From when the producer made the payment, which is its event time and a little before the append, to when the subscriber's
        queue took the message.
        """
        sqs: Any = self._stack.client("sqs")
        url = self._stack.alerts_inbox_url
        found = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["SentTimestamp"]
        ).get("Messages"):
            for message in messages:
                alert = decode_alert(msgspec.json.decode(message["Body"])["Message"])
                sent_ms = float(message["Attributes"]["SentTimestamp"])
                self._arrived.append(alert.flagged_transaction_id)
                found.append((sent_ms, sent_ms - alert.transaction.occurred_at.timestamp() * 1000))
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return sorted(found)


def cores_used(before: dict[str, Usage], after: dict[str, Usage], seconds: float) -> dict[str, float]:
    """Cores that each process kept busy, most first; processes of one moment only are left out."""
    used = {
        name: (after[name].cpu_s - usage.cpu_s) / seconds for name, usage in before.items() if name in after
    }
    return dict(sorted(used.items(), key=lambda each: -each[1]))


def count_ended(workers: Mapping[psutil.Process, str]) -> dict[str, int]:
    """Count those that run no more, by the name that they are given with; names without one are left out."""
    ended: dict[str, int] = {}
    for worker, name in workers.items():
        if not _runs(worker):
            ended[name] = ended.get(name, 0) + 1
    return ended


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
