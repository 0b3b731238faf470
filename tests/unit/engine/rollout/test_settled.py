"""Accounts that anybody can make switch nothing off; what users with a past show does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.scored import Decision, Position
from contract.side import Side
from engine.decide import decide
from engine.errors import InvalidRulesetError
from engine.features.catalogue import PLACES
from engine.profile import Profile
from engine.rollout.counts import RolloutCounts, total
from engine.rollout.guard import Action, evaluate
from engine.rollout.settled import GROUPS, ONCE_IN, SettledCounts, SettledUsers, group_of, has_past
from engine.rollout.stored import counts_from_bytes, counts_to_bytes
from engine.rules.ruleset import parse_ruleset
from tests.support.payments import make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, RULE, candidate_of, document, ruleset

if TYPE_CHECKING:
    from engine.decided import Decided
    from engine.rules.ruleset import Ruleset

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
LIMITED = ruleset({"max_share": 2})
SHADOW = candidate_of(share=0)


def _decided(
    rules: Ruleset,
    *,
    usual: int = 20,
    age_days: float = 90.0,
    mean: float = 40.0,
    alerts: tuple[Side, ...] = (),
    hits: bool = False,
) -> Decided:
    """A decision about a user with a past, unless a test says otherwise."""
    made = decide(trusted_facts(make_grocery_payment(amount=Decimal(500))), Profile(), rules)
    features = made.features.with_value(PLACES["usual_tx_count"], usual)
    features = features.with_value(PLACES["account_age_days"], age_days)
    features = features.with_value(PLACES["amount_mean_30d_base"], mean)
    sides = {}
    for side in Side:
        is_alert = side in alerts
        sides[side] = msgspec.structs.replace(
            made.assessment,
            decision=Decision.REVIEW if is_alert else Decision.APPROVE,
            reasons=made.assessment.reasons if hits else (),
        )
    other = sides[Side.CANDIDATE] if rules.candidate is not None else None
    return msgspec.structs.replace(
        made, features=features, assessment=sides[Side.CHAMPION], other=other, side=Side.CHAMPION
    )


class Traffic:
    """Payments of one five minutes, counted as a process of `score` counts them."""

    def __init__(self, rules: Ruleset) -> None:
        self.rules = rules
        self.counts = RolloutCounts()
        self.settled = SettledUsers(rules)

    def pay(self, user_id: str, decided: Decided, times: int = 1, at: datetime = AT) -> None:
        for _ in range(times):
            self.counts.add(user_id, decided)
            self.settled.add(self.counts.settled, user_id, decided, at)

    @property
    def finding(self) -> Action:
        return evaluate({5: self.counts}, self.rules).action


def test_a_thousand_new_accounts_that_only_hit_do_not_suspend_a_rule() -> None:
    traffic = Traffic(LIMITED)
    honest, hit = _decided(LIMITED), _decided(LIMITED, usual=0, age_days=0.0, hits=True)

    for number in range(300):
        traffic.pay(f"honest-{number}", honest)
    for number in range(1_000):
        traffic.pay(f"bot-{number}", hit, times=3)

    found = evaluate({5: traffic.counts}, LIMITED)
    assert found.action is Action.KEEP
    assert [each.split(" of the last")[0] for each in found.watched] == [
        f"Rule r of the champion held for {3_000 / 3_300:.2%} of the payments"
    ]


def test_three_percent_of_the_settled_users_suspend_a_rule_whose_largest_share_is_two() -> None:
    traffic = Traffic(LIMITED)
    honest, hit = _decided(LIMITED), _decided(LIMITED, hits=True)

    for number in range(20_000):
        traffic.pay(f"user-{number}", hit if number % 100 < 3 else honest)

    assert traffic.finding is Action.SUSPEND


def test_an_old_account_counts_once_however_often_it_pays() -> None:
    traffic = Traffic(LIMITED)
    honest, hit = _decided(LIMITED), _decided(LIMITED, hits=True)

    for number in range(2_000):
        traffic.pay(f"user-{number}", honest)
    for number in range(40):
        traffic.pay(f"bought-{number}", hit, times=50)

    assert sum(traffic.counts.settled.champion_hits["r"].values()) == 40
    assert sum(traffic.counts.settled.users.values()) == 2_040
    assert traffic.finding is Action.KEEP


def test_a_few_old_accounts_at_night_are_too_few_to_say_anything() -> None:
    traffic = Traffic(LIMITED)

    for number in range(90):
        traffic.pay(f"bought-{number}", _decided(LIMITED, hits=True))

    assert traffic.finding is Action.KEEP


def test_an_attack_by_new_accounts_that_only_the_candidate_sees_keeps_it_and_is_named() -> None:
    traffic = Traffic(SHADOW)
    honest, seen = _decided(SHADOW), _decided(SHADOW, alerts=(Side.CHAMPION, Side.CANDIDATE))
    attack = _decided(SHADOW, usual=2, age_days=1.0, alerts=(Side.CANDIDATE,))

    for number in range(3_000):
        traffic.pay(f"user-{number}", seen if number % 100 == 0 else honest)
    for number in range(800):
        traffic.pay(f"bot-{number}", attack, times=2)

    found = evaluate({5: traffic.counts}, SHADOW)
    assert (found.action, len(found.watched)) == (Action.KEEP, 1)
    assert "allowed is at most 2" in found.watched[0]


def test_a_candidate_that_flags_users_with_a_past_ten_times_too_often_is_withdrawn() -> None:
    traffic = Traffic(SHADOW)
    both, candidates = (Side.CHAMPION, Side.CANDIDATE), (Side.CANDIDATE,)

    for number in range(3_000):
        alerts = both if number % 100 == 0 else candidates if number % 10 == 0 else ()
        traffic.pay(f"user-{number}", _decided(SHADOW, alerts=alerts))

    assert traffic.finding is Action.WITHDRAW


@pytest.mark.parametrize(
    ("usual", "age_days", "mean", "expected"),
    [
        (10, 60.0, 5.0, True),
        (9, 400.0, 40.0, False),
        (900, 59.9, 40.0, False),
        (900, 400.0, 4.99, False),
        (900, 400.0, 0.0, False),
        (0, 0.0, 0.0, False),
    ],
)
def test_a_past_is_two_months_and_ten_payments_of_real_money_that_were_believed(
    usual: int, age_days: float, mean: float, expected: bool
) -> None:
    assert has_past(_decided(LIMITED, usual=usual, age_days=age_days, mean=mean).features) is expected


@pytest.mark.parametrize(
    ("days", "payments", "amount"), [(7, 5, "1.00"), (59, 30, "50.00"), (200, 30, "1.00")]
)
def test_accounts_that_were_farmed_for_a_candidate_withdraw_nothing(
    days: int, payments: int, amount: str
) -> None:
    traffic = Traffic(SHADOW)
    honest, both = _decided(SHADOW), _decided(SHADOW, alerts=(Side.CHAMPION, Side.CANDIDATE))
    for number in range(500):
        traffic.pay(f"user-{number}", both if number % 100 == 0 else honest)
    alert = _decided(SHADOW, alerts=(Side.CANDIDATE,))

    for number in range(160):
        traffic.pay(f"mule-{number}", _farmed(alert, f"mule-{number}", days, payments, amount))

    assert sum(traffic.counts.settled.users.values()) == 500
    assert traffic.finding is Action.KEEP


def _farmed(decided: Decided, user_id: str, days: int, payments: int, amount: str) -> Decided:
    """A decision about a user who made such payments in so many days."""
    profile = Profile()
    for number in range(payments + 1):
        at = AT - timedelta(days=days) * (1 - number / payments)
        payment = make_grocery_payment(
            transaction_id=f"{user_id}-{number}",
            user_id=user_id,
            amount=Decimal(amount),
            timestamp=at,
            currency="USD",
        )
        facts = trusted_facts(payment)
        made = decide(facts, profile, SHADOW)
        profile.fold(facts, made.outcome, Position("t", 0, number))
    return msgspec.structs.replace(decided, features=made.features)


def test_a_user_counts_again_after_five_minutes_and_for_each_thing_once() -> None:
    traffic = Traffic(SHADOW)

    traffic.pay("u", _decided(SHADOW))
    traffic.pay("u", _decided(SHADOW, alerts=(Side.CANDIDATE,)), times=3)
    traffic.pay("u", _decided(SHADOW, alerts=(Side.CHAMPION,)), times=3)
    traffic.pay("u", _decided(SHADOW), at=AT + ONCE_IN)

    group = group_of("u", SHADOW.digest)
    assert traffic.counts.settled == SettledCounts(users={group: 2}, alerts={group: [0, 1, 1]})


def test_groups_depend_on_the_ruleset_so_that_nobody_can_choose_them() -> None:
    ids = [f"u-{number}" for number in range(6_400)]

    of_one = [group_of(each, "0123456789ab") for each in ids]
    of_other = [group_of(each, "ba9876543210") for each in ids]

    assert {*of_one} == {*range(GROUPS)}
    same = sum(one == other for one, other in zip(of_one, of_other, strict=True))
    assert 50 < same < 150


def test_settled_counts_add_up_and_are_kept_in_a_small_row() -> None:
    draw = Random(4)
    traffic, parts = Traffic(LIMITED), [RolloutCounts(), RolloutCounts()]
    settled = SettledUsers(LIMITED)
    for number in range(2_000):
        decided = _decided(LIMITED, hits=draw.random() < 0.2)
        traffic.pay(f"u-{number}", decided)
        parts[number % 2].add(f"u-{number}", decided)
        settled.add(parts[number % 2].settled, f"u-{number}", decided, AT)

    stored = [counts_from_bytes(counts_to_bytes(part)) for part in parts]

    assert total(stored) == total(reversed(stored)) == traffic.counts
    without = msgspec.structs.replace(traffic.counts, settled=SettledCounts())
    assert len(counts_to_bytes(traffic.counts)) - len(counts_to_bytes(without)) < 400


@pytest.mark.parametrize(
    "when",
    [
        "on_denied",
        "on_denied && amount_base >= 0.0",
        "is_weekend || !on_denied",
        "on_denied in [true] && is_weekend",
    ],
)
@pytest.mark.parametrize("entries", ["", "{value: d-1}"])
def test_a_rule_that_asks_for_a_list_has_no_largest_share(when: str, entries: str) -> None:
    head = HEAD + f"lists: {{denied: {{field: device_id, entries: [{entries}]}}}}\n"
    rule = {**RULE, "when": when, "max_share": 2}

    with pytest.raises(InvalidRulesetError, match="the rule asks for the list 'denied'"):
        parse_ruleset(document(f"rules: {msgspec.json.encode([rule]).decode()}", head))
