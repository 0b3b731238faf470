"""Where people change the ruleset: one proposes, another one approves or rejects, and nobody deploys.

That nobody approves their own change is a condition of the write, so DynamoDB refuses it whatever the code around it believes. The same write asks that the change
is still proposed, and that the ruleset from which it was made is still the active one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from common.errors import StageError
from common.proposals import proposed_whole
from common.ruleset_bucket import kept_ruleset, proposed_document, put_proposal
from common.ruleset_changes import ACTIVE_KEY, HISTORY_MONTHS, is_refused
from contract.items import to_attribute, to_item
from contract.ruleset_change import (
    OPEN,
    PROPOSED_KINDS,
    ChangeState,
    RulesetChange,
    document_digest,
    document_sha256,
    keys_of,
    make_change,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from common.backoff import Backoff
    from common.ruleset_changes import ChangeRows
    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_draft import CheckedDraft, Draft

MAX_ATTEMPTS: Final = 6
"""How often a change is tried again because another writer has changed its row meanwhile."""

_CANCELLED: Final = "TransactionCanceledException"


class DeskRefusal(StrEnum):
    """Why a step was not made."""

    GONE = "gone"
    """There is no such change."""
    OWN_CHANGE = "own_change"
    """Who has proposed a change neither approves nor rejects it."""
    NOT_THE_AUTHOR = "not_the_author"
    """Only its author retracts a change."""
    DECIDED = "decided"
    """Somebody has decided about it already, or it is being deployed."""
    UNSEEN = "unseen"
    """It concerns entries of lists whose values pages mask, and whoever approves it has not had them shown."""
    STALE = "stale"
    """Another ruleset is active than the one from which it was made: it is to be made again from that."""


class ChangeContentionError(StageError):
    """A change that others kept changing; whoever wanted to change it tries again later.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(f"ruleset_changes: changed by others during each of {attempts} attempts")
        self.attempts = attempts


class RulesetDesk:
    """The table `ruleset_changes` and the documents of its rows, by the calls that people make.

    Lists leave out rows that cannot be read. Every other method raises InvalidRowError where a row cannot be read, and each ClientError or BotoCoreError when
    AWS did not answer.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        The table's name in this environment.
    rows : ChangeRows
        Reads the same table.
    s3 : S3Client
        A low-level client.
    bucket : str
        The rules bucket's name in this environment.
    backoff : Backoff
        Waits between attempts.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        rows: ChangeRows,
        s3: S3Client,
        bucket: str,
        backoff: Backoff,
    ) -> None:
        self._client = client
        self._table = table
        self._rows = rows
        self._s3 = s3
        self._bucket = bucket
        self._backoff = backoff

    def active(self) -> ActiveRuleset | None:
        """Say which ruleset is active; None in the first minute of a system."""
        return self._rows.active()

    def active_document(self, active: ActiveRuleset) -> str:
        """Give its document, as it is deployed. Raises MissingDocumentError or ChangedDocumentError where the bucket does not have it."""
        return kept_ruleset(self._s3, self._bucket, active.digest).decode("utf-8-sig")

    def document_after(self, change: RulesetChange) -> str:
        """Give the whole document that a change makes active, of one that was not deployed, too. Raises as :meth:`active_document`."""
        if change.sha256_after is None or change.digest_deployed is not None:
            return kept_ruleset(self._s3, self._bucket, change.deployed_digest).decode("utf-8-sig")
        return proposed_document(self._s3, self._bucket, change.sha256_after).decode("utf-8-sig")

    def document_before(self, change: RulesetChange) -> str | None:
        """Give the document from which a change was made; None where there was none. Raises as :meth:`active_document`."""
        if change.digest_before is None:
            return None
        return kept_ruleset(self._s3, self._bucket, change.digest_before).decode("utf-8-sig")

    def open_changes(self) -> list[RulesetChange]:
        """Changes that wait for somebody or for their deployment, the oldest first, as the index has them: perhaps a second old."""
        return list(self._rows.open_changes())

    def history(self, now: datetime, months: int = HISTORY_MONTHS) -> Iterator[RulesetChange]:
        """All changes of so many months, the newest first, read as they are needed: those of people, of the guardrails, and of whoever deployed past both."""
        return self._rows.history(now, months)

    def before(self, changed_in: str, change_key: str) -> Iterator[RulesetChange]:
        """All changes before a place, the newest first, read as they are needed; see :meth:`common.ruleset_changes.ChangeHistory.before`."""
        return self._rows.before(changed_in, change_key)

    def change(self, change_id: str) -> RulesetChange | None:
        """Give a change as it is now; None where there is none."""
        keys = keys_of(change_id)
        return None if keys is None else self._rows.change(*keys)

    def propose(
        self, draft: Draft, checked: CheckedDraft, author: str, reason: str, now: datetime
    ) -> RulesetChange | DeskRefusal:
        """Propose a change.

        Parameters
        ----------
        draft : Draft
            What the author wants.
        checked : CheckedDraft
            What the checker made of it, without problems.
        author : str
            Who.
        reason : str
            Why; 1 to 4,000 characters.
        now : datetime
            The clock, UTC.

        Returns
        -------
        RulesetChange | DeskRefusal
            As it is stored now; STALE where another ruleset is active than the one from which it was made.

        Raises
        ------
        InvalidProposalError
            Where the draft is not good.
        msgspec.ValidationError
            Where author or reason are empty or too long.
        """
        document = proposed_whole(draft, checked)
        change = make_change(
            changed_at=now,
            digest_after=document_digest(document),
            sha256_after=document_sha256(document),
            kind=draft.kind,
            state=ChangeState.PROPOSED,
            open_in=OPEN,
            changed_by=author,
            reason=reason,
            digest_before=draft.digest_before,
            version_after=checked.version_after,
            candidate_version=checked.candidate_version,
            candidate_share=checked.candidate_share,
            withdrawn_version=checked.withdrawn_version,
            list_entries=draft.list_entries,
            changes_masked=checked.changes_masked,
        )
        put_proposal(self._s3, self._bucket, document)
        item: Any = to_item(change)
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(change_key)",
        }
        for attempt in range(MAX_ATTEMPTS):
            if self._transact({"Put": put}, change):
                return change
            stored = self._rows.change(change.changed_in, change.change_key)
            if stored is not None and stored == change:
                return change
            if self._is_stale(change):
                return DeskRefusal.STALE
            self._backoff.pause(attempt)
        raise ChangeContentionError(MAX_ATTEMPTS)

    def approve(
        self, change_id: str, approver: str, note: str | None, now: datetime
    ) -> RulesetChange | DeskRefusal:
        """Approve somebody else's change; it is deployed within about a minute.

        Parameters
        ----------
        change_id : str
            The change's.
        approver : str
            Who.
        note : str | None
            What this person says to it.
        now : datetime
            The clock, UTC.

        Returns
        -------
        RulesetChange | DeskRefusal
            As it is stored now; or why not: GONE, OWN_CHANGE, DECIDED, UNSEEN, STALE.

        Raises
        ------
        ChangeContentionError
            When others kept changing the row.
        """
        return self._decide(change_id, ChangeState.APPROVED, approver, note, now)

    def reveal(self, change_id: str, person: str) -> RulesetChange | DeskRefusal:
        """Note that somebody has its values shown, before they are: entries of lists are approved by who has seen them.

        Returns
        -------
        RulesetChange | DeskRefusal
            As it is stored now; GONE where it is no such change. Of one that waits no more nothing is noted. Raises as :meth:`approve`.
        """
        for attempt in range(MAX_ATTEMPTS):
            change = self.change(change_id)
            if change is None or change.kind not in PROPOSED_KINDS or change.sha256_after is None:
                return DeskRefusal.GONE
            if change.state is not ChangeState.PROPOSED or person in change.revealed_to:
                return change
            values: dict[str, object] = {":nobody": [], ":person": [person], ":proposed": "proposed"}
            update = {
                "TableName": self._table,
                "Key": _key(change),
                "UpdateExpression": "SET revealed_to = list_append(if_not_exists(revealed_to, :nobody), :person)",
                "ConditionExpression": "#state = :proposed",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {name: to_attribute(value) for name, value in values.items()},
            }
            if not self._transact({"Update": update}, None):
                self._backoff.pause(attempt)
        raise ChangeContentionError(MAX_ATTEMPTS)

    def reject(
        self, change_id: str, person: str, note: str | None, now: datetime
    ) -> RulesetChange | DeskRefusal:
        """Reject somebody else's change; refuses with GONE, OWN_CHANGE or DECIDED. Raises as :meth:`approve`."""
        return self._decide(change_id, ChangeState.REJECTED, person, note, now)

    def retract(
        self, change_id: str, author: str, note: str | None, now: datetime
    ) -> RulesetChange | DeskRefusal:
        """Retract one's own change, until its deployment begins; refuses with GONE, NOT_THE_AUTHOR or DECIDED. Raises as :meth:`approve`."""
        return self._decide(change_id, ChangeState.RETRACTED, author, note, now)

    def _decide(
        self, change_id: str, state: ChangeState, person: str, note: str | None, now: datetime
    ) -> RulesetChange | DeskRefusal:
        for attempt in range(MAX_ATTEMPTS):
            change = self.change(change_id)
            if change is None or change.kind not in PROPOSED_KINDS or change.sha256_after is None:
                return DeskRefusal.GONE
            update = self._decision(change, state, person, note, now)
            # Read first: an answer that was lost, and what no other try could change.
            if (change.state, change.decided_by, change.decided_at) == (state, person, now):
                return change
            if self._transact({"Update": update}, change if state is ChangeState.APPROVED else None):
                stored = self.change(change_id)
                return DeskRefusal.GONE if stored is None else stored
            refusal = self._why(change_id, state, person, now)
            if refusal is not None:
                return refusal
            self._backoff.pause(attempt)
        raise ChangeContentionError(MAX_ATTEMPTS)

    def _decision(
        self, change: RulesetChange, state: ChangeState, person: str, note: str | None, now: datetime
    ) -> dict[str, Any]:
        """Make the write. Its condition is the rule: other people's changes are approved and rejected, one's own are retracted."""
        is_own = state is ChangeState.RETRACTED
        values: dict[str, object] = {
            ":state": state.value,
            ":person": person,
            ":now": now,
            ":proposed": "proposed",
        }
        sets = ["#state = :state", "decided_by = :person", "decided_at = :now"]
        if note:
            sets.append("decision_note = :note")
            values[":note"] = note
        allowed = "#state = :proposed"
        if is_own:
            allowed, values[":approved"] = "#state IN (:proposed, :approved)", "approved"
        if state is ChangeState.APPROVED:
            allowed += " AND (attribute_not_exists(changes_masked) OR contains(revealed_to, :person))"
        removed = "" if state is ChangeState.APPROVED else " REMOVE open_in"
        return {
            "TableName": self._table,
            "Key": _key(change),
            "UpdateExpression": f"SET {', '.join(sets)}{removed}",
            "ConditionExpression": f"{allowed} AND changed_by {'=' if is_own else '<>'} :person",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {name: to_attribute(value) for name, value in values.items()},
        }

    def _transact(self, write: dict[str, Any], made_from: RulesetChange | None) -> bool:
        """Write, and ask in the same transaction that the ruleset from which a change was made is active; False where DynamoDB refused it."""
        writes: Any = [write]
        if made_from is not None:
            writes.append({"ConditionCheck": self._active_check(made_from)})
        try:
            self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if is_refused(error) or _is_cancelled(error):
                return False
            raise
        return True

    def _active_check(self, change: RulesetChange) -> dict[str, Any]:
        check: dict[str, Any] = {"TableName": self._table, "Key": ACTIVE_KEY}
        if change.digest_before is None:
            return check | {"ConditionExpression": "attribute_not_exists(change_key)"}
        return check | {
            "ConditionExpression": "digest = :before",
            "ExpressionAttributeValues": {":before": {"S": change.digest_before}},
        }

    def _why(
        self, change_id: str, state: ChangeState, person: str, now: datetime
    ) -> RulesetChange | DeskRefusal | None:
        """Say why a decision was refused; the change, where this very decision is stored; None where another try may succeed."""
        change = self.change(change_id)
        if change is None:
            return DeskRefusal.GONE
        if (change.state, change.decided_by, change.decided_at) == (state, person, now):
            return change
        if state is ChangeState.RETRACTED:
            if change.changed_by != person:
                return DeskRefusal.NOT_THE_AUTHOR
            is_decided = change.state not in (ChangeState.PROPOSED, ChangeState.APPROVED)
            return DeskRefusal.DECIDED if is_decided else None
        if change.changed_by == person:
            return DeskRefusal.OWN_CHANGE
        if change.state is not ChangeState.PROPOSED:
            return DeskRefusal.DECIDED
        if state is ChangeState.APPROVED and change.changes_masked and person not in change.revealed_to:
            return DeskRefusal.UNSEEN
        if state is ChangeState.APPROVED and self._is_stale(change):
            return DeskRefusal.STALE
        return None

    def _is_stale(self, change: RulesetChange) -> bool:
        active = self._rows.active()
        return change.digest_before != (None if active is None else active.digest)


def _key(change: RulesetChange) -> dict[str, Any]:
    return {"changed_in": {"S": change.changed_in}, "change_key": {"S": change.change_key}}


def _is_cancelled(error: ClientError) -> bool:
    """Whether a transaction was refused by a condition, or because somebody else writes the same row."""
    response: Any = error.response
    if response.get("Error", {}).get("Code") != _CANCELLED:
        return False
    reasons = {reason.get("Code") for reason in response.get("CancellationReasons", [])}
    return bool(reasons) and reasons <= {"None", "ConditionalCheckFailed", "TransactionConflict"}
