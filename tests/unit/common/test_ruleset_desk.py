"""A change is approved by another person than its author, once, and only while the ruleset from which it was made is active."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from common.proposals import InvalidProposalError
from common.ruleset_bucket import ChangedDocumentError, MissingDocumentError, keep_ruleset
from common.ruleset_desk import ChangeContentionError, DeskRefusal
from contract.items import to_item
from contract.ruleset_change import (
    GUARDRAILS,
    ChangeKind,
    ChangeState,
    ListEntry,
    RulesetChange,
    document_digest,
    document_sha256,
    make_change,
)
from contract.ruleset_draft import CheckedDraft, Draft, DraftProblem
from tests.support.moto_aws import aws
from tests.support.ruleset_world import BUCKET, FIRST, NOW, SECOND, RulesetWorld

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def world(aws: Callable[[str], Any]) -> RulesetWorld:
    made = RulesetWorld(aws("dynamodb"), aws("s3"))
    made.activate(FIRST)
    return made


def _approved(world: RulesetWorld) -> RulesetChange:
    change = world.desk.approve(world.propose().change_id, "bob", None, LATER)
    assert isinstance(change, RulesetChange)
    return change


def test_what_was_proposed_is_stored_with_its_document_and_waits(world: RulesetWorld) -> None:
    entry = ListEntry(list_name="bad_devices", value="d-1", until="2027-01-31", note="case 7")

    change = world.propose(kind=ChangeKind.LISTS, list_entries=(entry,))

    assert change.state is ChangeState.PROPOSED
    assert (change.changed_by, change.reason, change.list_entries) == ("ann", "a better one", (entry,))
    assert change.digest_before == document_digest(FIRST.encode())
    assert (change.digest_after, change.sha256_after) == (
        document_digest(SECOND.encode()),
        document_sha256(SECOND.encode()),
    )
    assert world.desk.change(change.change_id) == change
    assert world.desk.open_changes() == list(world.desk.history(NOW)) == [change]
    assert world.desk.document_after(change) == SECOND
    assert world.desk.document_before(change) == FIRST


def test_another_person_approves_it(world: RulesetWorld) -> None:
    change = world.propose()

    approved = world.desk.approve(change.change_id, "bob", "looks right", LATER)

    assert isinstance(approved, RulesetChange)
    assert approved == msgspec.structs.replace(
        change, state=ChangeState.APPROVED, decided_by="bob", decided_at=LATER, decision_note="looks right"
    )
    assert world.desk.open_changes() == [approved]


def test_nobody_approves_or_rejects_their_own_change(world: RulesetWorld) -> None:
    change = world.propose("ann")

    answers = [
        world.desk.approve(change.change_id, "ann", None, LATER),
        world.desk.reject(change.change_id, "ann", None, LATER),
    ]

    assert answers == [DeskRefusal.OWN_CHANGE] * 2
    assert world.desk.change(change.change_id) == change


def test_it_is_dynamodb_that_refuses_the_author(world: RulesetWorld) -> None:
    """The very request that approves for another person is refused when it names the author, whoever sends it."""
    change = world.propose("ann")
    sent: list[Any] = []
    world.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems", lambda params, **_: sent.append(params), "seen"
    )
    world.desk.approve(change.change_id, "ann", None, LATER)
    world.dynamodb.meta.events.unregister(
        "provide-client-params.dynamodb.TransactWriteItems", unique_id="seen"
    )

    with pytest.raises(ClientError) as refused:
        world.dynamodb.transact_write_items(**sent[0])

    reasons: Any = refused.value.response
    assert [each["Code"] for each in reasons["CancellationReasons"]] == ["ConditionalCheckFailed", "None"]
    values = sent[0]["TransactItems"][0]["Update"]["ExpressionAttributeValues"]
    values[":person"] = {"S": "bob"}
    world.dynamodb.transact_write_items(**sent[0])


@pytest.mark.parametrize("made_from", [SECOND, None])
def test_a_change_from_another_ruleset_than_the_active_one_is_not_proposed(
    world: RulesetWorld, made_from: str | None
) -> None:
    answer = world.try_to_propose("ann", document="version: '3'\n", made_from=made_from)

    assert answer is DeskRefusal.STALE
    assert world.desk.open_changes() == []


def test_a_change_whose_ruleset_is_not_active_any_more_is_not_approved_but_can_be_rejected(
    world: RulesetWorld,
) -> None:
    change = world.propose()
    world.activate("version: '9'\n", deployment=2)

    approved = world.desk.approve(change.change_id, "bob", None, LATER)
    rejected = world.desk.reject(change.change_id, "bob", "made from an old one", LATER)

    assert approved is DeskRefusal.STALE
    assert isinstance(rejected, RulesetChange)
    assert (rejected.state, rejected.open_in) == (ChangeState.REJECTED, None)
    assert world.desk.open_changes() == []


def test_the_first_ruleset_of_all_is_made_from_none(aws: Callable[[str], Any]) -> None:
    world = RulesetWorld(aws("dynamodb"), aws("s3"))

    change = world.propose(made_from=None)
    approved = world.desk.approve(change.change_id, "bob", None, LATER)

    assert world.desk.active() is None
    assert world.desk.document_before(change) is None
    assert isinstance(approved, RulesetChange)


def test_a_change_is_decided_once(world: RulesetWorld) -> None:
    change = world.propose()
    world.desk.reject(change.change_id, "bob", None, LATER)

    answers = [
        world.desk.approve(change.change_id, "carol", None, LATER),
        world.desk.reject(change.change_id, "carol", None, LATER),
        world.desk.retract(change.change_id, "ann", None, LATER),
    ]

    assert answers == [DeskRefusal.DECIDED] * 3


@pytest.mark.parametrize("is_approved", [False, True])
def test_its_author_retracts_a_change_until_its_deployment_begins(
    world: RulesetWorld, is_approved: bool
) -> None:
    change = world.propose()
    if is_approved:
        world.desk.approve(change.change_id, "bob", None, LATER)

    answers = [world.desk.retract(change.change_id, who, "a mistake", LATER) for who in ("bob", "ann")]

    assert answers[0] is DeskRefusal.NOT_THE_AUTHOR
    assert isinstance(answers[1], RulesetChange)
    assert (answers[1].state, answers[1].decided_by) == (ChangeState.RETRACTED, "ann")
    assert world.desk.open_changes() == []


def test_a_decision_whose_answer_was_lost_is_found_again(world: RulesetWorld) -> None:
    change = world.propose()
    first = world.desk.approve(change.change_id, "bob", None, LATER)

    again = world.desk.approve(change.change_id, "bob", None, LATER)

    assert again == first


def test_what_guardrails_did_is_in_the_history_and_nobody_decides_about_it(world: RulesetWorld) -> None:
    withdrawn = make_change(
        changed_at=NOW - timedelta(days=40),
        digest_after=document_digest(FIRST.encode()),
        kind=ChangeKind.WITHDRAWN,
        changed_by=GUARDRAILS,
        reason="too many alerts",
        version_after="1",
    )
    world.rows.put(withdrawn)
    change = world.propose()

    answer = world.desk.approve(withdrawn.change_id, "bob", None, LATER)

    assert answer is DeskRefusal.GONE
    assert list(world.desk.history(NOW)) == [change, withdrawn]
    assert list(world.desk.history(NOW, months=1)) == [change]
    assert world.desk.document_after(withdrawn) == FIRST
    assert not withdrawn.is_open


@pytest.mark.parametrize(
    "change_id", ["", "none", "20261201T093000000000Z-xyz", "20261201T093000000000Z-0123456789ab"]
)
def test_an_id_that_names_no_change_is_gone(world: RulesetWorld, change_id: str) -> None:
    assert world.desk.change(change_id) is None
    assert world.desk.approve(change_id, "bob", None, LATER) is DeskRefusal.GONE


def test_two_equal_proposals_at_the_same_time_are_one_only_for_the_same_author(world: RulesetWorld) -> None:
    first = world.propose("ann")

    assert world.propose("ann") == first
    with pytest.raises(ChangeContentionError):
        world.propose("bob")


@pytest.mark.parametrize(
    ("draft", "checked", "problem"),
    [
        ({"kind": ChangeKind.SUSPENDED}, {}, "nobody proposes that something is suspended"),
        ({}, {"problems": (DraftProblem(message="no rules"),)}, "no rules"),
        ({}, {"document": FIRST}, "it changes nothing"),
    ],
)
def test_what_is_no_good_draft_is_not_proposed(
    world: RulesetWorld, draft: Any, checked: Any, problem: str
) -> None:
    wanted = Draft(**{"kind": ChangeKind.TO_ALL, "digest_before": document_digest(FIRST.encode())} | draft)
    answer = CheckedDraft(**{"document": SECOND, "version_after": "2"} | checked)

    with pytest.raises(InvalidProposalError) as error:
        world.desk.propose(wanted, answer, "ann", "why not", NOW)

    assert error.value.problem == problem
    assert "Contents" not in world.s3.list_objects_v2(Bucket=BUCKET, Prefix="proposals/")


def test_a_proposal_without_a_reason_is_refused_before_anything_is_written(world: RulesetWorld) -> None:
    wanted = Draft(kind=ChangeKind.TO_ALL, digest_before=document_digest(FIRST.encode()))

    with pytest.raises(msgspec.ValidationError, match="reason"):
        world.desk.propose(wanted, CheckedDraft(document=SECOND, version_after="2"), "ann", "", NOW)

    assert world.desk.open_changes() == []


def test_a_document_that_was_replaced_after_it_was_proposed_is_not_shown(world: RulesetWorld) -> None:
    change = world.propose()
    world.s3.put_object(Bucket=BUCKET, Key=f"proposals/{change.sha256_after}", Body=b"version: 'evil'")

    with pytest.raises(ChangedDocumentError, match=f"proposals/{change.sha256_after}"):
        world.desk.document_after(change)


def test_an_active_document_that_is_not_kept_or_is_another_one_is_an_error(world: RulesetWorld) -> None:
    active = world.desk.active()
    assert active is not None
    assert world.desk.active_document(active) == FIRST
    keep_ruleset(world.s3, BUCKET, active.digest, b"another")

    with pytest.raises(ChangedDocumentError, match=f"rulesets/{active.digest}"):
        world.desk.active_document(active)
    with pytest.raises(MissingDocumentError, match="rulesets/0123456789ab"):
        world.desk.active_document(msgspec.structs.replace(active, digest="0123456789ab"))


def test_who_saw_less_of_appconfig_does_not_write_over_who_saw_more(world: RulesetWorld) -> None:
    newer = world.activate(SECOND, deployment=2)
    undone = msgspec.structs.replace(newer, digest=document_digest(FIRST.encode()), deployment=1, position=5)

    world.activate(FIRST, deployment=1)
    after_older = world.desk.active()
    world.rows.put_active(undone)

    assert (after_older, world.desk.active()) == (newer, undone)


def test_two_people_who_decide_at_once_decide_once(world: RulesetWorld) -> None:
    change = world.propose()
    real = world.desk.change
    stale = iter([change])
    world.desk.change = lambda change_id: next(stale, None) or real(change_id)  # type: ignore[method-assign]
    world.dynamodb.update_item(
        TableName=world.table,
        Key={name: to_item(change)[name] for name in ("changed_in", "change_key")},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": "rejected"}},
    )

    assert world.desk.approve(change.change_id, "bob", None, LATER) is DeskRefusal.DECIDED


def test_another_refusal_of_dynamodb_is_an_error(world: RulesetWorld) -> None:
    change = world.propose()
    world.dynamodb.delete_table(TableName=world.table)

    with pytest.raises(ClientError, match="ResourceNotFound"):
        world.desk.approve(change.change_id, "bob", None, LATER)


def test_what_allows_somebody_masked_is_approved_by_who_has_seen_it(world: RulesetWorld) -> None:
    change = world.propose(changes_masked=True)
    unseen = world.desk.approve(change.change_id, "bob", None, LATER)
    world.desk.reveal(change.change_id, "eve")
    seen_by_another = world.desk.approve(change.change_id, "bob", None, LATER)

    shown = world.desk.reveal(change.change_id, "bob")
    again = world.desk.reveal(change.change_id, "bob")
    approved = world.desk.approve(change.change_id, "bob", None, LATER)

    assert unseen is seen_by_another is DeskRefusal.UNSEEN
    assert isinstance(shown, RulesetChange)
    assert shown == again
    assert shown.revealed_to == ("eve", "bob")
    assert isinstance(approved, RulesetChange)
    assert approved.state is ChangeState.APPROVED


def test_what_nobody_sees_is_rejected_all_the_same(world: RulesetWorld) -> None:
    change = world.propose(changes_masked=True)

    rejected = world.desk.reject(change.change_id, "bob", None, LATER)

    assert isinstance(rejected, RulesetChange)


def test_values_of_a_change_that_is_not_there_are_not_shown(world: RulesetWorld) -> None:
    assert world.desk.reveal("20261201T093000000000Z-0123456789ab", "bob") is DeskRefusal.GONE


def test_a_row_is_read_by_the_id_of_its_change(world: RulesetWorld) -> None:
    change = world.propose()

    assert world.rows.made(change.change_id) == change
    assert world.rows.made("20261201T093000000000Z-0123456789ab") is None
    assert world.rows.made("thresholds") is None
