"""One recorded week through the four paths of a decision: live, shadow, backtest and replay say the same of each payment.

Two weeks before it are played, too, so that profiles and entities have a past, and compared as well. Live is the score stage, in batches of several partitions. The other paths are given what the rows say of entities, since what other users had done at the
moment of a decision is known to the stage alone. Without that, the backtest counts entities itself, in the order of the records; how many payments it then
decides otherwise is reported.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import yaml

from contract.clock import EPOCH, MILLISECOND
from contract.scored import Position, from_history_item, to_history_item
from contract.side import Side
from engine.decide import decide
from engine.features.model import FRAUD_PROBABILITY
from engine.features.stored import features_of
from engine.profile import Profile
from engine.profile.facts import facts_of_row
from engine.profile.outcome import Outcome
from engine.rules.ruleset import parse_ruleset
from lab.backtest.deciding import Judge, Refusals
from lab.backtest.entities import Entities
from lab.backtest.outcomes import Users
from lab.models import kept_model
from lab.replay import Replay, UserReplay, replay_text
from simulator import SimulationConfig, simulate
from tests.support.default_rules import DEFAULT
from tests.support.kafka_events import TOPIC, make_event
from tests.support.payments import NOW
from tests.unit.score.stage_system import System

if TYPE_CHECKING:
    import pytest

    from contract.scored import FeatureValue, ScoredTransaction
    from contract.truth import SentPayment
    from engine.decided import Assessment, Decided
    from engine.rules.ruleset import Ruleset

PAYMENTS = 2_400
DAYS = 21
PARTITIONS = 3
BATCH = 25
ARRIVAL = timedelta(milliseconds=400)
MODEL = "f18656b13e3888614359f7a97c740aca6308422b4554e281ca1d086eceef4e50"


def _document(share: float) -> str:
    content = yaml.safe_load(DEFAULT)
    champion = {"sha256": MODEL, "points": [[0.05, 10], [0.2, 40]]}
    candidate = {
        "version": "candidate",
        "share": share,
        "thresholds": {"review": 40, "block": 90},
        "rules": content["rules"],
        "model": {"sha256": MODEL, "points": [[0.02, 10], [0.1, 60]]},
    }
    return f"{DEFAULT}\nmodel: {json.dumps(champion)}\ncandidate: {json.dumps(candidate)}\n"


def _ruleset(share: float) -> Ruleset:
    return parse_ruleset(_document(share), "day", kept_model)


class Day(NamedTuple):
    """What was recorded."""

    ruleset: Ruleset
    sent: list[SentPayment]
    """In the order of the records, with the times at which they arrived."""
    rows: list[ScoredTransaction]
    """As they are read back from the table; in the same order."""


@cache
def _day() -> Day:
    config = SimulationConfig(
        seed=18,
        users=50,
        transactions=PAYMENTS,
        ends_at=NOW - timedelta(hours=1),
        span=timedelta(days=DAYS),
        fraud_rate=0.03,
    )
    sent = [
        msgspec.structs.replace(payment, appended_at=_event_time(payment) + ARRIVAL)
        for payment in simulate(config)
    ]
    system, offsets = System(_ruleset(30)), [0] * PARTITIONS
    for begin in range(0, len(sent), BATCH):
        records, arrived = [], []
        for payment in sent[begin : begin + BATCH]:
            partition = sum(str(payment.record["user_id"]).encode()) % PARTITIONS
            records.append(
                (Position(TOPIC, partition, offsets[partition]), msgspec.json.encode(payment.record))
            )
            offsets[partition] += 1
            assert payment.appended_at is not None
            arrived.append((payment.appended_at - EPOCH) // MILLISECOND)
        assert system.handle(make_event(records, appended_at_ms=arrived)) == {"batchItemFailures": []}
    by_id = {row.transaction.transaction_id: row for row in system.history.scored()}
    rows = [by_id[str(payment.record["transaction_id"])] for payment in sent]
    return Day(system.ruleset, sent, [from_history_item(to_history_item(row, 0)) for row in rows])


def _event_time(payment: SentPayment) -> Any:
    return msgspec.convert(payment.record["timestamp"], type=type(NOW))


def _said(assessment: Assessment, probability: FeatureValue) -> tuple[object, ...]:
    return (
        assessment.decision,
        assessment.risk_score,
        assessment.reasons,
        assessment.shadow_rule_ids,
        probability,
    )


def _stored(row: ScoredTransaction) -> tuple[object, ...]:
    return (
        row.decision,
        row.risk_score,
        row.reasons,
        row.shadow_rule_ids,
        features_of(row)[FRAUD_PROBABILITY],
    )


def test_the_day_has_decisions_of_both_sides_and_of_every_kind() -> None:
    rows = _day().rows

    assert {row.side for row in rows} == set(Side)
    assert {row.decision.value for row in rows} == {"approve", "review", "block"}
    assert any(row.other is not None and row.other.decision is not row.decision for row in rows)
    assert any(features_of(row)[FRAUD_PROBABILITY] for row in rows)


def test_shadow_says_of_each_payment_what_live_decided() -> None:
    day, profiles = _day(), dict[str, Profile]()
    in_shadow = _ruleset(0)

    different = []
    for row in sorted(day.rows, key=lambda row: row.position):
        profile, facts = profiles.setdefault(row.transaction.user_id, Profile()), facts_of_row(row)
        decided = decide(facts, profile, in_shadow, row.verdicts, features_of(row))
        said = decided.assessment if row.side is Side.CHAMPION else decided.other
        # Both sides name one model, so the probability of the champion is the candidate's.
        if not row.repeats and _said(
            said or decided.assessment, decided.features[FRAUD_PROBABILITY]
        ) != _stored(row):
            different.append(row.event_key)
        profile.fold_row(facts, Outcome.of(row), row.position)

    assert different == []


def _backtested(day: Day) -> dict[str, Decided]:
    judge = Judge(day.ruleset, None, Users(), Refusals())
    judged = judge.judge_all(day.sent)
    return {each.transaction.transaction_id: each.decided for each in judged}


def _different(day: Day, decided: dict[str, Decided]) -> list[str]:
    return [
        row.event_key
        for row in day.rows
        if row.transaction.transaction_id in decided
        and _said(
            decided[row.transaction.transaction_id].assessment,
            decided[row.transaction.transaction_id].features[FRAUD_PROBABILITY],
        )
        != _stored(row)
    ]


def test_a_backtest_decides_as_live_did(monkeypatch: pytest.MonkeyPatch) -> None:
    day = _day()
    known = iter([features_of(row) for row in day.rows])
    monkeypatch.setattr(Entities, "read", lambda *_: next(known))

    decided = _backtested(day)

    assert len(decided) >= 0.99 * PAYMENTS
    assert _different(day, decided) == []


def test_a_backtest_that_counts_entities_itself_decides_nearly_as_live_did(
    record_testsuite_property: Any,
) -> None:
    day = _day()

    decided = _backtested(day)

    begin = max(row.appended_at for row in day.rows) - timedelta(days=7)
    recorded = day._replace(rows=[row for row in day.rows if row.appended_at > begin])
    share = len(_different(recorded, decided)) / len(recorded.rows)
    record_testsuite_property("share_decided_otherwise_without_stored_entities", share)
    assert share <= 0.01


def test_a_replay_makes_every_decision_again_from_its_row_alone() -> None:
    day = _day()
    replay = Replay(lambda _digest: day.ruleset)

    for row in day.rows:
        replay.take(row)

    assert replay.differing == []
    assert replay.equal + replay.repeats == PAYMENTS
    assert replay_text(replay).startswith(f"{replay.equal:,} decisions made again from their rows: 0 differ.")


def test_a_replay_of_users_computes_their_features_from_the_rows_before() -> None:
    day = _day()
    replay = Replay(lambda _digest: day.ruleset)
    users: dict[str, UserReplay] = {}

    for row in sorted(day.rows, key=lambda row: row.position):
        users.setdefault(row.transaction.user_id, UserReplay(replay)).take(row)

    assert [each.differences for each in replay.differing] == []
    assert replay.equal == PAYMENTS
