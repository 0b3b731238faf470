"""What deciding on cases reads and writes: each decision in one transaction with its case and its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.cases import TAKEN, Write, case_put, newest_check, read_case
from contract.case import Judgement, from_case_item
from contract.case_decision import from_decision_item, labels_of, to_decision_item, withdrawals_of
from contract.case_outcome import CaseRow, judgement_of
from contract.flagged import FLAGGED_TABLE, FlaggedKey, to_flagged_key
from contract.items import from_item, to_item
from contract.label_rows import Unfinished, unfinished
from contract.person_day import from_day_item, person_day, to_day_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from contract.case import Case, CaseKey
    from contract.case_decision import CaseDecision
    from contract.label import IdentifiedLabel
    from contract.person_day import PersonDay

EARLIER_PAGE: Final = 10
"""Earlier cases of a user that one request reads."""

_ROW_ATTRIBUTES: Final = ", ".join(CaseRow.__struct_fields__)


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    cases: str
    decisions: str
    flagged: str
    pending_labels: str


class DecisionTables:
    """The tables. Every method raises ClientError and BotoCoreError, and InvalidRowError where a row cannot be read.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    tables : Tables
        Their names.
    """

    def __init__(self, client: DynamoDBClient, tables: Tables) -> None:
        self._client = client
        self._tables = tables

    def case(self, key: CaseKey) -> Case | None:
        """Read a case, consistently."""
        return read_case(self._client, self._tables.cases, key)

    def decisions(self, case: Case) -> list[CaseDecision]:
        """Read what was decided on a case: :func:`read_decisions`."""
        return read_decisions(self._client, self._tables.decisions, case)

    def rows(self, case: Case) -> dict[str, CaseRow]:
        """Read all payments of a case, consistently, by their keys."""
        items = self._query(
            TableName=self._tables.flagged,
            KeyConditionExpression="user_id = :user",
            FilterExpression="case_id = :case",
            ExpressionAttributeValues={":user": {"S": case.user_id}, ":case": {"S": case.case_id}},
            ProjectionExpression=_ROW_ATTRIBUTES,
        )
        rows = (from_item(FLAGGED_TABLE, item, CaseRow) for item in items)
        return {row.event_key: row for row in rows}

    def earlier(self, case: Case) -> Iterator[Case]:
        """Read the user's cases before this one, consistently, the newest first, page by page as they are needed."""
        items = self._query(
            TableName=self._tables.cases,
            KeyConditionExpression="case_owner = :owner AND case_number < :number",
            ExpressionAttributeValues={
                ":owner": {"S": case.case_owner},
                ":number": {"N": str(case.case_number)},
            },
            ScanIndexForward=False,
            Limit=EARLIER_PAGE,
        )
        return map(from_case_item, items)

    def person_day(self, person: str, currency: str | None, now: datetime) -> PersonDay:
        """Read what somebody has released today without a second look, consistently."""
        nothing = person_day(person, currency, now)
        items = self._query(
            TableName=self._tables.decisions,
            KeyConditionExpression="case_id = :person AND decision_id = :day",
            ExpressionAttributeValues={
                ":person": {"S": nothing.case_id},
                ":day": {"S": nothing.decision_id},
            },
        )
        return next(map(from_day_item, items), nothing)

    def add(self, decision: CaseDecision, after: Case, day: PersonDay | None = None) -> bool:
        """Write a new decision with its case and its labels; False where another worker was faster, or has written this decision.

        With ``day``, the next version of what this person has released today, it is written too.
        """
        writes: list[TransactWriteItemTypeDef] = [
            self._decision_put(decision, "attribute_not_exists(case_id)"),
            {"Put": case_put(self._tables.cases, after)},
            *self._waiting(labels_of(decision), decision.decided_at),
        ]
        if day is not None:
            writes.append(self._day_put(day))
        return not self._refused(writes)

    def withdraw(
        self, undone: CaseDecision, before: Case, after: Case, counted: Sequence[CaseRow], now: datetime
    ) -> Write:
        """Write that a decision was undone, with its case and the labels that withdraw its own.

        Parameters
        ----------
        undone : CaseDecision
            With who has undone it, and when.
        before, after : Case
            The case as it was read, and its next version.
        counted : Sequence[CaseRow]
            Undecided payments that ``after`` counts as the decision says; their rows get the mark of it.
        now : datetime
            The clock, UTC.
        """
        is_reopened = before.is_closed and not after.is_closed
        writes: list[TransactWriteItemTypeDef] = [
            self._decision_put(undone, "attribute_exists(case_id) AND attribute_not_exists(undone_at)"),
            {"Put": case_put(self._tables.cases, after)},
            *self._waiting(withdrawals_of(undone), now),
            *(self._mark(row, undone) for row in counted),
        ]
        if is_reopened:
            writes.append({"ConditionCheck": newest_check(self._tables.cases, after)})
        reasons = self._refused(writes)
        if not reasons:
            return Write.WRITTEN
        # Only where nothing else has refused it: else the case is no longer the one that was read.
        is_superseded = (
            is_reopened and {*reasons[:-1]} == {"None"} and reasons[-1] == "ConditionalCheckFailed"
        )
        return Write.SUPERSEDED if is_superseded else Write.CHANGED

    def _refused(self, writes: Sequence[TransactWriteItemTypeDef]) -> list[str]:
        """Write all or nothing; give for each write what has refused it, or an empty list."""
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            response: Mapping[str, Any] = error.response
            reasons = [reason["Code"] for reason in response["CancellationReasons"]]
            if {*reasons} - {"None"} <= TAKEN:
                return reasons
            raise
        return []

    def _decision_put(self, decision: CaseDecision, condition: str) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._tables.decisions,
                "Item": to_decision_item(decision),
                "ConditionExpression": condition,
            }
        }

    def _day_put(self, day: PersonDay) -> TransactWriteItemTypeDef:
        put: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._tables.decisions,
                "Item": to_day_item(day),
                "ConditionExpression": "attribute_not_exists(case_id)",
            }
        }
        if day.version > 1:
            put["Put"]["ConditionExpression"] = "version = :seen"
            put["Put"]["ExpressionAttributeValues"] = {":seen": {"N": str(day.version - 1)}}
        return put

    def _waiting(self, messages: Sequence[IdentifiedLabel], now: datetime) -> list[TransactWriteItemTypeDef]:
        """Rows of labels that wait until the label stage has finished them."""
        table = self._tables.pending_labels
        rows = [to_item(unfinished(message, Unfinished.NOT_SENT, now)) for message in messages]
        return [{"Put": {"TableName": table, "Item": row}} for row in rows]

    def _mark(self, row: CaseRow, decision: CaseDecision) -> TransactWriteItemTypeDef:
        return {
            "Update": {
                "TableName": self._tables.flagged,
                "Key": to_flagged_key(FlaggedKey(row.user_id, row.event_key)),
                "UpdateExpression": "SET case_judgement = :counted",
                "ConditionExpression": "case_id = :case AND case_judgement = :undecided",
                "ExpressionAttributeValues": {
                    ":case": {"S": decision.case_id},
                    ":counted": {"S": judgement_of(decision.ruling).value},
                    ":undecided": {"S": Judgement.UNDECIDED.value},
                },
            }
        }

    def _query(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        return _query(self._client, **request)


def read_decisions(client: DynamoDBClient, table: str, case: Case) -> list[CaseDecision]:
    """Read what was decided on a case, consistently, the earliest first, also what was undone.

    Numbers of cases begin again when all of a user's cases have expired. What was decided before this case opened is of another
    one with the same number, whose decisions DynamoDB has not deleted yet.

    Raises
    ------
    InvalidRowError
        Where a row cannot be read.
    ClientError, BotoCoreError
        When DynamoDB did not answer.
    """
    items = _query(
        client,
        TableName=table,
        KeyConditionExpression="case_id = :case",
        ExpressionAttributeValues={":case": {"S": case.case_id}},
    )
    decisions = (each for each in map(from_decision_item, items) if each.decided_at >= case.opened_at)
    return sorted(decisions, key=lambda decision: (decision.decided_at, decision.decision_id))


def _query(client: DynamoDBClient, **request: Any) -> Iterator[Mapping[str, Any]]:
    call: Any = client.query  # its type names each argument
    while True:
        answer = call(**request, ConsistentRead=True)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
