"""A simulation with attacks that cross users, and with the honest crowds that look like them.

The payments of :func:`simulator.simulate` are among these, with their ids; further people, attacks and crowds are added.
"""

from __future__ import annotations

from datetime import timedelta
from heapq import merge
from typing import TYPE_CHECKING, Final

from contract.truth import SentPayment, Truth
from simulator.crowds.attacks import ATTACKS
from simulator.crowds.cast import Cast, Whereabouts, everyday, further_people
from simulator.crowds.gatherings import CROWDS
from simulator.draws import Draws
from simulator.honest import Calendar
from simulator.records import to_us
from simulator.simulation import SimulationConfig, run_id, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.payments import Payment

ATTACKS_OF_EACH_KIND: Final = 3
CROWDS_OF_EACH_KIND: Final = 2
FURTHER_PEOPLE: Final = 1_500
EVERYDAY_PAYMENTS: Final = 12
"""Of each further person, besides those in attacks and crowds."""


def simulate_crowds(config: SimulationConfig) -> Iterator[SentPayment]:
    """Simulate payments and fraud, with attacks and crowds that span users.

    Parameters
    ----------
    config : SimulationConfig
        As for :func:`simulator.simulate`, whose payments are all there, with the same ids. The rest is added: about 28,000 payments.

    Yields
    ------
    SentPayment
        In the order of event time. ``Truth.scenario`` names the kind of attack, and ``Truth.oddness`` that of the crowd. An
        attack is one incident, however many users it spans.
    """
    ends_us = to_us(config.ends_at)
    calendar = Calendar(ends_us - config.span // timedelta(microseconds=1), ends_us)
    people = further_people(config.seed, FURTHER_PEOPLE)
    run = run_id(config)
    added: list[tuple[Payment, Truth]] = [
        (payment, Truth(amount_base=payment.amount_base))
        for payment in everyday(people, config.seed, calendar, EVERYDAY_PAYMENTS)
    ]
    whereabouts = Whereabouts(payment for payment, _ in added)
    for kind, attack in ATTACKS.items():
        for number in range(ATTACKS_OF_EACH_KIND):
            cast = Cast(people, calendar, Draws("attack", config.seed, kind, number))
            incident = f"incident-{run}-{kind}-{number}"
            added += [(each, Truth(kind, incident, each.amount_base)) for each in attack(cast)]
            added += [(each, Truth(amount_base=each.amount_base)) for each in cast.around]
    for kind, crowd in CROWDS.items():
        for number in range(CROWDS_OF_EACH_KIND):
            cast = Cast(people, calendar, Draws("crowd", config.seed, kind, number))
            added += [
                (each, Truth(amount_base=each.amount_base, oddness=kind))
                for each in crowd(cast)
                if whereabouts.admits(each)
            ]
    added = [each for each in added if calendar.starts_us <= each[0].at_us <= ends_us]
    added.sort(key=lambda each: each[0].at_us)
    return merge(simulate(config), _numbered(added, run), key=_time)


def _numbered(added: list[tuple[Payment, Truth]], run: str) -> Iterator[SentPayment]:
    for number, (payment, truth) in enumerate(added):
        payment.record["transaction_id"] = f"tx-{run}-c{number:07d}"
        yield SentPayment(record=payment.record, truth=truth)


def _time(payment: SentPayment) -> str:
    # All of them are written in one form, in which the order of texts is that of times.
    return str(payment.record["timestamp"])


__all__ = ["ATTACKS", "CROWDS", "simulate_crowds"]
