"""Lists show what is on them and who added it; entries come from pasted lines, a case, or a search, and wait for another person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from console.list_views import lists_view, read_pasted, read_until
from console.rights import Group
from contract.authoring import Entry, ListOutline
from contract.flagged import flag
from contract.ruleset_change import ChangeKind, ChangeState, ListEntry
from tests.support.console_rulesets import RULESET, outline_of
from tests.support.console_world import NOW
from tests.support.payments import RETENTION, make_scored, make_transaction

if TYPE_CHECKING:
    from contract.case import Case
    from contract.ruleset_change import RulesetChange
    from tests.support.console_world import ConsoleWorld


@pytest.fixture
def analyst(world: ConsoleWorld) -> ConsoleWorld:
    """An analyst at a console with an active ruleset."""
    world.rulesets.activate(RULESET, NOW)
    world.sign_in(Group.ANALYST)
    return world


def put_case(world: ConsoleWorld) -> Case:
    """A case of one payment, with its card first among its entities."""
    row = make_scored(make_transaction(card_id="tok_secret_1234"))
    case = world.put_case(entities=flag(row, NOW, RETENTION).entity_ids)
    world.put_payments(row, case=case)
    return case


def proposed(world: ConsoleWorld) -> RulesetChange:
    (change,) = world.rulesets.desk.open_changes()
    assert change.kind is ChangeKind.LISTS
    return change


def test_an_entry_is_shown_with_its_expiry_and_who_added_it(world: ConsoleWorld) -> None:
    world.rulesets.activate(RULESET, NOW)
    change = msgspec.structs.replace(
        world.rulesets.propose("person-2", NOW), state=ChangeState.DEPLOYED, decided_by="person-3"
    )
    waiting = msgspec.structs.replace(change, state=ChangeState.APPROVED)
    lists = (
        ListOutline(
            "denied_cards", "card_id", (Entry("tok_secret_1234", "2026-12-31", "stolen"), Entry("tok_x"))
        ),
        ListOutline(
            "denied_merchants",
            "merchant_id",
            (Entry("shop-9", "2026-02-28"), Entry("s", "2026-03-01T11:00:00Z")),
        ),
    )

    view = lists_view(lists, [waiting, change], {"person-2": "Ada", "person-3": "Grace"}, NOW)

    cards, merchants = view.lists
    assert view.summary == "2 lists, 4 entries."
    assert [(entry.value, entry.until) for entry in cards.entries] == [
        ("hidden", "for ever"),
        ("…1234", "2026-12-31"),
    ]
    assert cards.entries[1].added == "Ada, 1 Mar 2026, 12:00, approved by Grace"
    assert (cards.entries[0].added, cards.entries[1].change_id) == ("", change.change_id)
    assert cards.waiting == 1
    assert [entry.is_expired for entry in merchants.entries] == [True, True]
    assert merchants.summary == "2 entries, 2 of them expired"


def test_pasted_lines_are_values_with_expiry_and_note() -> None:
    text = "a\n\n# of May\nb, 2026-12-31, from May\nc\t30\nd, ,said"

    found = read_pasted("denied", text, "2027-01-31", "why", NOW)

    assert found.problems == ()
    assert [(each.value, each.until, each.note) for each in found.entries] == [
        ("a", "2027-01-31", "why"),
        ("b", "2026-12-31", "from May"),
        ("c", "2026-03-31", "why"),
        ("d", "2027-01-31", "said"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "There is no line with a value."),
        ("a\na", "Line 2: its value was in an earlier line."),
        (
            "secret, soon",
            "Line 1: its expiry is neither a day such as 2027-01-31 nor a number of days from 1 to 3650.",
        ),
        ("secret, 2020-01-01", "Line 1: its expiry is over."),
        (", 30", "Line 1: a value has 1 to 128 characters."),
        ("\n".join(map(str, range(201))), "201 entries: at most 200 come in one change."),
    ],
)
def test_lines_that_cannot_be_used_are_named_without_their_values(text: str, problem: str) -> None:
    found = read_pasted("denied", text, None, "why", NOW)

    assert found.problems == (problem,)


@pytest.mark.parametrize("text", ["0", "3651", "2026-02-30", "1.5", "x"])
def test_an_expiry_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|day|month"):
        read_until(text, NOW)


def test_pasted_entries_are_proposed(analyst: ConsoleWorld) -> None:
    answer = analyst.post(
        "/lists/entries",
        {"subject": "denied_cards", "lines": "tok_1\r\ntok_2, 10", "until": "30", "reason": "a raid"},
    )

    change = proposed(analyst)
    assert answer.headers["location"] == f"/changes/{change.change_id}"
    assert change.list_entries == (
        ListEntry(list_name="denied_cards", value="tok_1", until="2026-03-31", note="a raid"),
        ListEntry(list_name="denied_cards", value="tok_2", until="2026-03-11", note="a raid"),
    )
    assert analyst.get("/lists").body.count("2 more wait for approval") == 1


def test_pasted_lines_that_cannot_be_used_come_back_in_the_form(analyst: ConsoleWorld) -> None:
    page = analyst.post(
        "/lists/entries", {"subject": "denied_cards", "lines": "tok_1, soon", "reason": "a raid"}
    )

    assert page.status == 422
    assert "Line 1: its expiry is neither a day" in page.body
    assert "tok_1, soon</textarea>" in page.body
    assert analyst.rulesets.desk.open_changes() == []


def test_what_no_payment_can_have_is_refused_by_the_checker(analyst: ConsoleWorld) -> None:
    page = analyst.post(
        "/lists/entries", {"subject": "denied_cards", "lines": "4111111111111111", "reason": "a raid"}
    )

    assert page.status == 422
    assert "is a card number; a list holds its token" in page.body
    assert "4111111111111111" not in page.body


def test_the_card_of_a_case_is_put_on_a_list_without_being_shown(analyst: ConsoleWorld) -> None:
    case = put_case(analyst)

    entity = analyst.get(f"/cases/{case.case_id}/links/0").body
    form = analyst.get(f"/cases/{case.case_id}/links/0/list").body
    analyst.post(
        f"/cases/{case.case_id}/links/0/list", {"list": "denied_cards", "until": "30", "reason": "stolen"}
    )

    change = proposed(analyst)
    assert f'href="/cases/{case.case_id}/links/0/list"' in entity
    assert "…1234" in form
    assert "tok_secret" not in form
    assert '<option value="denied_cards">' in form
    assert "denied_merchants" not in form
    (entry,) = change.list_entries
    assert (entry.value, entry.until, entry.note) == ("tok_secret_1234", "2026-03-31", "stolen")


def test_what_was_searched_for_is_put_on_a_list(analyst: ConsoleWorld) -> None:
    found = analyst.post("/search", {"subject": "merchant_id", "query": "shop-7"})
    form = analyst.post("/search/list/choose", {"subject": "merchant_id", "query": "shop-7"})
    analyst.post(
        "/search/list",
        {"subject": "merchant_id", "query": "shop-7", "list": "denied_merchants", "reason": "a mule's"},
    )

    assert "Put it on a list" in found.body
    assert "shop-7" in form.body
    (entry,) = proposed(analyst).list_entries
    assert (entry.list_name, entry.value, entry.until) == ("denied_merchants", "shop-7", None)


@pytest.mark.parametrize(
    "form",
    [
        {"subject": "card_id", "query": "tok_1", "list": "denied_merchants"},
        {"subject": "card_id", "query": "tok_1", "list": "absent"},
        {"subject": "card_id", "list": "denied_cards"},
        {"subject": "card_id", "query": "tok_1", "list": "denied_cards", "until": "soon"},
    ],
)
def test_a_value_is_put_on_a_list_of_its_field_alone(analyst: ConsoleWorld, form: dict[str, Any]) -> None:
    assert analyst.post("/search/list", form | {"reason": "x"}).status == 422
    assert analyst.rulesets.desk.open_changes() == []


def test_an_entry_is_taken_off_by_a_proposal(analyst: ConsoleWorld) -> None:
    analyst.sign_in(Group.AUTHOR)
    active = analyst.rulesets.desk.active()
    assert active is not None
    form = {"subject": "denied_merchants", "number": "0", "base": active.digest, "reason": "a mistake"}

    page = analyst.get("/lists").body
    answer = analyst.post("/lists/off", form)
    stale = analyst.post("/lists/off", form | {"base": "0" * 12})
    absent = analyst.post("/lists/off", form | {"number": "1"})

    (change,) = analyst.rulesets.desk.open_changes()
    assert "Take off" in page
    assert (answer.status, stale.status, absent.status) == (303, 409, 409)
    after = analyst.rulesets.desk.document_after(change)
    assert [each.entries for each in outline_of(after).champion.lists] == [(), ()]


def test_who_may_only_read_sees_no_form(analyst: ConsoleWorld) -> None:
    analyst.sign_in(Group.AUDITOR)

    page = analyst.get("/lists")

    assert page.status == 200
    assert "<textarea" not in page.body
