"""Which flagged payments are alerted on and which are only counted: a user's alert windows, as a pure fold.

A window opens at the event time of a payment that no open window covers. It covers payments less than its width before or
after. It goes by event time, not by the clock, so that replayed payments group as they did when they were new. A user has
several windows, because the shards of a stream, and late payments, do not follow the order of event times.
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
"""Windows of a user; the least recently used one is dropped first. Bounds the row to about 3 KiB."""

_ALERT_NAMESPACE = UUID("6f0a7a43-4f0c-5a7e-9b54-1d6f6f1f2c9b")


class Window(msgspec.Struct, frozen=True):
    """Payments of one user that share one alert."""

    start: datetime
    """Event time of the payment that opened it."""
    severity: Severity
    """The highest that was alerted."""
    alert_id: str
    """The last alert of this window."""


class UserWindows(msgspec.Struct, frozen=True, kw_only=True):
    """What one user's alerts have covered: the row of ``alert_windows``."""

    user_id: str
    version: int = 0
    """How often the row was written; 0 where there is none."""
    windows: tuple[Window, ...] = ()
    """At most :data:`MAX_WINDOWS`, the most recently used last."""
    suppressed: SuppressedPayments = SuppressedPayments()
    """Counted since the user's last alert."""


class WindowDecision(msgspec.Struct, frozen=True):
    """What happens to one flagged payment, and to its user's windows with it."""

    windows: UserWindows
    """The user's windows after the payment."""
    state: AlertState
    """``claimed`` or ``suppressed``."""
    alert_id: str
    """The payment's own alert, or the last one of its window."""
    claim: AlertClaim | None
    """What the alert will say; None for a suppressed payment."""


def alert_id_of(flagged: FlaggedTransaction) -> str:
    """Name the alert of a payment: always the same name, however often and wherever it is computed."""
    return str(uuid5(_ALERT_NAMESPACE, msgspec.json.encode([flagged.user_id, flagged.event_key]).decode()))


def decide_window(before: UserWindows, flagged: FlaggedTransaction, width: timedelta) -> WindowDecision:
    """Decide whether a payment is alerted on or counted.

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
    WindowDecision
        Claimed where no window covers the payment, or where it is more severe than its window's alerts. Else suppressed.
    """
    severity = Severity.of(flagged.decision, flagged.risk_score)
    window = _covering(before.windows, flagged.occurred_at, width)
    if window is not None and severity.rank <= window.severity.rank:
        suppressed = _add(before.suppressed, flagged.rounded_amount, flagged.currency)
        after = _after(before, window, window, suppressed)
        return WindowDecision(after, AlertState.SUPPRESSED, window.alert_id, None)
    alert_id = alert_id_of(flagged)
    start = flagged.occurred_at if window is None else window.start
    after = _after(before, window, Window(start, severity, alert_id), SuppressedPayments())
    return WindowDecision(after, AlertState.CLAIMED, alert_id, AlertClaim(severity, start, before.suppressed))


def _covering(windows: tuple[Window, ...], at: datetime, width: timedelta) -> Window | None:
    covering = [window for window in windows if abs(at - window.start) < width]
    return min(covering, key=lambda window: (abs(at - window.start), window.start), default=None)


def _after(
    before: UserWindows, replaced: Window | None, window: Window, suppressed: SuppressedPayments
) -> UserWindows:
    others = tuple(other for other in before.windows if other is not replaced)
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        windows=(*others, window)[-MAX_WINDOWS:],
        suppressed=suppressed,
    )


def _add(suppressed: SuppressedPayments, amount: Decimal, currency: str) -> SuppressedPayments:
    if suppressed.count == 0:
        return SuppressedPayments(1, amount, currency)
    if suppressed.total is None or suppressed.currency != currency:
        return SuppressedPayments(suppressed.count + 1)
    return SuppressedPayments(suppressed.count + 1, suppressed.total + amount, currency)
