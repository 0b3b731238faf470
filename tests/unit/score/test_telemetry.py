"""What the score stage counts, measures and logs."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger

from common.errors import CacheUnavailableError
from common.metrics import COUNT, MILLISECONDS
from contract.canary import RESERVED, canary_payment
from contract.scored import Decision, Position, ScoredTransaction
from engine.errors import InvalidRulesetError, RulesetProblem
from engine.profile import Profile
from engine.rules.ruleset import parse_ruleset
from score.delivery import Batch, Delivery, Rejected
from score.errors import RulesetUnreachableError
from score.history_store import UnreadableRow
from score.metrics import Metric
from score.telemetry import EmfTelemetry
from score.user_chain import SettledChain
from tests.support.kafka_events import TOPIC
from tests.support.payments import NOW, make_scored, make_transaction, trusted_facts
from tests.support.rule_samples import document

if TYPE_CHECKING:
    from collections.abc import Callable


class Sink:
    """Keeps what is emitted, by metric."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.units: dict[str, Any] = {}

    def add_metric(self, name: str, unit: Any, value: float) -> None:
        assert name not in self.values, "emitted twice"
        self.values[name] = value
        self.units[name] = unit


class Reporter:
    """A telemetry with what it emits and logs."""

    def __init__(self, name: str) -> None:
        self.sink = Sink()
        self._log = io.StringIO()
        # A name of its own: loggers are shared, and keep their streams.
        logger = Logger(service=f"telemetry-{name}", stream=self._log)
        self.telemetry = EmfTelemetry(self.sink, logger, lambda: NOW)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]


@pytest.fixture
def reporter(request: pytest.FixtureRequest) -> Reporter:
    return Reporter(request.node.name)


def delivery(offset: int, *, is_key_mismatch: bool = False) -> Delivery:
    facts = trusted_facts(make_transaction(transaction_id=f"t-{offset}"))
    return Delivery(facts, Position(TOPIC, 0, offset), 0, is_key_mismatch)


def rejected(offset: int, problem: str = "missing") -> Rejected:
    return Rejected(Position(TOPIC, 3, offset), 0, "user_id", problem, None, b"secret")


def row(decision: Decision, seconds_ago: float, failed_rules: int = 0, repeats: int = 0) -> ScoredTransaction:
    return make_scored(
        repeats=repeats,
        decision=decision,
        appended_at=NOW - timedelta(seconds=seconds_ago),
        failed_rule_ids=tuple(f"rule-{number}" for number in range(failed_rules)),
    )


def test_batch_is_counted_by_kinds_of_records(reporter: Reporter) -> None:
    deliveries = [delivery(0), delivery(1, is_key_mismatch=True), delivery(2, is_key_mismatch=True)]

    reporter.telemetry.batch_read(Batch(deliveries, [rejected(5)], []))

    assert reporter.sink.values == {
        Metric.RECORDS_RECEIVED: 4,
        Metric.KEY_MISMATCHES: 2,
        Metric.RECORDS_QUARANTINED: 1,
    }


def test_rejected_record_is_logged_by_position_field_and_problem_without_its_value(
    reporter: Reporter,
) -> None:
    reporter.telemetry.batch_read(Batch([], [rejected(5)], []))

    [line] = reporter.lines
    assert (line["level"], line["message"]) == ("WARNING", "record quarantined")
    assert (line["position"], line["field"], line["problem"]) == (f"{TOPIC}/3/5", "user_id", "missing")
    assert "secret" not in json.dumps(line)


def test_unreadable_rows_are_counted_and_the_first_ten_logged_by_key_without_their_user(
    reporter: Reporter,
) -> None:
    rows = [
        UnreadableRow(f"2026-03-01T12:00:00.000000Z.mark#t-{number}", "detail", "cannot be read")
        for number in range(12)
    ]

    reporter.telemetry.rows_unreadable(rows)

    assert reporter.sink.values == {Metric.HISTORY_ROWS_UNREADABLE: 12}
    assert [(line["level"], line["event_key"]) for line in reporter.lines] == [
        ("ERROR", each.event_key) for each in rows[:10]
    ]
    assert reporter.lines[0]["attribute"] == "detail"
    assert reporter.lines[0]["problem"] == "cannot be read"


def test_settled_chain_is_counted_by_what_was_not_new(reporter: Reporter) -> None:
    reporter.telemetry.chain_settled(SettledChain(Profile(), [], [], 3, 2, [Position(TOPIC, 0, 7)]))

    assert reporter.sink.values == {
        Metric.TRANSACTIONS_REPEATED: 3,
        Metric.TRANSACTIONS_REDELIVERED: 2,
        Metric.TRANSACTIONS_RACED: 1,
    }


def test_decisions_are_counted_and_the_oldest_record_s_age_is_measured(reporter: Reporter) -> None:
    rows = [
        row(Decision.APPROVE, 1),
        row(Decision.APPROVE, 2.5, failed_rules=2),
        row(Decision.APPROVE, 1),
        row(Decision.REVIEW, 1, failed_rules=1),
        row(Decision.REVIEW, 1),
        row(Decision.BLOCK, 2),
    ]

    reporter.telemetry.batch_done(rows, set(), is_degraded=False)

    assert reporter.sink.values == {
        Metric.TRANSACTIONS_SCORED: 6,
        Metric.TRANSACTIONS_APPROVED: 3,
        Metric.TRANSACTIONS_REVIEWED: 2,
        Metric.TRANSACTIONS_BLOCKED: 1,
        Metric.RULE_FAILURES: 3,
        Metric.OLDEST_RECORD_AGE: 2_500,
    }
    assert reporter.sink.units == dict.fromkeys(reporter.sink.values, COUNT) | {
        Metric.OLDEST_RECORD_AGE: MILLISECONDS
    }
    assert reporter.lines == []


def test_canary_is_not_counted_and_its_age_is_measured(reporter: Reporter) -> None:
    canaries = [
        make_scored(
            canary_payment(user_id, NOW),
            decision=Decision.REVIEW,
            appended_at=NOW - timedelta(seconds=4),
            failed_rule_ids=("rule-1",),
        )
        for user_id in ("canary-1", "canary-flagged-1")
    ]

    reporter.telemetry.batch_done([*canaries, row(Decision.BLOCK, 1)], set(), is_degraded=True)

    assert reporter.sink.values == {
        Metric.TRANSACTIONS_SCORED: 1,
        Metric.TRANSACTIONS_BLOCKED: 1,
        Metric.TRANSACTIONS_DEGRADED: 1,
        Metric.OLDEST_RECORD_AGE: 4_000,
    }


def test_payments_that_are_refused_for_a_reserved_user_have_a_count_of_their_own(reporter: Reporter) -> None:
    reporter.telemetry.batch_read(Batch([], [rejected(5), rejected(6, f"{RESERVED}, whose ...")], []))

    assert reporter.sink.values[Metric.RECORDS_QUARANTINED] == 2
    assert reporter.sink.values[Metric.RESERVED_USERS] == 1


def test_degraded_batch_counts_its_payments_as_degraded(reporter: Reporter) -> None:
    reporter.telemetry.batch_done([row(Decision.BLOCK, 1)] * 2, set(), is_degraded=True)

    assert reporter.sink.values[Metric.TRANSACTIONS_DEGRADED] == 2


def test_failed_records_are_counted_and_the_lowest_position_is_logged(reporter: Reporter) -> None:
    failed = {Position(TOPIC, 1, 4), Position(TOPIC, 0, 9), Position(TOPIC, 0, 10)}

    reporter.telemetry.batch_done([], failed, is_degraded=True)

    assert reporter.sink.values == {Metric.RECORDS_FAILED: 3}
    [line] = reporter.lines
    assert (line["level"], line["message"]) == ("WARNING", "records to be delivered again")
    assert (line["count"], line["lowest_position"]) == (3, f"{TOPIC}/0/9")


def test_nothing_to_count_emits_nothing(reporter: Reporter) -> None:
    reporter.telemetry.batch_read(Batch([], [], []))
    reporter.telemetry.chain_settled(SettledChain(Profile(), [], [], 0, 0, []))
    reporter.telemetry.batch_done([], set(), is_degraded=False)
    reporter.telemetry.profiles_rebuilt(0)
    reporter.telemetry.profiles_lost(0)
    reporter.telemetry.profiles_kept(0, 0)

    assert (reporter.sink.values, reporter.lines) == ({}, [])


def test_profiles_are_counted(reporter: Reporter) -> None:
    reporter.telemetry.profiles_rebuilt(7)
    reporter.telemetry.profiles_lost(3)
    reporter.telemetry.profiles_kept(5, 2)

    assert reporter.sink.values == {
        Metric.PROFILES_REBUILT: 7,
        Metric.PROFILE_CONFLICTS: 3,
        Metric.PROFILE_CHECKPOINTS_WRITTEN: 5,
        Metric.PROFILE_CHECKPOINTS_FAILED: 2,
    }


def test_unavailable_cache_is_counted_and_logged_with_its_cause(reporter: Reporter) -> None:
    reporter.telemetry.cache_unavailable(CacheUnavailableError("TimeoutError"))

    assert reporter.sink.values == {Metric.CACHE_UNAVAILABLE: 1}
    [line] = reporter.lines
    assert (line["level"], line["message"], line["cause"]) == (
        "WARNING",
        "profile cache unavailable",
        "TimeoutError",
    )


def test_unreachable_ruleset_is_counted_and_logged_with_its_cause(reporter: Reporter) -> None:
    reporter.telemetry.ruleset_unreachable(RulesetUnreachableError("appconfig:a/e/p", "timed out"))

    assert reporter.sink.values == {Metric.RULESET_UNREACHABLE: 1}
    [line] = reporter.lines
    assert (line["level"], line["message"], line["cause"]) == (
        "WARNING",
        "ruleset unreachable, the last good one stays active",
        "appconfig:a/e/p: timed out",
    )


def test_the_log_of_a_refused_ruleset_has_every_problem_and_its_place_and_nothing_of_the_document(
    reporter: Reporter,
) -> None:
    entries = "\n    - value: tok_secret\n    - value: tok_secret"
    with pytest.raises(InvalidRulesetError) as refusal:
        parse_ruleset(
            document(f"lists:\n  denied:\n    field: card_id\n    entries:{entries}\nrules: []"), "mine"
        )

    reporter.telemetry.ruleset_refused(refusal.value)

    [logged] = reporter.lines
    assert logged["level"] == "ERROR"
    assert logged["message"] == "ruleset refused, the last good one stays active"
    assert len(logged["problems"]) == 1
    assert logged["problems"][0].startswith("mine:")
    assert logged["problems"][0] == refusal.value.problems[0].without_excerpt
    assert logged["problems"][0].endswith("value appears twice in list 'denied'")
    assert "tok_secret" in str(refusal.value)
    assert "tok_secret" not in json.dumps(logged)
    assert reporter.sink.values == {Metric.RULESET_REFUSED: 1}


@pytest.mark.parametrize(("problems", "logged"), [(10, 10), (11, 10)])
def test_the_log_of_a_refused_ruleset_has_its_first_ten_problems(
    reporter: Reporter, problems: int, logged: int
) -> None:
    found = tuple(RulesetProblem("mine", line, 1, "wrong") for line in range(1, problems + 1))

    reporter.telemetry.ruleset_refused(InvalidRulesetError(found))

    [line] = reporter.lines
    assert line["problems"] == [f"mine:{number}:1: wrong" for number in range(1, logged + 1)]


def test_unreadable_copies_of_labels_are_counted_and_logged_without_their_keys(reporter: Reporter) -> None:
    reporter.telemetry.labels_read(2, is_complete=True)

    assert reporter.sink.values == {Metric.LABEL_COPIES_UNREADABLE: 2}
    [line] = reporter.lines
    assert line["count"] == 2


def test_a_batch_without_all_copies_of_labels_is_counted_and_not_logged(reporter: Reporter) -> None:
    reporter.telemetry.labels_read(0, is_complete=False)

    assert reporter.sink.values == {Metric.LABEL_COPIES_INCOMPLETE: 1}
    assert reporter.lines == []


EVERYTHING: list[Callable[[EmfTelemetry], None]] = [
    lambda telemetry: telemetry.batch_read(
        Batch([delivery(0, is_key_mismatch=True)], [rejected(5, RESERVED)], [])
    ),
    lambda telemetry: telemetry.chain_settled(SettledChain(Profile(), [], [], 1, 1, [Position(TOPIC, 0, 7)])),
    lambda telemetry: telemetry.batch_done(
        [row(decision, 1, failed_rules=1, repeats=1) for decision in Decision],
        {Position(TOPIC, 0, 0)},
        is_degraded=True,
    ),
    lambda telemetry: telemetry.profiles_rebuilt(1),
    lambda telemetry: telemetry.rows_unreadable([UnreadableRow("2026#t-1", "detail", "cannot be read")]),
    lambda telemetry: telemetry.profiles_lost(1),
    lambda telemetry: telemetry.profiles_kept(1, 1),
    lambda telemetry: telemetry.cache_unavailable(CacheUnavailableError("x")),
    lambda telemetry: telemetry.labels_read(1, is_complete=False),
    lambda telemetry: telemetry.ruleset_refused(InvalidRulesetError(())),
    lambda telemetry: telemetry.ruleset_unreachable(RulesetUnreachableError("s", "p")),
    lambda telemetry: telemetry.ruleset_fallback(parse_ruleset(document())),
    lambda telemetry: telemetry.counts_not_written("what", ConnectionError()),
]


def test_every_metric_that_is_listed_is_emitted_in_its_unit(reporter: Reporter) -> None:
    for report in EVERYTHING:
        report(reporter.telemetry)

    assert reporter.sink.units == {metric.value: metric.unit for metric in Metric}


def test_counts_that_cannot_be_written_are_counted_and_logged(reporter: Reporter) -> None:
    reporter.telemetry.counts_not_written("counts cannot be written", ConnectionError("personal"))

    assert reporter.sink.values == {Metric.ROLLOUT_COUNTS_FAILED: 1}
    (line,) = reporter.lines
    assert (line["message"], line["error"]) == ("counts cannot be written", "ConnectionError")


def test_a_batch_decided_by_a_fallback_is_counted_and_names_the_ruleset(reporter: Reporter) -> None:
    ruleset = parse_ruleset(document())

    reporter.telemetry.ruleset_fallback(ruleset)

    assert reporter.sink.values == {Metric.RULESET_FALLBACK: 1}
    (line,) = reporter.lines
    assert line["ruleset"] == ruleset.stored_version
