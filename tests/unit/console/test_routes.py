"""The table of routes is what the console serves: every route for every group, with its right and its audit event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from console.rights import RIGHTS, Group, Right
from console.route import Action, Route
from console.routes import ROUTES, safe_next
from console.verdicts import payment_id
from contract.audit import chains_of
from contract.case import CaseStatus, CaseVerdict, SecondLook
from contract.case_work import LEASE
from contract.flagged import flag
from contract.ruleset_change import ChangeKind
from tests.support.cases import make_case
from tests.support.console_rulesets import RULESET_WITH_CANDIDATE
from tests.support.console_world import NOW
from tests.support.payments import RETENTION, make_scored

if TYPE_CHECKING:
    from contract.audit import AuditEvent
    from tests.support.console_world import Answer, ConsoleWorld

HELD: Any = {"status": CaseStatus.CLAIMED, "assignee": "person-1", "lease_until": NOW + LEASE}
GUARDED = [route for route in ROUTES if route.right is not None]
NAMES = [route.name for route in GUARDED]


FOLLOWED = {"alert", "use_filter"}
"""Pages that send the browser to another one."""
SHOWN = {
    "sign_out",
    "reveal",
    "reveal_payment",
    "reveal_change",
    "judge",
    "undo",
    "find",
    "find_events",
    "find_changes",
    "show_found",
    "open_document",
    "check_change",
    "choose_list_of_found",
    "replay_found",
    "preview_bulk",
    "judge_bulk",
}
"""Actions that answer with a page."""
SECOND = {"agree", "contest"}
"""What somebody else does with a closed case."""
CLOSED: Any = {
    "status": CaseStatus.CLOSED,
    "verdict": CaseVerdict.LEGITIMATE,
    "closed_at": NOW,
    "closed_by": "person-2",
    "second_look": SecondLook(NOW),
}
MINE = {"release", "skip", "judge", "undo"}
"""What is done with a case that one has."""
FORM_ID = "0123456789abcdef"
CHANGED_RULE = 'id: large\nwhen: amount_base > 9000.0\npoints: 20\nreason: "Large."'
LISTED = {"choose_list", "list_entity"}
"""What is done with an entity of the case's payment, the first: its card."""
OTHERS = {"approve_change", "reject_change"}
"""What somebody else does with a change."""
FILTER_ID = "f" * 32


def form_of(world: ConsoleWorld, route: Route) -> dict[str, Any]:
    """A form that the route takes."""
    payment = payment_id(flag(make_scored(), NOW, RETENTION))
    form: dict[str, Any] = {"subject": "session#0", "reason": "it is my cousin's"}
    if route.name in {"check_change", "try_draft", "propose_change"}:
        active = world.rulesets.desk.active()
        base = "" if active is None else active.digest
        form |= {"subject": "large", "text": CHANGED_RULE, "version": "3", "reach": "shadow", "base": base}
    if route.name in {"choose_list_of_found", "list_found", "list_entity"}:
        form |= {"subject": "card_id", "query": "tok_1", "list": "denied_cards", "until": "30"}
    if route.name in {"widen_candidate", "take_off"}:
        active = world.rulesets.desk.active()
        form |= {"reach": "candidate", "share": "10", "subject": "denied_merchants", "number": "0"}
        form["base"] = "" if active is None else active.digest
    if route.name == "paste_entries":
        form |= {"subject": "denied_cards", "lines": "tok_1"}
    if route.name in {"find", "show_found", "replay_found"}:
        form = {"subject": "user", "query": "user-1", "payment": payment}
    if route.name in {"judge", "undo"}:
        form |= {"decision": FORM_ID, "chosen": [payment], "verdict": "fraud", "fraud_type": "mule"}
    if route.name in {"save_filter", "rename_filter"}:
        form |= {"name": "Overdue and large", "subject": FILTER_ID}
    if route.name == "agree":
        form["look"] = "0"
    if route.name == "reassign":
        form["to"] = "person-1"
    if route.name in {"preview_bulk", "judge_bulk"}:
        form |= {"chosen": [make_case().case_id], "decision": FORM_ID, "verdict": "fraud"}
    return form


def path_in(world: ConsoleWorld, route: Route) -> str:
    """Path of a route, with the ids of a case and an alert that there are; the case is the person's where the route needs that."""
    state = HELD if route.name in MINE else CLOSED if route.name in SECOND else {}
    touched = flag(make_scored(), NOW, RETENTION).entity_ids
    case = world.put_case(**state | ({"entities": touched} if route.name in LISTED else {}))
    world.put_payments(make_scored(), case=case)
    if route.name in {"use_filter", "rename_filter"}:
        world.put_filter(FILTER_ID)
    if route.name in {"undo", "contest"}:
        analyst = "person-1" if route.name == "undo" else "person-2"
        world.put_decision(case, FORM_ID, analyst, has_closed=route.name == "contest")
    payment = payment_id(flag(make_scored(), NOW, RETENTION))
    world.rulesets.activate(RULESET_WITH_CANDIDATE, NOW)
    change = ""
    if "{change}" in route.path:
        # Whoever approves entries of lists must have had them shown before.
        draft: Any = {"kind": ChangeKind.WITHDRAWN} if route.name == "approve_change" else {}
        author = "person-2" if route.name in OTHERS else "person-1"
        change = world.rulesets.propose(author, NOW, **draft).change_id
    ids = {"case": case.case_id, "alert": "alert-user-1", "payment": payment, "number": "0"}
    trial = (
        world.rulesets.put_trial(flag(make_scored(), NOW, RETENTION).key, NOW)
        if "{trial}" in route.path
        else ""
    )
    return route.path.format(
        **ids, rule="large", change=change, filter=FILTER_ID, trial=trial, day="2026-03-01"
    )


def ask(world: ConsoleWorld, route: Route) -> Answer:
    path = path_in(world, route)
    return world.get(path) if route.method == "GET" else world.post(path, form_of(world, route))


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("route", GUARDED, ids=NAMES)
def test_a_route_answers_whoever_has_its_right_and_refuses_others(
    world: ConsoleWorld, route: Route, group: Group
) -> None:
    # Whom a lead gives a case to.
    world.sign_in(Group.ANALYST)
    world.sign_in(group)

    answer = ask(world, route)

    is_allowed = route.right in RIGHTS[group]
    is_page = (route.method == "GET" and route.name not in FOLLOWED) or route.name in SHOWN
    shown = 200 if is_page else 303
    assert answer.status == (shown if is_allowed else 403)
    assert route.action is not None
    # Cases that are judged together have an event each, too.
    assert world.deeds()[0] == ("person-1", route.action.value, "allowed" if is_allowed else "no_right")
    assert len(world.deeds()) == 1 or (is_allowed and route.name == "judge_bulk")


@pytest.mark.parametrize("route", GUARDED, ids=NAMES)
def test_an_event_names_everything_that_a_path_names(world: ConsoleWorld, route: Route) -> None:
    world.sign_in(*Group)
    path = path_in(world, route)

    (world.get(path) if route.method == "GET" else world.post(path, form_of(world, route)))

    event = next(each for each in world.trail() if each.action == route.action)
    named = {event.subject, *event.details.values()}
    parts = zip(route.path.split("/"), path.split("/"), strict=True)
    assert {given for part, given in parts if part.startswith("{")} <= named


def test_an_event_names_all_that_was_ticked(world: ConsoleWorld) -> None:
    world.sign_in(Group.LEAD)
    cases = [f"{number:032x}-1" for number in range(50)]

    world.post("/queue/judge", {"chosen": cases})

    (event,) = world.trail()
    texts = [value for name, value in event.details.items() if name.startswith("chosen")]
    assert all(len(text) <= 200 for text in texts)
    assert " ".join(texts).split() == ["50:", *cases]


@pytest.mark.parametrize("route", GUARDED, ids=NAMES)
def test_a_route_with_a_right_shows_nothing_to_who_is_not_signed_in(
    world: ConsoleWorld, route: Route
) -> None:
    answer = ask(world, route)

    assert answer.status == (303 if route.method == "GET" else 401)
    assert world.deeds() == []


@pytest.mark.parametrize("route", GUARDED, ids=NAMES)
def test_nothing_is_shown_or_done_whose_event_cannot_be_written(world: ConsoleWorld, route: Route) -> None:
    world.sign_in(*Group)

    def fail(_: AuditEvent) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example")

    world.events.before_insert = fail

    answer = ask(world, route)

    assert answer.status == 503
    assert "Nothing was changed" in answer.body
    assert world.get("/").status == 303  # still signed in


@pytest.mark.parametrize(
    "route", [each for each in GUARDED if each.method == "POST"], ids=lambda each: each.name
)
@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, {"form_token": ""}),
        ({}, {"form_token": "0" * 64}),
        ({}, {"form_token": "ä"}),
        ({"Origin": "https://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
    ],
)
def test_a_form_of_another_site_does_nothing(
    world: ConsoleWorld, route: Route, headers: dict[str, str], form: dict[str, str]
) -> None:
    world.sign_in(*Group)

    answer = world.post(path_in(world, route), form_of(world, route) | form, headers)

    assert answer.status == 403
    assert [outcome for _, _, outcome in world.deeds()] == ["foreign_form"]


def test_a_form_is_taken_from_the_console_itself(world: ConsoleWorld) -> None:
    world.sign_in(Group.ADMIN)
    headers = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}

    assert world.post("/sessions/revoke", {"subject": "session#0"}, headers).status == 303


def test_the_table_is_whole() -> None:
    assert (
        len({route.name for route in ROUTES})
        == len({(route.method, route.path) for route in ROUTES})
        == len(ROUTES)
    )
    assert {route.right for route in GUARDED} == set(Right)
    assert {route.action for route in GUARDED} | {Action.SIGNED_IN} == set(Action)
    assert all(route.action is None and route.method == "GET" for route in ROUTES if route.right is None)
    assert RIGHTS.keys() == set(Group)


def test_the_event_of_a_page_names_the_case_that_it_shows(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()

    world.get(f"/cases/{case.case_id}")

    subjects = {
        event.action: event.subject
        for chain in chains_of("2026-03-01")
        for event in world.events.chain(chain)
    }
    assert subjects["case_viewed"] == case.case_id


@pytest.mark.parametrize("group", Group)
def test_everybody_has_a_first_page(world: ConsoleWorld, group: Group) -> None:
    world.sign_in(group)

    assert world.get(world.get("/").headers["location"]).status == 200


@pytest.mark.parametrize("route", [each for each in ROUTES if each.needs_reason], ids=lambda each: each.name)
@pytest.mark.parametrize("reason", ["", " \t "])
def test_what_needs_a_reason_is_not_done_without_one(world: ConsoleWorld, route: Route, reason: str) -> None:
    world.sign_in(*Group)

    answer = world.post(path_in(world, route), {"reason": reason})

    assert answer.status == 422
    assert [outcome for _, _, outcome in world.deeds()] == ["no_reason"]


def test_auditors_change_nothing() -> None:
    # By a form, so that nothing personal is in an address; and what takes seconds, so that no link begins it.
    searching = {"find", "show_found", "replay_found", "find_events", "find_changes", "try_change"}
    changing = {route.right for route in ROUTES if route.method == "POST" and route.name not in searching}
    changing -= {Right.ENTER}

    assert not RIGHTS[Group.AUDITOR] & changing


@pytest.mark.parametrize("path", ["/queue", "/cases/80048216f18b6e4f9049b00fb70d7d1f-3", "/alerts/0b1c-2d"])
def test_a_link_to_one_of_our_pages_is_followed_after_the_sign_in(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "/cases/../sign-out",
        "/cases/%2e%2e",
        "https://evil.example/queue",
        "//evil.example",
        "/\\evil.example",
        "/queue/../..//evil.example",
        "/queue?x=1",
        "/queue\r\nLocation: https://evil.example",
        "/sign-out",
        "/sessions/revoke",
        "",
    ],
)
def test_no_link_leads_elsewhere_after_the_sign_in(path: str) -> None:
    assert safe_next(path) == "/"
