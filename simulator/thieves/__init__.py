"""Thieves who play against an engine: each is a pure object from what it knows to its next payment.

The running stack's simulation (:mod:`simulator.simulation`) needs no answers and does not use them.
"""

from __future__ import annotations

from typing import Final

from simulator.thieves.adaptive import adaptive
from simulator.thieves.cases import PLANS, planned
from simulator.thieves.levers import LEVERS
from simulator.thieves.tries import Answer, Thief, Try, Victim, sent

KINDS: Final = (*PLANS, *LEVERS)
"""Every kind of thief: those with a plan, then those who learn."""

ACCOUNTS: Final = {"many_pay_one": 25, "adapts_account": 6, "adapts_anything": 3}
"""How many accounts a thief has stolen; of the kinds that are not listed, one."""


def thief(kind: str, key: tuple[str | int, ...], victims: tuple[Victim, ...]) -> Thief:
    """Make a thief of this kind, who has done nothing yet.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    key : tuple[str | int, ...]
        The same key and victims give the same thief.
    victims : tuple[Victim, ...]
        The stolen accounts, at least one.
    """
    return planned(kind, key, victims) if kind in PLANS else adaptive(kind, key, victims)


__all__ = ["ACCOUNTS", "KINDS", "Answer", "Thief", "Try", "Victim", "sent", "thief"]
