"""Which reviews and blocks count against a user: not those of payments that somebody called legitimate.

Else an honest customer on holiday, whose blocked payment was released, would be blocked again for having been blocked. A verdict of fraud that comes later counts the stop again.
Only payments in the ring can be corrected: a profile knows no more of older ones than how many were stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.profile.facts import MS_PER_DAY, MS_PER_HOUR

if TYPE_CHECKING:
    from contract.verdict import Verdict
    from engine.profile.amount_buckets import VelocityBuckets
    from engine.profile.recent_payments import RecentPayments

_STOPPED: Final = (1, 2)
"""Reviewed and blocked, as the ring has them (:data:`engine.profile.outcome.DECISIONS`)."""
_CLEARED: Final = (3, 4)
"""The same of payments that were called legitimate."""


def recount(verdict: Verdict, recent: RecentPayments, hours: VelocityBuckets, days: VelocityBuckets) -> None:
    """Take the stop of a payment that was called legitimate out of the counts, or put it back where it was called fraud after all.

    Parameters
    ----------
    verdict : Verdict
        A new one.
    recent, hours, days
        Of the profile; changed.
    """
    row = recent.row_of(verdict.key_hash)
    if row is None:
        return
    was, becomes = (_CLEARED, _STOPPED) if verdict.is_fraud else (_STOPPED, _CLEARED)
    number = recent.decision[row]
    if number not in was:
        return
    kind = was.index(number)
    recent.decision[row] = becomes[kind]
    change = 1 if verdict.is_fraud else -1
    for buckets, length_ms in ((hours, MS_PER_HOUR), (days, MS_PER_DAY)):
        bucket = recent.clock_ms[row] // length_ms
        buckets.correct(bucket, recent.currency[row], change * (kind == 0), change * (kind == 1))
