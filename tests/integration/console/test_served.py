"""`make up` serves the console: its zip under Lambda's runtime behind the gateway, with the people whom `make people` prints."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.case import to_case_item
from contract.flagged import CONFIRMED_FRAUD, OPEN, flag, to_flagged_item, to_flagged_key
from contract.scored import to_history_item
from local import audit_verify, people
from local.stack import Stack, supervisor
from tests.support.browser import Browser
from tests.support.cases import make_case
from tests.support.payments import RETENTION, make_scored, make_transaction
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.identity import ConsoleSite


@pytest.fixture(scope="module")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def stack(build_dir: Path) -> Iterator[Stack]:
    """A stack that runs the console, the stage that takes what people decide, and what keeps the heads of the audit trail."""
    with Stack(build_dir) as running:
        running.start(functions=["audit_keeper", "console", "label"], ingestion=False)
        yield running


@pytest.fixture
def site(stack: Stack) -> ConsoleSite:
    assert stack.resources.console is not None
    return stack.resources.console


def test_people_sign_in_take_a_case_and_leave_a_trail(
    stack: Stack, build_dir: Path, site: ConsoleSite
) -> None:
    case = make_case()
    analyst, lead, auditor = Browser(), Browser(), Browser()

    assert "No case waits" in analyst.sign_in(site.url, "analyst", site.passwords["analyst"])
    stack.client("dynamodb").put_item(TableName="cases", Item=to_case_item(case))
    analyst.open("/queue")
    analyst.send("Take the next case")
    lead.sign_in(site.url, "lead", site.passwords["lead"])
    seen = lead.open(f"/cases/{case.case_id}")
    auditor.sign_in(site.url, "auditor", site.passwords["auditor"])
    trail = auditor.open("/audit")

    assert analyst.address == f"{site.url}/cases/{case.case_id}"
    assert "1,250.00 USD" in analyst.page
    assert "somebody works on it" in seen
    assert "Take this case" not in seen
    assert "next case claimed" in trail
    assert case.case_id in trail
    assert analyst.open("/audit").count("You may not see this page") == 2  # title and heading
    bucket = stack.resources.buckets["audit_heads"]
    wait_until(
        lambda: stack.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] > 0, "heads to be kept", 60
    )
    assert audit_verify.main(["--build-dir", str(build_dir)]) == 0


def test_a_verdict_is_a_label_sets_the_row_and_is_undone(stack: Stack, site: ConsoleSite) -> None:
    dynamodb = stack.client("dynamodb")
    case = make_case("user-2", case_number=7)
    at = datetime.now(UTC) - timedelta(minutes=5)
    payment = make_transaction(user_id="user-2", timestamp=at)
    row = make_scored(payment, appended_at=at, scored_at=at, amount_base=Decimal(1250), base_currency="USD")
    flagged = msgspec.structs.replace(flag(row, at, RETENTION), case_id=case.case_id)
    history: Any = to_history_item(row, 1_900_000_000)
    dynamodb.put_item(TableName="cases", Item=to_case_item(case))
    dynamodb.put_item(TableName="flagged_transactions", Item=to_flagged_item(flagged))
    dynamodb.put_item(TableName="transaction_history", Item=history | {"features": {"B": row.features}})
    browser = Browser()
    browser.sign_in(site.url, "lead", site.passwords["lead"])
    browser.open(f"/cases/{case.case_id}")
    browser.send("Take this case")

    def status() -> str:
        answer = dynamodb.get_item(TableName="flagged_transactions", Key=to_flagged_key(flagged.key))
        text: str = answer["Item"]["status"]["S"]
        return text

    browser.send("Probably fraud", verdict="fraud", fraud_type="account_takeover")
    judged = browser.page
    wait_until(lambda: status() == CONFIRMED_FRAUD, "the confirmed fraud")
    browser.page = judged
    browser.send("Undo")
    wait_until(lambda: status() == OPEN, "the row to be open again")

    assert "Fraud: 1 payment, 1,250.00 USD. The case is closed: fraud." in judged
    page = browser.open(f"/cases/{case.case_id}").partition("<main")[2]
    assert "Probably fraud" in page, page  # the lead's again, and undecided
    labels = dynamodb.scan(TableName="labels")["Items"]
    assert sorted(label["verdict"]["S"] for label in labels) == ["fraud", "withdrawn"]
    assert 'class="land"' not in browser.page  # one place makes no map


def test_who_signs_out_is_out(stack: Stack, site: ConsoleSite) -> None:
    browser = Browser()
    browser.sign_in(site.url, "admin", site.passwords["admin"])
    assert browser.address == f"{site.url}/sessions"

    browser.send("Sign out")

    browser.open("/sessions")
    assert browser.address.startswith(f"{site.url}/sign-in?next=")


def test_the_people_are_printed_with_the_address(build_dir: Path, site: ConsoleSite) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert people.main(["--build-dir", str(build_dir)]) == 0

    assert printed.getvalue().splitlines()[0] == site.url
    assert f"auditor    {site.passwords['auditor']}" in printed.getvalue()


def test_nothing_of_a_request_is_logged(stack: Stack, site: ConsoleSite) -> None:
    browser = Browser()
    browser.sign_in(site.url, "analyst", site.passwords["analyst"])
    browser.open("/cases/80048216f18b6e4f9049b00fb70d7d1f-77")

    logs = "".join(file.read_text(errors="replace") for file in stack.log_dir.glob("console*"))
    assert "80048216f18b6e4f" not in logs
    assert site.passwords["analyst"] not in logs


def test_up_prints_the_address(
    stack: Stack, build_dir: Path, site: ConsoleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervisor.up(build_dir, ingestion=False, functions=["console", "label"], ruleset=None) == 0

    assert capsys.readouterr().out.startswith(f"console: {site.url}; ")
