"""A bad candidate is withdrawn, a rule that holds too often is suspended, and a good candidate stays."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from contract.side import Side
from engine.rollout.counts import RolloutCounts, total
from engine.rollout.guard import MIN_SETTLED_USERS, Action, evaluate, percentile_us, windows_of
from engine.rules.ruleset import parse_ruleset
from tests.support.planted import (
    TURNED,
    TURNED_SHA256,
    condition_that_throws,
    flags_a_third,
    model_with_its_sign_turned,
    points_ten_times_too_high,
    with_the_default_model,
)
from tests.support.rollouts import counted, first_finding, rollout, settled_as
from tests.support.rule_samples import HEAD, RULE, candidate_of, document, ruleset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.ruleset import Ruleset


@pytest.mark.parametrize(
    ("change", "minutes", "word"),
    [
        (flags_a_third, 3, "times as many"),
        (model_with_its_sign_turned, 3, "times as many"),
        (condition_that_throws, 3, "Rules of the candidate failed for"),
        (points_ten_times_too_high, 100, "times as many"),
    ],
)
@pytest.mark.parametrize("share", [0, 10])
def test_a_planted_candidate_is_withdrawn_within_so_many_minutes_of_a_hundred_payments(
    change: Any, minutes: int, word: str, share: float
) -> None:
    rules = rollout(change, share, {TURNED_SHA256: TURNED})

    after, finding = first_finding(rules, counted(rules, seed=11, payments=max(2_500, minutes * 100)))

    assert finding.action is Action.WITHDRAW
    assert after <= minutes
    assert word in finding.sentence


@pytest.mark.parametrize("seed", range(20))
def test_a_good_candidate_is_not_withdrawn(seed: int) -> None:
    rules = rollout(with_the_default_model)
    minutes = list(counted(rules, seed, payments=1_500))

    after, finding = first_finding(rules, iter(minutes))

    assert (finding.action, after) == (Action.KEEP, 15)
    whole = total(minutes)
    assert sum(map(sum, whole.alerts.values())) > 0
    assert sum(whole.settled.users.values()) >= MIN_SETTLED_USERS


def _minutes(
    seed: int, count: int, candidate_share: float, champion_share: float = 0.01
) -> Iterator[RolloutCounts]:
    """Minutes of 500 payments by users of whom some are attacked: each attack is ten flagged payments of one user."""
    draw = Random(seed)
    for _ in range(count):
        minute = RolloutCounts(payments=dict.fromkeys(range(64), 8))
        for _ in range(500):
            is_champions = draw.random() < champion_share / 10
            is_candidates = draw.random() < candidate_share / 10
            if is_champions or is_candidates:
                place = 0 if is_champions and is_candidates else 1 if is_champions else 2
                minute.alerts.setdefault(draw.randrange(64), [0, 0, 0])[place] += 10
        yield settled_as(minute)


SHADOW = candidate_of(share=0)


@pytest.mark.parametrize("seed", range(20))
def test_a_candidate_of_twice_as_many_alerts_is_kept_for_ten_hours_however_often_it_is_asked(
    seed: int,
) -> None:
    minutes = list(_minutes(seed, 600, candidate_share=0.02))

    found = [evaluate(windows_of(minutes[:length]), SHADOW).action for length in range(5, 601, 35)]

    assert set(found) == {Action.KEEP}


@pytest.mark.parametrize("seed", range(5))
def test_what_goes_wrong_after_a_good_day_is_found_within_the_hour(seed: int) -> None:
    good, bad = list(_minutes(seed, 1_500, 0.01)), list(_minutes(seed + 100, 60, 0.1))

    assert evaluate(windows_of(good), SHADOW).action is Action.KEEP
    assert evaluate(windows_of(good + bad), SHADOW).action is Action.WITHDRAW


@pytest.mark.parametrize("seed", range(5))
def test_a_candidate_that_catches_nothing_is_withdrawn(seed: int) -> None:
    finding = evaluate(windows_of(list(_minutes(seed, 240, candidate_share=0))), SHADOW)

    assert finding.action is Action.WITHDRAW
    assert finding.sentence.endswith("allowed is at least 0.5.")


def test_one_user_withdraws_nothing_however_many_payments_it_makes() -> None:
    minutes = [
        settled_as(RolloutCounts(payments={7: 500, 8: 500}, alerts={7: [0, 0, 500]})) for _ in range(60)
    ]

    assert evaluate(windows_of(minutes), SHADOW).action is Action.KEEP


def test_nothing_counted_is_nothing_wrong() -> None:
    for minutes in ([], [RolloutCounts()] * 3):
        finding = evaluate(windows_of(minutes), SHADOW)

        assert (finding.action, finding.sentence) == (Action.KEEP, "Nothing has left its band.")


def _hits(share: float, rule_id: str = "r") -> dict[str, dict[int, int]]:
    return {rule_id: {group: round(share * 100) for group in range(64)}}


@pytest.mark.parametrize(("mode", "found"), [("live", True), ("shadow", False), ("suspended", False)])
def test_a_live_rule_that_holds_for_more_than_its_share_is_suspended(mode: str, found: bool) -> None:
    payments = dict.fromkeys(range(64), 100)
    counts = settled_as(RolloutCounts(payments=payments, champion_hits=_hits(0.3)))

    finding = evaluate(windows_of([counts]), ruleset({"max_share": 2, "mode": mode}))

    assert [(each.side, each.rule_id) for each in finding.suspensions] == (
        [(Side.CHAMPION, "r")] if found else []
    )
    if found:
        assert finding.action is Action.SUSPEND
        assert finding.sentence == (
            "Rule r of the champion held for 30.00% of the users with a past of the last minute; its largest share is 2%."
        )


def test_a_rule_within_its_share_or_without_one_is_kept() -> None:
    counts = settled_as(RolloutCounts(payments=dict.fromkeys(range(64), 100), champion_hits=_hits(0.3)))

    assert evaluate(windows_of([counts]), ruleset({"max_share": 31})).action is Action.KEEP
    assert evaluate(windows_of([counts]), ruleset({})).action is Action.KEEP


def test_a_rule_of_the_candidate_is_suspended_there() -> None:
    counts = settled_as(RolloutCounts(payments=dict.fromkeys(range(64), 100), candidate_hits=_hits(0.3)))

    finding = evaluate(windows_of([counts]), candidate_of({"max_share": 2}, share=10))

    assert [(each.side, each.rule_id) for each in finding.suspensions] == [(Side.CANDIDATE, "r")]


def test_rules_of_a_candidate_that_is_withdrawn_are_not_suspended_but_the_champions_are() -> None:
    champion = json.dumps([{**RULE, "max_share": 2}])
    candidate = {"version": "2", "share": 10, "thresholds": {"review": 1, "block": 2}, "rules": [{**RULE, "max_share": 2}]}  # fmt: skip
    rules: Ruleset = parse_ruleset(
        document(f"rules: {champion}", f"{HEAD}candidate: {json.dumps(candidate)}\n")
    )
    hits = _hits(0.3)
    alerts = {group: [0, 0, 30 + group % 3] for group in range(64)}
    counts = settled_as(
        RolloutCounts(dict.fromkeys(range(64), 100), alerts, champion_hits=hits, candidate_hits=hits)
    )

    finding = evaluate(windows_of([counts]), rules)

    assert finding.action is Action.WITHDRAW
    assert [(each.side, each.rule_id) for each in finding.suspensions] == [(Side.CHAMPION, "r")]


@pytest.mark.parametrize(("slow_us", "action"), [(250.0, Action.KEEP), (1_000.0, Action.WITHDRAW)])
def test_a_slow_candidate_is_withdrawn(slow_us: float, action: Action) -> None:
    counts = RolloutCounts(payments=dict.fromkeys(range(64), 100))
    for number in range(2_000):
        counts.add_time(Side.CHAMPION, 100.0)
        counts.add_time(Side.CANDIDATE, slow_us if number % 10 == 0 else 120.0)

    finding = evaluate(windows_of([counts]), SHADOW)

    assert finding.action is action
    if action is Action.WITHDRAW:
        assert "took up to 1,024 µs, the champion's 108 µs; allowed are 200 µs more." in finding.sentence


def test_a_percentile_of_no_times_is_an_error() -> None:
    assert percentile_us({0: 99, 80: 1}, 0.99) == pytest.approx(1.09, abs=0.01)
    with pytest.raises(ValueError, match="times is empty"):
        percentile_us({}, 0.5)
