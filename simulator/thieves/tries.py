"""What a thief does and learns: a try, the answer to it, and the accounts that it is made on. The kinds of thieves are beside this file."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

import msgspec

from contract.truth import SentPayment, Truth
from simulator.payments import Draft, paid
from simulator.people import Person
from simulator.records import at_of, money
from simulator.world import currency_of

FUNDS_USD: Final = 12_000.0
"""What there is to take from an account at price level 1."""


class Answer(StrEnum):
    """All that a thief learns about a payment."""

    APPROVED = "approved"
    STOPPED = "stopped"
    """Reviewed or blocked: the thief does not get the money now."""


class Victim(msgspec.Struct, frozen=True):
    """An account that the thief can pay from, and what malware or a stolen wallet says about its owner."""

    person: Person
    phone: str
    """The owner's, at the time of the attack."""

    @property
    def currency(self) -> str:
        """Currency of the account, ISO 4217."""
        return currency_of(self.person.home)

    @property
    def funds_usd(self) -> float:
        """What there is to take, US dollars."""
        return FUNDS_USD * self.person.price_level


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One payment of a thief."""

    user_id: str
    after_s: float
    """Arrives so many seconds after the try before it; >= 0."""
    draft: Draft
    delay_s: float = 0.0
    """The payment is dated so many seconds before it arrives; negative for a time ahead."""
    omitted: tuple[str, ...] = ()
    """Fields of the record that are left out."""
    invalid: tuple[tuple[str, object], ...] = ()
    """Fields of the record that are written with a value of another form than the contract's."""
    repeats_id: bool = False
    """Whether the payment has the transaction id of the thief's payment before."""
    shadowed_usd: float | None = None
    """A first ``amount`` in the same JSON object, which some readers take instead: the money that is at stake. None for none."""


class Thief(Protocol):
    """Pure: what comes next depends on the thief's state, which no method changes. The same key gives the same thief."""

    @property
    def next_try(self) -> Try | None:
        """The payment that comes next; None if the thief stops, or has all the money."""

    def answered(self, answer: Answer) -> Thief:
        """Return the thief who knows the answer to :attr:`next_try`."""


def sent(one: Try, arrives_us: int, transaction_id: str, kind: str, incident_id: str) -> SentPayment:
    """Write a try as its sender sends it.

    Parameters
    ----------
    one : Try
        What is paid.
    arrives_us : int
        When the broker appends the record, us since the epoch.
    transaction_id : str
        Of the record.
    kind, incident_id : str
        The kind of thief, and which one.
    """
    payment = paid(one.draft, one.user_id, max(0, arrives_us - int(one.delay_s * 1_000_000)))
    record = payment.record | {"transaction_id": transaction_id} | dict(one.invalid)
    record = {field: value for field, value in record.items() if field not in one.omitted}
    raw, amount_base = None, payment.amount_base
    if one.shadowed_usd is not None:
        first, first_base = money(one.shadowed_usd, one.draft.currency)
        raw = b'{"amount":"%s",%s' % (first.encode(), msgspec.json.encode(record)[1:])
        amount_base = max(amount_base, first_base)
    truth = Truth(kind, incident_id, amount_base)
    return SentPayment(record=record, raw=raw, truth=truth, appended_at=at_of(arrives_us))
