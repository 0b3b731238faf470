"""A change waits for another person, who sees what differs and approves or rejects it; what became of it is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from console.change_search import MAX_READ, WantedChanges, page_of
from console.change_views import change_view
from console.rights import Group
from contract.audit import chains_of
from contract.ruleset_change import GUARDRAILS, ChangeKind, ChangeState, ListEntry, make_change
from tests.support.console_forms import form_on
from tests.support.console_rulesets import RULESET, RULESET_WITH_CANDIDATE, outline_of
from tests.support.console_world import NOW

if TYPE_CHECKING:
    from contract.ruleset_change import RulesetChange
    from tests.support.console_world import ConsoleWorld


@pytest.fixture
def lead(world: ConsoleWorld) -> ConsoleWorld:
    """A lead at a console with an active ruleset."""
    world.rulesets.activate(RULESET_WITH_CANDIDATE, NOW)
    world.sign_in(Group.LEAD)
    return world


def stored(world: ConsoleWorld, change: RulesetChange) -> RulesetChange:
    found = world.rulesets.desk.change(change.change_id)
    assert found is not None
    return found


def test_another_person_sees_what_differs_and_approves(lead: ConsoleWorld) -> None:
    change = lead.rulesets.propose("person-2", NOW)

    page = lead.get(f"/changes/{change.change_id}")
    unseen = lead.post(f"/changes/{change.change_id}/approve", {"note": "looks right"})
    shown = lead.post(f"/changes/{change.change_id}/reveal", {"reason": "to approve it"})
    answer = lead.post(f"/changes/{change.change_id}/approve", {"note": "looks right"})

    assert "1 entry of lists." in page.body
    assert "…1234" in page.body
    assert "tok_secret" not in page.body
    assert "values are hidden here" in page.body
    assert unseen.status == 409
    assert "tok_secret" in shown.body
    assert answer.headers["location"] == f"/changes/{change.change_id}"
    assert (stored(lead, change).state, stored(lead, change).decided_by) == (ChangeState.APPROVED, "person-1")
    after = lead.get(f"/changes/{change.change_id}").body
    assert "looks right" in after
    assert '<meta http-equiv="refresh" content="10">' in after  # until it is deployed


def test_another_person_rejects(lead: ConsoleWorld) -> None:
    change = lead.rulesets.propose("person-2", NOW)

    lead.post(f"/changes/{change.change_id}/reject", {"note": "no"})

    assert stored(lead, change).state is ChangeState.REJECTED
    assert "Rejected by" in lead.get(f"/changes/{change.change_id}").body


def test_nobody_decides_about_their_own_change_and_they_may_retract_it(lead: ConsoleWorld) -> None:
    change = lead.rulesets.propose("person-1", NOW)

    page = lead.get(f"/changes/{change.change_id}").body
    refused = lead.post(f"/changes/{change.change_id}/approve", {})
    lead.post(f"/changes/{change.change_id}/retract", {})

    assert "Approve" not in page
    assert "somebody else approves or rejects it" in page
    assert (refused.status, "Somebody else decides about your change" in refused.body) == (409, True)
    assert stored(lead, change).state is ChangeState.RETRACTED


def test_a_change_from_an_earlier_ruleset_is_not_approved(lead: ConsoleWorld) -> None:
    change = lead.rulesets.propose("person-2", NOW)
    lead.post(f"/changes/{change.change_id}/reveal", {"reason": "to approve it"})
    lead.rulesets.activate(RULESET, NOW, 2)

    refused = lead.post(f"/changes/{change.change_id}/approve", {})

    assert (refused.status, "Another ruleset is active now" in refused.body) == (409, True)


@pytest.mark.parametrize("change_id", ["absent", "20261201T093000000000Z-0123456789ab"])
def test_a_change_that_is_not_there_has_no_page(lead: ConsoleWorld, change_id: str) -> None:
    assert lead.get(f"/changes/{change_id}").status == 404
    assert lead.post(f"/changes/{change_id}/approve", {}).status == 404


def test_the_list_has_what_waits_and_what_was_done(lead: ConsoleWorld) -> None:
    waiting = lead.rulesets.propose("person-2", NOW)
    done = make_change(
        changed_at=NOW - timedelta(days=40),
        digest_after="0123456789ab",
        kind="withdrawn",
        changed_by=GUARDRAILS,
        reason="The candidate blocked too many.",
        version_after="1",
        withdrawn_version="0.9",
    )
    lead.rulesets.rows.put(done)

    page = lead.get("/changes").body
    one = lead.get(f"/changes/{done.change_id}").body

    assert "1 change waiting." in page
    assert f'href="/changes/{waiting.change_id}"' in page
    assert "candidate 0.9" in page
    assert "The candidate blocked too many." in page
    assert "Its documents are not kept" in one


def put_changes(world: ConsoleWorld, number: int) -> list[str]:
    """Store changes of ``number`` days, one a day, which guardrails and two people have made in turn; gives their versions, the newest first."""
    for day in range(number):
        made = make_change(
            changed_at=NOW - timedelta(days=day / 4),
            digest_after="0123456789ab",
            kind=[ChangeKind.TO_ALL, ChangeKind.SUSPENDED][day % 2],
            changed_by=[GUARDRAILS, "person-2", "person-3"][day % 3],
            decided_by="person-4" if day % 3 == 1 else None,
            reason="a better one",
            version_after=f"v{day}",
        )
        world.rulesets.rows.put(made)
    return [f"v{day}" for day in range(number)]


def versions(page: str) -> list[str]:
    return re.findall(r"<td>version (v\d+)</td>", page)


def test_every_change_is_on_a_page_however_old(lead: ConsoleWorld) -> None:
    stored = put_changes(lead, 120)

    first = lead.get("/changes").body
    second = lead.post("/changes", form_on(first, "Older changes")).body
    third = lead.post("/changes", form_on(second, "Older changes")).body

    assert versions(first) + versions(second) + versions(third) == stored
    assert [len(versions(each)) for each in (first, second, third)] == [50, 50, 20]
    assert "Older changes" not in third
    assert "Nothing waits" not in second


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"until": "2026-02-20"}, [f"v{day}" for day in range(35, 60)]),
        ({"person": GUARDRAILS}, [f"v{day}" for day in range(0, 60, 3)]),
        ({"person": "person-4", "kind": "suspended"}, [f"v{day}" for day in range(1, 60, 6)]),
        ({"person": "person-9"}, []),
        ({"until": "no day", "kind": "no kind", "before": "no change"}, [f"v{day}" for day in range(50)]),
        ({"before": "00030101T000000000000Z-0123456789ab"}, []),
        ({"until": "0300-01-01"}, []),
    ],
)
def test_changes_are_found_by_day_person_and_kind(
    lead: ConsoleWorld, form: dict[str, str], shown: list[str]
) -> None:
    put_changes(lead, 60)

    assert versions(lead.post("/changes", form).body) == shown


def test_a_search_that_read_much_goes_on_where_it_stopped() -> None:
    changes = [
        make_change(
            changed_at=NOW - timedelta(minutes=each),
            digest_after="0123456789ab",
            kind="deployed",
            changed_by="ann",
            reason="r",
            version_after="1",
        )
        for each in range(MAX_READ + 5)
    ]

    page = page_of(changes, WantedChanges(person="bob"))

    assert page.changes == ()
    assert page.following == changes[MAX_READ - 1].change_id
    assert WantedChanges(before=page.following).place(NOW) == (
        changes[MAX_READ - 1].changed_in,
        changes[MAX_READ - 1].change_key,
    )


def test_a_candidate_is_withdrawn_by_a_proposal(lead: ConsoleWorld) -> None:
    page = lead.get("/rules").body
    answer = lead.post("/rules/withdraw", {"reason": "complaints"})

    (change,) = lead.rulesets.desk.open_changes()
    assert "Withdraw the candidate" in page
    assert answer.headers["location"] == f"/changes/{change.change_id}"
    assert (change.kind, change.withdrawn_version, change.reason) == (ChangeKind.WITHDRAWN, "2", "complaints")
    assert outline_of(lead.rulesets.desk.document_after(change)).candidate is None


@pytest.mark.parametrize(
    ("form", "kind", "share"),
    [
        ({"reach": "candidate", "share": "10"}, ChangeKind.CANDIDATE, 10.0),
        ({"reach": "shadow"}, ChangeKind.SHADOW, 0.0),
        ({"reach": "to_all"}, ChangeKind.TO_ALL, None),
    ],
)
def test_a_candidate_is_given_to_others(
    lead: ConsoleWorld, form: dict[str, str], kind: ChangeKind, share: float | None
) -> None:
    lead.sign_in(Group.AUTHOR)

    lead.post("/rules/candidate", form | {"reason": "it is good"})

    (change,) = lead.rulesets.desk.open_changes()
    assert (change.kind, change.candidate_share) == (kind, share)
    assert change.version_after == ("2" if share is None else "1")


@pytest.mark.parametrize(
    "form",
    [{}, {"reach": "candidate"}, *({"reach": "candidate", "share": share} for share in ("60", "5", "5.0"))],
)
def test_a_candidate_is_proposed_for_nobody_who_is_not_named_and_not_for_those_it_has(
    lead: ConsoleWorld, form: dict[str, str]
) -> None:
    lead.sign_in(Group.AUTHOR)

    assert lead.post("/rules/candidate", form | {"reason": "it is good"}).status == 422
    assert lead.rulesets.desk.open_changes() == []


def test_without_a_candidate_there_is_nothing_to_withdraw(lead: ConsoleWorld) -> None:
    lead.rulesets.activate(RULESET, NOW, 2)

    assert lead.post("/rules/withdraw", {"reason": "x"}).status == 409


def test_what_failed_says_why_and_people_have_names() -> None:
    change = make_change(
        changed_at=NOW,
        digest_after="0123456789ab",
        kind="to_all",
        state="failed",
        changed_by="person-2",
        reason="x",
        version_after="7",
        decided_by="person-3",
        decided_at=NOW,
        failure="The deployment was rolled back.",
    )

    view = change_view(change, {"person-2": "Grace"}, "person-3", may_decide=True, may_propose=True)

    assert (view.can_decide, view.can_retract, view.why_not, view.waits) == (False, False, "", False)
    facts = dict(view.facts)
    assert facts["By"].startswith("Grace, ")
    assert facts["Approved by"].startswith("you, ")
    assert facts["Why it was not deployed"] == "The deployment was rolled back."
    assert view.row.is_grave
    waiting = msgspec.structs.replace(change, state=ChangeState.PROPOSED)
    for_analyst = change_view(waiting, {}, "person-4", may_decide=False, may_propose=True)
    assert for_analyst.why_not == "An author or a lead approves or rejects it."


def test_an_approver_of_a_change_for_all_users_sees_what_differs_in_the_candidate(lead: ConsoleWorld) -> None:
    document = (
        RULESET_WITH_CANDIDATE.replace("# Of the bank.", "# Of the bank .", 1)
        .replace('  version: "2"', '  version: "3"')
        .replace("  thresholds: {review: 50, block: 80}", "  thresholds: {review: 99, block: 100}")
    )
    active = lead.rulesets.desk.active()
    assert active is not None
    change = lead.rulesets.propose(
        "person-2", NOW, kind=ChangeKind.TO_ALL, digest_before=active.digest, document=document
    )

    page = lead.get(f"/changes/{change.change_id}").body

    assert "Nothing differs" not in page
    assert '<th scope="row">thresholds.block</th><td>80</td><td>100</td>' in page
    assert '<th scope="row">candidate</th><td>2</td><td>3</td>' in page
    assert "Candidate 3, compared with candidate 2 before" in page


ALLOWING = RULESET + ('  - {id: known, when: on_denied_cards, points: -20, reason: "Known."}\n')


def test_an_approver_has_the_values_of_an_allow_list_shown_first_and_that_is_recorded(
    lead: ConsoleWorld,
) -> None:
    lead.rulesets.activate(ALLOWING, NOW, 2)
    active = lead.rulesets.desk.active()
    assert active is not None
    entry = ListEntry(list_name="denied_cards", value="tok_secret_1234", until="2026-04-01")
    draft = {"kind": ChangeKind.LISTS, "digest_before": active.digest, "list_entries": (entry,)}
    change = lead.rulesets.propose("person-2", NOW, **draft)
    path = f"/changes/{change.change_id}"

    before = lead.get(path).body
    refused = lead.post(f"{path}/approve", {})
    shown = lead.post(f"{path}/reveal", {"reason": "to compare it with the letter"}).body
    lead.post(f"{path}/approve", {})

    assert ">Approve<" not in before
    assert "tok_secret_1234" not in before
    assert (refused.status, "Look at the values first" in refused.body) == (409, True)
    assert "tok_secret_1234" in shown
    assert ">Approve<" in shown
    assert stored(lead, change).state is ChangeState.APPROVED
    reasons = [
        event.details.get("reason")
        for chain in chains_of("2026-03-01")
        for event in lead.events.chain(chain)
        if event.action == "personal_data_shown"
    ]
    assert reasons == ["to compare it with the letter"]
