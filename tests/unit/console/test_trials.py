"""A ruleset is tried by a job: it is started once, its page says how far it is and asks again by itself, and no page waits for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from console.rights import Group
from console.tried_views import tried_view
from console.verdicts import payment_id
from contract.flagged import FlaggedKey
from contract.ruleset_change import ChangeKind
from contract.trial_row import PLACES, TrialRow, TrialState, asked
from contract.tried import KnownVerdicts, Rate, RuleChange, TryAnswer, TryRequest
from ops.manifests import read_function
from tests.support.console_rulesets import RULESET, RULESET_WITH_CANDIDATE, tried_example
from tests.support.console_world import NOW
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from contract.ruleset_change import RulesetChange
    from tests.support.console_world import ConsoleWorld

HALF = Rate(before=40, after=20, times=0.5, interval=(0.4, 0.6), before_cents=400_000, after_cents=200_000)
NONE = Rate(before=0, after=0, times=1.0, before_cents=0, after_cents=0)
KNOWN = KnownVerdicts(
    frauds=4,
    fraud_cents=50_000,
    found=Rate(before=3, after=2, times=0.7, before_cents=40_000, after_cents=30_000),
    found_only_before=2,
    found_only_after=1,
    false_alarms=Rate(before=10, after=4, times=0.4, before_cents=90_000, after_cents=20_000),
)
ROW = make_scored(make_transaction(user_id="user-00001234"))
KEY = FlaggedKey("user-00001234", ROW.event_key)
ANSWER = TryAnswer(
    payments=2_000,
    users=90,
    share_read=0.25,
    unreadable=1,
    base_currency="USD",
    alerts=HALF,
    blocks=NONE,
    lost=(RuleChange("large", 20, 200_000, (tried_example(KEY, 5_000, "fraud"),)),),
    known=KNOWN,
)


@pytest.fixture
def lead(world: ConsoleWorld) -> ConsoleWorld:
    """A lead at a console with an active ruleset."""
    world.rulesets.activate(RULESET_WITH_CANDIDATE, NOW)
    world.sign_in(Group.LEAD)
    return world


def row_of(world: ConsoleWorld, number: int = -1) -> TrialRow:
    row = world.rulesets.trial_rows.row(world.replays.jobs[number].request.trial_id)
    assert row is not None
    return row


def write(world: ConsoleWorld, **changes: Any) -> None:
    """What the function writes of the last job."""
    before = row_of(world)
    if "answer" in changes:
        changes["answer"] = msgspec.json.encode(changes["answer"]).decode()
    row = msgspec.structs.replace(before, changed_at=world.now, **changes)
    assert world.rulesets.trial_rows.replace(row, before)


def tried(world: ConsoleWorld) -> RulesetChange:
    change = world.rulesets.propose("person-2", NOW)
    answer = world.post(f"/changes/{change.change_id}/try", {})
    assert answer.headers["location"] == f"/changes/{change.change_id}#trial"
    return change


def test_a_change_is_tried_by_a_job(lead: ConsoleWorld) -> None:
    before = lead.get(f"/changes/{lead.rulesets.propose('person-2', NOW).change_id}").body
    change = tried(lead)

    (job,) = lead.replays.jobs
    assert "Try it on payments of the last 7 days" in before
    assert (job.request.proposal, job.request.is_candidate) == (change.sha256_after, False)
    assert (row_of(lead).job_id, row_of(lead).state) == (job.job_id, TrialState.ASKED)
    page = lead.get(f"/changes/{change.change_id}").body
    assert "It is being started." in page
    assert "Try it on payments" not in page


def test_a_page_shows_how_far_the_job_is_and_asks_again_by_itself(lead: ConsoleWorld) -> None:
    change = tried(lead)
    so_far = TryAnswer(payments=1_200, users=80, share_read=0.125)
    write(lead, state=TrialState.RUNNING, answer=so_far, ends_by=NOW + timedelta(minutes=9))

    page = lead.get(f"/changes/{change.change_id}").body
    alone = lead.get(f"/changes/{change.change_id}/trial").body

    for body in (page, alone):
        assert (
            "It is working, as of 12:00:00 UTC. So far 1,200 payments of 80 users, 12% of the history."
            in body
        )
        assert "It ends by 12:09:00 UTC at the latest." in body
        assert f'<a href="/changes/{change.change_id}/trial" data-load="trial" data-every="3">' in body
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in alone
    assert "refresh" not in page  # somebody may be writing a note there


def test_a_page_that_is_opened_later_shows_what_was_found(lead: ConsoleWorld) -> None:
    change = tried(lead)
    write(lead, state=TrialState.DONE, answer=ANSWER)
    lead.now = NOW + timedelta(minutes=20)

    page = lead.get(f"/changes/{change.change_id}").body

    assert "Found 1 Mar 2026, 12:00 UTC." in page
    assert "2,000 payments of the last 7 days, of 90 users: about 25% of the history, by chance." in page
    assert "1 row could not be read" in page
    assert "40 (2.00%)" in page
    assert "0.50 (0.40 to 0.60)" in page
    assert "large: 20 payments" in page
    assert "review, 60 points" in page
    assert "user-0000" not in page
    assert "Try it on payments" in page
    assert "data-every" not in page


def test_known_frauds_and_false_alarms_of_both_are_shown() -> None:
    view = tried_view(ANSWER, 7)

    rows = {title: (before, after) for title, before, after, _ in view.rows}
    assert rows["Known fraud that is found"] == ("3 (75.00%)", "2 (50.00%)")
    assert rows["Known false alarms"] == ("10", "4")
    assert view.known.startswith(
        "4 payments of 500.00 USD are known as fraud by labels: 1 payment only the proposed one finds, 2 payments only the active one of then."
    )


def test_where_all_is_read_nothing_is_called_a_sample() -> None:
    whole = msgspec.structs.replace(HALF, interval=None)
    view = tried_view(msgspec.structs.replace(ANSWER, share_read=1.0, alerts=whole, known=None), 7)

    assert view.summary.startswith("2,000 payments of the last 7 days, of 90 users: all of the history.")
    assert view.rows[0][3] == "0.50"
    assert "95 cases" not in view.note


def test_a_second_press_starts_no_second_job(lead: ConsoleWorld) -> None:
    change = tried(lead)

    lead.post(f"/changes/{change.change_id}/try", {})
    write(lead, state=TrialState.RUNNING, answer=TryAnswer())
    lead.post(f"/changes/{change.change_id}/try", {})
    write(lead, state=TrialState.DONE, answer=ANSWER)
    lead.now = NOW + timedelta(minutes=9)
    lead.post(f"/changes/{change.change_id}/try", {})
    page = lead.get(f"/changes/{change.change_id}").body

    assert len(lead.replays.jobs) == 1
    assert "It can be tried again from 12:10:00 UTC on." in page
    assert "Try it on payments" not in page
    lead.now = NOW + timedelta(minutes=11)
    lead.post(f"/changes/{change.change_id}/try", {})
    assert len(lead.replays.jobs) == 2


def test_of_two_who_press_at_once_one_starts_the_job(
    lead: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = tried(lead)
    write(lead, state=TrialState.FAILED, problem="x")
    rows, failed = lead.rulesets.trial_rows, row_of(lead)
    replace = rows.replace

    def overtaken(row: TrialRow, before: TrialRow | None) -> bool:
        """Another process writes the row between this one's read and its write."""
        assert replace(msgspec.structs.replace(row, job_id="f" * 32), failed)
        return replace(row, before)

    monkeypatch.setattr(rows, "replace", overtaken)

    lead.post(f"/changes/{change.change_id}/try", {})

    assert len(lead.replays.jobs) == 1
    assert row_of(lead).job_id == "f" * 32


def test_another_active_ruleset_is_another_comparison(lead: ConsoleWorld) -> None:
    tried(lead)
    lead.rulesets.activate(RULESET, NOW, 2)

    tried(lead)

    one, other = (job.request for job in lead.replays.jobs)
    assert one.trial_id != other.trial_id


def test_a_job_that_cannot_be_started_says_so_and_may_be_tried_again(lead: ConsoleWorld) -> None:
    lead.replays.takes_jobs = False
    change = tried(lead)

    page = lead.get(f"/changes/{change.change_id}").body

    assert "It could not be started. Try it again in a minute." in page
    assert "Try it on payments" in page


def busy(world: ConsoleWorld) -> list[TrialRow]:
    """Jobs work in all places."""
    rows = world.rulesets.trial_rows
    others = []
    for number in range(PLACES):
        request = TryRequest(proposal=f"{number:064x}", digest_before="0123456789ab", is_candidate=False)
        row = asked(request, f"other-{number}", world.now)
        assert rows.replace(row, None)
        assert rows.take_place(row, world.now)
        others.append(row)
    return others


def test_no_more_jobs_work_at_once_than_leave_an_execution_to_pages(lead: ConsoleWorld) -> None:
    busy(lead)

    change = tried(lead)

    page = lead.get(f"/changes/{change.change_id}").body
    assert lead.replays.jobs == []
    assert "4 other comparisons are working, and no more may at once." in page
    assert "Try it on payments" in page
    assert read_function("replay").reserved_concurrency == PLACES + 1


@pytest.mark.parametrize("state", [TrialState.DONE, TrialState.FAILED])
def test_a_job_that_has_ended_leaves_its_place_to_another(lead: ConsoleWorld, state: TrialState) -> None:
    row = busy(lead)[2]
    assert lead.rulesets.trial_rows.replace(msgspec.structs.replace(row, state=state), row)

    tried(lead)

    assert len(lead.replays.jobs) == 1
    request = TryRequest(proposal="f" * 64, digest_before="0123456789ab", is_candidate=False)
    assert not lead.rulesets.trial_rows.take_place(asked(request, "one-more", lead.now), lead.now)


def test_a_job_that_died_leaves_its_place_to_another(lead: ConsoleWorld) -> None:
    busy(lead)
    lead.now = NOW + timedelta(minutes=2, seconds=1)

    tried(lead)

    assert len(lead.replays.jobs) == 1


def test_what_could_not_be_compared_says_why(lead: ConsoleWorld) -> None:
    change = tried(lead)
    write(lead, state=TrialState.DONE, answer=TryAnswer(why_not="Ruleset 7 is not kept any more."))

    assert "Ruleset 7 is not kept any more." in lead.get(f"/changes/{change.change_id}").body


@pytest.mark.parametrize(
    ("changes", "silence"),
    [
        ({}, timedelta(minutes=2, seconds=1)),
        (
            {"state": TrialState.RUNNING, "answer": TryAnswer(payments=500, users=7, share_read=0.05)},
            timedelta(seconds=61),
        ),
    ],
)
def test_a_job_that_is_silent_has_ended_and_can_be_started_anew(
    lead: ConsoleWorld, changes: dict[str, Any], silence: timedelta
) -> None:
    change = tried(lead)
    write(lead, **changes)
    lead.now = NOW + silence

    page = lead.get(f"/changes/{change.change_id}/trial").body
    lead.post(f"/changes/{change.change_id}/try", {})

    assert "It has ended without a result: since 12:00:00 UTC nothing was heard of it." in page
    assert "refresh" not in page
    assert "data-every" not in page
    assert "Try it on payments" in page
    assert len(lead.replays.jobs) == 2


def test_a_result_of_another_version_is_no_error_of_the_page(lead: ConsoleWorld) -> None:
    change = tried(lead)
    write(lead, state=TrialState.DONE, answer={"payments": "many"})

    page = lead.get(f"/changes/{change.change_id}")

    assert page.status == 200
    assert "cannot be read by this version" in page.body


def test_a_withdrawal_is_not_tried(lead: ConsoleWorld) -> None:
    lead.post("/rules/withdraw", {"reason": "complaints"})
    (change,) = lead.rulesets.desk.open_changes()

    assert "Try it" not in lead.get(f"/changes/{change.change_id}").body
    assert lead.post(f"/changes/{change.change_id}/try", {}).status == 404
    assert lead.get(f"/changes/{change.change_id}/trial").status == 404


def test_a_draft_is_tried_before_it_is_proposed(lead: ConsoleWorld) -> None:
    lead.sign_in(Group.AUTHOR)
    form = {"scope": "rule", "subject": "large", "version": "3", "reach": "candidate", "share": "5"}
    text = "id: large\nwhen: amount_base > 100.0\npoints: 60\nreason: Much.\n"

    answer = lead.post("/rules/try", form | {"text": text})

    (job,) = lead.replays.jobs
    assert answer.headers["location"] == f"/rules/trials/{job.request.trial_id}"
    assert job.request.is_candidate
    assert b"amount_base > 100.0" in lead.rulesets.s3.objects[f"proposals/{job.request.proposal}"]
    write(lead, state=TrialState.RUNNING, answer=TryAnswer())
    page = lead.get(f"/rules/trials/{job.request.trial_id}").body
    assert f'<a href="/rules/trials/{job.request.trial_id}" data-load="trial" data-every="3">' in page
    assert lead.rulesets.desk.open_changes() == []


def test_a_draft_that_the_checker_refuses_is_not_tried(lead: ConsoleWorld) -> None:
    lead.sign_in(Group.AUTHOR)
    form = {"scope": "rule", "subject": "large", "version": "3", "reach": "to_all"}

    answer = lead.post("/rules/try", form | {"text": "id: large\npoints: many\n"})

    assert answer.status == 422
    assert lead.replays.jobs == []


def test_a_payment_that_a_trial_names_has_its_page(lead: ConsoleWorld) -> None:
    lead.put_payments(ROW)
    tried(lead)
    write(lead, state=TrialState.DONE, answer=ANSWER)
    trial = lead.replays.jobs[0].request.trial_id
    named = payment_id(KEY)

    page = lead.get(f"/rules/trials/{trial}/payments/{named}")

    assert page.status == 200
    assert "…1234" in page.body
    assert "user-00001234" not in page.body
    assert lead.get(f"/rules/trials/{trial}/payments/{'0' * 32}").status == 404
    assert lead.get(f"/rules/trials/{'0' * 32}/payments/{named}").status == 404


def test_a_trial_that_nobody_has_asked_for_has_no_page(lead: ConsoleWorld) -> None:
    assert lead.get(f"/rules/trials/{'0' * 32}").status == 404


def test_a_change_in_shadow_is_tried_as_candidate(lead: ConsoleWorld) -> None:
    lead.sign_in(Group.AUTHOR)
    lead.post("/rules/candidate", {"reach": "shadow", "reason": "wait"})
    (change,) = lead.rulesets.desk.open_changes()
    assert change.kind is ChangeKind.SHADOW

    lead.post(f"/changes/{change.change_id}/try", {})

    assert lead.replays.jobs[0].request.is_candidate
