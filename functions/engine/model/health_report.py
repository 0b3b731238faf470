"""How a model is doing, as text for people: `make model-report` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.model.drift import MIN_PAYMENTS, SAMPLED, SHIFTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from engine.model.drift import Drift, InputCounts
    from engine.model.outcomes import Outcomes

MAX_FEATURES: Final = 15
"""Inputs that are shown, those that moved most."""
_MOVED: Final = 0.1


def health_report(
    model: str, drift: Drift | None, inputs: InputCounts, outcomes: Outcomes, now: datetime
) -> str:
    """Write the report.

    Parameters
    ----------
    model : str
        How the model is called.
    drift : Drift | None
        Of the last day; None where the training window is not known.
    inputs : InputCounts
        Of the same day.
    outcomes : Outcomes
        What people said.
    now : datetime
        UTC.
    """
    return "\n".join([*_inputs(model, drift, inputs), "", *_outcomes(outcomes, now)])


def _inputs(model: str, drift: Drift | None, inputs: InputCounts) -> Iterator[str]:
    yield f"{model}. {inputs.payments:,} payments of the last day were counted, one in {SAMPLED}."
    if drift is None:
        yield "Its training window is not known: there is no baseline beside the model."
    elif drift.score is None:
        yield f"Nothing is compared with the training window before {MIN_PAYMENTS:,} payments are counted."
    else:
        yield f"Population stability index against the training window (from {_MOVED} moved, from {SHIFTED} another distribution):"
        yield f"  {'fraud_probability':<36}{drift.score:>8.3f}{_word(drift.score)}"
        for name, index in list(drift.features.items())[:MAX_FEATURES]:
            yield f"  {name:<36}{index:>8.3f}{_word(index)}"
    if inputs.invalid_fields:
        yield "Fields that could not be used, by share of payments:"
        by_count = sorted(inputs.invalid_fields.items(), key=lambda item: (-item[1], item[0]))
        for field, count in by_count:
            yield f"  {field:<36}{count / inputs.payments:>8.2%}"


def _outcomes(found: Outcomes, now: datetime) -> Iterator[str]:
    if found.newest_known_at is None:
        yield "No label was found."
        return
    age = (now - found.newest_known_at).total_seconds() / 3_600
    yield f"{found.labels:,} labels of the last 30 days were read; the newest became known {age:,.0f} hours ago."
    if found.delay_days is not None and found.late_delay_days is not None:
        yield (
            f"Half of them were known {found.delay_days:,.1f} days after the payment, nine of ten after "
            f"{found.late_delay_days:,.1f} days."
        )
    if found.precision is not None:
        yield f"{found.precision:.0%} of the flagged payments with a label were fraud."
    if found.calibration is None:
        yield "Payments of 30 to 60 days ago: too few frauds to judge the probabilities."
        return
    yield (
        f"Payments of 30 to 60 days ago: {found.known_frauds:,.0f} frauds are known, the model expected "
        f"{found.expected_frauds:,.0f}: {found.calibration:.2f} times as many."
    )
    yield f"  {'probability up to':<20}{'payments':>12}{'frauds':>10}{'share':>10}"
    for edge, payments, frauds in found.by_score:
        share = f"{frauds / payments:>10.3%}" if payments else f"{'':>10}"
        yield f"  {edge:<20g}{payments:>12,.0f}{frauds:>10,.0f}{share}"


def _word(index: float) -> str:
    return "  another distribution" if index >= SHIFTED else "  moved" if index >= _MOVED else ""
