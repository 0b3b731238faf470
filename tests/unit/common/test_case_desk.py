"""The desk on moto, whose requests are made one at a time, as DynamoDB makes those of one row; and DynamoDB's refusals."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from common.case_desk import CaseDesk
from common.cases import cases_backoff
from contract.case import Case, CaseVerdict, from_case_item, to_case_item
from contract.case_work import Refusal, claim, close, undo
from tests.support.case_desk_contract import CaseDeskContract, DeskTable, make_cases, make_desk
from tests.support.cases import make_case, make_decision
from tests.support.moto_aws import OneAtATime, aws
from tests.support.payments import NOW, Log
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

UNDO_IT = partial(undo, decision=make_decision(), others=(), analyst="ann", now=NOW)
"""A step that opens a closed case again."""


class TestOnMoto(CaseDeskContract):
    # moto serves one after the other; fifty at once are on DynamoDB Local.
    people = 12

    @pytest.fixture
    def table(self, aws: Callable[[str], Any]) -> DeskTable:
        client = aws("dynamodb")
        return DeskTable(OneAtATime(client), make_table(client, "cases"))


def test_next_gives_the_case_that_a_lost_answer_claimed(aws: Callable[[str], Any]) -> None:
    client = OneAtATime(aws("dynamodb"))
    table = DeskTable(client, make_table(aws("dynamodb"), "cases"))
    table.put(*make_cases(2))
    (first, _) = table.case_ids()
    client.lost = 1

    case = table.desk.next_case("ann", NOW)

    assert case is not None
    assert (case.case_id, case.version) == (first, 2)


def test_next_does_not_give_a_case_again_that_the_index_shows_as_open(aws: Callable[[str], Any]) -> None:
    client = aws("dynamodb")
    table = DeskTable(client, make_table(client, "cases"))
    table.put(*make_cases(2))
    behind = list(table.desk.queue())
    first = table.desk.next_case("ann", NOW)
    stale = make_desk(client, table.table)
    stale.queue = lambda: iter(behind)  # type: ignore[method-assign]  # an index that is a second old

    second = stale.next_case("ann", NOW)

    assert first is not None
    assert second is not None
    assert first.case_id != second.case_id


def test_fifty_people_at_once_try_a_few_cases_each(aws: Callable[[str], Any]) -> None:
    client: Any = Counting(aws("dynamodb"))
    table = DeskTable(client, make_table(aws("dynamodb"), "cases"))
    table.put(*make_cases(200))
    behind = list(table.desk.queue())

    for number in range(50):
        desk = CaseDesk(
            client, table.table, cases_backoff(lambda _: None, lambda: 0.5), Random(number).random, Log()
        )
        desk.queue = lambda: iter(behind)  # type: ignore[method-assign]  # as all of them see it at once
        assert desk.next_case(f"analyst-{number}", NOW) is not None

    assert client.reads <= 50 * 8


class Counting:
    """A client that counts how often a case is read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        self.reads += name == "get_item"
        return getattr(self._client, name)


class Refusing:
    """A client whose writes are refused by one error, or cancelled for reasons; it reads one case."""

    class exceptions:  # noqa: N801
        class ConditionalCheckFailedException(ClientError):  # noqa: N818
            pass

        class TransactionConflictException(ClientError):  # noqa: N818
            pass

        class TransactionCanceledException(ClientError):  # noqa: N818
            pass

    def __init__(self, case: Case, *refusals: str) -> None:
        self.case = case
        self.refusals = list(refusals)

    def get_item(self, **_: object) -> Any:
        return {"Item": to_case_item(self.case)}

    def put_item(self, Item: Any, **_: object) -> None:  # noqa: N803
        if self.refusals:
            code = self.refusals.pop(0)
            error: Any = getattr(self.exceptions, code, ClientError)
            raise error({"Error": {"Code": code}}, "PutItem")
        self.case = from_case_item(Item)

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
        if self.refusals:
            reasons = self.refusals.pop(0).split()
            answer: Any = {"CancellationReasons": [{"Code": reason} for reason in reasons]}
            raise self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")
        self.case = from_case_item(TransactItems[0]["Put"]["Item"])


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionConflictException"])
def test_a_step_that_another_write_prevented_is_made_again(code: str) -> None:
    client = Refusing(make_case(), code, code)

    done = make_desk(client, "c").change(client.case.key, partial(claim, analyst="ann", now=NOW))

    assert isinstance(done, Case)
    assert client.case == done


def test_a_step_that_is_not_allowed_is_an_error() -> None:
    client = Refusing(make_case(), "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDenied"):
        make_desk(client, "c").change(client.case.key, partial(claim, analyst="ann", now=NOW))


@pytest.mark.parametrize(
    ("reasons", "outcome"),
    [
        ("None ConditionalCheckFailed", Refusal.SUPERSEDED),
        ("ConditionalCheckFailed ConditionalCheckFailed", Case),
        ("TransactionConflict None", Case),
        ("None ThrottlingError", Case),
    ],
)
def test_undoing_is_refused_only_where_a_newer_case_exists(reasons: str, outcome: object) -> None:
    claimed = claim(make_case(), "ann", NOW)
    assert isinstance(claimed, Case)
    closed = close(claimed, "ann", CaseVerdict.FRAUD, NOW)
    assert isinstance(closed, Case)
    client = Refusing(closed, reasons)

    done = make_desk(client, "c").change(closed.key, UNDO_IT)

    assert done is outcome or type(done) is outcome


def test_undoing_that_can_never_be_written_is_an_error() -> None:
    closed = make_case(status="closed", closed_by="ann", closed_at=NOW, verdict="fraud")
    client = Refusing(closed, "ValidationError None")

    with pytest.raises(ClientError):
        make_desk(client, "c").change(closed.key, UNDO_IT)
