"""The tables of the case stage: one transaction writes a payment's marks, its case and the case's links."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from case.fold import UserCases
from case.recount import UserRows
from common.cases import TAKEN, case_put, newest_check, read_case, read_newest, unchanged_check
from common.decision_tables import read_decisions
from contract.case import from_case_item, owner_of, parse_case_id, to_link_item
from contract.flagged import FlaggedTransaction, from_flagged_item, to_flagged_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

    from case.fold import Change
    from case.recount import Recount
    from contract.case import Case
    from contract.case_decision import CaseDecision
    from contract.flagged import FlaggedKey


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    flagged: str
    cases: str
    links: str
    decisions: str


class CaseTables:
    """The tables, by the calls that this stage makes.

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

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row, consistently; None where it was deleted."""
        answer = self._client.get_item(
            TableName=self._tables.flagged, Key=to_flagged_key(key), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else from_flagged_item(item)

    def cases_of(self, flagged: FlaggedTransaction) -> UserCases:
        """Read the newest case of a payment's user, and the case that the payment is in."""
        newest = read_newest(self._client, self._tables.cases, owner_of(flagged.user_id))
        if flagged.case_id is None:
            return UserCases(None, newest)
        if newest is not None and newest.case_id == flagged.case_id:
            return UserCases(newest, newest)
        return UserCases(read_case(self._client, self._tables.cases, parse_case_id(flagged.case_id)), newest)

    def write(self, key: FlaggedKey, change: Change) -> bool:
        """Write a change, all or none.

        Parameters
        ----------
        key : FlaggedKey
            The flagged row's.
        change : Change
            Made from the row and the cases as they were read.

        Returns
        -------
        bool
            False where another worker has changed one of them, or is changing it.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer, after retries, or refuses the request itself.
        """
        # Two workers W1 and W2 with two payments of one user, who has no case:
        #
        #   time   W1                                  W2
        #    |     no case                             no case
        #    |     open case 1, mark P1
        #    |                                         open case 1: refused, it exists
        #    v                                         read again: extend case 1, mark P2
        #
        # Case 1 is closed. W1 opens case 2 for a new payment, W2 opens case 1 again because a label was withdrawn. W1 demands that
        # case 1 has the version that it has read, W2 that there is no case 2. So one of them is refused, whoever is first.
        #
        # A crash after the transaction: the record comes again, and the row's marks say that nothing is left to do.
        # A retry of the client after a lost answer is refused by the transaction's own conditions; the row is then read again.
        table = self._tables.cases
        writes: list[TransactWriteItemTypeDef] = [{"Update": self._marks_update(key, change)}]
        writes += [{"Put": case_put(table, case)} for case in change.cases]
        writes += [
            {"Put": {"TableName": self._tables.links, "Item": to_link_item(name, change.case)}}
            for name in change.links
        ]
        if change.closed is not None:
            writes.append({"ConditionCheck": unchanged_check(table, change.closed)})
        if change.is_reopened:
            writes.append({"ConditionCheck": newest_check(table, change.case)})
        return self._is_written(writes)

    def all_of(self, user_id: str) -> UserRows:
        """Read all cases of a user by number, then all flagged rows and decisions on the cases, consistently."""
        items = self._query(self._tables.cases, "case_owner", owner_of(user_id))
        cases = [*map(from_case_item, items)]
        rows = [*map(from_flagged_item, self._query(self._tables.flagged, "user_id", user_id))]
        return UserRows(cases, rows, {case.case_id: self.decisions(case) for case in cases})

    def decisions(self, case: Case) -> list[CaseDecision]:
        """Read what was decided on a case, consistently, the earliest first. Raises as :func:`common.decision_tables.read_decisions`."""
        return read_decisions(self._client, self._tables.decisions, case)

    def rewrite(self, recount: Recount) -> bool:
        """Write a counted case over the version from which it was made; returns and raises as :meth:`write`."""
        writes: list[TransactWriteItemTypeDef] = [{"Put": case_put(self._tables.cases, recount.after)}]
        if recount.is_reopened:
            writes.append({"ConditionCheck": newest_check(self._tables.cases, recount.after)})
        return self._is_written(writes)

    def link(self, recount: Recount) -> None:
        """Write the links of a counted case; those that exist are written as they are. Raises ClientError, BotoCoreError."""
        for name in recount.links:
            self._client.put_item(TableName=self._tables.links, Item=to_link_item(name, recount.after))

    def _query(self, table: str, key: str, value: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression=f"{key} = :value",
            ExpressionAttributeValues={":value": {"S": value}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _is_written(self, writes: Sequence[TransactWriteItemTypeDef]) -> bool:
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            response: Mapping[str, Any] = error.response
            reasons = {reason["Code"] for reason in response["CancellationReasons"]} - {"None"}
            if reasons <= TAKEN:
                return False
            raise
        return True

    def _marks_update(self, key: FlaggedKey, change: Change) -> UpdateTypeDef:
        conditions = ["attribute_exists(user_id)"]
        values: dict[str, Any] = {}
        for name, value in change.before._asdict().items():
            if value is None:
                conditions.append(f"attribute_not_exists({name})")
            else:
                conditions.append(f"{name} = :old_{name}")
                values[f":old_{name}"] = {"S": value}
        marks = {name: value for name, value in change.after._asdict().items() if value is not None}
        values |= {f":{name}": {"S": value} for name, value in marks.items()}
        return {
            "TableName": self._tables.flagged,
            "Key": to_flagged_key(key),
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in marks),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": values,
        }
