"""A seeded stream of payments as producers send them: usual, fraudulent, late and repeated ones, and 5% that are no payments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from contract.transaction import Location, encode_transaction
from tests.support.payments import make_minimal_payment

if TYPE_CHECKING:
    from contract.scored import Position

BERLIN = Location(latitude=52.5200066, longitude=13.404954, country="DE", city="Berlin")
LAGOS = Location(latitude=6.5243793, longitude=3.3792057, country="NG", city="Lagos")
POISON = (
    b'{"user_id": 7}',
    b'{"transaction_id": "x"}',
    b'{"card_id": 4111111111111111, "location": "Berlin"}',
    b'{"currency": "4111111111111111", "ip_address": "198.51.100.23", "amount": "x"}',
    b"4111111111111111",
)
POISON_SHARE = 0.05
LATE_SHARE = 0.06
REPEAT_SHARE = 0.06
ATTACKED_SHARE = 0.25
USUAL_PAYMENTS = 480
PAYMENTS_A_USER = 50


@dataclass(frozen=True)
class Sent:
    """One record as a producer writes it."""

    key: str
    value: bytes


@dataclass(frozen=True)
class Written:
    """A record as the broker has it."""

    position: Position
    record: Sent
    appended_at_ms: int
    is_trusted: bool = False
    """The ingestion job declared its feed trusted."""


class Stream:
    """Payments of users, with cards, devices and at merchants, that belong to no other stream.

    Parameters
    ----------
    name : str
        Prefix of its users and transactions.
    seed : int
        The same one gives the same stream.
    ends_at : datetime
        About the event time of the newest payments; UTC.
    users : int
        Users at least; there are more in a long stream.
    payments : int
        About as many as will be taken. Their event times are at most some hours old, and not in the future.
    """

    def __init__(
        self, name: str, seed: int, ends_at: datetime, users: int = 8, payments: int = USUAL_PAYMENTS
    ) -> None:
        if payments > USUAL_PAYMENTS:
            users = max(users, payments // PAYMENTS_A_USER)
        self._pace = min(1.0, USUAL_PAYMENTS / payments)
        self._name = name
        self._random = Random(f"{name}-{seed}")
        self._at = ends_at - timedelta(hours=3)
        self.users = [f"{name}-user-{number}" for number in range(users)]
        self._attacked = set(self.users[: max(1, int(users * ATTACKED_SHARE))])
        self._payments: list[Sent] = []
        self._count = 0

    def take(self, count: int) -> list[Sent]:
        """The next records."""
        return [self._next() for _ in range(count)]

    def one_of_each_user(self) -> list[Sent]:
        """One more payment of every user, so that its profile is read or rebuilt."""
        return [self._payment(user) for user in self.users]

    def _next(self) -> Sent:
        random, kind = self._random, self._random.random()
        user = random.choice(self.users)
        if kind < POISON_SHARE:
            bad = random.choice((b"?", b"", b"\xff\xfe", *POISON))
            return Sent(user, bad)
        if kind < POISON_SHARE + REPEAT_SHARE and self._payments:
            return random.choice(self._payments[-60:])
        return self._payment(user)

    def _payment(self, user: str) -> Sent:
        random = self._random
        self._at += timedelta(seconds=random.choice((1, 5, 20, 60)) * self._pace)
        is_late = random.random() < LATE_SHARE
        is_attack = user in self._attacked and random.random() < 0.4
        self._count += 1
        transaction = make_minimal_payment(
            transaction_id=f"{self._name}-t-{self._count}",
            user_id=user,
            amount=Decimal(random.randint(9_000, 30_000) if is_attack else random.randint(100, 9_000))
            / (1 if is_attack else 100),
            currency=random.choice(("USD", "EUR")),
            timestamp=self._at
            - (timedelta(minutes=random.choice((2, 90, 4_000))) if is_late else timedelta()),
            location=LAGOS if is_attack and random.random() < 0.5 else BERLIN,
            merchant_id=f"{self._name}-m-{random.randint(1, 6)}",
            merchant_category="grocery",
            channel="online",
            card_id=f"tok_{user}",
            device_id=f"{self._name}-stolen" if is_attack else f"{self._name}-own",
            ip_address="198.51.100.23",
        )
        sent = Sent(user, encode_transaction(transaction))
        self._payments.append(sent)
        return sent


def payments_in(body: bytes) -> set[bytes]:
    """The payments of a stream that a request names, of any service and format."""
    return set(re.findall(rb"\d+-t-\d+", body))
