"""The measures of detection: precision, recall, and incidents found, from decisions and the truth.

The backtest and the demo report the same figures, all of them made here.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
    decided = {key: truth for key, truth in truths.items() if key in decisions}
    flagged = {key for key in decided if decisions[key] != APPROVE}
    fraud = {key: truth for key, truth in decided.items() if truth.is_fraud}
    hits = flagged & fraud.keys()
    precision, recall = _share(len(hits), len(flagged)), _share(len(hits), len(fraud))
    scenarios = sorted({truth.scenario for truth in fraud.values() if truth.scenario is not None})
    by_scenario = {
        scenario: _of_scenario(
            {key: truth for key, truth in fraud.items() if truth.scenario == scenario}, hits
        )
        for scenario in scenarios
    }
    return DetectionReport(
        transactions=len(decided),
        undecided=len(truths) - len(decided),
        fraud=len(fraud),
        flagged=len(flagged),
        precision=precision,
        recall=recall,
        f1=_share(2 * len(hits), len(flagged) + len(fraud)),
        value_recall=_share(_value(fraud, hits), _value(fraud, fraud.keys())),
        false_positive_rate=_share(len(flagged) - len(hits), len(decided) - len(fraud)),
        alerts_per_true_fraud=_share(len(flagged), len(hits)),
        incidents=sum(found.incidents for found in by_scenario.values()),
        incidents_detected=sum(found.incidents_detected for found in by_scenario.values()),
        by_scenario=by_scenario,
    )


def as_table(report: DetectionReport) -> str:
    """Write a report for people: the figures of all payments, then a line for each kind of fraud."""
    lines = [
        f"{report.transactions:,} decided, {report.fraud:,} fraud, {report.flagged:,} flagged",
        (
            f"precision {_percent(report.precision)}   recall {_percent(report.recall)}   f1 {_percent(report.f1)}   "
            f"value recall {_percent(report.value_recall)}"
        ),
        (
            f"false positives {_percent(report.false_positive_rate, 2)} of honest payments   "
            f"alerts per true fraud {_figure(report.alerts_per_true_fraud)}"
        ),
        "",
        f"{'scenario':<20} {'payments':>9} {'flagged':>8} {'recall':>7} {'incidents':>10} {'detected':>9}",
    ]
    lines += [
        f"{scenario:<20} {found.transactions:>9,} {found.flagged:>8,} {_percent(found.recall):>7} "
        f"{found.incidents:>10,} {found.incidents_detected:>9,}"
        for scenario, found in report.by_scenario.items()
    ]
    lines.append(
        f"{'all':<20} {report.fraud:>9,} {sum(f.flagged for f in report.by_scenario.values()):>8,} "
        f"{_percent(report.recall):>7} {report.incidents:>10,} {report.incidents_detected:>9,}"
    )
    return "\n".join(lines)


def _of_scenario(fraud: Mapping[str, Truth], hits: set[str]) -> ScenarioDetection:
    found = hits & fraud.keys()
    return ScenarioDetection(
        transactions=len(fraud),
        flagged=len(found),
        recall=len(found) / len(fraud),
        incidents=len(_incidents(fraud, fraud.keys())),
        incidents_detected=len(_incidents(fraud, found)),
    )


def _incidents(fraud: Mapping[str, Truth], keys: Collection[str]) -> set[tuple[str, str]]:
    # A payment without an incident id is an incident of its own. The first part keeps the two kinds of ids apart.
    return {
        ("transaction", key) if (incident := fraud[key].incident_id) is None else ("incident", incident)
        for key in keys
    }


def _value(fraud: Mapping[str, Truth], keys: Collection[str]) -> float:
    # fsum: a set has no fixed order, and the sum must not depend on it.
    return fsum(fraud[key].amount_base or 0.0 for key in keys)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None, decimals: int = 1) -> str:
    return "-" if share is None else f"{share:.{decimals}%}"


def _figure(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}"
