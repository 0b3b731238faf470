"""A stored decision is made again by the ruleset of its digest; what differs is named, and why it cannot be made again is said."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from common.ruleset_bucket import put_proposal
from common.trial_rows import TrialRows
from contract.replayed import ReplayAnswer
from contract.ruleset_change import document_digest
from contract.scored import Decision, Position, to_history_item
from contract.trial_row import TrialState, asked
from contract.tried import TryAnswer, TryJob, TryRequest
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from engine.rules.check import check_ruleset
from ops.manifests import read_functions
from replay.settings import Settings
from replay.trial import TO_FINISH
from tests.support.model_samples import model_document
from tests.support.moto_aws import aws
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, document
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from contract.scored import ScoredTransaction

__all__ = ["aws"]

TEXT = document(
    "rules: [{id: much, when: amount_base > 1.0, points: 60, reason: 'Paid {amount_base:.2f}.'},"
    " {id: try, when: amount_base > 1.0, points: 5, reason: Tried., mode: shadow}]"
)
RULES = check_ruleset(TEXT.encode(), "test")
CONTEXT = SimpleNamespace(
    function_name="replay",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="id",
    get_remaining_time_in_millis=lambda: 60_000,
)


class World:
    """The function with its table and bucket."""

    def __init__(self, module: ModuleType, dynamodb: Any, s3: Any) -> None:
        self._module = module
        self._dynamodb = dynamodb
        self._s3 = s3

    def keep(self, key: str, data: bytes) -> None:
        self._s3.put_object(Bucket="rules", Key=key, Body=data)

    def put(self, row: ScoredTransaction) -> None:
        item: dict[str, Any] = to_history_item(row, 1_900_000_000)
        item["features"] = {"B": row.features}  # boto3 encodes it
        self._dynamodb.put_item(TableName="transaction_history", Item=item)

    def invoke(self, job: TryJob) -> Any:
        return self._module.handler(msgspec.to_builtins(job), CONTEXT)

    def ask(self, row: ScoredTransaction) -> ReplayAnswer:
        event = {"user_id": row.transaction.user_id, "event_key": row.event_key}
        answer = msgspec.json.encode(self._module.handler(event, CONTEXT))
        return msgspec.json.decode(answer, type=ReplayAnswer)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: Callable[[str], Any]) -> World:
    """The module at its cold start; the bucket has the ruleset."""
    aws("s3").create_bucket(Bucket="rules")
    make_table(aws("dynamodb"), "transaction_history")
    monkeypatch.setenv("RULES_BUCKET", "rules")
    for table in ("transaction_history", "flagged_transactions", "entity_risk", "rollout_counts"):
        monkeypatch.setenv(f"{table.upper()}_TABLE", table)
    monkeypatch.setenv("TRIAL_MAX_PAYMENTS", "1000")
    monkeypatch.setenv("TRIAL_SECONDS", "60")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "replay")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    module = importlib.reload(importlib.import_module("replay.handler"))
    world = World(module, aws("dynamodb"), aws("s3"))
    world.keep(f"rulesets/{RULES.digest}", TEXT.encode())
    return world


def _row(**changes: Any) -> ScoredTransaction:
    facts = trusted_facts(make_grocery_payment())
    decided = decide(facts, Profile(), RULES)
    row = scored_transaction(facts, decided, RULES, Position("t", 0, 1), NOW, NOW, profile_version=0)
    return msgspec.structs.replace(row, **changes)


def test_a_row_that_nobody_changed_is_decided_the_same(world: World) -> None:
    row = _row()
    world.put(row)

    made = world.ask(row).decision

    assert made is not None
    assert (made.decision, made.risk_score, made.differences) == (Decision.REVIEW, 60, ())
    assert (made.reasons, made.shadow_rule_ids) == (row.reasons, ("try",))
    assert (made.ruleset, made.model) == (RULES.stored_version, "")


def test_each_difference_is_named_with_both_values(world: World) -> None:
    row = _row(risk_score=10, reasons=())
    world.put(row)

    made = world.ask(row).decision

    assert made is not None
    score, reasons = made.differences
    assert (score.name, score.stored, score.computed) == ("risk_score", "10", "60")
    assert (reasons.name, reasons.stored) == ("reasons", "nothing")
    assert "much" in reasons.computed


def test_the_model_is_read_by_the_digest_that_the_ruleset_names(world: World) -> None:
    data = model_document()
    sha256 = json.loads(data)["sha256"]
    text = document(head=f"{HEAD}model: {{sha256: {sha256}, points: [[0.0, 7]]}}\n")
    world.keep(f"models/{sha256}", data)
    rules = check_ruleset(text.encode(), "test", {sha256: data}.get)
    world.keep(f"rulesets/{rules.digest}", text.encode())
    row = _row(ruleset_version=rules.stored_version)
    world.put(row)

    made = world.ask(row).decision

    assert made is not None
    assert (made.model, made.risk_score) == (sha256, 7)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ruleset_version": "1+0123456789ab"}, "Ruleset 0123456789ab is not kept any more."),
        ({"repeats": 5}, "The payment repeats another one"),
        ({"feature_set": "later"}, "Its features cannot be read by this version: feature set later"),
    ],
)
def test_why_a_decision_cannot_be_made_again_is_said(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    row = _row(**changes)
    world.put(row)

    answer = world.ask(row)

    assert answer.decision is None
    assert answer.why_not.startswith(sentence)


def test_a_row_that_is_gone_is_said_to_be(world: World) -> None:
    assert world.ask(_row()).why_not == "The payment's row is not kept any more."


def test_a_document_that_is_refused_is_named_without_its_text(world: World) -> None:
    data = b"lists: {denied_devices: [secret-device, 7]}\n"
    digest = document_digest(data)
    world.keep(f"rulesets/{digest}", data)
    row = _row(ruleset_version=f"1+{digest}")
    world.put(row)

    why_not = world.ask(row).why_not

    assert why_not.startswith(f"Ruleset {digest} is refused by this version: ")
    assert "secret" not in why_not


def test_a_document_that_is_not_the_one_of_its_digest_decides_nothing(world: World) -> None:
    world.keep(f"rulesets/{RULES.digest}", document().encode())
    row = _row()
    world.put(row)

    answer = world.ask(row)

    assert answer == ReplayAnswer(why_not=f"What is kept as ruleset {RULES.digest} is another document.")


def test_a_request_with_a_job_is_a_trial(world: World, aws: Callable[[str], Any]) -> None:
    make_table(aws("dynamodb"), "rollout_counts")
    make_table(aws("dynamodb"), "entity_risk")
    rows = TrialRows(aws("dynamodb"), "rollout_counts")
    request = TryRequest(
        proposal=put_proposal(aws("s3"), "rules", TEXT.encode()),
        digest_before=RULES.digest,
        is_candidate=False,
    )
    rows.replace(asked(request, "job-1", datetime.now(UTC)), None)

    answer = world.invoke(TryJob(job_id="job-1", request=request))

    assert answer is None
    row = rows.row(request.trial_id)
    assert row is not None
    assert row.state is TrialState.DONE
    assert row.found == TryAnswer(share_read=1.0, base_currency="USD")


def test_settings_are_the_variables_of_the_function() -> None:
    spec = read_functions()["replay"]
    fields = {field.name.upper() for field in msgspec.structs.fields(Settings)}

    assert fields == {name for name in spec.environment if not name.startswith("POWERTOOLS_")}
    assert int(str(spec.environment["TRIAL_SECONDS"])) + TO_FINISH.seconds < spec.timeout_seconds


def test_the_function_holds_the_engine_and_no_other_stage() -> None:
    assert set(read_functions()["replay"].packages) == {"contract", "common", "engine", "replay"}
