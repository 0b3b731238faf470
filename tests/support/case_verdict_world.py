"""The tables on which people decide, as a test fills them and looks at them, with the stages that follow a decision."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from case.stage import CaseStage
from case.store import CaseTables
from case.store import Tables as StageTables
from common.case_verdicts import CaseVerdicts, ReleaseLimits
from common.cases import Write, cases_backoff, read_case, read_newest
from common.decision_tables import DecisionTables, Tables
from contract.case import Case, CaseKey, from_case_item, owner_of, to_case_item
from contract.case_work import claim
from contract.flagged import (
    FlaggedKey,
    FlaggedTransaction,
    from_flagged_item,
    to_flagged_item,
    to_flagged_key,
)
from contract.items import from_item
from contract.label import Label, effective
from contract.label_message import decode_label_message
from contract.label_rows import PendingLabel
from label.store import status_of
from tests.support.case_account import case_problems
from tests.support.case_store_contract import LIMITS
from tests.support.crashes import make_crashes
from tests.support.dying import Died
from tests.support.labels import make_label
from tests.support.payments import NOW, Log, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from contract.case_decision import CaseDecision
    from contract.case_work import Refusal
    from contract.label import LabelMessage, LabelSource, LabelVerdict

KEY = CaseKey(owner_of("user-1"), 1)
"""The user's first case."""
NAMES = ("flagged_transactions", "cases", "case_links", "case_decisions", "pending_labels")
"""The tables, in the order in which :class:`VerdictTables` takes them."""


def done(found: Case | Refusal) -> Case:
    """Give the case after a step that was not refused."""
    assert isinstance(found, Case), found
    return found


@contextmanager
def dying_after_one_withdrawal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process die before it withdraws a second decision, and check that it comes so far."""
    withdraw, written = DecisionTables.withdraw, list[Write]()

    def withdraw_once(*arguments: Any) -> Write:
        if written:
            raise Died
        written.append(withdraw(*arguments))
        return written[0]

    with monkeypatch.context() as patch:
        patch.setattr(DecisionTables, "withdraw", withdraw_once)
        with pytest.raises(Died):
            yield


class VerdictTables:
    """The tables, as a test fills them and looks at them, with the stages that follow a decision.

    Parameters
    ----------
    client
        A client of DynamoDB.
    flagged, cases, links, decisions, pending : str
        The tables' names.
    """

    def __init__(
        self, client: Any, flagged: str, cases: str, links: str, decisions: str, pending: str
    ) -> None:
        self.client = client
        self._flagged, self._cases, self._links, self._pending = flagged, cases, links, pending
        self._tables = Tables(cases, decisions, flagged, pending)
        self.sent: list[bytes] = []
        self.log = Log()
        self._known: dict[str, list[Label]] = {}
        self._stage = CaseStage(
            CaseTables(client, StageTables(flagged, cases, links, decisions)),
            LIMITS,
            Metrics(),
            Log(),
            make_crashes(),
            lambda: NOW,
            cases_backoff(lambda _: None, lambda: 0.5),
        )

    def verdicts(self, send: Callable[[Any], None] | None = None) -> CaseVerdicts:
        """Somebody's desk, which does not wait."""
        backoff = cases_backoff(lambda _: None, lambda: 0.5)
        tables = DecisionTables(self.client, self._tables)
        return CaseVerdicts(
            tables,
            send or self.sent.extend,
            ReleaseLimits(Decimal(10_000), Decimal(50_000)),
            backoff,
            self.log,
        )

    def decisions(self) -> list[CaseDecision]:
        """What was decided on the user's first case."""
        return DecisionTables(self.client, self._tables).decisions(self.case())

    def flag(self, *flagged: FlaggedTransaction) -> list[str]:
        """Flag payments, which join the user's case; return their keys in order."""
        for row in flagged:
            self.client.put_item(TableName=self._flagged, Item=to_flagged_item(row))
            self._stage.take(to_flagged_item(row))
        return sorted(row.event_key for row in flagged)

    def flag_stored(self, key: FlaggedKey) -> None:
        """Let a payment join the user's case whose row is stored."""
        answer = self.client.get_item(TableName=self._flagged, Key=to_flagged_key(key))
        self._stage.take(answer["Item"])

    def delete(self, event_key: str) -> None:
        """Delete a payment's row, as a person does."""
        self.client.delete_item(TableName=self._flagged, Key=to_flagged_key(FlaggedKey("user-1", event_key)))

    def expire_cases(self) -> None:
        """Delete the user's cases, as DynamoDB does when they have expired."""
        for item in self.client.scan(TableName=self._cases)["Items"]:
            key = {name: item[name] for name in ("case_owner", "case_number")}
            self.client.delete_item(TableName=self._cases, Key=key)

    def newest(self) -> Case | None:
        """The user's newest case."""
        return read_newest(self.client, self._cases, KEY.case_owner)

    def claim(self, analyst: str = "ann", key: CaseKey = KEY, at: datetime = NOW) -> None:
        """Give a case to somebody."""
        claimed = claim(self.case(key), analyst, at)
        assert isinstance(claimed, Case)
        self.client.put_item(TableName=self._cases, Item=to_case_item(claimed))

    def put(self, case: Case) -> None:
        self.client.put_item(TableName=self._cases, Item=to_case_item(case))

    def case(self, key: CaseKey = KEY) -> Case:
        case = read_case(self.client, self._cases, key)
        assert case is not None
        return case

    def waiting(self) -> list[LabelMessage]:
        """The labels that wait, as the label stage reads them."""
        items = self.client.scan(TableName=self._pending)["Items"]
        rows = [from_item("pending_labels", item, PendingLabel) for item in items]
        return [decode_label_message(row.message.encode()) for row in rows]

    def deliver(self, *messages: LabelMessage) -> None:
        """Do with labels what the label stage does, each twice, and let the case stage follow; with all that wait unless some are given."""
        for message in (*messages, *messages) or self.waiting() * 2:
            assert message.event_key is not None
            label = make_label(
                **{name: getattr(message, name) for name in ("label_id", "verdict", "known_at", "withdraws")}
            )
            known = self._known.setdefault(message.event_key, [])
            known.append(label)
            self.set_status(message.event_key, status_of(effective(known)))

    def say(self, event_key: str, verdict: LabelVerdict, source: LabelSource, at: datetime) -> None:
        """Take a label of somebody else, such as a customer's."""
        known = self._known.setdefault(event_key, [])
        known.append(
            make_label(label_id=f"{source}-{len(known)}", verdict=verdict, source=source, known_at=at)
        )
        self.set_status(event_key, status_of(effective(known)))

    def follow(self) -> None:
        """Let the case stage handle a record of each row."""
        for row in self.rows():
            self._stage.take(to_flagged_item(row))

    def set_status(self, event_key: str, status: str) -> None:
        """Write what a label says into a payment's row, and let the case stage follow."""
        answer = self.client.update_item(
            TableName=self._flagged,
            Key=to_flagged_key(FlaggedKey("user-1", event_key)),
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
            ReturnValues="ALL_NEW",
        )
        self._stage.take(answer["Attributes"])

    def rows(self) -> list[FlaggedTransaction]:
        """The payments' rows, in the order of their keys."""
        rows = [from_flagged_item(item) for item in self.client.scan(TableName=self._flagged)["Items"]]
        return sorted(rows, key=lambda row: row.event_key)

    def statuses(self) -> list[str]:
        """What the rows say."""
        return [row.status for row in self.rows()]

    def problems(self) -> list[str]:
        """Where cases do not say what the rows say."""
        cases = [from_case_item(item) for item in self.client.scan(TableName=self._cases)["Items"]]
        links = self.client.scan(TableName=self._links)["Items"]
        linked = {(item["entity_id"]["S"], item["case_id"]["S"]) for item in links}
        return case_problems(self.rows(), cases, linked)
