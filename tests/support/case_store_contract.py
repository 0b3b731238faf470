"""What holds for every store of the case stage: on DynamoDB, and in the dicts that other tests use."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from case.fold import UserCases, settle
from case.recount import recounts
from case.store import CaseTables, Tables
from contract.case import Case, CaseStatus, Tally, from_case_item
from contract.case_decision import CaseDecision, DecidedPayment, Ruling, to_decision_item
from contract.case_limits import CaseLimits
from contract.flagged import (
    CONFIRMED_FRAUD,
    OPEN,
    FlaggedKey,
    FlaggedTransaction,
    from_flagged_item,
    to_flagged_item,
)
from contract.label import LabelVerdict
from tests.support.payments import NOW, make_flagged, make_transaction

if TYPE_CHECKING:
    from case.stage import CaseStore

LIMITS = CaseLimits(
    Decimal(1_000),
    Decimal(10_000),
    tuple(timedelta(minutes=minutes) for minutes in (60, 240, 1_440, 4_320)),
)
"""As in function.yaml."""


def payment(transaction_id: str = "tx-1", minutes: float = 0, **changes: Any) -> FlaggedTransaction:
    """A flagged payment some minutes after :data:`NOW`; changes of its row, and with ``sent`` of the payment."""
    sent: dict[str, Any] = changes.pop("sent", {})
    at = NOW + timedelta(minutes=minutes)
    return make_flagged(
        make_transaction(**{"transaction_id": transaction_id, "timestamp": at} | sent), **changes
    )


def decision_on(case: Case, decision_id: str = "0123456789abcdef", **changes: Any) -> CaseDecision:
    """What Ann decided now on the gravest payment of a case: fraud."""
    decision = CaseDecision(
        case_id=case.case_id,
        decision_id=decision_id,
        user_id=case.user_id,
        analyst="ann",
        decided_at=NOW,
        ruling=Ruling(verdict=LabelVerdict.FRAUD),
        payments=(DecidedPayment(case.payments[0].event_key, "tx-1"),),
        expires_at=case.expires_at,
    )
    return msgspec.structs.replace(decision, **changes)


class CaseTestTables(Protocol):
    """The tables, as a test looks at them."""

    @property
    def store(self) -> CaseStore:
        """What the stage uses."""
        ...

    def put(self, flagged: FlaggedTransaction) -> None:
        """Write a flagged row, whatever is stored."""
        ...

    def put_decision(self, decision: CaseDecision) -> None:
        """Write a decision."""
        ...

    def rows(self) -> list[FlaggedTransaction]:
        """All flagged rows."""
        ...

    def cases(self) -> list[Case]:
        """All cases, by user and number."""
        ...

    def links(self) -> set[tuple[str, str]]:
        """All links: entity or alert, case."""
        ...


class DynamoDbCaseTables:
    """The tables in anything with DynamoDB's API."""

    def __init__(self, client: Any, flagged: str, cases: str, links: str, decisions: str) -> None:
        self._client = client
        self._tables = Tables(flagged, cases, links, decisions)
        self.store = CaseTables(client, self._tables)

    def put(self, flagged: FlaggedTransaction) -> None:
        self._client.put_item(TableName=self._tables.flagged, Item=to_flagged_item(flagged))

    def put_decision(self, decision: CaseDecision) -> None:
        self._client.put_item(TableName=self._tables.decisions, Item=to_decision_item(decision))

    def rows(self) -> list[FlaggedTransaction]:
        return [
            from_flagged_item(item) for item in self._client.scan(TableName=self._tables.flagged)["Items"]
        ]

    def cases(self) -> list[Case]:
        items = self._client.scan(TableName=self._tables.cases)["Items"]
        return sorted((from_case_item(item) for item in items), key=lambda case: case.key)

    def links(self) -> set[tuple[str, str]]:
        items = self._client.scan(TableName=self._tables.links)["Items"]
        return {(item["entity_id"]["S"], item["case_id"]["S"]) for item in items}


class CaseStoreContract:
    """Tests of a store; a subclass has the fixture ``tables``."""

    def test_a_payment_is_marked_and_its_case_and_links_are_written_together(
        self, tables: CaseTestTables
    ) -> None:
        one = payment()
        tables.put(one)

        assert tables.store.write(one.key, settle(one, UserCases(None, None), LIMITS, NOW))

        (case,) = tables.cases()
        (row,) = tables.rows()
        assert (row.case_id, row.case_judgement) == (case.case_id, "undecided")
        assert tables.links() == {(name, case.case_id) for name in case.entities}
        assert tables.store.cases_of(row) == UserCases(case, case)

    def test_a_case_is_counted_anew_from_all_rows_of_its_user_unless_it_changes_meanwhile(
        self, tables: CaseTestTables
    ) -> None:
        one, other = payment(), payment(sent={"user_id": "user-2"})
        for each in (one, other):
            tables.put(each)
            tables.store.write(each.key, settle(each, UserCases(None, None), LIMITS, NOW))
        before = tables.store.all_of("user-1")
        (case,) = before.cases
        (row,) = before.rows
        tables.put(msgspec.structs.replace(row, case_judgement="fraud"))

        (recount,) = recounts(tables.store.all_of("user-1"), LIMITS, NOW)
        first, second = tables.store.rewrite(recount), tables.store.rewrite(recount)
        tables.store.link(recount)

        assert (first, second) == (True, False)
        assert tables.store.all_of("user-1").cases == [recount.after]
        assert (recount.after.undecided, recount.after.fraud) == (Tally(), case.undecided)
        assert {name for name, case_id in tables.links() if case_id == case.case_id} == {*recount.links}

    def test_what_was_decided_on_the_cases_of_a_user_is_read_with_them(self, tables: CaseTestTables) -> None:
        one, other = payment(), payment(sent={"user_id": "user-2"})
        for each in (one, other):
            tables.put(each)
            tables.store.write(each.key, settle(each, UserCases(None, None), LIMITS, NOW))
        cases = {case.user_id: case for case in tables.cases()}
        case = cases["user-1"]
        first, second = decision_on(case, "0123456789abcdef"), decision_on(case, "0123456789abcdef.1")
        for made in (first, second, decision_on(cases["user-2"], "0123456789abcdef")):
            tables.put_decision(made)

        stored = tables.store.all_of("user-1")

        assert stored.decisions == {case.case_id: [first, second]}
        assert tables.store.decisions(case) == [first, second]

    def test_the_second_of_two_that_open_a_case_at_once_is_refused(self, tables: CaseTestTables) -> None:
        one, two = payment("tx-1"), payment("tx-2")
        tables.put(one)
        tables.put(two)
        nothing = UserCases(None, None)

        first = tables.store.write(one.key, settle(one, nothing, LIMITS, NOW))
        second = tables.store.write(two.key, settle(two, nothing, LIMITS, NOW))

        assert (first, second) == (True, False)
        assert {row.case_id for row in tables.rows()} == {None, tables.cases()[0].case_id}

    def test_a_payment_that_another_worker_has_marked_is_not_counted_again(
        self, tables: CaseTestTables
    ) -> None:
        one = payment()
        tables.put(one)
        tables.store.write(one.key, settle(one, UserCases(None, None), LIMITS, NOW))
        (case,) = tables.cases()

        assert not tables.store.write(one.key, settle(one, UserCases(None, case), LIMITS, NOW))

        assert tables.cases() == [case]

    def test_a_deleted_row_is_not_brought_back(self, tables: CaseTestTables) -> None:
        one = payment()

        assert not tables.store.write(one.key, settle(one, UserCases(None, None), LIMITS, NOW))

        assert (tables.rows(), tables.cases(), tables.links()) == ([], [], set())
        assert tables.store.flagged(one.key) is None

    def test_a_case_is_not_opened_after_one_that_was_opened_again(self, tables: CaseTestTables) -> None:
        closed = self._closed_case(tables)
        undone = self._set_status(tables, closed, OPEN)
        two = payment("tx-2")
        tables.put(two)
        reopens = settle(undone, UserCases(closed, closed), LIMITS, NOW)
        opens = settle(two, UserCases(None, closed), LIMITS, NOW)

        assert tables.store.write(undone.key, reopens)
        assert not tables.store.write(two.key, opens)

        assert [case.status for case in tables.cases()] == [CaseStatus.OPEN]

    def test_a_case_is_not_opened_again_beside_a_newer_one(self, tables: CaseTestTables) -> None:
        closed = self._closed_case(tables)
        undone = self._set_status(tables, closed, OPEN)
        two = payment("tx-2")
        tables.put(two)
        reopens = settle(undone, UserCases(closed, closed), LIMITS, NOW)
        opens = settle(two, UserCases(None, closed), LIMITS, NOW)

        assert tables.store.write(two.key, opens)
        assert not tables.store.write(undone.key, reopens)

        assert [case.status for case in tables.cases()] == [CaseStatus.CLOSED, CaseStatus.OPEN]
        (_, newer) = tables.cases()
        moves = settle(undone, tables.store.cases_of(undone), LIMITS, NOW)
        assert tables.store.write(undone.key, moves)
        (older, newer) = tables.cases()
        assert (older.payment_count, newer.payment_count) == (0, 2)

    def _closed_case(self, tables: CaseTestTables) -> Case:
        one = payment(status=CONFIRMED_FRAUD)
        tables.put(one)
        tables.store.write(one.key, settle(one, UserCases(None, None), LIMITS, NOW))
        (case,) = tables.cases()
        assert case.is_closed
        return case

    def _set_status(self, tables: CaseTestTables, case: Case, status: str) -> FlaggedTransaction:
        row = tables.store.flagged(FlaggedKey(case.user_id, case.payments[0].event_key))
        assert row is not None
        changed = msgspec.structs.replace(row, status=status)
        tables.put(changed)
        return changed
