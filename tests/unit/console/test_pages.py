"""Every answer has the headers that keep a browser safe, and no text of a sender is markup."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from console.pages import TEMPLATES
from console.queue_store import OpenPayment
from console.rights import Group
from console.sessions import begin_session
from console.views import queue_view, sessions_view
from contract.flagged import flag, to_flagged_item
from contract.scored import Decision
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.payments import RETENTION, make_scored, make_transaction

PAYMENT = OpenPayment(
    occurred_at=NOW - timedelta(hours=3),
    decision=Decision.BLOCK,
    risk_score=93,
    amount=Decimal("1234.5"),
    currency="EUR",
)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/queue", "/console.css", "/nothing", "/sign-out"])
def test_every_answer_has_the_headers(world: ConsoleWorld, path: str) -> None:
    world.sign_in(Group.ANALYST)

    headers = world.get(path).headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("public, max-age=3600" if path == "/console.css" else "no-store")
    assert "strict-transport-security" not in headers


def test_a_page_that_fails_says_so_and_has_the_headers(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sign_in(Group.ANALYST)
    monkeypatch.setattr("console.case_pages.queue_view", lambda *_: 1 / 0)

    answer = world.get("/queue")

    assert answer.status == 500
    assert "The console has an error" in answer.body
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/queue", 405)])
def test_what_is_not_in_the_table_is_not_served(
    world: ConsoleWorld, method: str, path: str, status: int
) -> None:
    assert world.request(method, path, {}).status == status


def test_a_form_that_is_too_large_is_not_read(world: ConsoleWorld) -> None:
    world.sign_in(Group.ADMIN)

    assert world.post("/sessions/revoke", {"subject": "x" * 200_000}).status == 413


def test_the_queue_shows_open_payments_and_names_no_user(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    flagged = flag(make_scored(make_transaction(user_id="user-<b>1</b>")), NOW, RETENTION)
    world.dynamodb.put_item(TableName="flagged_transactions", Item=to_flagged_item(flagged))

    body = world.get("/queue").body

    assert "1 flagged payment without a verdict" in body
    assert "user-" not in body


def test_an_empty_queue_says_so(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)

    assert "No flagged payment waits" in world.get("/queue").body


def test_names_of_people_are_no_markup(world: ConsoleWorld) -> None:
    back = world.begin()
    world.provider.claims = {"name": "<script>alert(1)</script>"}
    world.get(back)

    body = world.get("/queue").body

    assert "<script>" not in body
    assert "&lt;script&gt;" in body


def test_templates_have_no_inline_script_or_style_and_load_nothing_from_elsewhere() -> None:
    for file in TEMPLATES.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://|\|\s*safe|autoescape", text), (
            file.name
        )


@pytest.mark.parametrize("template", sorted(file.name for file in TEMPLATES.glob("*.html")))
def test_every_form_bears_its_sessions_token(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")

    assert text.count("<form") == text.count('name="form_token" value="{{ who.form_token }}"')


def test_the_queue_is_newest_first_with_amount_and_waiting_time() -> None:
    old = OpenPayment(NOW - timedelta(days=2), Decision.REVIEW, 50, Decimal(98000), "JPY")

    view = queue_view([old, PAYMENT], NOW, 10)

    assert view.summary == "2 flagged payments without a verdict, newest first."
    assert [(row.amount, row.decision, row.waiting) for row in view.rows] == [
        ("1,234.50 EUR", "block", "3 hours"),
        ("98,000 JPY", "review", "2 days"),
    ]


def test_a_queue_that_is_longer_than_the_page_says_so() -> None:
    view = queue_view([PAYMENT] * 3, NOW, 2)

    assert view.summary == "The newest 2 of at least 3 flagged payments without a verdict."
    assert len(view.rows) == 2


@pytest.mark.parametrize("can_revoke", [True, False])
def test_only_a_live_session_can_be_ended_and_only_by_who_may(can_revoke: bool) -> None:
    live = begin_session("t-1", "person-1", "Ada", (Group.ANALYST,), NOW, timedelta(hours=12))
    old = begin_session("t-2", "person-2", "Bo", (Group.LEAD,), NOW - timedelta(days=1), timedelta(hours=12))

    view = sessions_view([live, old], NOW, timedelta(minutes=30), can_revoke=can_revoke)

    assert view.summary == "1 signed in now."
    assert [(row.state, row.can_end) for row in view.rows] == [("signed in", can_revoke), ("expired", False)]
