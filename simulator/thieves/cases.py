"""Thieves with a plan: attacks from the field, each try of which is fixed beforehand. Whether it is stopped changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from simulator.draws import Draws
from simulator.payments import Draft, in_shop, online, random_address, to_payee
from simulator.thieves.levers import DAY_S
from simulator.thieves.tries import Answer, Try, Victim
from simulator.world import CITIES, City

if TYPE_CHECKING:
    from collections.abc import Callable

_HOUR_S: Final = 3_600.0
_MINUTE_S: Final = 60.0


class PlannedThief(msgspec.Struct, frozen=True):
    """A thief who carries out a plan. Pure; see :class:`~simulator.thieves.tries.Thief`."""

    plan: tuple[Try, ...]
    step: int = 0

    @property
    def next_try(self) -> Try | None:
        """The payment that comes next; None after the plan's end."""
        return self.plan[self.step] if self.step < len(self.plan) else None

    def answered(self, answer: Answer) -> PlannedThief:  # noqa: ARG002 - a plan does not change
        """Return the thief after :attr:`next_try`, whatever the answer is."""
        return PlannedThief(self.plan, self.step + 1)


class _Kit:
    """What a thief has: a device, an address and a payee of their own, in another country than the first victim's."""

    def __init__(self, draws: Draws, victims: tuple[Victim, ...]) -> None:
        self.draws = draws
        self.victims = victims
        home = victims[0].person.home
        self.city: City = draws.choice([city for city in CITIES if city.country != home.country])
        self.device = draws.token("device")
        self.payee = draws.token("payee")
        self.shop = draws.integer(0, 79)
        self.address = random_address(draws, self.city)

    def usd(self, usd: float, spread: float = 0.15) -> float:
        """An amount near this one, at the first victim's price level."""
        return usd * self.draws.uniform(1 - spread, 1 + spread) * self.victims[0].person.price_level

    def bought(self, usd: float, after_s: float = 0.0, account: int = 0, **changes: Any) -> Try:
        """Buy online with the stolen card."""
        return self._try(account, after_s, self._online(account, usd), changes)

    def transferred(self, usd: float, after_s: float = 0.0, account: int = 0, **changes: Any) -> Try:
        """Transfer to the thief's payee."""
        draft = to_payee(
            self.draws, self.city, usd, self.victims[account].currency, self.payee,
            device=self.device, address=self.address, is_exact=True,
        )  # fmt: skip
        return self._try(account, after_s, draft, changes)

    def paid_somehow(self, usd: float, after_s: float = 0.0, **changes: Any) -> Try:
        """Transfer or buy."""
        way = self.transferred if self.draws.chance(0.5) else self.bought
        return way(usd, after_s, **changes)

    def micro(self, user_id: str, card: str, after_s: float, currency: str, delay_s: float = 0.0) -> Try:
        """Try a number with a micro amount, always at one shop."""
        draft = online(
            self.draws, self.city, "digital_goods", self.draws.uniform(0.6, 1.9), currency,
            card=card, device=self.device, address=self.address, shop=self.shop,
        )  # fmt: skip
        return Try(user_id=user_id, after_s=after_s, draft=draft, delay_s=delay_s)

    def _online(self, account: int, usd: float) -> Draft:
        victim = self.victims[account]
        return online(
            self.draws, self.city, "electronics", usd, victim.currency, card=victim.person.cards[0],
            device=self.device, address=self.address, shop=self.shop,
        )  # fmt: skip

    def _try(self, account: int, after_s: float, draft: Draft, changes: dict[str, Any]) -> Try:
        user_id = self.victims[account].person.user_id
        return Try(user_id=user_id, after_s=after_s, draft=draft, **changes)


def again_at_once(kit: _Kit) -> list[Try]:
    """A large payment with everything new, and the same again some minutes later."""
    usd = kit.usd(1_500)
    way = kit.transferred if kit.draws.chance(0.5) else kit.bought
    pauses = [kit.draws.uniform(5, 25) * _MINUTE_S for _ in range(3)]
    return [way(usd), *(way(usd * kit.draws.uniform(0.8, 1.1), pause) for pause in pauses)]


def small_first(kit: _Kit) -> list[Try]:
    """A small payment, and large ones a day later."""
    way = kit.transferred if kit.draws.chance(0.5) else kit.bought
    later = [way(kit.usd(1_500), kit.draws.uniform(0.8, 1.5) * DAY_S)]
    return [way(kit.usd(5)), *later, way(kit.usd(1_500), kit.draws.uniform(0.2, 1) * DAY_S)]


def old_then_large(kit: _Kit) -> list[Try]:
    """A payment dated years back, and a large one at once."""
    delay_s = kit.draws.uniform(400, 1_500) * DAY_S
    way = kit.transferred if kit.draws.chance(0.5) else kit.bought
    return [way(1.0, delay_s=delay_s), way(kit.usd(2_900), kit.draws.uniform(20, 300))]


def back_dated(kit: _Kit) -> list[Try]:
    """Large payments dated some weeks or hours back."""
    delays_s = [kit.draws.choice((61 * DAY_S, 33 * DAY_S, 23 * _HOUR_S, 10 * _HOUR_S)) for _ in range(3)]
    return [
        kit.paid_somehow(kit.usd(2_900), kit.draws.uniform(1, 30) * _MINUTE_S, delay_s=delay_s)
        for delay_s in delays_s
    ]


def ahead_then_fast(kit: _Kit) -> list[Try]:
    """Payments dated hours ahead, to push others out of the windows; then 30 micro amounts on 30 cards within 10 minutes."""
    victim, draws = kit.victims[0], kit.draws
    ahead = [
        kit.bought(draws.uniform(5, 20), 30.0, delay_s=-draws.uniform(1, 23) * _HOUR_S) for _ in range(32)
    ]
    fast = [
        kit.micro(victim.person.user_id, draws.token("card"), draws.uniform(5, 20), victim.currency)
        for _ in range(30)
    ]
    return ahead + fast


def numbers_from_one_device(kit: _Kit) -> list[Try]:
    """Stolen numbers, each of an account of its own, tried from one device at one merchant."""
    draws = kit.draws
    return [
        kit.micro(draws.token("user"), draws.token("card"), draws.uniform(5, 90), kit.victims[0].currency)
        for _ in range(60)
    ]


def many_pay_one(kit: _Kit) -> list[Try]:
    """Established accounts pay one new payee from one device."""
    return [
        kit.transferred(kit.usd(120, 0.5), kit.draws.uniform(30, 600), account)
        for account in range(len(kit.victims))
    ]


def young_then_large(kit: _Kit) -> list[Try]:
    """A new account with a few small payments, then one large transfer; or the large one at once."""
    draws, user_id = kit.draws, kit.draws.token("user")
    small = [
        msgspec.structs.replace(kit.bought(30.0, draws.uniform(0.2, 1) * DAY_S), user_id=user_id)
        for _ in range(draws.choice((0, 3, 9)))
    ]
    large = kit.transferred(draws.uniform(3_000, 9_400), draws.uniform(0.1, 1) * DAY_S)
    return [*small, msgspec.structs.replace(large, user_id=user_id)]


def hidden_behind_an_alert(kit: _Kit) -> list[Try]:
    """A small payment that is stopped and alerted, then large ones in the hope that their alerts are suppressed."""
    bait = kit.paid_somehow(kit.usd(5), delay_s=3 * DAY_S, omitted=("location",))
    return [bait, *(kit.paid_somehow(kit.usd(9_500), kit.draws.uniform(60, 900)) for _ in range(5))]


def dates_spread(kit: _Kit) -> list[Try]:
    """Many payments at once, dated an hour apart."""
    return [
        kit.paid_somehow(kit.usd(300, 0.4), kit.draws.uniform(2, 20), delay_s=number * _HOUR_S)
        for number in range(60)
    ]


def two_amounts(kit: _Kit) -> list[Try]:
    """Two amounts in one record; some readers take the first, others the last."""
    return [kit.paid_somehow(1.0, 300.0, shadowed_usd=kit.usd(9_000)) for _ in range(3)]


def same_id_again(kit: _Kit) -> list[Try]:
    """Payments under one transaction id, so that later ones pass for repeats of the first."""
    first = kit.paid_somehow(kit.usd(12))
    return [first, *(kit.paid_somehow(kit.usd(900), 600.0, repeats_id=True) for _ in range(4))]


def card_in_shops(kit: _Kit) -> list[Try]:
    """A stolen card in shops of the victim's own town, a little above what the owner pays."""
    victim, draws = kit.victims[0], kit.draws
    tries = []
    for _ in range(draws.integer(5, 9)):
        category = draws.choice(("electronics", "clothing", "jewellery", "cash", "grocery"))
        draft = in_shop(
            draws, victim.person.home, victim.person.home_shift, category, kit.usd(140, 0.5),
            victim.person.cards[0],
        )  # fmt: skip
        tries.append(
            Try(user_id=victim.person.user_id, after_s=draws.uniform(8, 90) * _MINUTE_S, draft=draft)
        )
    return tries


PLANS: Final[dict[str, Callable[[_Kit], list[Try]]]] = {
    "again_at_once": again_at_once,
    "small_first": small_first,
    "old_then_large": old_then_large,
    "back_dated": back_dated,
    "ahead_then_fast": ahead_then_fast,
    "numbers_from_one_device": numbers_from_one_device,
    "many_pay_one": many_pay_one,
    "young_then_large": young_then_large,
    "hidden_behind_an_alert": hidden_behind_an_alert,
    "dates_spread": dates_spread,
    "two_amounts": two_amounts,
    "same_id_again": same_id_again,
    "card_in_shops": card_in_shops,
}
"""Kinds of thieves with a plan."""


def planned(kind: str, key: tuple[str | int, ...], victims: tuple[Victim, ...]) -> PlannedThief:
    """Make a thief who has done nothing yet.

    Parameters
    ----------
    kind : str
        One of :data:`PLANS`.
    key : tuple[str | int, ...]
        The same key and victims give the same thief.
    victims : tuple[Victim, ...]
        At least one.
    """
    return PlannedThief(tuple(PLANS[kind](_Kit(Draws(*key), victims))))
