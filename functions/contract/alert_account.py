"""The account of what was flagged: each payment is in one message, and the messages' counts and sums are those of their payments.

Flagged = alerted on + counted in an alert or a digest + waiting for one, in numbers and in value. Tests and the demo's
report call :func:`account_problems`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from contract.alert import AlertDigest, AlertState
from contract.alert_windows import added

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.alert import Alert, SuppressedPayments
    from contract.alert_windows import Totals, UserWindows
    from contract.flagged import FlaggedTransaction


def account_problems(
    flagged: Iterable[FlaggedTransaction],
    messages: Iterable[Alert | AlertDigest],
    waiting: Iterable[UserWindows],
) -> list[str]:
    """Compare flagged rows with what was reported of them.

    Parameters
    ----------
    flagged : Iterable[FlaggedTransaction]
        Every row.
    messages : Iterable[Alert | AlertDigest]
        Every message, copies included.
    waiting : Iterable[UserWindows]
        Every row of ``alert_windows``.

    Returns
    -------
    list[str]
        One sentence for each payment or count that is missing, in two messages, or wrong; empty where the account is exact.
    """
    problems: list[str] = []
    counts: dict[str, int] = Counter()
    totals: dict[str, Totals] = defaultdict(dict)
    alerted: set[str | None] = set()
    for row in flagged:
        if row.alert_state is AlertState.SUPPRESSED and row.suppression_id is not None:
            counts[row.suppression_id] += 1
            totals[row.suppression_id] = added(totals[row.suppression_id], dict([row.worth]))
        elif row.alert_state is AlertState.SENT:
            alerted.add(row.alert_id)
        else:
            problems.append(f"{row.event_key} is {row.alert_state} and in no count")
    reported: dict[str, tuple[str, SuppressedPayments]] = {}
    published: set[str | None] = set()
    for message_id, count in _counts(messages, waiting, published):
        if count.id is None:
            problems.append(f"{message_id} reports {count.count} payments without an id")
        elif reported.setdefault(count.id, (message_id, count))[0] != message_id:
            problems.append(f"count {count.id} is reported by {reported[count.id][0]} and by {message_id}")
    problems += [f"alert {one} is marked sent and was not published" for one in alerted - published]
    for name in sorted(counts.keys() | reported.keys()):
        said = reported[name][1] if name in reported else None
        if said is None:
            problems.append(f"count {name} of {counts[name]} payments is in no message")
        elif (said.count, _plain(said.totals)) != (counts[name], _plain(totals[name])):
            problems.append(
                f"count {name} says {said.count} payments, {_plain(said.totals)}; it has {counts[name]}, {_plain(totals[name])}"
            )
    return problems


def _counts(
    messages: Iterable[Alert | AlertDigest], waiting: Iterable[UserWindows], published: set[str | None]
) -> Iterator[tuple[str, SuppressedPayments]]:
    """Each count with the message that it is in, or will be in."""
    for message in messages:
        published.add(message.alert_id)
        if isinstance(message, AlertDigest):
            yield message.alert_id, message.payments
        elif message.suppressed_before.count:
            yield message.alert_id, message.suppressed_before
    for windows in waiting:
        if windows.digest is not None:
            yield str(windows.digest.payments.id), windows.digest.payments
        if windows.suppressed.count:
            yield f"the next message of {windows.suppressed.id}", windows.suppressed


def _plain(totals: Totals) -> dict[str, str]:
    """Sums to compare and to print: 12.50 is 12.5."""
    return {
        currency: format(amount.normalize(), "f")
        for currency, amount in sorted(totals.items())
        if amount != Decimal(0)
    }
