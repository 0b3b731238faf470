"""Where people decide on cases: a decision, its labels and the step of its case are written together, then the labels are sent.

All of it is one transaction, so no decision is lost or half made. Each label waits in ``pending_labels`` until the label stage has
finished it; one that does not reach the queue now is sent by the function `label_upkeep` within minutes. A form that is sent twice is one
decision, and a label that is sent twice is one label.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.cases import MAX_ATTEMPTS, TAKEN, CaseContentionError, case_put, newest_check, read_case
from common.failures import describe_failure
from common.label_sender import UnsentLabelsError
from contract.case_decision import (
    MAX_DECIDED,
    CaseDecision,
    DecidedPayment,
    from_decision_item,
    labels_of,
    part_id,
    to_decision_item,
    withdrawals_of,
)
from contract.case_outcome import CaseRow, is_in_flight, outcome_of
from contract.case_work import Refusal, close, contest, keep, stay_closed, undo
from contract.flagged import FLAGGED_TABLE
from contract.items import from_item, to_item
from contract.label_message import encode_label_message
from contract.label_rows import Unfinished, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from common.backoff import Backoff
    from common.failures import FailureLog
    from contract.case import Case, CaseKey
    from contract.case_decision import Ruling
    from contract.label import IdentifiedLabel

_IS_SUPERSEDED: Final = ["None", "None", "ConditionalCheckFailed"]
"""What refuses to open a case again that has a newer one after it: decision, case, newer case."""

_ROW_ATTRIBUTES: Final = ", ".join(CaseRow.__struct_fields__)


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    cases: str
    decisions: str
    flagged: str
    pending_labels: str


class CaseVerdicts:
    """The tables, by the calls with which people decide.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    tables : Tables
        Their names.
    send : Callable
        Sends messages of the labels queue (:meth:`common.label_sender.LabelSender.send`).
    second_look_from : Decimal
        From how much money that is called legitimate a second person is to look at a closed case, major units of its base currency.
    backoff : Backoff
        Waits between attempts to change a case.
    log : FailureLog
        Gets a line where labels were not sent.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        send: Callable[[Sequence[bytes]], None],
        second_look_from: Decimal,
        backoff: Backoff,
        log: FailureLog,
    ) -> None:
        self._client = client
        self._tables = tables
        self._send_messages = send
        self._second_look_from = second_look_from
        self._backoff = backoff
        self._log = log

    def decide(
        self,
        key: CaseKey,
        decision_id: str,
        event_keys: Collection[str],
        ruling: Ruling,
        analyst: str,
        now: datetime,
    ) -> Case | Refusal:
        """Decide on payments of a case that this person has. With the last undecided payment the case is closed.

        Parameters
        ----------
        key : CaseKey
            The case's.
        decision_id : str
            Made with the form. After an error the same call is made again, and goes on where it was interrupted.
        event_keys : Collection[str]
            The payments that this person has seen, one or more. A payment that has joined since stays undecided, and the case open.
        ruling : Ruling
            What is said about each.
        analyst : str
            Who decides.
        now : datetime
            The clock, UTC.

        Returns
        -------
        Case | Refusal
            As it is stored now; or why nothing was decided. More than :data:`contract.case_decision.MAX_DECIDED` payments are decided on in
            parts, and a refusal of a later part leaves the earlier ones decided.

        Raises
        ------
        ValueError
            Without payments, or with a ``decision_id`` that :func:`contract.case_decision.part_id` refuses.
        InvalidRowError
            Where a row cannot be read.
        CaseContentionError, ClientError, BotoCoreError
            When others kept changing the case, or DynamoDB did not answer or refused a request, after retries. Whether the decision was
            made is not known then.
        """
        if not event_keys:
            raise ValueError("event_keys: none")
        for number, part in enumerate(_parts(sorted(set(event_keys)), MAX_DECIDED)):
            decide = partial(self._decide_once, key, part_id(decision_id, number), part, ruling, analyst, now)
            found = self._repeat(decide)
            if isinstance(found, Refusal):
                return found
        return found

    def undo(self, key: CaseKey, decision_id: str, analyst: str, now: datetime) -> Case | Refusal:
        """Take a decision back, within :data:`contract.case_work.UNDO`: its labels are withdrawn, and a case that it closed is open again.

        Returns and raises as :meth:`decide`; ``gone`` where there is no such decision.
        """
        made = [decision for decision in self.decisions(key) if decision.form_id == decision_id]
        return self._withdraw(key, made, analyst, now, partial(undo, analyst=analyst, now=now))

    def contest(self, key: CaseKey, analyst: str, reason: str, now: datetime) -> Case | Refusal:
        """Take a closed case over as its second person: the labels of its decisions are withdrawn, and this person has it.

        Returns and raises as :meth:`decide`.
        """

        def step(case: Case, _: CaseDecision) -> Case | Refusal:
            return contest(case, analyst, reason, now)

        made = self.decisions(key)
        remaining = [decision for decision in made if decision.undone_at is None]
        return self._withdraw(key, remaining or made, analyst, now, step)

    def decisions(self, key: CaseKey) -> list[CaseDecision]:
        """Read what was decided on a case, consistently, the earliest first, also what was undone."""
        found = self._query(
            TableName=self._tables.decisions,
            KeyConditionExpression="case_id = :case",
            ExpressionAttributeValues={":case": {"S": key.case_id}},
        )
        decisions = map(from_decision_item, found)
        return sorted(decisions, key=lambda decision: (decision.decided_at, decision.decision_id))

    def _repeat(self, attempt: Callable[[], Case | Refusal | None]) -> Case | Refusal:
        """Try until nobody else was faster."""
        for number in range(MAX_ATTEMPTS):
            found = attempt()
            if found is not None:
                return found
            self._backoff.pause(number)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _decide_once(
        self,
        key: CaseKey,
        decision_id: str,
        event_keys: Sequence[str],
        ruling: Ruling,
        analyst: str,
        now: datetime,
    ) -> Case | Refusal | None:
        """Decide on one part; None where somebody else was faster."""
        # The case is read first. Whatever changes what its rows say after that writes the case too, and its version refuses this write.
        case = read_case(self._client, self._tables.cases, key)
        if case is None:
            return Refusal.GONE
        earlier = self.decisions(key)
        made = next((decision for decision in earlier if decision.decision_id == decision_id), None)
        if made is not None:
            if not made.says_the_same(analyst, ruling, event_keys):
                return Refusal.OTHER_DECISION
            if made.undone_at is None:
                self._send(labels_of(made))
            return case
        kept = keep(case, analyst, now)
        if isinstance(kept, Refusal):
            return kept
        in_flight = [decision for decision in earlier if is_in_flight(decision, now)]
        rows = self._rows(case)
        if not rows.keys() >= {*event_keys}:
            return Refusal.MOVED
        payments = tuple(DecidedPayment(one, rows[one].transaction_id) for one in event_keys)
        decision = CaseDecision(
            case_id=case.case_id,
            decision_id=decision_id,
            user_id=case.user_id,
            analyst=analyst,
            decided_at=now,
            ruling=ruling,
            payments=payments,
            amount_base=sum((rows[one].amount_in(case) for one in event_keys), Decimal(0)),
            expires_at=case.expires_at,
        )
        outcome = outcome_of(case, rows, in_flight, decision)
        after = kept
        if outcome.verdict is not None:
            is_due = outcome.legitimate.amount_base >= self._second_look_from
            closed = close(case, analyst, outcome.verdict, now, is_second_look_due=is_due)
            if isinstance(closed, Refusal):
                return closed
            after, decision = closed, msgspec.structs.replace(decision, has_closed=True)
        messages = labels_of(decision)
        writes: list[TransactWriteItemTypeDef] = [
            {"Put": case_put(self._tables.cases, after)},
            self._decision_put(decision, "attribute_not_exists(case_id)"),
        ]
        if self._write(writes, messages, now):
            return None
        self._send(messages)
        return after

    def _withdraw(
        self,
        key: CaseKey,
        decisions: Sequence[CaseDecision],
        analyst: str,
        now: datetime,
        step: Callable[[Case, CaseDecision], Case | Refusal],
    ) -> Case | Refusal:
        """Undo decisions, the latest first: it may have closed the case."""
        found: Case | Refusal = Refusal.GONE
        for decision in reversed(decisions):
            found = self._repeat(partial(self._withdraw_once, key, decision, analyst, now, step))
            if isinstance(found, Refusal):
                return found
        return found

    def _withdraw_once(
        self,
        key: CaseKey,
        decision: CaseDecision,
        analyst: str,
        now: datetime,
        step: Callable[[Case, CaseDecision], Case | Refusal],
    ) -> Case | Refusal | None:
        """Undo one decision; None where somebody else was faster."""
        case = read_case(self._client, self._tables.cases, key)
        if case is None:
            return Refusal.GONE
        decision = next(one for one in self.decisions(key) if one.key == decision.key)
        after = step(case, decision)
        if isinstance(after, Refusal):
            return after
        if decision.undone_at is not None:
            self._send(withdrawals_of(decision))
            return case
        decision = msgspec.structs.replace(decision, undone_by=analyst, undone_at=now)
        messages = withdrawals_of(decision)
        undone = self._decision_put(decision, "attribute_exists(case_id) AND attribute_not_exists(undone_at)")
        refused = self._write([undone, *self._step_writes(case, after)], messages, now)
        if refused[:3] == _IS_SUPERSEDED:
            # The withdrawn labels move the payments to the newer case.
            after = stay_closed(case, analyst, now)
            refused = self._write([undone, *self._step_writes(case, after)], messages, now)
        if refused:
            return None
        self._send(messages)
        return after

    def _step_writes(self, before: Case, after: Case) -> list[TransactWriteItemTypeDef]:
        writes: list[TransactWriteItemTypeDef] = [{"Put": case_put(self._tables.cases, after)}]
        if before.is_closed and not after.is_closed:
            writes.append({"ConditionCheck": newest_check(self._tables.cases, after)})
        return writes

    def _decision_put(self, decision: CaseDecision, condition: str) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._tables.decisions,
                "Item": to_decision_item(decision),
                "ConditionExpression": condition,
            }
        }

    def _rows(self, case: Case) -> dict[str, CaseRow]:
        """Read all payments of a case, by their keys."""
        items = self._query(
            TableName=self._tables.flagged,
            KeyConditionExpression="user_id = :user",
            FilterExpression="case_id = :case",
            ExpressionAttributeValues={":user": {"S": case.user_id}, ":case": {"S": case.case_id}},
            ProjectionExpression=_ROW_ATTRIBUTES,
        )
        rows = (from_item(FLAGGED_TABLE, item, CaseRow) for item in items)
        return {row.event_key: row for row in rows}

    def _query(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        """Read rows, consistently."""
        call: Any = self._client.query  # its type names each argument
        while True:
            answer = call(**request, ConsistentRead=True)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _write(
        self, writes: list[TransactWriteItemTypeDef], messages: Sequence[IdentifiedLabel], now: datetime
    ) -> list[str]:
        """Write all of it with the labels, which wait until they are finished; give what refused it, or nothing."""
        waiting: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._tables.pending_labels,
                    "Item": to_item(unfinished(message, Unfinished.NOT_SENT, now)),
                }
            }
            for message in messages
        ]
        try:
            self._client.transact_write_items(TransactItems=[*writes, *waiting])
        except self._client.exceptions.TransactionCanceledException as error:
            response: Mapping[str, Any] = error.response
            reasons = [reason["Code"] for reason in response["CancellationReasons"]]
            if {*reasons} - {"None"} <= TAKEN:
                return reasons
            raise
        return []

    def _send(self, messages: Sequence[IdentifiedLabel]) -> None:
        try:
            self._send_messages([encode_label_message(message) for message in messages])
        except (UnsentLabelsError, ClientError, BotoCoreError) as error:
            # They wait in pending_labels, from where label_upkeep sends them.
            self._log.error("Labels were not sent and will be sent later", extra=describe_failure(error))


def _parts(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    return [keys[first : first + size] for first in range(0, len(keys), size)]
