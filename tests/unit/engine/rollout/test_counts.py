"""Counts of both sides: they add up however they were split, and a difference is known as far as groups of users agree."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.scored import Decision
from contract.side import Side
from engine.decide import decide
from engine.decided import Assessment, Decided
from engine.profile import Profile
from engine.rollout.changed import MAX_EXAMPLES, Changed, Example
from engine.rollout.counts import RolloutCounts, time_step, total
from engine.rollout.difference import Ratio, excess, ratio
from engine.rollout.settled import GROUPS, group_of
from tests.support.payments import make_grocery_payment, trusted_facts
from tests.support.rule_samples import candidate_of, ruleset

_RULES = candidate_of({"points": 45}, {"id": "s", "mode": "shadow"}, {"id": "f", "when": "1 / (tx_count_1m - 1) > 0"}, share=50)  # fmt: skip
_PLAIN = ruleset({"points": 85})


def _decided(user_id: str, amount: int, *, has_candidate: bool = True) -> Decided:
    payment = make_grocery_payment(user_id=user_id, amount=Decimal(amount))
    return decide(trusted_facts(payment), Profile(), _RULES if has_candidate else _PLAIN)


payments = st.lists(st.tuples(st.integers(0, 200).map("u-{}".format), st.sampled_from([5, 500])), max_size=30)


@settings(max_examples=30)
@given(payments, st.integers(0, 30))
def test_parts_add_up_to_the_whole_and_are_kept_as_bytes(sent: list[tuple[str, int]], cut: int) -> None:
    decided = [(user_id, _decided(user_id, amount)) for user_id, amount in sent]
    parts = [RolloutCounts(), RolloutCounts(), RolloutCounts()]
    for place, (user_id, each) in enumerate(decided):
        parts[0].add(user_id, each, f"key-{place}")
        parts[1 if place < cut else 2].add(user_id, each, f"key-{place}")

    stored = [msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=RolloutCounts) for part in parts]

    assert total(stored[1:]) == total(reversed(stored[1:])) == parts[0]
    assert sum(parts[0].payments.values()) == len(sent)


@pytest.mark.parametrize("side", list(Side))
def test_each_side_is_counted_whichever_decided(side: Side) -> None:
    assert _RULES.candidate is not None
    draw = _RULES.candidate.draw
    user_id = next(f"u-{n}" for n in range(100) if draw.side_of(f"u-{n}") is side)
    counts = RolloutCounts()

    decided = _decided(user_id, 500)
    counts.add(user_id, decided, "key")

    group = group_of(user_id)
    cents = round(100 * float(decided.features["amount_base"]))
    example = Example(user_id, "key", cents, Decision.APPROVE, 0, Decision.REVIEW, 45)
    assert counts == RolloutCounts(
        payments={group: 1},
        alerts={group: [0, 0, 1]},
        errors={group: [0, 0, 1]},
        candidate_hits={"r": {group: 1}, "s": {group: 1}},
        alert_cents=[0, 0, cents],
        new={"r": Changed(1, cents, [example])},
    )


def test_of_what_one_side_alone_flags_the_latest_payments_are_named() -> None:
    counts = RolloutCounts()

    for number in range(MAX_EXAMPLES + 3):
        counts.add(f"u-{number}", _decided(f"u-{number}", 500), f"2026-11-0{number + 1}")

    assert counts.new["r"].payments == MAX_EXAMPLES + 3
    assert [each.event_key for each in counts.new["r"].examples] == [f"2026-11-0{day}" for day in range(4, 9)]
    assert counts.lost == {}


def test_without_a_candidate_the_champion_is_counted_alone() -> None:
    counts = RolloutCounts()

    counts.add("u", _decided("u", 500, has_candidate=False))

    group = group_of("u")
    assert (counts.alerts, counts.blocks) == ({group: [0, 1, 0]}, {group: [0, 1, 0]})
    assert (counts.champion_hits, counts.candidate_hits) == ({"r": {group: 1}}, {})


def test_repeats_and_flagged_canaries_are_not_counted() -> None:
    counts, decided = RolloutCounts(), _decided("u", 500)
    outcome = msgspec.structs.replace(decided.outcome, repeats=7)

    counts.add("u", msgspec.structs.replace(decided, outcome=outcome))
    counts.add("canary-flagged-3", decided)

    assert counts == RolloutCounts()


@given(st.floats(0, 1e7))
def test_a_time_ends_within_its_step(microseconds: float) -> None:
    step = time_step(microseconds)

    assert max(microseconds, 1.0) <= 2 ** ((step + 1) / 8) * (1 + 1e-9)
    assert max(microseconds, 1.0) >= 2 ** (step / 8) * (1 - 1e-9)


def _drawn(draw: Random, users: int, champion: float, candidate: float) -> dict[int, list[int]]:
    """Some users are attacked, each with one to twenty payments; both sides see each attack or not, independently."""
    counts: dict[int, list[int]] = {}
    for _ in range(users):
        ours, theirs = draw.random() < champion, draw.random() < candidate
        if ours or theirs:
            place = 0 if ours and theirs else 1 if ours else 2
            counts.setdefault(draw.randrange(GROUPS), [0, 0, 0])[place] += draw.randrange(1, 21)
    return counts


@pytest.mark.parametrize("true", [0.5, 1.0, 1.6])
def test_the_interval_holds_the_truth_in_about_95_cases_of_100(true: float) -> None:
    draw = Random(5)
    found = [ratio(_drawn(draw, 1_000, 0.2, 0.2 * true), 1.0) for _ in range(200)]

    held = sum(each.least <= true <= each.most for each in found)

    assert 180 <= held <= 198


def test_equal_sides_are_noise_and_three_times_as_many_are_not() -> None:
    draw = Random(6)

    assert ratio(_drawn(draw, 2_000, 0.2, 0.2), 1.0).is_noise
    assert not ratio(_drawn(draw, 2_000, 0.2, 0.6), 1.0).is_noise


def test_the_days_until_a_difference_is_known_shrink_as_they_pass() -> None:
    draw = Random(7)
    small, large = _drawn(draw, 300, 0.2, 0.24), _drawn(draw, 30_000, 0.2, 0.24)

    early, late = ratio(small, 1.0), ratio(large, 100.0)

    assert early.is_noise
    assert early.days_until_known is None or early.days_until_known > 0
    assert (late.is_noise, late.days_until_known) == (False, 0.0)


def test_no_payments_of_a_kind_are_no_difference_and_are_not_known() -> None:
    found = ratio({}, 1.0)

    assert (found.times, found.is_noise, found.days_until_known) == (1.0, True, None)
    assert found.sentence == "No payment of either side."


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (Ratio(10, 40, 4.0, 2.0, 8.0, 0.0), "4 times as many (2 to 8). It is not chance."),
        (Ratio(10, 11, 1.1, 0.5, 2.4, 0.3), "It may be chance; known in about 1 day."),
        (Ratio(10, 10, 1.0, 0.5, 2.0, None), "and a difference this small will not be known."),
    ],
)
def test_a_difference_is_said_in_a_sentence(found: Ratio, end: str) -> None:
    assert found.sentence.endswith(end)


def test_one_group_alone_is_one_standard_error() -> None:
    assert excess([500.0] + [0.0] * 63) == pytest.approx(1.0)
    assert excess([0.0] * 64) == 0.0
    assert excess([1.0] * 64) == float("inf")
    assert excess([-1.0] * 64) == 0.0


def test_an_assessment_that_holds_nothing_counts_as_a_payment_alone() -> None:
    counts, decided = RolloutCounts(), _decided("u", 5, has_candidate=False)
    assert isinstance(decided.assessment, Assessment)

    counts.add("u", decided)

    assert counts == RolloutCounts(payments={group_of("u"): 1})
