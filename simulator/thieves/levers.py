"""How a thief pays, and what a thief who is stopped changes about it: the amount, the pace, the device, the place, and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from simulator.draws import Draws
from simulator.payments import random_address
from simulator.thieves.tries import Victim
from simulator.world import CITIES, City

DAY_S: Final = 86_400.0
MIN_USD: Final = 20.0
"""Less than that is not worth a try, at price level 1."""

_DELAYS_S: Final = (23 * 3_600.0, 61 * DAY_S, -9 * 60.0, 900 * DAY_S, -5 * 3_600.0, 6 * 3_600.0)
"""How payments are dated, one after the other: nearly a day back, months, a little ahead, years, hours."""

_OMISSIONS: Final = (
    ("location",),
    ("device_id", "ip_address"),
    ("channel", "merchant_category"),
    ("device_id", "ip_address", "location"),
    ("merchant_id", "payee_id"),
    ("device_id", "ip_address", "location", "channel", "merchant_category", "merchant_id", "payee_id"),
)
_INVALID: Final[tuple[tuple[tuple[str, object], ...], ...]] = (
    (("device_id", "x" * 129),),
    (("location", {"latitude": 191.5, "longitude": 7.0}),),
    (("ip_address", "none"), ("merchant_category", 5411)),
)


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """How a thief pays: everything that can be changed."""

    usd: float
    pause_s: float
    account: int
    """Which of the victims."""
    device: str
    city: City
    address: str
    target: str
    """Payee of transfers."""
    shop: int
    """Number of the online shop."""
    delay_s: float = 0.0
    omitted: tuple[str, ...] = ()
    invalid: tuple[tuple[str, object], ...] = ()
    warm_ups: int = 0
    """Small payments still to come, that should make device and payee familiar."""


class Setback(msgspec.Struct, frozen=True):
    """A try that was stopped, as a lever sees it."""

    method: Method
    draws: Draws
    victims: tuple[Victim, ...]
    stops: int
    """Tries that were stopped so far, this one included."""

    @property
    def victim(self) -> Victim:
        """Whose account it was."""
        return self.victims[self.method.account]

    def changed(self, **changes: Any) -> Method:
        """Return the method with these changes."""
        return msgspec.structs.replace(self.method, **changes)


Lever = Callable[[Setback], Method]
"""From a try that was stopped to the next method."""


def change_amount(back: Setback) -> Method:
    """Ask for less."""
    return back.changed(usd=back.method.usd * back.draws.uniform(0.4, 0.7))


def change_pace(back: Setback) -> Method:
    """Wait longer: hours, then days."""
    return back.changed(pause_s=min(4 * DAY_S, back.method.pause_s * back.draws.uniform(3, 10)))


def change_device(back: Setback) -> Method:
    """Take another device: the owner's own phone under remote control, or a new one with a new address and payee."""
    if back.stops % 2:
        return back.changed(device=back.victim.phone)
    return back.changed(
        device=back.draws.token("device"),
        address=random_address(back.draws, back.method.city),
        target=back.draws.token("payee"),
        shop=back.draws.integer(0, 79),
    )


def change_place(back: Setback) -> Method:
    """Pay through a proxy: in the victim's country, in the victim's city, then anywhere."""
    home = back.victim.person.home
    near = [city for city in CITIES if city.country == home.country]
    city = (back.draws.choice(near), home, back.draws.choice(CITIES))[(back.stops - 1) % 3]
    return back.changed(city=city, address=random_address(back.draws, city))


def change_account(back: Setback) -> Method:
    """Go on with the next stolen account; the device and the payee stay."""
    return back.changed(account=(back.method.account + 1) % len(back.victims))


def change_time_stamps(back: Setback) -> Method:
    """Date the payments otherwise."""
    return back.changed(delay_s=_DELAYS_S[(back.stops - 1) % len(_DELAYS_S)])


def leave_out_fields(back: Setback) -> Method:
    """Leave fields out, or write what no reader can use into them."""
    number = (back.stops - 1) % (len(_OMISSIONS) + len(_INVALID))
    if number < len(_OMISSIONS):
        return back.changed(omitted=_OMISSIONS[number], invalid=())
    return back.changed(omitted=(), invalid=_INVALID[number - len(_OMISSIONS)])


def change_anything(back: Setback) -> Method:
    """Change one thing after the other, in an order of the thief's own, and ask for less each time."""
    lever = back.draws.choice(
        (change_pace, change_device, change_place, change_account, change_time_stamps, leave_out_fields)
    )
    return lever(msgspec.structs.replace(back, method=change_amount(back)))


LEVERS: Final[dict[str, Lever]] = {
    "adapts_amount": change_amount,
    "adapts_pace": change_pace,
    "adapts_device": change_device,
    "adapts_place": change_place,
    "adapts_account": change_account,
    "adapts_time_stamps": change_time_stamps,
    "adapts_fields": leave_out_fields,
    "adapts_anything": change_anything,
    "patient": change_amount,
}
"""Kinds of thieves who learn, by what they change when they are stopped. ``patient`` begins with small payments on several days."""
