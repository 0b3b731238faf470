"""An auditor reaches every audit event, page by page, and finds those of a person, an action or a value; what was looked for is in no address."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from console.audit_pages import ACTIONS, KINDS
from console.audit_search import MAX_REQUESTS, PAGE, EventSearch, Place, Wanted, begin_of, place_of
from console.audit_trail import AuditTrail, Deed
from console.rights import Group
from console.search_pages import FIELDS
from contract.audit import AUDIT_SHARDS, SYSTEM, AuditEvent
from contract.audit_values import value_hash
from tests.support.audit_memory import MemoryAudit
from tests.support.console_forms import form_on
from tests.support.console_world import NOW

if TYPE_CHECKING:
    from console.audit_search import Place
    from tests.support.console_world import Answer, ConsoleWorld

DAY = NOW.date()


@pytest.fixture
def auditor(world: ConsoleWorld) -> ConsoleWorld:
    """An auditor at a console where 20 people have looked at 260 cases, in one day."""
    trail = AuditTrail(world.events, lambda: world.now, lambda: f"before-{len(world.events.rows)}")
    for number in range(260):
        world.now = NOW + timedelta(seconds=number)
        trail.write(Deed(actor=f"analyst-{number % 20}", action="case_viewed", subject=f"case-{number}"))
    world.sign_in(Group.AUDITOR, person="auditor-1")
    return world


def find(world: ConsoleWorld, **form: str) -> Answer:
    return world.post("/audit", {"day": "2026-03-01", "since": "2026-03-01", **form})


def subjects(page: str) -> list[str]:
    return re.findall(r"<td>(case-\d+)</td>", page)


def test_the_audit_page_has_the_newest_first_with_outcome_and_reason(world: ConsoleWorld) -> None:
    case = world.put_case()
    world.sign_in(Group.ANALYST, person="person-1")
    world.post(f"/cases/{case.case_id}/reveal", {"reason": "<i>asked</i>"})
    world.now += timedelta(minutes=1)
    world.sign_in(Group.AUDITOR, person="person-2")

    body = world.get("/audit").body

    assert "Audit events of 2026-03-01" in body
    assert body.index("<td>audit viewed") < body.index("<td>personal data shown")
    assert "&lt;i&gt;asked&lt;/i&gt;" in body


def test_the_audit_page_shows_an_earlier_day_and_leads_to_its_neighbours(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUDITOR, person="person-1")
    world.get("/sessions")
    world.now += timedelta(days=2)
    world.sign_in(Group.AUDITOR, person="person-2")

    earlier = world.get("/audit/2026-03-01").body
    today = world.get("/audit").body

    assert "<td>sessions viewed" in earlier
    assert "/audit/2026-02-28" in earlier
    assert "/audit/2026-03-02" in earlier
    assert "<td>sessions viewed" not in today
    assert "The day after" not in today


def test_the_audit_page_shows_the_day_that_a_clock_ahead_has_begun(world: ConsoleWorld) -> None:
    world.now += timedelta(days=1)
    world.sign_in(Group.AUDITOR)
    world.get("/sessions")
    world.now -= timedelta(days=1)

    body = world.get("/audit").body

    assert "Audit events of 2026-03-02" in body
    assert "<td>sessions viewed" in body


@pytest.mark.parametrize("day", ["2026-13-01", "days", "2099-01-01", "2026-03-01%230"])
def test_the_audit_page_of_no_day_is_that_of_today(world: ConsoleWorld, day: str) -> None:
    world.sign_in(Group.AUDITOR)

    assert "Audit events of 2026-03-01" in world.get(f"/audit/{day}").body


def test_every_event_is_on_one_page_the_newest_first(auditor: ConsoleWorld) -> None:
    answer, pages = auditor.get("/audit/2026-03-01"), []
    while True:
        pages.append(subjects(answer.body))
        if "Older events" not in answer.body:
            break
        answer = auditor.post("/audit", form_on(answer.body, "Older events"))

    assert [subject for page in pages for subject in page] == [f"case-{each}" for each in range(259, -1, -1)]
    assert [len(page) for page in pages] == [PAGE - 1, PAGE, 61]  # the first has the event of looking at it
    assert "There are no older ones" not in answer.body


def test_what_is_written_meanwhile_moves_no_page(auditor: ConsoleWorld) -> None:
    first = auditor.get("/audit").body
    trail = AuditTrail(auditor.events, lambda: auditor.now, lambda: f"since-{len(auditor.events.rows)}")
    for number in range(50):
        trail.write(
            Deed(actor=f"analyst-{number % 20}", action="case_viewed", subject=f"case-{1000 + number}")
        )

    second = auditor.post("/audit", form_on(first, "Older events")).body

    assert subjects(second) == [f"case-{each}" for each in range(160, 60, -1)]


def test_events_of_a_person_are_found_and_only_that_chain_is_read(auditor: ConsoleWorld) -> None:
    auditor.events.requests = 0

    body = find(auditor, person=" analyst-3 ").body

    assert subjects(body) == [f"case-{each}" for each in range(243, 0, -20)]
    assert auditor.events.requests == 1


def test_events_of_an_action_are_found(auditor: ConsoleWorld) -> None:
    auditor.get("/sessions")

    body = find(auditor, action="sessions_viewed").body

    assert "1 event, newest first." in body
    assert "<td>sessions viewed</td>" in body


def test_an_unknown_action_asks_for_all(auditor: ConsoleWorld) -> None:
    assert "100 events, newest first." in find(auditor, action="nothing").body


def test_events_about_an_id_are_found_also_where_it_was_ticked(auditor: ConsoleWorld) -> None:
    auditor.sign_in(Group.LEAD, person="lead-1")
    auditor.post("/queue/judge", {"chosen": ["case-7", "case-9"]})
    auditor.sign_in(Group.AUDITOR, person="auditor-1")

    body = find(auditor, subject="id", query="case-7").body

    assert "3 events, newest first." in body  # with the one of asking for it
    assert "2: case-7 case-9" in body
    assert "<td>case-7</td>" in body


def test_who_asked_for_a_user_is_found_by_search_and_by_case_and_no_event_names_the_user(
    auditor: ConsoleWorld,
) -> None:
    auditor.sign_in(Group.ANALYST, person="analyst-1")
    auditor.post("/search", {"subject": "user", "query": "user-secret"})
    case = auditor.put_case("user-secret")
    auditor.get(f"/cases/{case.case_id}")
    auditor.sign_in(Group.AUDITOR, person="auditor-1")

    body = find(auditor, subject="user", query="user-secret").body

    assert "3 events, newest first." in body
    assert case.case_id in body
    asked = [event for event in auditor.trail() if event.action == "audit_viewed"][-1]
    assert asked.details["asked"] == value_hash("user", "user-secret")
    assert not [event for event in auditor.trail() if "user-secret" in str(event)]


def test_the_event_of_a_look_at_the_trail_says_which_days_and_whom_it_was_about(
    auditor: ConsoleWorld,
) -> None:
    find(auditor, since="2026-02-27", person="analyst-3", action="case_viewed")
    auditor.get("/audit/2026-02-28")

    asked, day = [event for event in auditor.trail() if event.action == "audit_viewed"]
    assert asked.details == {
        "day": "2026-03-01",
        "since": "2026-02-27",
        "person": "analyst-3",
        "action": "case_viewed",
    }
    assert day.subject == "2026-02-28"


def test_events_of_several_days_are_one_list(auditor: ConsoleWorld) -> None:
    auditor.now = NOW + timedelta(days=2)
    auditor.sign_in(Group.AUDITOR, person="analyst-3")
    auditor.get("/sessions")

    body = find(auditor, day="2026-03-03", person="analyst-3").body

    assert "Audit events of 2026-03-01 to 2026-03-03" in body
    assert "15 events, newest first." in body
    assert body.index("2026-03-03 12:00:00") < body.index("2026-03-01 12:04:03")


def test_a_long_search_goes_on_where_it_stopped(auditor: ConsoleWorld) -> None:
    form = {"since": "2024-01-01", "day": "2026-03-01", "action": "sessions_viewed"}
    auditor.events.requests = 0

    first = find(auditor, **form).body
    asked = auditor.events.requests
    following = form_on(first, "Older events")

    assert asked <= MAX_REQUESTS + AUDIT_SHARDS
    assert "there are older events" in first
    assert following["before"][0] < "2026-03-01"
    assert form_on(auditor.post("/audit", following).body, "Older events")["before"] < following["before"]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "x",
        "2026-03-01",
        "2026-13-01" + ".new" * 8,
        "2026-03-02" + ".new" * 8,
        "2026-03-01" + ".-1" * 8,
        "2026-03-01.new",
    ],
)
def test_a_place_that_is_none_is_the_beginning(before: str) -> None:
    assert place_of(before, Wanted(DAY, DAY)) == begin_of(DAY)


def test_what_a_form_asks_for_is_no_markup(auditor: ConsoleWorld) -> None:
    body = find(auditor, person='"><b>', subject="id", query="<i>").body

    assert "&lt;i&gt;" in body
    assert "<b>" not in body
    assert "There is no such event." in body


def test_each_event_comes_once_whatever_the_clocks_of_writers_say() -> None:
    rows, ids = MemoryAudit(), count()

    def clock() -> datetime:
        return NOW + timedelta(seconds=(next(ids) * 7) % 50)

    trail = AuditTrail(rows, clock, lambda: f"event-{next(ids)}")
    for number in range(230):
        trail.write(Deed(actor=f"person-{number % 9}", action="case_viewed", subject=f"{number}"))
    place: Place | None = begin_of(DAY)
    found: list[AuditEvent] = []

    while place is not None:
        page = EventSearch(rows, Wanted(DAY, DAY)).page(place)
        found += page.events
        place = place_of(page.following.text, Wanted(DAY, DAY)) if page.following else None

    assert Counter(event.subject for event in found) == Counter(str(each) for each in range(230))


def test_closings_of_chains_are_found_though_they_are_in_all_chains() -> None:
    rows, now = MemoryAudit(), NOW
    trail = AuditTrail(rows, lambda: now, lambda: f"event-{len(rows.rows)}")
    trail.write(Deed(actor="person-1", action="case_viewed"))
    now += timedelta(days=1)
    trail.write(Deed(actor="person-1", action="case_viewed"))

    found = EventSearch(rows, Wanted(DAY, DAY, person=SYSTEM)).page(begin_of(DAY)).events

    assert len(found) == AUDIT_SHARDS


def test_the_form_offers_all_that_events_can_be_about() -> None:
    assert [kind for kind, _ in KINDS] == ["id", *(kind for kind, _ in FIELDS)]
    assert len(set(ACTIONS)) == len(ACTIONS)
    assert Wanted(date(2026, 3, 1), date(2026, 3, 1)).shards == tuple(range(AUDIT_SHARDS))
