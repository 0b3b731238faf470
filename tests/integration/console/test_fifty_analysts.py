"""Fifty people in the console at once, each signed in: nobody gets another's case, and no verdict is lost."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from console.rights import Group
from console.session_store import SessionStore
from console.sessions import SESSIONS_TABLE, TOKEN_BYTES, begin_session
from contract.case import CasePayment, from_case_item, to_case_item
from contract.flagged import CONFIRMED_FRAUD, flag, to_flagged_item, to_flagged_key
from contract.scored import to_history_item
from local.stack import Stack
from tests.support.browser import Browser
from tests.support.cases import make_case
from tests.support.payments import RETENTION, Log, make_scored, make_transaction
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.case import Case
    from contract.flagged import FlaggedTransaction

PEOPLE = 50


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs the console, and the stage that takes what people decide."""
    with Stack(tmp_path_factory.mktemp("fifty")) as running:
        running.start(functions=["console", "label"], ingestion=False)
        yield running


def put_case(stack: Stack, number: int) -> tuple[Case, FlaggedTransaction]:
    """A case of a user's one flagged payment, with the rows that the stages before would have written."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    user_id = f"user-{number}"
    payment = make_transaction(user_id=user_id, transaction_id=f"tx-{number}", timestamp=at)
    row = make_scored(payment, appended_at=at, scored_at=at, amount_base=Decimal(1250), base_currency="USD")
    case = make_case(user_id, payments=(CasePayment(85, Decimal("1250.00"), row.event_key),))
    flagged = msgspec.structs.replace(flag(row, at, RETENTION), case_id=case.case_id)
    history: Any = to_history_item(row, 1_900_000_000)
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(TableName="flagged_transactions", Item=to_flagged_item(flagged))
    dynamodb.put_item(TableName="transaction_history", Item=history | {"features": {"B": row.features}})
    dynamodb.put_item(TableName="cases", Item=to_case_item(case))
    return case, flagged


def signed_in(stack: Stack, url: str, number: int) -> Browser:
    """A browser of somebody who has a session."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    name = f"analyst-{number}"
    session = begin_session(token, name, name, (Group.ANALYST,), datetime.now(UTC), timedelta(hours=1))
    SessionStore(stack.client("dynamodb"), stack.resources.tables[SESSIONS_TABLE], Log()).insert(session)
    browser = Browser()
    browser.address = url
    browser.keep_cookie("console_session", token)
    return browser


def test_nobody_gets_another_s_case_and_no_verdict_is_lost(stack: Stack) -> None:
    site = stack.resources.console
    assert site is not None
    put = [put_case(stack, number) for number in range(PEOPLE)]
    browsers = [signed_in(stack, site.url, number) for number in range(PEOPLE)]

    def take_and_judge(browser: Browser) -> str:
        browser.open("/queue")
        browser.send("Take the next case")
        assert browser.status == 200, f"{browser.status}: {browser.page}"
        case_id = browser.address.rpartition("/")[2]
        browser.send("Probably fraud", verdict="fraud", fraud_type="account_takeover")
        assert "The case is closed: fraud." in browser.page
        return case_id

    with ThreadPoolExecutor(PEOPLE) as threads:
        taken = list(threads.map(take_and_judge, browsers))

    assert sorted(taken) == sorted(case.case_id for case, _ in put)
    dynamodb = stack.client("dynamodb")

    def open_rows() -> list[str]:
        rows = [
            dynamodb.get_item(TableName="flagged_transactions", Key=to_flagged_key(flagged.key))["Item"]
            for _, flagged in put
        ]
        return [row["transaction_id"]["S"] for row in rows if row["status"]["S"] != CONFIRMED_FRAUD]

    wait_until(lambda: not open_rows(), "all flagged rows to be confirmed")
    labels = dynamodb.scan(TableName="labels")["Items"]
    assert sorted(label["user_id"]["S"] for label in labels) == sorted(case.user_id for case, _ in put)
    cases = [from_case_item(item) for item in dynamodb.scan(TableName="cases")["Items"]]
    assert {case.case_id: case.closed_by for case in cases} == {
        case_id: f"analyst-{number}" for number, case_id in enumerate(taken)
    }
