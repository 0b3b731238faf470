"""A proposed ruleset is tried on all stored payments of the last days, or of some users, beside the one from which it was made."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from common.ruleset_bucket import keep_ruleset, put_proposal
from contract.ruleset_change import document_digest
from contract.scored import Position, to_history_item
from contract.side import Side
from contract.tried import TryAnswer, TryRequest
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from engine.rollout.start import with_candidate
from engine.rules.check import check_ruleset
from engine.rules.model_section import no_models
from replay.kept_rulesets import KeptRulesets
from replay.sample import HistorySample
from replay.trial import Trial
from tests.support.console_rulesets import MemoryBucket
from tests.support.moto_aws import aws
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, document
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.scored import ScoredTransaction

__all__ = ["aws"]

RULE = "rules: [{id: %s, when: amount_base > %s, points: 60, reason: Much.}]"
ACTIVE = document(RULE % ("much", "1.0"))
PROPOSED = document(RULE % ("more", "50.0"), HEAD.replace('"1"', '"2"'))


def row(user: str, amount: int, days: float = 1) -> ScoredTransaction:
    at = NOW - timedelta(days=days)
    payment = make_grocery_payment(
        user_id=user, amount=Decimal(amount), timestamp=at, transaction_id=f"t-{amount}"
    )
    facts, ruleset = trusted_facts(payment), check_ruleset(ACTIVE.encode(), "test")
    decided = decide(facts, Profile(), ruleset)
    return scored_transaction(facts, decided, ruleset, Position("t", 0, 1), at, at, profile_version=1)


class World:
    """A history, and two rulesets."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        make_table(dynamodb, "transaction_history")
        self.s3 = cast("Any", MemoryBucket())
        keep_ruleset(self.s3, "rules", document_digest(ACTIVE.encode()), ACTIVE.encode())
        self.now = NOW
        sample = HistorySample(dynamodb, "transaction_history")
        self.trial = Trial(sample, KeptRulesets(self.s3, "rules", no_models), lambda: self.now)

    def put(self, *rows: ScoredTransaction) -> None:
        for each in rows:
            item: dict[str, Any] = to_history_item(each, 1_900_000_000)
            item["features"] = {"B": each.features}
            self.dynamodb.put_item(TableName="transaction_history", Item=item)

    def ask(self, proposal: str = PROPOSED, **changes: Any) -> TryAnswer:
        fields: dict[str, Any] = {
            "proposal": put_proposal(self.s3, "rules", proposal.encode()),
            "digest_before": document_digest(ACTIVE.encode()),
            "is_candidate": False,
        }
        event = msgspec.to_builtins(TryRequest(**fields | changes))
        return msgspec.convert(self.trial.handle(event), TryAnswer)


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    return World(aws("dynamodb"))


def test_both_rulesets_decide_about_the_payments_of_the_last_days(world: World) -> None:
    world.put(row("ann", 10), row("ann", 100), row("bob", 20), row("bob", 30, days=8))

    found = world.ask()

    assert (found.payments, found.users, found.share_read, found.unreadable) == (3, 2, 1.0, 0)
    assert found.alerts is not None
    assert (found.alerts.before, found.alerts.after) == (3, 1)
    assert (found.alerts.before_cents, found.alerts.after_cents) == (16_250, 12_500)  # of EUR, at 1.25
    assert found.alerts.least < found.alerts.times < 1
    assert [(each.rule_id, each.payments, each.cents) for each in found.lost] == [("much", 2, 3_750)]
    assert found.new == ()


def test_the_candidate_of_a_proposed_document_is_compared(world: World) -> None:
    world.put(row("ann", 10), row("ann", 100))
    both = with_candidate(ACTIVE, PROPOSED, 5)

    found = world.ask(both, is_candidate=True)

    assert found.alerts is not None
    assert (found.alerts.before, found.alerts.after) == (2, 1)


def test_a_change_for_all_users_is_tried_with_the_candidate_that_stays_in_it(world: World) -> None:
    users = [f"user-{number}" for number in range(30)]
    world.put(*(row(user, 10) for user in users))
    candidate = PROPOSED.replace('"2"', '"c"')
    after = with_candidate(ACTIVE.replace("id: much", "id: as_much"), candidate, 50)
    drawn = check_ruleset(after.encode(), "test").candidate
    assert drawn is not None

    found = world.ask(after)

    assert found.alerts is not None
    of_candidate = sum(drawn.draw.side_of(user) is Side.CANDIDATE for user in users)
    assert 5 < of_candidate < 25
    assert (found.alerts.before, found.alerts.after) == (30, 30 - of_candidate)


def test_an_empty_history_and_a_document_without_candidate_say_so(world: World) -> None:
    assert world.ask() == TryAnswer(share_read=1.0, base_currency="USD")
    assert world.ask(is_candidate=True).why_not == "The proposed document has no candidate."
    assert "is not kept any more" in world.ask(digest_before="0" * 12).why_not


def test_a_ruleset_that_is_refused_says_why_without_its_text(world: World) -> None:
    found = world.ask(PROPOSED.replace("amount_base", "amount_bas"))

    assert "amount_bas" in found.why_not
    assert "\n" not in found.why_not


def test_a_row_that_cannot_be_read_is_counted_and_left_out(world: World) -> None:
    broken = msgspec.structs.replace(row("ann", 10), features=b"\x00")
    world.put(broken, row("ann", 100))

    found = world.ask()

    assert (found.payments, found.unreadable) == (1, 1)


def test_it_ends_when_its_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(row("ann", 10))
    monkeypatch.setattr("replay.trial.BUDGET", timedelta(0))

    assert world.ask() == TryAnswer(base_currency="USD")
