"""The file of scores of a backtest of stored rows: a line a payment, as CSV, with the columns of :mod:`lab.backtest.scores` first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from contract.clock import time_text
from engine.features.model import FRAUD_PROBABILITY
from lab.rows.truth import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.rows.judged import JudgedRow

LABELS: Final = {Finding.FRAUD: "fraud", Finding.HONEST: "honest", Finding.UNKNOWN: ""}
"""What a payment was; nothing where that is not known."""


class Column(NamedTuple):
    """A column's name, its type in Spark, and what it says of a payment."""

    name: str
    kind: Literal["string", "long"]
    value: Callable[[JudgedRow], object]


_DECIDED: Final = (
    Column("transaction_id", "string", lambda judged: judged.row.transaction.transaction_id),
    Column("user_id", "string", lambda judged: judged.row.transaction.user_id),
    Column("timestamp", "string", lambda judged: time_text(judged.row.transaction.timestamp)),
    Column("decision", "string", lambda judged: judged.again.assessment.decision.value),
    Column("risk_score", "long", lambda judged: judged.again.assessment.risk_score),
    Column("points", "long", lambda judged: judged.again.assessment.points),
    Column(
        "reason_ids",
        "string",
        lambda judged: " ".join(reason.rule_id for reason in judged.again.assessment.reasons),
    ),
)
# As text: Spark would write 8.0E-4.
_MODEL: Final = Column(
    FRAUD_PROBABILITY, "string", lambda judged: str(judged.again.features[FRAUD_PROBABILITY])
)
_STORED: Final = (
    Column("stored_decision", "string", lambda judged: judged.stored.decision.value),
    Column("stored_risk_score", "long", lambda judged: judged.stored.risk_score),
    Column("label", "string", lambda judged: LABELS[judged.finding]),
)


def columns(*, has_model: bool) -> tuple[Column, ...]:
    """Give the columns, in the order of the file; with the probability where a model takes part."""
    return (*_DECIDED, *((_MODEL,) if has_model else ()), *_STORED)
