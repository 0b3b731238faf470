"""The queue is narrowed by state and severity with counts, shows leads who works on what, and lets them reassign and judge together."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from console.queue_views import SHOWN_LOOKS, Filter, Load, looks_view, queue_view, read_filter, workload
from console.rights import Group
from contract.alert import Severity
from contract.case import CaseStatus, CaseVerdict, SecondLook, Tally, from_queued_item, to_case_item
from contract.case_work import LEASE
from contract.closed_case import from_look_item
from tests.support.cases import make_case
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from contract.case import Case, QueuedCase
    from contract.closed_case import LookCase


def held_by(person: str, **changes: Any) -> dict[str, Any]:
    return {"status": CaseStatus.CLAIMED, "assignee": person, "lease_until": NOW + LEASE} | changes


def queued(*cases: Case) -> list[QueuedCase]:
    return [from_queued_item(to_case_item(case)) for case in cases]


LATE = make_case("user-1", due_at=NOW - timedelta(hours=2), opened_at=NOW - timedelta(hours=6))
MINE = make_case("user-2", severity=Severity.CRITICAL, **held_by("person-1"))
THEIRS = make_case("user-3", **held_by("person-2"))
LAPSED = make_case("user-4", **held_by("person-2", lease_until=NOW))


def test_rows_say_what_is_overdue_and_whose_a_case_is() -> None:
    names = {"person-2": "Bo"}

    view = queue_view(queued(LATE, MINE, THEIRS, LAPSED), Filter(), "person-1", names, NOW, has_more=True)

    assert view.summary == "4 cases, 1 overdue. Counts are of the 4 most urgent; there are more."
    assert [(row.due, row.age, row.is_overdue, row.state) for row in view.rows] == [
        ("2 hours ago", "6 hours ago", True, "open"),
        ("in 4 hours", "under a minute ago", False, "yours"),
        ("in 4 hours", "under a minute ago", False, "with Bo"),
        ("in 4 hours", "under a minute ago", False, "open"),
    ]


def test_filters_have_counts_of_what_they_would_show() -> None:
    view = queue_view(
        queued(LATE, MINE, THEIRS, LAPSED), Filter("open", "high"), "person-1", {}, NOW, has_more=False
    )

    assert [row.case_id for row in view.rows] == [LATE.case_id, LAPSED.case_id]
    assert [(choice.words, choice.count, choice.is_chosen) for choice in view.views] == [
        ("All", 3, False),
        ("Yours", 0, False),
        ("Open", 2, True),
        ("Overdue", 1, False),
    ]
    assert [(choice.words, choice.count) for choice in view.severities] == [
        ("Any severity", 2),
        ("Critical", 0),
        ("High", 2),
        ("Medium", 0),
    ]


@pytest.mark.parametrize(("view", "severity"), [("everything", "any"), ("all", "<b>"), ("", "")])
def test_a_filter_that_is_not_known_shows_all(view: str, severity: str) -> None:
    assert read_filter(view, severity) == Filter("all", "any", "any")


def test_the_workload_says_who_has_how_many_and_how_much() -> None:
    late = make_case("user-5", **held_by("person-2", due_at=NOW - timedelta(hours=1)))

    loads = workload(queued(LATE, MINE, THEIRS, late), {"person-1": "Ada", "person-2": "Bo"}, NOW)

    assert loads == (Load("Bo", 2, 1, "2,500.00 USD"), Load("Ada", 1, 0, "1,250.00 USD"))


def test_a_filter_is_kept_for_the_next_time(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    world.put_case("user-1", severity=Severity.MEDIUM)
    critical = world.put_case("user-2", severity=Severity.CRITICAL)

    answer = world.get("/queue?view=open&severity=critical")
    again = world.get("/queue").body

    assert answer.cookies["console_queue"]["httponly"]
    assert answer.cookies["console_queue"]["path"] == "/queue"
    assert f'href="/cases/{critical.case_id}"' in again
    assert again.count("data-row") == 1


def test_only_leads_see_who_works_on_what(world: ConsoleWorld) -> None:
    world.put_case(**held_by("person-1"))
    world.sign_in(Group.ANALYST, person="person-1")
    seen = world.get("/queue").body
    world.sign_in(Group.LEAD, person="person-2")

    led = world.get("/queue").body

    assert "Who works on it" not in seen
    assert "with Ada" in led
    assert '<th scope="row">Ada</th><td class="figure">1</td>' in led


def test_a_lead_gives_a_case_to_somebody_with_a_reason(world: ConsoleWorld) -> None:
    case = world.put_case(**held_by("person-3"))
    world.sign_in(Group.ANALYST, person="person-1")
    world.sign_in(Group.AUDITOR, person="person-9")
    world.sign_in(Group.LEAD, person="person-2")
    page = world.get(f"/cases/{case.case_id}").body
    path = f"/cases/{case.case_id}/reassign"

    refused = [
        world.post(path, {"to": "person-9", "reason": "she knows it"}),
        world.post(path, {"to": "person-1", "reason": " "}),
    ]
    given = world.post(path, {"to": "person-1", "reason": "she knows it"})

    assert '<option value="person-1">' in page
    assert '<option value="person-9">' not in page
    assert [answer.status for answer in refused] == [422, 422]
    assert given.status == 303
    stored = world.stored_case(case)
    assert stored.assignee == "person-1"
    assert stored.handover is not None
    assert stored.handover.reason == "she knows it"


def bulk_world(world: ConsoleWorld) -> list[Case]:
    """Two open cases of one payment each, and one that somebody has."""
    cases = [world.put_case(f"user-{number}") for number in (1, 2)]
    cases.append(world.put_case("user-3", **held_by("person-9")))
    for number, case in enumerate(cases, 1):
        payment = make_transaction(user_id=f"user-{number}", transaction_id=f"tx-{number}")
        row = make_scored(payment, amount_base=Decimal(1250), base_currency="USD")
        world.put_payments(row, case=case)
    world.sign_in(Group.LEAD)
    return cases


def preview(world: ConsoleWorld, cases: list[Case]) -> str:
    return world.post("/queue/judge", {"chosen": [case.case_id for case in cases]}).body


def form_of(page: str) -> dict[str, Any]:
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split("<main")[1])
    form: dict[str, Any] = {name: unescape(value) for name, value in hidden}
    return form | {"chosen": [value for name, value in hidden if name == "chosen"], "verdict": "fraud"}


def test_cases_are_judged_together_after_a_preview_with_the_exact_count(world: ConsoleWorld) -> None:
    cases = bulk_world(world)

    page = preview(world, cases)
    done = world.post("/queue/judge/confirmed", form_of(page)).body

    assert "2 payments of 2 cases, 2,500.00 USD: all undecided payments" in page
    assert "1 of the chosen cases are left out" in page
    assert done.count("closed: fraud") == 2
    assert {label["transaction_id"] for label in world.labels.bodies} == {"tx-1", "tx-2"}
    assert [world.stored_case(case).verdict for case in cases] == [CaseVerdict.FRAUD, CaseVerdict.FRAUD, None]
    judged = [event.subject for event in world.trail() if event.action == "payments_judged"]
    assert judged == [case.case_id for case in cases[:2]]


def test_money_that_is_released_together_is_one_sum(world: ConsoleWorld) -> None:
    world.sign_in(Group.LEAD)
    cases = []
    for number in range(3):
        user = f"mule-{number}"
        cases.append(world.put_case(user, undecided=Tally(1, Decimal(9_999))))
        payment = make_transaction(user_id=user, transaction_id=f"tx-{user}", amount=Decimal(9_999))
        row = make_scored(payment, amount_base=Decimal(9_999), base_currency="USD")
        world.put_payments(row, case=cases[-1])

    form = form_of(preview(world, cases)) | {"verdict": "legitimate"}
    done = world.post("/queue/judge/confirmed", form).body

    assert [world.stored_case(case).is_look_due for case in cases] == [False, True, True]
    assert done.count("closed: legitimate; a second person will look at it") == 2


def test_a_case_whose_rows_are_all_gone_is_left_out_of_what_is_judged_together(world: ConsoleWorld) -> None:
    cases = bulk_world(world)
    empty = world.put_case("user-4")
    chosen = [empty, *cases]

    page = preview(world, chosen)
    form = form_of(page) | {"chosen": [case.case_id for case in chosen]}
    done = world.post("/queue/judge/confirmed", form)
    alone = world.post("/queue/judge/confirmed", form | {"chosen": [empty.case_id]})

    assert "2 payments of 2 cases" in page
    assert "2 of the chosen cases are left out" in page
    assert (done.status, done.body.count("closed: fraud")) == (200, 2)
    assert alone.status < 500


def test_nothing_is_judged_together_that_has_changed_since_the_preview(world: ConsoleWorld) -> None:
    cases = bulk_world(world)
    form = form_of(preview(world, cases))
    late = make_transaction(user_id="user-1", transaction_id="tx-late")
    world.put_payments(make_scored(late, amount_base=Decimal(5), base_currency="USD"), case=cases[0])

    page = world.post("/queue/judge/confirmed", form).body

    assert "Nothing was judged: what was chosen has changed meanwhile." in page
    assert "3 payments of 2 cases, 2,505.00 USD" in page
    assert world.labels.bodies == []


@pytest.mark.parametrize("chosen", [[], ["nonsense"], ["0" * 32 + "-1"]])
def test_a_choice_of_nothing_is_refused(world: ConsoleWorld, chosen: list[str]) -> None:
    world.sign_in(Group.LEAD)

    assert world.post("/queue/judge", {"chosen": chosen}).status == 422


def test_the_queue_counts_undecided_payments_alone() -> None:
    case = make_case(undecided=Tally(2, Decimal(10)), fraud=Tally(5, Decimal(90)))

    (row,) = queue_view(queued(case), Filter(), "person-1", {}, NOW, has_more=False).rows

    assert (row.payments, row.at_risk) == ("2 payments", "100.00 USD")


def look(number: int, amount: int, days: int, **changes: Any) -> LookCase:
    """A case that waits for a second person."""
    since = NOW - timedelta(days=days)
    second_look = SecondLook(since, Tally(1, Decimal(amount)))
    case = make_case(f"user-{number}", second_look=second_look, **changes)
    return from_look_item(to_case_item(case))


def test_the_most_money_comes_first_among_second_looks_and_all_are_counted() -> None:
    small = [look(number, 1, days=9) for number in range(SHOWN_LOOKS)]
    large, own = look(-1, 1_000_000, days=1), look(-2, 5, days=99, decided_by=("person-1",))

    view = looks_view([*small, own, large], "person-1", NOW, has_more=False)
    more = looks_view(small[:2], "person-1", NOW, has_more=True)

    assert view.rows[0].case_id == large.key.case_id
    assert len(view.rows) == SHOWN_LOOKS
    assert view.summary == (
        f"{SHOWN_LOOKS + 1} cases; the oldest has waited for 9 days. The {SHOWN_LOOKS} with the most money are shown."
    )
    assert more.summary == "2 cases or more; the oldest has waited for 9 days."
    assert looks_view([own], "person-1", NOW, has_more=False).rows == ()


def test_a_large_look_is_in_the_queue_however_many_have_waited_longer(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    closed: Any = {"status": CaseStatus.CLOSED, "verdict": CaseVerdict.LEGITIMATE, "closed_by": "eve"}
    for number in range(30):
        old = SecondLook(NOW - timedelta(days=9), Tally(1, Decimal(1)))
        world.put_case(f"user-{number}", **closed, second_look=old)
    new = SecondLook(NOW - timedelta(days=1), Tally(1, Decimal(1_000_000)))
    large = world.put_case("large", **closed, second_look=new)

    looks = world.get("/queue").body.split("For a second look")[1]

    assert "31 cases; the oldest has waited for" in looks
    assert re.findall(r"/cases/([0-9a-f]{32}-1)", looks)[0] == large.case_id


def test_whoever_may_not_work_on_cases_is_asked_for_no_second_look(world: ConsoleWorld) -> None:
    closed: Any = {"status": CaseStatus.CLOSED, "verdict": CaseVerdict.LEGITIMATE, "closed_by": "eve"}
    world.put_case("large", **closed, second_look=SecondLook(NOW, Tally(1, Decimal(1_000_000))))

    asked = []
    for group in (Group.AUDITOR, Group.ANALYST):
        world.sign_in(group)
        asked.append("For a second look" in world.get("/queue").body)

    assert asked == [False, True]
