"""What labels say of entities and users, in the form in which the score stage reads it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.clock import EPOCH
from contract.label import effective, turns
from contract.label_rows import FRAUD, HONEST, day_id, payment_key
from contract.verdict import Verdict
from engine.entities.levels import COUNTS, WEEK_S
from engine.entities.risk import LEAST_USUAL_RATE, Risk
from engine.entities.risk import to_bytes as risk_bytes
from engine.entities.state import EntityFormatError, from_bytes
from engine.profile.fingerprints import key_hash
from engine.profile.verdict_list import MAX_LISTED, ListedVerdict
from engine.profile.verdict_list import to_bytes as verdicts_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from contract.label import Label
    from contract.label_rows import EntityMarks

_SECOND: Final = timedelta(seconds=1)
_DAYS_30_S: Final = 30 * 86_400


class RiskKey(NamedTuple):
    """Key of a row of ``entity_risk``."""

    entity_id: str
    """As :func:`contract.entity_ids.entity_name` writes it; or a day (:func:`contract.label_rows.day_id`)."""
    payment_key: str


def risk_keys(label: Label, counting: Label | None) -> dict[RiskKey, bool]:
    """Give the rows that a payment can have, one or two for each of its entities and one for its day, and whether each is to exist.

    Parameters
    ----------
    label : Label
        Any label of the payment: they all name its entities.
    counting : Label | None
        The label that counts.
    """
    payment = key_hash(label.event_key)
    wanted = None if counting is None else (FRAUD if counting.is_fraud else HONEST)
    places = [(entity_id, kind) for entity_id in label.entity_ids for kind in (FRAUD, HONEST)]
    places.append((day_id(label.occurred_at.date()), FRAUD))
    return {
        RiskKey(entity_id, payment_key(kind, label.occurred_at, payment)): kind == wanted
        for entity_id, kind in places
    }


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


def verdicts_of(labels: Iterable[Label]) -> list[ListedVerdict]:
    """Give a user's newest verdicts, oldest first by when the label that counts became known.

    Parameters
    ----------
    labels : Iterable[Label]
        Of one user; of a payment all or none.

    Returns
    -------
    list[ListedVerdict]
        At most :data:`~engine.profile.verdict_list.MAX_LISTED`, one a payment.
    """
    found = []
    for event_key, group in groupby(sorted(labels, key=_by_payment), key=_by_payment):
        of_payment = list(group)
        if (label := effective(of_payment)) is not None:
            listed = ListedVerdict(_verdict(of_payment, label), _seconds(label.recorded_at))
            found.append((label.known_at, event_key, listed))
    return [listed for _, _, listed in sorted(found, key=itemgetter(0, 1))[-MAX_LISTED:]]


def counted_since_s(populations: Sequence[bytes | None], now_s: int) -> int:
    """Since when the payments of :func:`usual_rate` are counted, s since the epoch: 30 days ago, or when the cache lost its state since then.

    Frauds are counted from then on as well: those of 30 days among the payments since an hour ago would be a share of 1.

    Parameters
    ----------
    populations, now_s
        As for :func:`usual_rate`.
    """
    _, first_s = _most_payments(populations, now_s)
    return max(first_s, now_s - _DAYS_30_S)


def usual_rate(frauds: int, populations: Sequence[bytes | None], now_s: int) -> float:
    """Share of fraud among all payments of 30 days.

    Parameters
    ----------
    frauds : int
        Payments since :func:`counted_since_s` that count as fraud.
    populations : Sequence[bytes | None]
        State of all entities of each kind (:data:`engine.entities.kinds.POPULATION_IDS`). The kind that most payments name counts them.
    now_s : int
        The clock, s since the epoch.

    Returns
    -------
    float
        At least :data:`engine.entities.risk.LEAST_USUAL_RATE`, at most 1.
    """
    payments, _ = _most_payments(populations, now_s)
    return min(max(frauds / payments if payments else 0.0, LEAST_USUAL_RATE), 1.0)


def _most_payments(populations: Sequence[bytes | None], now_s: int) -> tuple[float, int]:
    """Payments of 30 days of the kind that most payments name, and the clock of its first one; 0 and now without any."""
    counted = [_payments(state, now_s) for state in populations if state is not None]
    return max(counted, default=(0.0, now_s))


def _payments(state: bytes, now_s: int) -> tuple[float, int]:
    """Payments of 30 days, those of whole weeks and a share of the week in which the days begin; and the clock of the first one known."""
    try:
        population = from_bytes(state)
    except EntityFormatError:
        return 0.0, now_s
    payments = 0.0
    for number, count, *_ in COUNTS.iter_unpack(population.weeks):
        end_s = min((number + 1) * WEEK_S, now_s)
        elapsed_s = end_s - number * WEEK_S
        if elapsed_s > 0:
            inside_s = end_s - max(number * WEEK_S, now_s - _DAYS_30_S)
            payments += count * min(max(inside_s / elapsed_s, 0.0), 1.0)
    return payments, min(population.first_s, now_s)


def _verdict(labels: Sequence[Label], counting: Label) -> Verdict:
    # The payment is part of the hash: a source may give one id to its labels of several payments.
    verdict_hash = key_hash(f"{counting.event_key}\x1f{turns(labels)}\x1f{counting.verdict}")
    at_s = _seconds(counting.occurred_at)
    return Verdict(verdict_hash, counting.is_fraud, key_hash(counting.event_key), at_s, counting.seen)


def _by_payment(label: Label) -> str:
    return label.event_key


def _seconds(at: datetime | None) -> int:
    return 0 if at is None else max((at - EPOCH) // _SECOND, 0)
