"""Every answer has the headers that keep a browser safe, and no text of a sender is markup."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from console.pages import TEMPLATES
from console.rights import Group
from console.sessions import begin_session
from console.views import sessions_view
from tests.support.console_world import NOW, ConsoleWorld


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/queue", "/console.css", "/console.js", "/nothing", "/sign-out"]
)
def test_every_answer_has_the_headers(world: ConsoleWorld, path: str) -> None:
    world.sign_in(Group.ANALYST)

    headers = world.get(path).headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == (
        "public, max-age=3600" if path.startswith("/console.") else "no-store"
    )
    assert "strict-transport-security" not in headers


def test_a_page_that_fails_says_so_and_has_the_headers(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sign_in(Group.ANALYST)
    monkeypatch.setattr("console.queue_pages.queue_view", lambda *_: 1 / 0)

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


def test_the_queue_shows_open_cases_and_names_no_user(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case("user-secret")

    body = world.get("/queue").body

    assert "1 case, 0 overdue." in body
    assert f'href="/cases/{case.case_id}"' in body
    assert "user-secret" not in body


def test_an_empty_queue_says_so(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)

    assert "No case waits" in world.get("/queue").body


def test_the_next_case_is_claimed_and_shown(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    world.put_case("user-1", priority=3)
    urgent = world.put_case("user-2", priority=1)

    answer = world.post("/cases/next", {})

    assert answer.headers["location"] == f"/cases/{urgent.case_id}"
    assert "yours" in world.get(f"/cases/{urgent.case_id}").body


def test_two_people_do_not_get_the_same_case(world: ConsoleWorld) -> None:
    case = world.put_case()
    world.sign_in(Group.ANALYST, person="person-1")
    world.post(f"/cases/{case.case_id}/claim", {})
    world.sign_in(Group.ANALYST, person="person-2")

    answers = [world.post(f"/cases/{case.case_id}/claim", {}), world.post("/cases/next", {})]

    assert answers[0].status == 409
    assert "Somebody else works on this case" in answers[0].body
    assert "No case waits for you" in answers[1].body


def test_a_case_that_was_skipped_does_not_come_back_to_the_same_person(world: ConsoleWorld) -> None:
    case = world.put_case()
    world.sign_in(Group.ANALYST)
    world.post("/cases/next", {})

    world.post(f"/cases/{case.case_id}/skip", {})

    assert "No case waits for you" in world.post("/cases/next", {}).body
    assert "open" in world.get("/queue").body


def test_a_case_is_given_back_with_its_reason_and_that_is_no_markup(world: ConsoleWorld) -> None:
    case = world.put_case()
    world.sign_in(Group.ANALYST)
    world.post("/cases/next", {})
    path = f"/cases/{case.case_id}"

    assert world.post(f"{path}/release", {"reason": " "}).status == 422
    assert world.post(f"{path}/release", {"reason": "my <b>cousin</b>"}).status == 303

    assert "Given back: my &lt;b&gt;cousin&lt;/b&gt;" in world.get(path).body


@pytest.mark.parametrize(
    "path", ["/cases/80048216f18b6e4f9049b00fb70d7d1f-3", "/cases/user-1", "/alerts/a-1"]
)
def test_what_is_not_there_is_said_to_be_so(world: ConsoleWorld, path: str) -> None:
    world.sign_in(Group.ANALYST)

    assert world.get(path).status == 404


def test_an_auditor_sees_a_case_and_no_button(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUDITOR)
    case = world.put_case()

    bodies = [world.get("/queue").body, world.get(f"/cases/{case.case_id}").body]

    assert [body.count("<form") for body in bodies] == [1, 1]  # to sign out
    assert "1,250.00 USD" in bodies[1]


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
        assert not re.search(
            r"<script(?! src=\"\{\{ path_of)|<style|\sstyle=|\son\w+=|https?://|\|\s*safe|autoescape", text
        ), file.name


@pytest.mark.parametrize("template", sorted(file.name for file in TEMPLATES.glob("*.html")))
def test_every_form_bears_its_sessions_token(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")

    assert text.count("<form") == text.count('name="form_token" value="{{ who.form_token }}"')


@pytest.mark.parametrize("can_revoke", [True, False])
def test_only_a_live_session_can_be_ended_and_only_by_who_may(can_revoke: bool) -> None:
    live = begin_session("t-1", "person-1", "Ada", (Group.ANALYST,), NOW, timedelta(hours=12))
    old = begin_session("t-2", "person-2", "Bo", (Group.LEAD,), NOW - timedelta(days=1), timedelta(hours=12))

    view = sessions_view([live, old], NOW, timedelta(minutes=30), can_revoke=can_revoke)

    assert view.summary == "1 signed in now."
    assert [(row.state, row.can_end) for row in view.rows] == [("signed in", can_revoke), ("expired", False)]
