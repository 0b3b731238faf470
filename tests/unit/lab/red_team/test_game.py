from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.rules.ruleset import parse_ruleset
from lab.red_team.engines import OwnEngine, Ruling
from lab.red_team.game import play
from lab.red_team.population import NOT_ODD, Population, RoundConfig
from lab.red_team.report import Report, as_json, as_text, report_of
from simulator.oddities import ODDITIES
from simulator.thieves import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.truth import SentPayment

SMALL = RoundConfig(seed=11, thieves=1, odd=2, ordinary=3, tries=20)


class Scripted:
    """An engine that decides by a function of the payment, and remembers what came."""

    def __init__(self, decide: Callable[[SentPayment], str | None]) -> None:
        self._decide = decide
        self.payments: list[SentPayment] = []

    def decide(self, payment: SentPayment) -> Ruling:
        self.payments.append(payment)
        return Ruling(self._decide(payment), ("a_rule",))


def by_truth(fraud: str | None, honest: str) -> Scripted:
    return Scripted(lambda payment: fraud if payment.truth.is_fraud else honest)


def test_payments_reach_the_engine_in_the_order_of_their_arrival() -> None:
    engine = by_truth("approve", "approve")

    play(SMALL, engine)

    arrivals = [each.appended_at for each in engine.payments]
    assert None not in arrivals
    assert arrivals == sorted(arrivals, key=lambda at: at.timestamp() if at else math.inf)


def test_whoever_is_never_stopped_takes_all_without_an_alert() -> None:
    result = play(SMALL, by_truth("approve", "approve"))

    assert {theft.kind for theft in result.thefts} == set(KINDS)
    for theft in result.thefts:
        assert theft.alert_at_try is None
        assert theft.taken_usd == theft.taken_within_a_day_usd == theft.taken_before_alert_usd > 0
    assert not any(each.reviews or each.blocks for each in result.suffering.values())


@pytest.mark.parametrize("decision", ["review", "block"])
def test_whoever_is_always_stopped_takes_nothing(decision: str) -> None:
    result = play(SMALL, by_truth(decision, "approve"))

    for theft in result.thefts:
        assert theft.alert_at_try == 1
        assert theft.flagged == theft.tries
        assert theft.taken_usd == 0


def test_refused_records_pay_nothing_and_are_counted_apart() -> None:
    result = play(SMALL, by_truth(None, "approve"))

    for theft in result.thefts:
        assert theft.undecided == theft.tries
        assert theft.undecided_usd > 0
        assert theft.taken_usd == 0
        assert theft.alert_at_try is None


def test_money_before_the_alert_ends_with_the_first_payment_that_is_flagged() -> None:
    seen: dict[str | None, int] = {}

    def every_third(payment: SentPayment) -> str:
        key = payment.truth.incident_id
        seen[key] = seen.get(key, 0) + 1
        return "review" if payment.truth.is_fraud and seen[key] % 3 == 0 else "approve"

    engine = Scripted(every_third)
    result = play(SMALL, engine)

    longest = max(result.thefts, key=lambda theft: theft.tries)
    thefts = [each for each in engine.payments if each.truth.scenario == longest.kind]
    amounts = [each.truth.amount_base or 0.0 for each in thefts]
    assert longest.alert_at_try == 3
    assert longest.taken_before_alert_usd == pytest.approx(sum(amounts[:2]))
    assert longest.taken_usd == pytest.approx(sum(amounts) - sum(amounts[2::3]))
    assert longest.flagged == len(amounts) // 3


def test_money_within_a_day_ends_24_hours_after_the_first_alert() -> None:
    seen: dict[str | None, int] = {}

    def first_only(payment: SentPayment) -> str:
        key = payment.truth.incident_id
        seen[key] = seen.get(key, 0) + 1
        return "review" if payment.truth.is_fraud and seen[key] == 1 else "approve"

    engine = Scripted(first_only)
    result = play(SMALL, engine)

    patient = next(theft for theft in result.thefts if theft.kind == "patient")
    first, *later = [each for each in engine.payments if each.truth.scenario == "patient"]
    assert first.appended_at
    until = first.appended_at + timedelta(days=1)
    within = [each for each in later if each.appended_at and each.appended_at <= until]
    assert len(within) < len(later)
    assert patient.taken_within_a_day_usd == pytest.approx(
        sum(each.truth.amount_base or 0 for each in within)
    )
    assert patient.taken_before_alert_usd == 0


def test_nobody_exceeds_the_budget_of_tries() -> None:
    result = play(SMALL, by_truth("approve", "approve"))

    assert max(theft.tries for theft in result.thefts) == SMALL.tries


def test_honest_people_are_counted_by_their_kind_and_only_in_the_days_of_play() -> None:
    engine = by_truth("approve", "block")
    result = play(SMALL, engine)

    assert set(result.suffering) == {*ODDITIES, NOT_ODD}
    population = Population(SMALL)
    for kind, suffering in result.suffering.items():
        own = [
            each
            for each in population.honest
            if each.kind == kind and each.arrives_us >= population.starts_us
        ]
        assert suffering.payments == suffering.blocks == len(own) > 0
        assert suffering.people == (3 if kind == NOT_ODD else 2)
        odd = sum(each.payment.truth.oddness == kind for each in own)
        assert suffering.odd_payments == suffering.odd_flagged == odd
        assert bool(odd) == (kind != NOT_ODD)
    assert any(each.arrives_us < population.starts_us for each in population.honest), "no history"


def test_a_seed_gives_the_same_figures_each_time_and_another_seed_others() -> None:
    ruleset = parse_ruleset(Path("rules/default.yaml").read_text(), "default")

    reports = [
        as_json(report_of("x", {"tuned": [seed]}, {"tuned": [play(config, OwnEngine(ruleset))]}))
        for seed in (11, 11, 12)
        for config in [RoundConfig(seed=seed, thieves=1, odd=1, ordinary=1, tries=5)]
    ]

    assert reports[0] == reports[1] != reports[2]


def test_a_report_has_means_of_thieves_and_rates_of_people() -> None:
    rounds = [play(SMALL, by_truth("review", "block")), play(SMALL, by_truth("approve", "approve"))]

    report = report_of("x", {"tuned": [1, 2], "unseen": [3]}, {"tuned": rounds, "unseen": rounds[1:]})

    tuned, unseen = report.groups["tuned"], report.groups["unseen"]
    assert tuned.takings["patient"].thieves == 2
    assert tuned.takings["patient"].taken_usd == pytest.approx(unseen.takings["patient"].taken_usd / 2)
    assert tuned.takings["patient"].never_flagged == 0.5
    assert tuned.takings["patient"].tries_to_alert == 1.0
    assert unseen.takings["patient"].tries_to_alert is None
    assert tuned.takings["all"].thieves == 2 * len(KINDS)
    blocked = rounds[0].suffering["sale"]
    assert tuned.burdens["sale"].blocks == pytest.approx(1_000 * blocked.blocks / (4 * 30))
    assert tuned.burdens["all"].people == 2 * (3 + 2 * len(ODDITIES))
    assert tuned.burdens["sale"].odd_flagged == 0.5
    assert tuned.burdens["sale"].rules == {"a_rule": blocked.blocks}
    assert unseen.burdens["sale"].blocks == 0


def test_the_tables_name_every_kind_and_both_groups_of_seeds() -> None:
    rounds = [play(SMALL, by_truth("approve", "approve"))]

    text = as_text(report_of("x", {"tuned": [1, 2], "unseen": [3]}, {"tuned": rounds, "unseen": rounds}))

    lines = text.splitlines()
    assert "tuned seeds 1, 2" in lines[0]
    assert "unseen seeds 3" in lines[0]
    assert {line.split()[0] for line in lines if line} >= {*KINDS, "all", *ODDITIES, NOT_ODD}
    assert len({len(line) for line in lines if " | " in line}) == 1, "columns are not aligned"


def test_no_rounds_are_said_to_be_none() -> None:
    assert as_text(Report("x", {})) == "no seeds, no rounds"


def test_whoever_is_away_pays_nothing_at_home() -> None:
    population = Population(msgspec.structs.replace(SMALL, thieves=0, ordinary=0, odd=6))

    moved = [each for each in population.honest if each.kind == "move_abroad"]
    for user_id in {each.payment.record["user_id"] for each in moved}:
        own = [each for each in moved if each.payment.record["user_id"] == user_id]
        left_us = min(each.arrives_us for each in own if each.payment.truth.oddness)
        everyday = [each.arrives_us for each in own if not each.payment.truth.oddness]
        assert everyday
        assert max(everyday) <= left_us


def test_records_that_are_not_scored_are_named_below_the_thieves() -> None:
    rounds = [play(SMALL, by_truth(None, "approve"))]

    text = as_text(report_of("x", {"tuned": [1]}, {"tuned": rounds}))

    assert "not scored, so without an alert, tuned seeds: patient, " in text
