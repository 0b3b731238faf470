"""The truth about a payment: what the simulator made it, or what a data set's own column says.

The simulator and the data sets of an analyst produce it; the backtest, the measures and the demo use it. It never travels with
the payment: no function of the pipeline imports this module, so no decision can depend on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

FRAUD_WORDS: Final = frozenset({"1", "1.0", "true", "t", "yes", "y", "fraud", "fraudulent"})
"""Values of a label, in lower case, that mean fraud where nobody says which do."""

HONEST_WORDS: Final = frozenset(
    {
        *("", "null", "nan", "0", "0.0", "false", "f", "no", "n"),
        *("honest", "legit", "legitimate", "genuine", "normal", "non-fraud", "not fraud"),
    }
)
"""Those that mean that it is none. Any other word is neither."""

Record = dict[str, object]
"""A transaction as on the wire: the fields of ``contract.transaction``, amount as text, no nulls."""


class Truth(msgspec.Struct, frozen=True):
    """What is true of one payment, independent of any decision or label."""

    scenario: str | None = None
    """The kind of fraud; None for a legitimate payment."""
    incident_id: str | None = None
    """The attack that the payment belongs to, however many users it spans. None for a payment that is an incident of its own."""
    amount_base: float | None = None
    """The amount in the base currency, major units, the same currency for all payments; None where it is not known."""
    oddness: str | None = None
    """Why a legitimate payment looks like fraud: a kind of odd behaviour, or of a crowd; None for an ordinary payment, and for fraud."""

    @property
    def is_fraud(self) -> bool:
        """Whether the payment is fraud."""
        return self.scenario is not None


class SentPayment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as its sender sends it, and beside it the truth, which is not sent."""

    record: Record
    """As on the wire; empty where only ``raw`` is known."""
    raw: bytes | None = None
    """The source's own line, where no field could be read from it. It is sent as it is, and will be quarantined."""
    truth: Truth = Truth()
    appended_at: datetime | None = None
    """When it arrived, aware; None where that is not known and the event time is taken for it."""
    place: str = ""
    """The file and line that it was read from, for messages; empty where it was made."""
    problem: tuple[str, str] | None = None
    """The field that could not be read there, and why; such a payment is refused wherever it is sent."""

    @property
    def transaction_id(self) -> str:
        """The record's id; empty where it has none."""
        return str(self.record.get("transaction_id", ""))
