"""Thieves who learn: whoever is stopped changes something, whoever is not goes on and takes more."""

from __future__ import annotations

from typing import Literal

import msgspec

from simulator.draws import Draws
from simulator.payments import Draft, online, random_address, to_payee
from simulator.thieves.levers import DAY_S, LEVERS, MIN_USD, Method, Setback
from simulator.thieves.tries import Answer, Try, Victim
from simulator.world import CITIES


class AdaptiveThief(msgspec.Struct, frozen=True, kw_only=True):
    """A thief who changes the method when stopped. Pure; see :class:`~simulator.thieves.tries.Thief`."""

    kind: str
    key: tuple[str | int, ...]
    """Of the draws: each step draws from a stream of its own."""
    victims: tuple[Victim, ...]
    means: Literal["transfer", "online"]
    method: Method
    left_usd: tuple[float, ...]
    """By account: what there is still to take."""
    step: int = 0
    stops: int = 0
    """Tries that were stopped, in all."""
    stops_in_row: int = 0

    @property
    def next_try(self) -> Try | None:
        """The payment that comes next; None if no account has money left, or the amount has become too small."""
        method = self.method
        if method.account >= len(self.victims):
            return None
        victim = self.victims[method.account]
        if min(method.usd, self.left_usd[method.account]) < MIN_USD * victim.person.price_level:
            return None
        return Try(
            user_id=victim.person.user_id,
            after_s=method.pause_s,
            draft=self._draft(victim, self._usd()),
            delay_s=method.delay_s,
            omitted=method.omitted,
            invalid=method.invalid,
        )

    def answered(self, answer: Answer) -> AdaptiveThief:
        """Return the thief who knows the answer to :attr:`next_try`."""
        draws = Draws(*self.key, "step", self.step)
        left = list(self.left_usd)
        if answer is Answer.STOPPED:
            stops, in_row = self.stops + 1, self.stops_in_row + 1
            method = LEVERS[self.kind](Setback(self.method, draws, self.victims, stops))
            if in_row % 3 == 0:  # nobody tries the same sum for ever
                method = msgspec.structs.replace(method, usd=method.usd * 0.5)
        else:
            left[self.method.account] -= self._usd()
            stops, in_row = self.stops, 0
            method = _went_well(self.method, draws)
        return msgspec.structs.replace(
            self, method=method, left_usd=tuple(left), step=self.step + 1, stops=stops, stops_in_row=in_row
        )

    def _usd(self) -> float:
        if self.method.warm_ups:
            return _warm_up_usd(self.victims[self.method.account])
        return min(self.method.usd, self.left_usd[self.method.account])

    def _draft(self, victim: Victim, usd: float) -> Draft:
        method, draws = self.method, Draws(*self.key, "draft", self.step)
        if self.means == "transfer":
            return to_payee(
                draws, method.city, usd, victim.currency, method.target,
                device=method.device, address=method.address, is_exact=True,
            )  # fmt: skip
        category = draws.choice(("electronics", "online_retail", "jewellery", "digital_goods"))
        return online(
            draws, method.city, category, usd, victim.currency, card=victim.person.cards[0],
            device=method.device, address=method.address, shop=method.shop,
        )  # fmt: skip


def adaptive(kind: str, key: tuple[str | int, ...], victims: tuple[Victim, ...]) -> AdaptiveThief:
    """Make a thief who has done nothing yet.

    Parameters
    ----------
    kind : str
        One of :data:`LEVERS`.
    key : tuple[str | int, ...]
        The same key and victims give the same thief.
    victims : tuple[Victim, ...]
        At least one.
    """
    draws, first = Draws(*key), victims[0]
    is_abroad = draws.chance(0.6)
    home = first.person.home
    city = draws.choice([each for each in CITIES if (each.country != home.country) is is_abroad] or CITIES)
    method = Method(
        usd=draws.lognormal(900.0, 0.5) * first.person.price_level,
        pause_s=draws.uniform(60, 1_200),
        account=0,
        device=draws.token("device"),
        city=city,
        address=random_address(draws, city),
        target=draws.token("payee"),
        shop=draws.integer(0, 79),
    )
    if kind == "patient":
        method = msgspec.structs.replace(
            method, warm_ups=draws.integer(2, 5), pause_s=draws.uniform(0.8, 1.6) * DAY_S
        )
    return AdaptiveThief(
        kind=kind,
        key=key,
        victims=victims,
        means="transfer" if draws.chance(0.5) else "online",
        method=method,
        left_usd=tuple(victim.funds_usd for victim in victims),
    )


def _warm_up_usd(victim: Victim) -> float:
    return 9.0 * victim.person.price_level


def _went_well(method: Method, draws: Draws) -> Method:
    if method.warm_ups:
        left = method.warm_ups - 1
        pause_s = method.pause_s if left else draws.uniform(0.5, 2.0) * DAY_S
        return msgspec.structs.replace(method, warm_ups=left, pause_s=pause_s)
    return msgspec.structs.replace(
        method,
        usd=method.usd * draws.uniform(1.0, 1.35),
        pause_s=max(30.0, min(method.pause_s, 0.3 * DAY_S) * draws.uniform(0.6, 1.1)),
    )
