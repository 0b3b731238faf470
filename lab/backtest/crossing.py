"""How early attacks that cross users are found, and how often honest crowds that look like them are flagged, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from contract.entity_ids import entity_ids
from engine.decide import is_fraudulent
from engine.entities.book import NO_ENTITIES, EntityReading
from engine.entities.state import Entity
from engine.features.entities import compute
from lab.measures import APPROVE, percent, share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.ruleset import Ruleset
    from lab.backtest.deciding import JudgedPayment

EARLY_PAYMENTS: Final = 6
"""An attack is found early if one of its first so many payments is flagged."""

WARM_UP_DAYS: Final = 14
"""After the first payment of all; until then nobody knows what is usual for a shop, an address or a payee."""

_DAY_MS: Final = 86_400_000


class EarlyDetection(msgspec.Struct, frozen=True):
    """How early the attacks of one kind were found."""

    incidents: int
    early: int
    """Those of which one of the first :data:`EARLY_PAYMENTS` payments was flagged."""
    detected: int
    """Those of which any payment was flagged."""
    users: float
    """Mean number of users that one attack spans."""


class CrowdAlarms(msgspec.Struct, frozen=True):
    """How often one kind of odd but honest behaviour was flagged, after the warm-up."""

    payments: int
    flagged: int
    for_others: int
    """Of the flagged ones, those that would be approved if nobody else had paid with the same card, device, address, merchant or payee. The others
    are flagged for what their user did."""
    by_rule: dict[str, int]
    """Rule id to how many of the flagged payments it held for, most first."""


class Crossing(msgspec.Struct, frozen=True):
    """Attacks by kind, if any crosses users, and crowds by kind."""

    attacks: dict[str, EarlyDetection]
    """Kinds of which an attack spans several users, in alphabetical order."""
    crowds: dict[str, CrowdAlarms]
    """In alphabetical order."""


class _Crowd:
    __slots__ = ("by_rule", "flagged", "for_others", "payments")

    def __init__(self) -> None:
        self.payments = 0
        self.flagged = 0
        self.for_others = 0
        self.by_rule: Counter[str] = Counter()

    def alarms(self) -> CrowdAlarms:
        return CrowdAlarms(self.payments, self.flagged, self.for_others, dict(self.by_rule.most_common()))


class _Incident:
    __slots__ = ("first_flagged", "kind", "payments", "users")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.payments = 0
        self.first_flagged: int | None = None
        self.users: set[str] = set()


class CrossingTally:
    """Counts payments one by one, in the order in which they are decided; keeps the users of incidents, and nothing of other payments.

    Parameters
    ----------
    ruleset : Ruleset
        The rules that decided.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._incidents: dict[str, _Incident] = {}
        self._crowds: dict[str, _Crowd] = {}
        self._warm_at_ms: int | None = None

    def count(self, judged: JudgedPayment) -> None:
        """Count one payment."""
        truth, clock_ms = judged.payment.truth, judged.facts.clock_ms
        if self._warm_at_ms is None:
            self._warm_at_ms = clock_ms + WARM_UP_DAYS * _DAY_MS
        is_flagged = judged.decided.assessment.decision != APPROVE
        if truth.scenario is not None and truth.incident_id is not None:
            incident = self._incidents.setdefault(truth.incident_id, _Incident(truth.scenario))
            incident.payments += 1
            incident.users.add(judged.transaction.user_id)
            if is_flagged and incident.first_flagged is None:
                incident.first_flagged = incident.payments
        elif truth.oddness is not None and clock_ms >= self._warm_at_ms:
            crowd = self._crowds.setdefault(truth.oddness, _Crowd())
            crowd.payments += 1
            if is_flagged:
                crowd.flagged += 1
                crowd.for_others += not is_flagged_alone(judged, self._ruleset)
                crowd.by_rule.update(reason.rule_id for reason in judged.decided.assessment.reasons)

    def report(self) -> Crossing:
        """Give the figures of all payments counted so far."""
        by_kind: dict[str, list[_Incident]] = {}
        for incident in self._incidents.values():
            by_kind.setdefault(incident.kind, []).append(incident)
        return Crossing(
            {
                kind: _early(incidents)
                for kind, incidents in sorted(by_kind.items())
                if any(len(incident.users) > 1 for incident in incidents)
            },
            {kind: crowd.alarms() for kind, crowd in sorted(self._crowds.items())},
        )


def is_flagged_alone(judged: JudgedPayment, ruleset: Ruleset) -> bool:
    """Whether a payment would be flagged too if nobody else had paid with its card, device, address, merchant or payee.

    Parameters
    ----------
    judged : JudgedPayment
        The payment, as it was decided.
    ruleset : Ruleset
        The rules that decided.
    """
    features, transaction = judged.decided.features, judged.transaction
    reading = EntityReading(
        tuple(None if each is None else Entity() for each in entity_ids(transaction)),
        NO_ENTITIES.usual,
        str(features["entities_warming_up"]),
        str(features["entities_partial"]),
    )
    alone = dict(features) | compute(reading, judged.decided.sighting)
    assessment = is_fraudulent(alone, transaction, ruleset, judged.facts.clock_ms)
    return assessment.decision != APPROVE


def summed(crossings: Iterable[Crossing]) -> Crossing:
    """Add up the figures of several histories."""
    attacks: dict[str, EarlyDetection] = {}
    crowds: dict[str, _Crowd] = {}
    for crossing in crossings:
        for kind, found in crossing.attacks.items():
            attacks[kind] = found if kind not in attacks else _both(attacks[kind], found)
        for kind, alarms in crossing.crowds.items():
            crowd = crowds.setdefault(kind, _Crowd())
            crowd.payments += alarms.payments
            crowd.flagged += alarms.flagged
            crowd.for_others += alarms.for_others
            crowd.by_rule.update(alarms.by_rule)
    return Crossing(
        dict(sorted(attacks.items())), {kind: crowd.alarms() for kind, crowd in sorted(crowds.items())}
    )


def _both(one: EarlyDetection, other: EarlyDetection) -> EarlyDetection:
    incidents = one.incidents + other.incidents
    return EarlyDetection(
        incidents=incidents,
        early=one.early + other.early,
        detected=one.detected + other.detected,
        users=(one.users * one.incidents + other.users * other.incidents) / incidents,
    )


def crossing_lines(crossing: Crossing) -> list[str]:
    """Write the figures for people; no lines where there is neither an attack that crosses users nor a crowd."""
    lines = []
    if crossing.attacks:
        lines.append(
            f"{'attacks that cross users':<26} {'attacks':>8} {'users':>6} {'early':>6} {'detected':>9}"
        )
        lines += [
            f"{kind:<26} {found.incidents:>8,} {found.users:>6.0f} {percent(share(found.early, found.incidents), 0):>6}"
            f" {percent(share(found.detected, found.incidents), 0):>9}"
            for kind, found in crossing.attacks.items()
        ]
        lines += [f"early: one of the first {EARLY_PAYMENTS} payments of the attack was flagged", ""]
    if crossing.crowds:
        lines += _crowd_lines(crossing.crowds)
    return lines


def _crowd_lines(crowds: dict[str, CrowdAlarms]) -> list[str]:
    head = f"{f'crowds, after {WARM_UP_DAYS} days':<26} {'payments':>8} {'flagged':>8} {'for others':>11} {'own doing':>10}"
    lines = [head]
    by_rule: Counter[str] = Counter()
    for kind, alarms in crowds.items():
        by_rule.update(alarms.by_rule)
        own = alarms.flagged - alarms.for_others
        lines.append(
            f"{kind:<26} {alarms.payments:>8,} {alarms.flagged:>8,} {alarms.for_others:>11,} {own:>10,}"
        )
    lines.append("for others: would be approved if nobody else paid there; own doing: not even then")
    lines += [f"  {rule_id:<44} {count:>4,}" for rule_id, count in by_rule.most_common()]
    return [*lines, ""]


def _early(incidents: list[_Incident]) -> EarlyDetection:
    return EarlyDetection(
        incidents=len(incidents),
        early=sum(
            each.first_flagged is not None and each.first_flagged <= EARLY_PAYMENTS for each in incidents
        ),
        detected=sum(each.first_flagged is not None for each in incidents),
        users=sum(len(each.users) for each in incidents) / len(incidents),
    )
