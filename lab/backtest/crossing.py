"""How early attacks that cross users are found, and how often honest crowds that look like them are flagged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lab.measures import APPROVE, percent, share

if TYPE_CHECKING:
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


class Crossing(msgspec.Struct, frozen=True):
    """Attacks by kind, if any crosses users, and crowds by kind."""

    attacks: dict[str, EarlyDetection]
    """Kinds of which an attack spans several users, in alphabetical order."""
    crowds: dict[str, CrowdAlarms]
    """In alphabetical order."""


class _Incident:
    __slots__ = ("first_flagged", "kind", "payments", "users")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.payments = 0
        self.first_flagged: int | None = None
        self.users: set[str] = set()


class CrossingTally:
    """Counts payments one by one, in the order in which they are decided; keeps the users of incidents, and nothing of other payments."""

    def __init__(self) -> None:
        self._incidents: dict[str, _Incident] = {}
        self._crowds: dict[str, list[int]] = {}
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
            counts = self._crowds.setdefault(truth.oddness, [0, 0])
            counts[0] += 1
            counts[1] += is_flagged

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
            {kind: CrowdAlarms(*counts) for kind, counts in sorted(self._crowds.items())},
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
        lines.append(f"{f'crowds, after {WARM_UP_DAYS} days':<26} {'payments':>8} {'flagged':>8}")
        lines += [
            f"{kind:<26} {alarms.payments:>8,} {alarms.flagged:>8,}"
            for kind, alarms in crossing.crowds.items()
        ]
        lines.append("")
    return lines


def _early(incidents: list[_Incident]) -> EarlyDetection:
    return EarlyDetection(
        incidents=len(incidents),
        early=sum(
            each.first_flagged is not None and each.first_flagged <= EARLY_PAYMENTS for each in incidents
        ),
        detected=sum(each.first_flagged is not None for each in incidents),
        users=sum(len(each.users) for each in incidents) / len(incidents),
    )
