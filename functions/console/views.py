"""View models: from records to what a template shows. Pure; every text is as people read it, and no sender's text is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from common.alert_text import money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from console.sessions import Session


class SessionRow(msgspec.Struct, frozen=True):
    """Somebody who is, or was, signed in."""

    name: str
    groups: str
    began_at: str
    seen_at: str
    state: str
    session: str
    """Names it in the form that ends it."""
    can_end: bool


class SessionsView(msgspec.Struct, frozen=True):
    """All sessions."""

    summary: str
    rows: tuple[SessionRow, ...]


def sessions_view(
    sessions: Sequence[Session], now: datetime, idle: timedelta, *, can_revoke: bool
) -> SessionsView:
    """Show sessions, the ones used last first."""
    alive = [session.is_alive(now, idle) for session in sessions]
    rows = tuple(
        SessionRow(
            name=session.name,
            groups=", ".join(session.groups),
            began_at=shown_time(session.began_at),
            seen_at=shown_time(session.seen_at),
            state=_state(session, is_alive=is_alive),
            session=session.session_key,
            can_end=can_revoke and is_alive,
        )
        for session, is_alive in zip(sessions, alive, strict=True)
    )
    return SessionsView(f"{sum(alive)} signed in now.", rows)


def shown_time(at: datetime) -> str:
    """A time in UTC, to the minute.

    >>> shown_time(datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    '1 Mar 2026, 09:05'
    """
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%b %Y, %H:%M}"


def duration(length: timedelta) -> str:
    """A length of time in its largest unit, rounded down.

    >>> duration(timedelta(seconds=59)), duration(timedelta(minutes=1)), duration(timedelta(hours=49))
    ('under a minute', '1 minute', '2 days')
    """
    minutes = int(length / timedelta(minutes=1))
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "under a minute"


def due_text(due_at: datetime, now: datetime) -> str:
    """How long there is until a case is due, or how long ago it was.

    >>> due_text(datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 8)), due_text(datetime(2026, 3, 1), datetime(2026, 3, 3))
    ('in 1 hour', '2 days ago')
    """
    return f"in {duration(due_at - now)}" if due_at >= now else f"{duration(now - due_at)} ago"


def base_money(amount: Decimal, currency: str | None) -> str:
    """Write a sum in a case's base currency."""
    return "not known" if currency is None else money(amount, currency)


def counted(number: int, what: str, many: str = "") -> str:
    """Write a number of things; ``many`` is the word for several, where that is not ``what`` and an s.

    >>> counted(1, "case"), counted(2_000, "case"), counted(2, "entry", "entries")
    ('1 case', '2,000 cases', '2 entries')
    """
    return f"{number:,} {what if number == 1 else many or f'{what}s'}"


def holder_text(held_by: str | None, person: str) -> str:
    """Say whose a case is, to somebody."""
    if held_by is None:
        return "open"
    return "yours" if held_by == person else "somebody works on it"


def _state(session: Session, *, is_alive: bool) -> str:
    if session.revoked_at is not None:
        return f"ended {shown_time(session.revoked_at)}"
    return "signed in" if is_alive else "expired"
