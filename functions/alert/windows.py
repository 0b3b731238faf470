"""Which flagged payments are alerted on and which are only counted: a user's alert windows, as a pure fold.

A window opens at the event time of a payment that no open window covers. It covers payments less than its width before or
after. It goes by event time, not by the clock, so that replayed payments group as they did when they were new. A user has
several windows, because the shards of a stream, and late payments, do not follow the order of event times.

Event times are the sender's claim, so windows alone bound nothing: 200 payments dated an hour apart open 200. How many alerts a
user gives in an hour therefore goes by the time at which Kafka took the payments.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

import msgspec

from contract.alert import AgainReason, AlertClaim, AlertState, Severity, SuppressedPayments
from contract.alert_windows import (
    MAX_RECENT,
    MAX_WINDOWS,
    RecentAlert,
    UserWindows,
    Window,
    added,
    all_reported,
    next_due,
)
from contract.scored import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from contract.alert_windows import Totals
    from contract.flagged import FlaggedTransaction

RESERVED_SHARE: Final = 3
"""One alert in so many of an hour's is kept for payments that are graver than all that were alerted in it. Else a thief would use up
the hour with harmless ones."""

REPORTED_COUNTS_TO: Final = 10
"""What was reported counts up to so many times :attr:`AlertLimits.again_amount`. Blocked payments cost nothing: one of a billion would
else hide all that follow."""

_HOUR_MS: Final = 3_600_000
_ALERT_NAMESPACE = UUID("6f0a7a43-4f0c-5a7e-9b54-1d6f6f1f2c9b")
_COUNT_NAMESPACE = UUID("0f4c3a52-5a3e-5d0b-8f5b-6d9b1a7c2e44")


class AlertLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When a user's next payment is alerted on."""

    width: timedelta
    """A window covers ``|occurred_at - start| < width``."""
    again_factor: Decimal
    """Alerted again where what is suppressed exceeds what was reported by this factor,"""
    again_amount: Decimal
    """or by this amount, in the base currency."""
    again_minimum: Decimal
    """Less than this amount, in the base currency, is never alerted again."""
    messages_per_hour: int
    """The most alerts of a user whose payments Kafka took within an hour."""


class WindowDecision(msgspec.Struct, frozen=True):
    """What happens to one flagged payment, and to its user's windows with it."""

    windows: UserWindows
    """The user's windows after the payment."""
    state: AlertState
    """``claimed`` or ``suppressed``."""
    alert_id: str | None
    """The payment's own alert, or the last one of its window; None where no window is open."""
    claim: AlertClaim | None = None
    """What the alert will say; None for a suppressed payment."""
    is_over_limit: bool = False
    """Suppressed only because the user had enough alerts in this hour."""

    @property
    def suppression_id(self) -> str | None:
        """The count that a suppressed payment is in."""
        return self.windows.suppressed.id if self.state is AlertState.SUPPRESSED else None


def alert_id_of(flagged: FlaggedTransaction) -> str:
    """Name the alert of a payment: always the same name, however often and wherever it is computed."""
    return _id_of(_ALERT_NAMESPACE, flagged)


def decide_window(
    before: UserWindows, flagged: FlaggedTransaction, limits: AlertLimits, now: datetime
) -> WindowDecision:
    """Decide whether a payment is alerted on or counted.

    Parameters
    ----------
    before : UserWindows
        Of the payment's user.
    flagged : FlaggedTransaction
        Not yet part of ``before``.
    limits : AlertLimits
        Of the environment.
    now : datetime
        The clock, UTC; only the time of the digest follows it.

    Returns
    -------
    WindowDecision
        Claimed where no window covers the payment, where it is more severe than its window's alerts, or where much more money is at
        stake than they reported, as long as the user had not enough alerts in this hour. Else suppressed.
    """
    severity = Severity.of(flagged.decision, flagged.risk_score)
    window = _covering(before.windows, flagged.occurred_at, limits.width)
    again = None if window is None else _why_again(window, flagged, severity, limits)
    if window is not None and again is None:
        return _suppressed(before, window, flagged, severity, limits, now)
    if not _is_within_hour(before, flagged, severity, limits):
        counted = _suppressed(before, window, flagged, severity, limits, now)
        return msgspec.structs.replace(counted, is_over_limit=True)
    return _claimed(before, window, flagged, severity, again)


def _why_again(
    window: Window, flagged: FlaggedTransaction, severity: Severity, limits: AlertLimits
) -> AgainReason | None:
    if severity.rank > window.severity.rank:
        return AgainReason.SEVERITY
    suppressed = added(window.suppressed, _worth(flagged))
    return AgainReason.AMOUNT if _exceeds(suppressed, window.reported, flagged, limits) else None


def _exceeds(
    suppressed: Mapping[str, Decimal],
    reported: Mapping[str, Decimal],
    flagged: FlaggedTransaction,
    limits: AlertLimits,
) -> bool:
    """Whether what is suppressed exceeds what was reported, in any currency.

    Amounts without a rate are compared with those of their own currency. What their minimum would be is not known, so they have none.
    """
    for currency, amount in suppressed.items():
        before = reported.get(currency, Decimal(0))
        if currency != flagged.base_currency:
            if amount > before * limits.again_factor:
                return True
        elif amount >= limits.again_minimum:
            if limits.again_amount:
                before = min(before, REPORTED_COUNTS_TO * limits.again_amount)
            if amount > before * limits.again_factor or amount > before + limits.again_amount:
                return True
    return False


def _is_within_hour(
    before: UserWindows, flagged: FlaggedTransaction, severity: Severity, limits: AlertLimits
) -> bool:
    # Within an hour before or after: shards are read in any order.
    recent = [one for one in before.recent if abs(one.appended_at_ms - flagged.appended_at_ms) < _HOUR_MS]
    if len(recent) < limits.messages_per_hour - limits.messages_per_hour // RESERVED_SHARE:
        return True
    if len(recent) >= limits.messages_per_hour:
        return False
    suppressed = added(before.suppressed.totals, _worth(flagged))
    return severity.rank > max(one.severity.rank for one in recent) or _exceeds(
        suppressed, added(*(one.reported for one in recent)), flagged, limits
    )


def _claimed(
    before: UserWindows,
    window: Window | None,
    flagged: FlaggedTransaction,
    severity: Severity,
    again: AgainReason | None,
) -> WindowDecision:
    alert_id = alert_id_of(flagged)
    worth = _worth(flagged)
    start = flagged.occurred_at if window is None else window.start
    reported = {} if window is None else added(window.reported, window.suppressed)
    others = all_reported(other for other in before.windows if other is not window)
    sent = RecentAlert(flagged.appended_at_ms, severity, added(before.suppressed.totals, worth))
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        windows=(*others, Window(start, severity, alert_id, added(reported, worth)))[-MAX_WINDOWS:],
        recent=(*before.recent, sent)[-MAX_RECENT:],
        suppressed=SuppressedPayments(),
        # A digest that is being sent stays due until it is marked sent.
        due_at=before.due_at if before.digest is not None else None,
    )
    return WindowDecision(
        after, AlertState.CLAIMED, alert_id, AlertClaim(severity, start, before.suppressed, again)
    )


def _suppressed(
    before: UserWindows,
    window: Window | None,
    flagged: FlaggedTransaction,
    severity: Severity,
    limits: AlertLimits,
    now: datetime,
) -> WindowDecision:
    windows = before.windows
    if window is not None:
        counted = msgspec.structs.replace(window, suppressed=added(window.suppressed, _worth(flagged)))
        windows = (*_without(before.windows, window), counted)
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        windows=windows,
        suppressed=_count(before.suppressed, flagged, severity),
        due_at=next_due(before, now, limits.width) if before.due_at is None else before.due_at,
    )
    return WindowDecision(after, AlertState.SUPPRESSED, None if window is None else window.alert_id)


def _count(before: SuppressedPayments, flagged: FlaggedTransaction, severity: Severity) -> SuppressedPayments:
    at = flagged.occurred_at
    graver = severity if before.severity is None or severity.rank > before.severity.rank else before.severity
    return SuppressedPayments(
        count=before.count + 1,
        id=before.id or _id_of(_COUNT_NAMESPACE, flagged),
        totals=added(before.totals, _worth(flagged)),
        blocked=before.blocked + (flagged.decision is Decision.BLOCK),
        severity=graver,
        risk_score=max(before.risk_score, flagged.risk_score),
        first_at=at if before.first_at is None else min(before.first_at, at),
        last_at=at if before.last_at is None else max(before.last_at, at),
    )


def _covering(windows: tuple[Window, ...], at: datetime, width: timedelta) -> Window | None:
    covering = [window for window in windows if abs(at - window.start) < width]
    return min(covering, key=lambda window: (abs(at - window.start), window.start), default=None)


def _without(windows: Iterable[Window], removed: Window) -> tuple[Window, ...]:
    return tuple(window for window in windows if window is not removed)


def _worth(flagged: FlaggedTransaction) -> Totals:
    currency, amount = flagged.worth
    return {currency: amount}


def _id_of(namespace: UUID, flagged: FlaggedTransaction) -> str:
    return str(uuid5(namespace, msgspec.json.encode([flagged.user_id, flagged.event_key]).decode()))
