"""The measures of detection: precision, recall, and incidents found, from decisions and the truth.

The backtest and the demo report the same figures, all of them made here. What needs no decision, only a ranking, is in
:mod:`lab.backtest.ranking`.
"""

from __future__ import annotations

from array import array
from math import fsum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.truth import Truth

APPROVE: Final = "approve"
"""The decision that does not flag a payment; every other one does."""


class ScenarioDetection(msgspec.Struct, frozen=True):
    """How much of one kind of fraud was found."""

    transactions: int
    flagged: int
    recall: float
    """Flagged over transactions."""
    incidents: int
    incidents_detected: int
    """Incidents of which at least one transaction was flagged."""


class DetectionReport(msgspec.Struct, frozen=True):
    """Figures over all payments that have a truth and a decision. A share of nothing is None."""

    transactions: int
    """With a truth and a decision."""
    undecided: int
    """With a truth, but without a decision, such as quarantined ones. They count in no other figure."""
    fraud: int
    flagged: int
    precision: float | None
    """Of the flagged payments, the share that is fraud."""
    recall: float | None
    """Of the fraud, the share that was flagged."""
    f1: float | None
    """Harmonic mean of precision and recall."""
    value_recall: float | None
    """Of the money in fraud, the share that was flagged. Fraud of unknown value is left out."""
    false_positive_rate: float | None
    """Of the legitimate payments, the share that was flagged."""
    alerts_per_true_fraud: float | None
    """Flagged payments per flagged fraud: how many an analyst looks at to find one."""
    incidents: int
    """Attacks; one that spans several users or kinds of fraud counts once."""
    incidents_detected: int
    by_scenario: dict[str, ScenarioDetection]
    """By kind of fraud, in alphabetical order."""


def evaluate(truths: Mapping[str, Truth], decisions: Mapping[str, str]) -> DetectionReport:
    """Compare decisions with the truth.

    Parameters
    ----------
    truths : Mapping[str, Truth]
        By transaction id.
    decisions : Mapping[str, str]
        Transaction id to ``approve``, ``review`` or ``block`` (a ``Decision`` is one). Ids without a truth are left out.

    Returns
    -------
    DetectionReport
        The same whatever the order of the mappings.
    """
    tally = DetectionTally()
    for key, truth in truths.items():
        if (decision := decisions.get(key)) is not None:
            tally.count(truth, is_flagged=decision != APPROVE)
    return tally.report(undecided=len(truths) - tally.transactions)


def as_table(report: DetectionReport) -> str:
    """Write a report for people: the figures of all payments, then a line for each kind of fraud."""
    lines = [
        f"{report.transactions:,} decided, {report.fraud:,} fraud, {report.flagged:,} flagged",
        (
            f"precision {percent(report.precision)}   recall {percent(report.recall)}   f1 {percent(report.f1)}   "
            f"value recall {percent(report.value_recall)}"
        ),
        (
            f"false positives {percent(report.false_positive_rate, 2)} of honest payments   "
            f"alerts per true fraud {one_digit(report.alerts_per_true_fraud)}"
        ),
        "",
        f"{'scenario':<20} {'payments':>9} {'flagged':>8} {'recall':>7} {'incidents':>10} {'detected':>9}",
    ]
    lines += [
        f"{scenario:<20} {found.transactions:>9,} {found.flagged:>8,} {percent(found.recall):>7} "
        f"{found.incidents:>10,} {found.incidents_detected:>9,}"
        for scenario, found in report.by_scenario.items()
    ]
    lines.append(
        f"{'all':<20} {report.fraud:>9,} {sum(f.flagged for f in report.by_scenario.values()):>8,} "
        f"{percent(report.recall):>7} {report.incidents:>10,} {report.incidents_detected:>9,}"
    )
    return "\n".join(lines)


class DetectionTally:
    """Counts decisions against the truth one by one, and keeps nothing of honest payments: 8 bytes of each fraud, and the incidents.

    Attributes
    ----------
    transactions : int
        Payments counted so far.
    """

    def __init__(self) -> None:
        self.transactions = 0
        self._flagged = 0
        self._fraud = _Counts()
        self._by_scenario: dict[str, _Counts] = {}
        self._values = array("d")
        self._flagged_values = array("d")

    def count(self, truth: Truth, *, is_flagged: bool) -> None:
        """Count one payment."""
        self.transactions += 1
        self._flagged += is_flagged
        if (scenario := truth.scenario) is None:
            return
        self._fraud.count(truth.incident_id, is_flagged=is_flagged)
        self._by_scenario.setdefault(scenario, _Counts()).count(truth.incident_id, is_flagged=is_flagged)
        if truth.amount_base is not None:
            self._values.append(truth.amount_base)
            if is_flagged:
                self._flagged_values.append(truth.amount_base)

    def is_missed(self, truth: Truth) -> bool:
        """Whether a fraud that was not flagged belongs to an incident of which nothing was flagged, so far."""
        return truth.incident_id is None or truth.incident_id not in self._fraud.detected

    @property
    def missed(self) -> int:
        """Fraud of incidents of which nothing was flagged, so far."""
        return self._fraud.missed

    def report(self, undecided: int = 0) -> DetectionReport:
        """Give the figures of all payments counted so far; ``undecided`` is only in the report."""
        fraud, flagged, decided = self._fraud, self._flagged, self.transactions
        hits = fraud.flagged
        return DetectionReport(
            transactions=decided,
            undecided=undecided,
            fraud=fraud.transactions,
            flagged=flagged,
            precision=share(hits, flagged),
            recall=share(hits, fraud.transactions),
            f1=share(2 * hits, flagged + fraud.transactions),
            # fsum: the sum must not depend on the order.
            value_recall=share(fsum(self._flagged_values), fsum(self._values)),
            false_positive_rate=share(flagged - hits, decided - fraud.transactions),
            alerts_per_true_fraud=share(flagged, hits),
            incidents=fraud.incidents,
            incidents_detected=fraud.incidents_detected,
            by_scenario={name: self._by_scenario[name].detection() for name in sorted(self._by_scenario)},
        )


class _Counts:
    """Fraudulent payments and their incidents."""

    def __init__(self) -> None:
        self.transactions = 0
        self.flagged = 0
        self.detected: set[str] = set()
        """Incidents of which a payment was flagged."""
        self._payments_by_incident: dict[str, int] = {}
        # A payment without an incident id is an incident of its own.
        self._alone = 0
        self._alone_flagged = 0

    def count(self, incident_id: str | None, *, is_flagged: bool) -> None:
        self.transactions += 1
        self.flagged += is_flagged
        if incident_id is None:
            self._alone += 1
            self._alone_flagged += is_flagged
            return
        self._payments_by_incident[incident_id] = self._payments_by_incident.get(incident_id, 0) + 1
        if is_flagged:
            self.detected.add(incident_id)

    @property
    def incidents(self) -> int:
        return self._alone + len(self._payments_by_incident)

    @property
    def incidents_detected(self) -> int:
        return self._alone_flagged + len(self.detected)

    @property
    def missed(self) -> int:
        payments = sum(
            count for name, count in self._payments_by_incident.items() if name not in self.detected
        )
        return payments + self._alone - self._alone_flagged

    def detection(self) -> ScenarioDetection:
        return ScenarioDetection(
            self.transactions,
            self.flagged,
            self.flagged / self.transactions,
            self.incidents,
            self.incidents_detected,
        )


def share(part: float, whole: float) -> float | None:
    """Divide; a share of nothing is None."""
    return part / whole if whole else None


def percent(part: float | None, decimals: int = 1) -> str:
    """Write a share for people; a dash for None."""
    return "-" if part is None else f"{part:.{decimals}%}"


def three_digits(number: float | None) -> str:
    """Write a number with three decimals for people; a dash for None."""
    return "-" if number is None else f"{number:.3f}"


def one_digit(number: float | None) -> str:
    """Write a number with one decimal for people; a dash for None."""
    return "-" if number is None else f"{number:.1f}"
