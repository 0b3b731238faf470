"""What labels say of entities and users, in the form in which the score stage reads it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from contract.clock import EPOCH
from contract.label import effective, turns
from contract.verdict import Verdict
from engine.entities.risk import Risk
from engine.entities.risk import to_bytes as risk_bytes
from engine.profile.fingerprints import key_hash
from engine.profile.verdict_list import MAX_LISTED
from engine.profile.verdict_list import to_bytes as verdicts_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from contract.label import Label
    from contract.label_rows import EntityMarks

_SECOND: Final = timedelta(seconds=1)


def risk_copy(marks: EntityMarks) -> bytes | None:
    """Write what labels say of an entity; None where they say nothing."""
    if not marks.frauds and marks.honest is None:
        return None
    risk = Risk(tuple(map(_seconds, marks.frauds)), _seconds(marks.honest), _seconds(marks.known_at))
    return risk_bytes(risk)


def verdicts_copy(labels: Iterable[Label]) -> bytes | None:
    """Write a user's verdicts, from labels of any of their payments; None where nothing counts."""
    verdicts = verdicts_of(labels)
    return verdicts_bytes(verdicts) if verdicts else None


def verdicts_of(labels: Iterable[Label]) -> list[Verdict]:
    """Give a user's newest verdicts, oldest first by when the label that counts became known.

    Parameters
    ----------
    labels : Iterable[Label]
        Of one user; of a payment all or none.

    Returns
    -------
    list[Verdict]
        At most :data:`~engine.profile.verdict_list.MAX_LISTED`, one a payment.
    """
    found = []
    for event_key, group in groupby(sorted(labels, key=_by_payment), key=_by_payment):
        of_payment = list(group)
        if (label := effective(of_payment)) is not None:
            found.append((label.known_at, event_key, _verdict(of_payment, label)))
    return [verdict for _, _, verdict in sorted(found)[-MAX_LISTED:]]


def _verdict(labels: Sequence[Label], counting: Label) -> Verdict:
    # The payment is part of the hash: a source may give one id to its labels of several payments.
    verdict_hash = key_hash(f"{counting.event_key}\x1f{turns(labels)}\x1f{counting.verdict}")
    at_s = _seconds(counting.occurred_at)
    return Verdict(verdict_hash, counting.is_fraud, key_hash(counting.event_key), at_s, counting.seen)


def _by_payment(label: Label) -> str:
    return label.event_key


def _seconds(at: datetime | None) -> int:
    return 0 if at is None else max((at - EPOCH) // _SECOND, 0)
