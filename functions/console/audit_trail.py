"""Writes what people do to the chains of audit events, before it is done.

Several processes write at the same time, and none has a lock: an event is inserted under the next sequence number of its chain, and the
insertion fails where somebody was faster. Then the writer reads the end of the chain again.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from console.errors import AuditUnavailableError
from contract.audit import (
    DAY_CLOSED,
    DAY_OPENED,
    DAYS,
    GENESIS,
    SYSTEM,
    AuditEvent,
    ChainHead,
    chain_of,
    chains_of,
    event_hash,
    head_of,
    linked,
    shard_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TRIES: Final = 20
"""Insertions of one event, or of what must come before it, until the writer fails."""


class AuditRows(Protocol):
    """The calls to the table; see :class:`console.audit_store.AuditStore`. They raise ClientError and BotoCoreError."""

    def insert(self, event: AuditEvent) -> bool:
        """Insert a row; False where its place is taken."""
        ...

    def at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        """Read the row at a place; None where it is free."""
        ...

    def last(self, day_shard: str) -> AuditEvent | None:
        """Read the last row of a partition; None for an empty one."""
        ...


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for, before it has a place in a chain."""

    actor: str
    action: str
    outcome: str = "allowed"
    subject: str = ""
    session: str = ""
    details: dict[str, str] = {}


class AuditTrail:
    """Writes audit events.

    Parameters
    ----------
    rows : AuditRows
        The table.
    clock : Callable
        Gives the time, aware, UTC.
    new_id : Callable
        Gives a random text.
    """

    def __init__(self, rows: AuditRows, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._rows = rows
        self._clock = clock
        self._new_id = new_id
        self._opening: AuditEvent | None = None
        self._ends: dict[str, AuditEvent] = {}

    def write(self, deed: Deed) -> AuditEvent:
        """Write one event.

        Returns
        -------
        AuditEvent
            As it is in the table.

        Raises
        ------
        AuditUnavailableError
            When others were faster each time.
        ClientError, BotoCoreError
            When the table did not answer.
        """
        event = self._event(deed)
        day = event.at.date()
        for _ in range(MAX_TRIES):
            opening = self._opened(day)
            chain = chain_of(opening.day, shard_of(deed.actor))
            end = self._ends.get(chain) or self._rows.last(chain)
            if end is not None and end.is_closing:
                # Another process's clock is ahead: its day has begun, and ours ends with it.
                self._opening = None
                day = max(day, date.fromisoformat(opening.day) + timedelta(days=1))
                continue
            placed = linked(event, chain, end, event_hash(opening))
            if self._is_inserted(placed):
                self._ends[chain] = placed
                return placed
            self._ends.pop(chain, None)
        raise AuditUnavailableError(f"other events were faster {MAX_TRIES} times")

    def _event(self, deed: Deed) -> AuditEvent:
        return AuditEvent(
            day_shard="",
            sequence=0,
            previous=GENESIS,
            event_id=self._new_id(),
            at=self._clock().astimezone(UTC),
            actor=deed.actor,
            action=deed.action,
            outcome=deed.outcome,
            subject=deed.subject,
            session=deed.session,
            details=deed.details,
        )

    def _opened(self, day: date) -> AuditEvent:
        """The opening of the newest day; opens ``day`` where that is older."""
        if self._opening is None or self._opening.day < day.isoformat():
            self._opening = self._rows.last(DAYS)
            self._ends.clear()
        for _ in range(MAX_TRIES):
            newest = self._opening
            if newest is not None and newest.day >= day.isoformat():
                return newest
            closed = () if newest is None else tuple(self._closed(newest, c) for c in chains_of(newest.day))
            event = self._event(Deed(actor=SYSTEM, action=DAY_OPENED))
            event = msgspec.structs.replace(event, day=day.isoformat(), closed=closed)
            placed = linked(event, DAYS, newest, GENESIS)
            self._opening = placed if self._is_inserted(placed) else self._rows.last(DAYS)
        raise AuditUnavailableError(f"other openings of a day were faster {MAX_TRIES} times")

    def _closed(self, opening: AuditEvent, chain: str) -> ChainHead:
        """Close a chain, so that its head is final; or read how another process closed it."""
        for _ in range(MAX_TRIES):
            end = self._rows.last(chain)
            if end is not None and end.is_closing:
                return head_of(end)
            event = self._event(Deed(actor=SYSTEM, action=DAY_CLOSED))
            placed = linked(event, chain, end, event_hash(opening))
            if self._is_inserted(placed):
                return head_of(placed)
        raise AuditUnavailableError(f"other events of {chain} were faster {MAX_TRIES} times")

    def _is_inserted(self, event: AuditEvent) -> bool:
        if self._rows.insert(event):
            return True
        # The client tries again by itself where an answer was lost; then the place is taken by this very event.
        taken = self._rows.at(event.day_shard, event.sequence)
        return taken is not None and taken.event_id == event.event_id
