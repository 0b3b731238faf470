"""Which flagged payments are told and which are only counted: a user's alert windows, a pure fold.

A window opens at the event time of a payment that no open window covers, and covers what lies less than its width before
or after. Event time, not the clock, so that a replay of old payments groups as they did when they were new. Several are
kept a user, because the shards of a stream, and late payments, do not keep to the order of event times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

import msgspec

from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments

if TYPE_CHECKING:
    from decimal import Decimal

    from contract.flagged import FlaggedTransaction

WINDOWS_TABLE: Final = "alert_windows"

MAX_WINDOWS: Final = 16
"""Windows kept a user; the one that no payment has fallen into for longest goes first. Bounds the row to about 3 KiB."""

_ALERT_NAMESPACE = UUID("6f0a7a43-4f0c-5a7e-9b54-1d6f6f1f2c9b")


class Window(msgspec.Struct, frozen=True):
    """Payments of one user that are one alert."""

    start: datetime
    """Event time of the payment that opened it."""
    severity: Severity
    """The highest that was told."""
    alert_id: str
    """The last alert of this window."""


class UserWindows(msgspec.Struct, frozen=True, kw_only=True):
    """What has been told of one user: the row of ``alert_windows``."""

    user_id: str
    version: int = 0
    """How often the row was written; 0 where there is none."""
    windows: tuple[Window, ...] = ()
    """At most :data:`MAX_WINDOWS`, the most recently used last."""
    suppressed: SuppressedPayments = SuppressedPayments()
    """Counted since the user's last alert."""


class Verdict(msgspec.Struct, frozen=True):
    """What is to become of one flagged payment, and of its user's windows with it."""

    windows: UserWindows
    """The user's windows after the payment."""
    state: AlertState
    """``claimed`` or ``suppressed``."""
    alert_id: str
    """The payment's own alert, or the one that has told of its window."""
    claim: AlertClaim | None
    """What the alert will say; None for a suppressed payment."""


def alert_id_of(flagged: FlaggedTransaction) -> str:
    """Name the alert of a payment: the same name however often, and wherever, it is computed."""
    return str(uuid5(_ALERT_NAMESPACE, msgspec.json.encode([flagged.user_id, flagged.event_key]).decode()))


def judge(before: UserWindows, flagged: FlaggedTransaction, width: timedelta) -> Verdict:
    """Decide whether a payment is told or counted.

    Parameters
    ----------
    before : UserWindows
        Of the payment's user.
    flagged : FlaggedTransaction
        Not yet part of ``before``.
    width : timedelta
        A window covers ``|occurred_at - start| < width``.

    Returns
    -------
    Verdict
        Claimed where no window covers the payment or the payment is more severe than what was told, else suppressed.
    """
    severity = Severity.of(flagged.decision, flagged.risk_score)
    window = _covering(before.windows, flagged.occurred_at, width)
    if window is not None and severity.rank <= window.severity.rank:
        suppressed = _add(before.suppressed, flagged.rounded_amount, flagged.currency)
        after = _after(before, window, window, suppressed)
        return Verdict(after, AlertState.SUPPRESSED, window.alert_id, None)
    alert_id = alert_id_of(flagged)
    start = flagged.occurred_at if window is None else window.start
    after = _after(before, window, Window(start, severity, alert_id), SuppressedPayments())
    return Verdict(after, AlertState.CLAIMED, alert_id, AlertClaim(severity, start, before.suppressed))


def _covering(windows: tuple[Window, ...], at: datetime, width: timedelta) -> Window | None:
    covering = [window for window in windows if abs(at - window.start) < width]
    return min(covering, key=lambda window: (abs(at - window.start), window.start), default=None)


def _after(
    before: UserWindows, replaced: Window | None, window: Window, suppressed: SuppressedPayments
) -> UserWindows:
    kept = tuple(other for other in before.windows if other is not replaced)
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        windows=(*kept, window)[-MAX_WINDOWS:],
        suppressed=suppressed,
    )


def _add(suppressed: SuppressedPayments, amount: Decimal, currency: str) -> SuppressedPayments:
    if suppressed.count == 0:
        return SuppressedPayments(1, amount, currency)
    if suppressed.total is None or suppressed.currency != currency:
        return SuppressedPayments(suppressed.count + 1)
    return SuppressedPayments(suppressed.count + 1, suppressed.total + amount, currency)
