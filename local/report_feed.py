"""Sends the reports of simulated people to the labels queue when they are due, while a feed of payments runs."""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from contract.label_message import encode_label_message
from simulator.reports import DAY, reports

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from contract.label import LabelMessage
    from contract.truth import SentPayment

BATCH: Final = 10
"""Messages that SQS takes at once."""


class ReportFeed:
    """Reports of payments that were sent, and which of them are due.

    Parameters
    ----------
    send : Callable[[Sequence[str]], None]
        Sends at most :data:`BATCH` messages.
    clock : Callable[[], datetime]
        The time, aware.
    seed : int
        Of the simulation.
    live_day : timedelta
        How long a day of delay lasts for payments that are made now. Those of the past are reported after real days.

    Attributes
    ----------
    sent : int
        Messages so far.
    """

    def __init__(
        self,
        send: Callable[[Sequence[str]], None],
        clock: Callable[[], datetime],
        seed: int,
        live_day: timedelta,
    ) -> None:
        self._send = send
        self._clock = clock
        self._seed = seed
        self._live_day = live_day
        self._begins_at = clock()
        self._waiting: list[tuple[datetime, int, LabelMessage]] = []
        self._numbers = count()
        self.sent = 0

    @property
    def waiting(self) -> int:
        """Reports that are not due yet."""
        return len(self._waiting)

    def is_due_by(self, at: datetime) -> bool:
        """Whether a report that waits will be due at a time."""
        return bool(self._waiting) and self._waiting[0][0] <= at

    def take(self, payment: SentPayment) -> None:
        """Take a payment that is sent."""
        at = datetime.fromisoformat(str(payment.record["timestamp"]))
        for message in reports(payment, self._seed, self._live_day if at >= self._begins_at else DAY):
            if message.known_at is not None:
                heappush(self._waiting, (message.known_at, next(self._numbers), message))

    def send_due(self) -> None:
        """Send what is due by now."""
        now, due = self._clock(), []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(encode_label_message(heappop(self._waiting)[2]).decode())
        for start in range(0, len(due), BATCH):
            self._send(due[start : start + BATCH])
        self.sent += len(due)
