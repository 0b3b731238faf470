"""The file of scores: a line a payment, as CSV, for a spreadsheet or a data scientist's own measures."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.clock import time_text
from engine.features.model import FRAUD_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from lab.backtest.deciding import JudgedPayment


class Column(NamedTuple):
    """A column's name, and what it says of a payment."""

    name: str
    value: Callable[[JudgedPayment], object]


COLUMNS: Final = (
    Column("transaction_id", lambda judged: judged.transaction.transaction_id),
    Column("user_id", lambda judged: judged.transaction.user_id),
    Column("timestamp", lambda judged: time_text(judged.transaction.timestamp)),
    Column("decision", lambda judged: judged.decided.assessment.decision.value),
    Column("risk_score", lambda judged: judged.decided.assessment.risk_score),
    Column("points", lambda judged: judged.decided.assessment.points),
    Column(
        "reason_ids", lambda judged: " ".join(reason.rule_id for reason in judged.decided.assessment.reasons)
    ),
)
"""In the order of the file. New columns go behind the last, so that readers by position keep working."""

MODEL_COLUMNS: Final = (
    *COLUMNS,
    Column(FRAUD_PROBABILITY, lambda judged: judged.decided.features[FRAUD_PROBABILITY]),
)
"""Where a model takes part."""


class ScoreWriter:
    """Writes a payment's line at once; the header first.

    Parameters
    ----------
    file : TextIO
        Opened with ``newline=""``.
    has_model : bool
        Whether there is a model, whose probability is written too.
    """

    def __init__(self, file: TextIO, *, has_model: bool = False) -> None:
        self._columns = MODEL_COLUMNS if has_model else COLUMNS
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow([column.name for column in self._columns])

    def write(self, judged: JudgedPayment) -> None:
        """Write the line of one payment."""
        self._rows.writerow([value(judged) for _, value in self._columns])
