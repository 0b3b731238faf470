"""How good the decisions were, against the truth. The demo, replays and backtests use the same figures."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

APPROVE = "approve"
"""The decision that flags nothing; every other one does."""


class Label(msgspec.Struct, frozen=True):
    """The truth about one transaction."""

    scenario: str | None = None
    """The kind of fraud; None for a legitimate payment."""
    incident_id: str | None = None
    """The episode of fraud that it belongs to; None makes it an episode of its own."""
    amount_base: float | None = None
    """Amount in one currency for all; None where it is not known."""


class ScenarioDetection(msgspec.Struct, frozen=True):
    """What was found of one kind of fraud."""

    transactions: int
    flagged: int
    recall: float
    """Flagged over transactions."""
    incidents: int
    incidents_detected: int
    """Incidents of which at least one transaction was flagged."""


class DetectionReport(msgspec.Struct, frozen=True):
    """Figures over all labelled transactions that were decided. None stands where a share has nothing to be one of."""

    transactions: int
    """Labelled and decided."""
    undecided: int
    """Labelled, but without a decision: quarantined, say. They count in no other figure."""
    fraud: int
    flagged: int
    precision: float | None
    """Share of what was flagged that is fraud."""
    recall: float | None
    """Share of the fraud that was flagged."""
    f1: float | None
    """Harmonic mean of both."""
    value_recall: float | None
    """Share of the fraud's value that was flagged, of the fraud whose value is known."""
    false_positive_rate: float | None
    """Share of the legitimate payments that was flagged."""
    alerts_per_true_fraud: float | None
    """Flagged transactions for each flagged one that is fraud: what an analyst looks at to find one."""
    incidents: int
    incidents_detected: int
    by_scenario: dict[str, ScenarioDetection]
    """By kind of fraud, in alphabetical order."""


def evaluate(labels: Mapping[str, Label], decisions: Mapping[str, str]) -> DetectionReport:
    """Hold decisions against the truth.

    Parameters
    ----------
    labels : Mapping[str, Label]
        Transaction id to the truth.
    decisions : Mapping[str, str]
        Transaction id to ``approve``, ``review`` or ``block`` (a ``Decision`` is one). Ids without a label are left out.

    Returns
    -------
    DetectionReport
        The same whatever the order of the mappings.
    """
    decided = {key: label for key, label in labels.items() if key in decisions}
    flagged = {key for key in decided if decisions[key] != APPROVE}
    fraud = {key: label for key, label in decided.items() if label.scenario is not None}
    hits = flagged & fraud.keys()
    precision, recall = _share(len(hits), len(flagged)), _share(len(hits), len(fraud))
    scenarios = sorted({label.scenario for label in fraud.values() if label.scenario is not None})
    by_scenario = {
        scenario: _of_scenario(
            {key: label for key, label in fraud.items() if label.scenario == scenario}, hits
        )
        for scenario in scenarios
    }
    return DetectionReport(
        transactions=len(decided),
        undecided=len(labels) - len(decided),
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
    """Write a report for people: one line of figures, then a line for each kind of fraud."""
    lines = [
        f"{report.transactions:,} decided, {report.fraud:,} fraud, {report.flagged:,} flagged",
        (
            f"precision {_percent(report.precision)}   recall {_percent(report.recall)}   f1 {_percent(report.f1)}   "
            f"value recall {_percent(report.value_recall)}   false positives {_percent(report.false_positive_rate, 2)}   "
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


def _of_scenario(fraud: Mapping[str, Label], hits: set[str]) -> ScenarioDetection:
    found = hits & fraud.keys()
    return ScenarioDetection(
        transactions=len(fraud),
        flagged=len(found),
        recall=len(found) / len(fraud),
        incidents=len(_incidents(fraud, fraud.keys())),
        incidents_detected=len(_incidents(fraud, found)),
    )


def _incidents(fraud: Mapping[str, Label], keys: Collection[str]) -> set[tuple[str, str]]:
    # A transaction without an incident is one of its own: the first part keeps both kinds of ids apart.
    return {
        ("transaction", key) if (incident := fraud[key].incident_id) is None else ("incident", incident)
        for key in keys
    }


def _value(fraud: Mapping[str, Label], keys: Collection[str]) -> float:
    # fsum: the sum must not depend on the order in which a set gives its keys.
    return fsum(fraud[key].amount_base or 0.0 for key in keys)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None, decimals: int = 1) -> str:
    return "-" if share is None else f"{share:.{decimals}%}"


def _figure(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}"
