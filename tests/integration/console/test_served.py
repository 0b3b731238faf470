"""`make up` serves the console: its zip under Lambda's runtime behind the gateway, with the people whom `make people` prints."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import pytest

from contract.case import to_case_item
from local import audit_verify, people
from local.stack import Stack, supervisor
from tests.support.browser import Browser
from tests.support.cases import make_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.identity import ConsoleSite


@pytest.fixture(scope="module")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def stack(build_dir: Path) -> Iterator[Stack]:
    """A stack that runs the console alone."""
    with Stack(build_dir) as running:
        running.start(functions=["console"], ingestion=False)
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
    assert audit_verify.main(["--build-dir", str(build_dir)]) == 0


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
    assert "-77" not in logs
    assert site.passwords["analyst"] not in logs


def test_up_prints_the_address(
    stack: Stack, build_dir: Path, site: ConsoleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervisor.up(build_dir, ingestion=False, functions=["console"], ruleset=None) == 0

    assert capsys.readouterr().out.startswith(f"console: {site.url}; ")
