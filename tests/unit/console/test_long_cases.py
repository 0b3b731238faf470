"""Whoever judges reaches every payment that is to be judged, however many rows its user has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.records import MAX_PAGES
from contract.case_decision import DecidedPayment
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE
from tests.support.console_forms import form_on
from tests.support.console_verdicts import id_of, judge, my_case, paid
from tests.support.console_world import NOW
from tests.support.small_pages import SmallPages

if TYPE_CHECKING:
    import pytest

    from tests.support.console_world import ConsoleWorld


def test_whoever_judges_comes_to_every_payment_of_a_user_with_more_rows_than_a_page_reads(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = [paid(number, "1") for number in range(1, 2 * MAX_PAGES + 4)]
    oldest = [paid(100, "7"), paid(101, "8")]
    case = my_case(world, *decided, *oldest)
    world.put_payments(*decided, case=case, status=CONFIRMED_FRAUD)
    monkeypatch.setattr(world.records, "_client", SmallPages(world.dynamodb))

    first = judge(world, case, "fraud", fraud_type="account_takeover", chosen=[id_of(oldest[1])])
    second = judge(world, case, "fraud", fraud_type="account_takeover")

    assert "Fraud: 1 payment, 8.00 USD. The case is still open." in first.body
    assert "Fraud: 1 payment, 7.00 USD. The case is closed: fraud." in second.body
    assert [label["event_key"] for label in world.labels.bodies] == [oldest[1].event_key, oldest[0].event_key]


def test_a_contested_payment_is_read_however_old_it_is(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [paid(number, "1") for number in range(1, 2 * MAX_PAGES + 6)]
    case = my_case(world, *rows)
    world.put_payments(*rows, case=case, status=FALSE_POSITIVE)
    contested = rows[-1]
    world.put_decision(
        case,
        "0123456789abcdef",
        "person-2",
        payments=(DecidedPayment(contested.event_key, "tx-1"),),
        undone_by="person-3",
        undone_at=NOW,
    )
    monkeypatch.setattr(world.records, "_client", SmallPages(world.dynamodb))

    page = world.get(f"/cases/{case.case_id}").body
    answer = judge(world, case, "fraud", fraud_type="account_takeover")

    assert form_on(page, "Probably fraud")["chosen"] == [id_of(contested)]
    assert "Fraud: 1 payment, 1.00 USD." in answer.body
