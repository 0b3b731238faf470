"""One run: a stream of payments, a fault in its middle, and the comparison of everything stored with the oracle."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .fault import RECORDS_A_PART, Fault, nothing
from .judge import Judge
from .label_judge import LabelJudge
from .labels import Labels, finish_labels, send_labels
from .report import ProblemKind, RunReport
from .site import Site
from .stream import Sent, Stream, Written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLICES = 10
"""In how many parts payments are sent during a fault that lasts for some time."""


class Run:
    """One stream of payments through one fault."""

    def __init__(self, site: Site, fault: Fault, seed: int) -> None:
        self.site = site
        self.fault = fault
        self.seed = seed
        name = f"{fault.name.replace(' ', '-')}-{seed}"
        # The stream's users and payments are named for it: what an earlier run of that name stored would be compared with this one.
        assert name not in site.streams, f"stream {name} ran on this site already; name the fault otherwise"
        site.streams.add(name)
        self.started_at = datetime.now(UTC)
        self.stream = Stream(name, seed, self.started_at, payments=RECORDS_A_PART * (2 + fault.load_factor))
        self.given: list[Sent] = []
        self.sent: list[Written] = []
        self.report = RunReport(seed)
        self.labels: Labels | None = None
        self.complete_since_s = site.entities().complete_since_s

    def complete(self) -> RunReport:
        """Send and compare. The report names every problem, and the fault is over afterwards."""
        try:
            self.go()
            self.judge()
        except Exception as error:
            self.report.found(ProblemKind.BROKEN, f"{type(error).__name__}: {error}")
            raise
        finally:
            self.site.restore()
        return self.report

    def go(self) -> None:
        """Send, break, restore, and wait until all stages are idle.

        At the end each user pays once more, so that a profile that was evicted or is stale is rebuilt and can be compared.
        """
        self._send(self.stream.take(RECORDS_A_PART))
        if self.fault.needs_quiet or self.fault.has_labels:
            self.site.be_quiet()
        with self.fault.begin(self.site, self.seed) as send_payments:
            records = self.stream.take(RECORDS_A_PART * self.fault.load_factor)
            if self.fault.has_labels:
                # Also of payments that are sent after their labels.
                self.labels = Labels([*self.given, *records], self.seed)
                send = self.fault.send_labels or send_labels
                send(self.site, self.seed, self.labels.bodies)
            if send_payments is not None:
                self.given += records
                self.sent += send_payments(records)
            elif self.fault.lasts_seconds:
                for place in range(SLICES):
                    self._send(records[place::SLICES])
                    time.sleep(self.fault.lasts_seconds / SLICES)  # how long the fault lasts
            else:
                self._send(records)
        ended_ms = time.time() * 1000
        self._send([*self.stream.take(RECORDS_A_PART), *self.stream.one_of_each_user()])
        self.report.recovery_s = round(max(self.site.be_quiet() - ended_ms, 0.0) / 1000, 2)
        if self.labels is not None:
            finish_labels(self.site)
        self.site.send_digests()

    def judge(self) -> None:
        """Compare everything that is stored with the oracle."""
        judge = Judge(self.site, self.fault, self.started_at, self.report)
        judge.judge(self.given, self.sent)
        judge.judge_entities(self.stream.users, self.complete_since_s)
        if self.labels is not None:
            LabelJudge(self.site, self.labels.messages, self.report).judge(self.stream.users)

    def _send(self, records: list[Sent]) -> None:
        self.given += records
        self.sent += self.site.produce(records)


@contextmanager
def started(folder: Path) -> Iterator[Site]:
    """Start a stack, and stop it in the end."""
    site = Site(folder)
    try:
        site.start()
        # Functions start with their first batch: without this, the first fault would wait for that.
        Run(site, Fault("first batches", nothing, has_labels=True), seed=101).go()
        yield site
    finally:
        site.stop()
