"""The verdicts on moto, and what happens when an answer is lost or the worker crashes."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from common.cases import CaseContentionError
from contract.case import Case
from contract.case_work import Refusal
from contract.label_message import decode_label_message
from tests.support.case_store_contract import payment
from tests.support.case_verdict_contract import (
    FORM,
    FRAUD,
    LEGITIMATE,
    SECOND,
    CaseVerdictContract,
    decide,
)
from tests.support.case_verdict_world import KEY, NAMES, VerdictTables
from tests.support.contest_contract import ContestContract
from tests.support.label_world import DynamoBackend, LabelWorld
from tests.support.moto_aws import OneAtATime, aws
from tests.support.payments import NOW, make_scored
from tests.support.second_look_contract import SecondLookContract
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.case import CaseKey

__all__ = ["aws"]


@pytest.fixture
def tables(aws: Callable[[str], Any]) -> VerdictTables:
    client = aws("dynamodb")
    return VerdictTables(OneAtATime(client), *(make_table(client, name) for name in NAMES))


class TestOnMoto(CaseVerdictContract):
    """With moto."""


class TestSecondLookOnMoto(SecondLookContract):
    """With moto."""


class TestContestOnMoto(ContestContract):
    """With moto."""


class Interrupted:
    """A client whose next transaction is written, and its answer lost; or refused by DynamoDB for reasons."""

    def __init__(self, client: Any, *reasons: str) -> None:
        self._client = client
        self._reasons = reasons
        self.is_lost = not reasons
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> None:
        if self._reasons:
            answer: Any = {"CancellationReasons": [{"Code": reason} for reason in self._reasons]}
            raise self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")
        self._client.transact_write_items(**request)
        if self.is_lost:
            self.is_lost = False
            raise ReadTimeoutError(endpoint_url="dynamodb")


def test_a_decision_whose_answer_was_lost_is_finished_by_the_same_form(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    tables.client = Interrupted(tables.client)
    with pytest.raises(ReadTimeoutError):
        decide(tables, keys)

    case = decide(tables, keys, at=NOW + SECOND)

    assert isinstance(case, Case)
    assert case.closed_by == "ann"
    assert [decode_label_message(each).known_at for each in tables.sent] == [NOW]
    assert len(tables.waiting()) == 1


def test_undoing_whose_answer_was_lost_is_finished_by_undoing_again(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, keys)
    tables.client = Interrupted(tables.client)
    with pytest.raises(ReadTimeoutError):
        tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)

    case = tables.verdicts().undo(KEY, FORM, "ann", NOW + 20 * SECOND)

    assert isinstance(case, Case)
    assert case.assignee == "ann"
    assert len(tables.sent) == len(tables.waiting()) == 2


def test_a_case_that_others_keep_changing_is_an_error_and_nothing_is_decided(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    client = tables.client
    tables.client = Interrupted(client, "ConditionalCheckFailed", "None", "None")

    with pytest.raises(CaseContentionError):
        decide(tables, keys)

    tables.client = client
    assert (tables.sent, tables.waiting()) == ([], [])


def test_a_decision_that_can_never_be_written_is_an_error(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    tables.client = Interrupted(tables.client, "None", "ValidationError", "None")

    with pytest.raises(ClientError):
        decide(tables, keys)


@pytest.mark.parametrize("form", ["", "short", "form-0123456789.1", "form-0123456789ab\n"])
def test_a_forms_id_of_another_form_is_refused(tables: VerdictTables, form: str) -> None:
    with pytest.raises(ValueError, match="decision_id"):
        decide(tables, ["k"], form=form)


def test_a_decision_without_payments_is_refused(tables: VerdictTables) -> None:
    with pytest.raises(ValueError, match="event_keys"):
        decide(tables, [])


def test_a_case_that_does_not_exist_is_gone(tables: VerdictTables) -> None:
    assert decide(tables, ["k"]) is Refusal.GONE
    assert tables.verdicts().undo(KEY, FORM, "ann", NOW) is Refusal.GONE


def test_the_label_stage_takes_a_decision_and_its_withdrawal_once(aws: Callable[[str], Any]) -> None:
    """The same tables, and the real label stage: each label is delivered twice, and nothing waits any more."""
    client = aws("dynamodb")
    world = LabelWorld(DynamoBackend(client))
    for name in ("cases", "case_links", "case_decisions"):
        make_table(client, name)
    tables = VerdictTables(client, *NAMES)
    key = world.pay(make_scored())
    tables.flag_stored(key)
    tables.claim()

    decide(tables, [key.event_key], LEGITIMATE)
    failed = world.send(*tables.sent, *tables.sent, is_pending=True)
    decided = world.state()
    tables.sent.clear()
    tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)
    failed += world.send(*tables.sent, *tables.sent, is_pending=True)

    assert failed == []
    assert (decided.statuses, len(decided.labels)) == ({key.event_key: "false_positive"}, 1)
    state = world.state()
    assert (state.statuses, len(state.labels)) == ({key.event_key: "open"}, 2)
    assert (tables.waiting(), world.quarantine.messages) == ([], [])


def test_a_decision_of_the_other_kind_counts_from_then_on(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"), payment("tx-2", 1))
    tables.claim()
    decide(tables, keys[:1], FRAUD)
    tables.deliver()

    case = decide(tables, keys, LEGITIMATE, "form-fedcba987654", at=NOW + SECOND)

    assert isinstance(case, Case)
    assert case.verdict == "legitimate"
    tables.deliver()
    assert tables.statuses() == ["false_positive"] * 2


@pytest.mark.parametrize("seed", range(6))
def test_cases_say_what_the_rows_say_whatever_is_decided_and_undone_in_between(
    tables: VerdictTables, seed: int
) -> None:
    draw = Random(seed)
    made: list[tuple[CaseKey, str, int]] = []
    for step in range(30):
        newest = tables.newest()
        keys = [row.event_key for row in tables.rows() if newest and row.case_id == newest.case_id]
        match draw.choice(["flag", "decide", "decide", "undo", "deliver", "deliver"]):
            case "flag":
                tables.flag(payment(f"tx-{step}", step))
            case "decide" if newest is not None and not newest.is_closed:
                tables.claim("ann", newest.key)
                chosen = draw.sample(keys, draw.randint(1, len(keys)))
                form, ruling = f"form-0123456789-{step}", draw.choice([FRAUD, LEGITIMATE])
                done = tables.verdicts().decide(newest.key, form, chosen, ruling, "ann", NOW + step * SECOND)
                assert isinstance(done, Case)
                made.append((newest.key, form, step))
            case "undo" if made:
                key, form, at = draw.choice(made)
                done = tables.verdicts().undo(key, form, "ann", NOW + (at + 1) * SECOND)
                assert isinstance(done, Case)
            case "deliver":
                waiting = tables.waiting()
                tables.deliver(*draw.sample(waiting, min(3, len(waiting))))

    tables.deliver()
    tables.follow()

    assert tables.problems() == []
