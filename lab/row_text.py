"""A row of ``transaction_history`` for people: its payment, its decision with the reasons, and every feature by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.clock import TimeBasis
from engine.features.stored import FeatureSetError, unpack

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction

_CLOCKS: Final = {
    TimeBasis.TRUSTED: "the event time: the feed is trusted",
    TimeBasis.BELIEVED: "the time of arrival; habits and key by the event time",
    TimeBasis.APPENDED: "the time of arrival; the event time is not believed",
}


def row_text(row: ScoredTransaction) -> str:
    """Write one row.

    Parameters
    ----------
    row : ScoredTransaction
        As :func:`contract.scored.from_history_item` reads it.

    Returns
    -------
    str
        Several lines, without a line break at the end. Features whose catalogue is not known here are counted only.
    """
    payment = msgspec.to_builtins(row.transaction, str_keys=True)
    lines = [
        f"{row.event_key}  {row.decision.value}, risk score {row.risk_score}",
        *(f"  {reason.points:+4d}  {reason.sentence}  [{reason.rule_id}]" for reason in row.reasons),
        *([f"  repeats payment {row.repeats:016x}: neither counted nor alerted"] if row.repeats else []),
        "payment",
        *(f"  {name:<26} {value}" for name, value in payment.items()),
        "scored",
        f"  {'record':<26} {row.position}, appended {row.appended_at.isoformat()}",
        f"  {'scored_at':<26} {row.scored_at.isoformat()}{', without the cache' if row.degraded else ''}",
        f"  {'clock':<26} {_CLOCKS[row.basis]}",
        f"  {'ruleset':<26} {row.ruleset_version}",
        f"  {'payments in profile':<26} {row.profile_version}",
    ]
    if row.other is not None:
        lines += [
            f"  {'decided by':<26} {row.side.value}",
            f"  {'the other side':<26} {row.other.decision.value}, risk score {row.other.risk_score}",
        ]
    if row.is_place_doubted:
        lines.append(f"  {'place':<26} does not say where the user is")
    if row.releases:
        lines.append(
            f"  {'reviewed, teach from now':<26} {', '.join(f'{each:016x}' for each in row.releases)}"
        )
    if row.verdicts:
        found = (
            f"{each.key_hash:016x} {'fraud' if each.is_fraud else 'legitimate'}" for each in row.verdicts
        )
        lines.append(f"  {'verdicts applied':<26} {', '.join(found)}")
    if row.shadow_rule_ids:
        lines.append(f"  {'shadow rules that hold':<26} {', '.join(row.shadow_rule_ids)}")
    if row.failed_rule_ids:
        lines.append(f"  {'rules that failed':<26} {', '.join(row.failed_rule_ids)}")
    return "\n".join([*lines, f"features (set {row.feature_set})", *_feature_lines(row)])


def _feature_lines(row: ScoredTransaction) -> list[str]:
    try:
        features = unpack(row.features, row.feature_set)
    except FeatureSetError as error:
        return [f"  not readable here: {error}"]
    return [f"  {name:<26} {_value_text(value)}" for name, value in features.items()]


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}" if isinstance(value, int | float) else repr(value)
