"""What people may do with a case, and that no step is made twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.case import MAX_SKIPS, Case, CaseStatus, CaseVerdict, Handover, SecondLook, Tally
from contract.case_decision import Ruling
from contract.case_outcome import Release
from contract.case_work import (
    LEASE,
    SKIP_HOLDS,
    UNDO,
    Refusal,
    agree,
    claim,
    close,
    contest,
    holder,
    is_contestable,
    is_offered,
    keep,
    reassign,
    release,
    skip,
    stay_closed,
    undo,
    with_decision,
)
from contract.label import LabelVerdict
from tests.support.cases import make_case, make_decision
from tests.support.payments import NOW

SECOND = timedelta(seconds=1)
MUCH = Release(Tally(1, Decimal(10_000)), frozenset())


def agreed_by(case: Case, analyst: str, now: datetime) -> Case | Refusal:
    """Agree to what a case asks now."""
    assert case.second_look is not None
    return agree(case, analyst, case.second_look.version, now)


def claimed(by: str = "ann") -> Case:
    """A case that somebody works on since :data:`NOW`."""
    return _done(claim(make_case(), by, NOW))


def closed(by: str = "ann") -> Case:
    """A case that somebody closed at :data:`NOW`."""
    return _done(close(claimed(by), by, CaseVerdict.FRAUD, NOW))


def _done(result: Case | Refusal) -> Case:
    assert isinstance(result, Case)
    return result


def test_a_claimed_case_is_its_holder_s_until_the_lease_ends() -> None:
    case = claimed()

    assert holder(case, NOW + LEASE - SECOND) == "ann"
    assert holder(case, NOW + LEASE) is None
    assert claim(case, "bob", NOW + LEASE - SECOND) is Refusal.TAKEN
    assert _done(claim(case, "bob", NOW + LEASE)).assignee == "bob"


def test_claiming_again_extends_the_lease() -> None:
    assert _done(claim(claimed(), "ann", NOW + SECOND)).lease_until == NOW + SECOND + LEASE


def test_a_step_after_the_lease_is_made_if_nobody_else_has_the_case() -> None:
    late = NOW + 2 * LEASE

    assert _done(close(claimed(), "ann", CaseVerdict.FRAUD, late)).is_closed
    taken = _done(claim(claimed(), "bob", late))
    assert close(taken, "ann", CaseVerdict.FRAUD, late) is Refusal.TAKEN


@pytest.mark.parametrize(
    ("case", "refusal"),
    [
        (make_case(), Refusal.NOT_CLAIMED),
        (claimed("bob"), Refusal.TAKEN),
        (closed("bob"), Refusal.CLOSED),
    ],
)
def test_a_case_that_is_not_somebody_s_is_neither_released_nor_skipped_nor_closed(
    case: Case, refusal: Refusal
) -> None:
    later = NOW + SECOND

    assert release(case, "ann", "lunch", later) is refusal
    assert skip(case, "ann", later) is refusal
    assert close(case, "ann", CaseVerdict.MIXED, later) is refusal


def test_a_released_case_says_why() -> None:
    case = _done(release(claimed(), "ann", "needs Dutch", NOW + SECOND))

    assert (case.status, case.assignee, case.lease_until) == (CaseStatus.OPEN, None, None)
    assert case.handover == Handover("ann", NOW + SECOND, "needs Dutch")
    assert is_offered(case, "ann", NOW + SECOND)


@pytest.mark.parametrize("case", [make_case(), claimed("ann"), claimed("bob")])
def test_a_case_is_reassigned_whoever_has_it(case: Case) -> None:
    given_away = _done(reassign(case, "lead", "cleo", "knows the shop", NOW))

    assert holder(given_away, NOW) == "cleo"
    assert given_away.handover == Handover("lead", NOW, "knows the shop")


def test_a_closed_case_is_neither_claimed_nor_reassigned_nor_offered() -> None:
    case = closed()

    assert claim(case, "ann", NOW) is Refusal.CLOSED
    assert reassign(case, "lead", "bob", "r", NOW) is Refusal.CLOSED
    assert not is_offered(case, "bob", NOW)


def test_a_skipped_case_is_offered_to_others_and_later_again() -> None:
    case = _done(skip(claimed(), "ann", NOW))

    assert not is_offered(case, "ann", NOW + SKIP_HOLDS - SECOND)
    assert is_offered(case, "ann", NOW + SKIP_HOLDS)
    assert is_offered(case, "bob", NOW)
    assert _done(claim(case, "ann", NOW)).assignee == "ann"


def test_the_latest_skips_are_remembered() -> None:
    case = make_case()
    for number in range(2 * MAX_SKIPS):
        case = _done(skip(_done(claim(case, f"a-{number}", NOW)), f"a-{number}", NOW))

    assert [each.analyst for each in case.skips] == [
        f"a-{number}" for number in range(MAX_SKIPS, 2 * MAX_SKIPS)
    ]
    late = NOW + SKIP_HOLDS
    assert len(_done(skip(_done(claim(case, "ann", late)), "ann", late)).skips) == 1


def released() -> Case:
    """A case that Ann closed, and that a second person is to look at."""
    closed = _done(close(claimed(), "ann", CaseVerdict.LEGITIMATE, NOW))
    return with_decision(closed, "ann", MUCH, NOW)


def test_going_on_with_a_case_extends_the_lease_of_whoever_has_it() -> None:
    assert _done(keep(claimed(), "ann", NOW + SECOND)).lease_until == NOW + SECOND + LEASE
    assert keep(claimed(), "bob", NOW) is Refusal.TAKEN
    assert keep(make_case(), "bob", NOW) is Refusal.NOT_CLAIMED


def test_a_decision_is_undone_within_ten_seconds_by_whoever_made_it_and_gives_the_case_back() -> None:
    by_labels = make_case(status=CaseStatus.CLOSED, closed_at=NOW, verdict=CaseVerdict.FRAUD)

    for case in (closed(), by_labels):
        undone = _done(undo(case, make_decision(), (), "ann", NOW + UNDO))
        assert (undone.status, undone.assignee, undone.lease_until) == ("claimed", "ann", NOW + UNDO + LEASE)
        assert (undone.verdict, undone.closed_at, undone.closed_by) == (None, None, None)
    assert undo(closed(), make_decision(), (), "bob", NOW) is Refusal.TOO_LATE
    assert undo(closed(), make_decision(), (), "ann", NOW + UNDO + SECOND) is Refusal.TOO_LATE


@pytest.mark.parametrize("case", [make_case(), claimed("bob"), closed("bob")])
def test_undoing_takes_no_case_from_somebody_else(case: Case) -> None:
    undone = _done(undo(case, make_decision(), (), "ann", NOW))

    assert (undone.status, undone.assignee, undone.closed_by) == (case.status, case.assignee, case.closed_by)
    assert undone.version == case.version + 1


def test_undoing_what_other_decisions_say_too_leaves_the_case_closed() -> None:
    decision = make_decision()

    assert _done(undo(closed(), decision, [make_decision()], "ann", NOW)).is_closed


def test_undoing_what_is_undone_changes_nothing() -> None:
    case = claimed()

    assert undo(case, make_decision(undone_by="ann", undone_at=NOW), (), "ann", NOW + 2 * UNDO) is case


def test_a_second_person_agrees_once_and_is_not_the_first() -> None:
    case = released()
    agreed = _done(agreed_by(case, "bob", NOW + SECOND))

    assert agreed.second_look == SecondLook(NOW, MUCH.total, "bob", NOW + SECOND, version=case.version)
    assert agreed_by(agreed, "bob", NOW + SECOND) is agreed
    assert agreed_by(case, "ann", NOW) is Refusal.SAME_PERSON
    assert agreed_by(agreed, "cleo", NOW) is Refusal.NOT_DUE
    assert agree(closed(), "bob", 2, NOW) is Refusal.NOT_DUE
    assert agree(claimed(), "bob", 2, NOW) is Refusal.NOT_DUE


def test_nobody_agrees_to_what_was_released_since_they_looked() -> None:
    seen = with_decision(claimed(), "ann", MUCH, NOW)
    more = Release(Tally(2, Decimal(1_010_000)), frozenset())
    other = Release(MUCH.total, frozenset())  # the same sum of another payment

    for released_since in (more, other):
        now = with_decision(_done(keep(seen, "ann", NOW)), "ann", released_since, NOW + SECOND)
        assert seen.second_look is not None
        assert agree(now, "bob", seen.second_look.version, NOW) is Refusal.CHANGED
        assert not _done(agreed_by(now, "bob", NOW)).is_look_due


def test_who_has_decided_on_an_earlier_case_that_counts_is_not_the_second_person() -> None:
    case = with_decision(claimed(), "ann", Release(Tally(2, Decimal(10_000)), frozenset({"eve"})), NOW)
    case = with_decision(case, "ann", Release(Tally(3, Decimal(10_001)), frozenset({"dan"})), NOW)

    for person in ("ann", "dan", "eve"):
        assert agreed_by(case, person, NOW) is Refusal.SAME_PERSON
        assert contest(case, (), person, "r", NOW) is Refusal.SAME_PERSON
    assert not _done(agreed_by(case, "bob", NOW)).is_look_due


def test_a_second_person_who_contests_a_case_has_it() -> None:
    case = _done(contest(released(), (), "bob", "new device", NOW))

    assert (case.status, case.assignee, case.verdict, case.is_look_due) == ("claimed", "bob", None, False)
    assert case.handover == Handover("bob", NOW, "new device")
    assert _done(contest(case, (), "bob", "new device", NOW + SECOND)).assignee == "bob"
    assert contest(case, (), "cleo", "new device", NOW) is Refusal.NOT_DUE
    assert contest(released(), (), "ann", "r", NOW) is Refusal.SAME_PERSON
    assert contest(closed(), (), "bob", "r", NOW) is Refusal.NOT_DUE


def test_a_release_that_is_small_or_agreed_on_can_be_contested() -> None:
    small = with_decision(claimed(), "ann", None, NOW)
    small = _done(close(small, "ann", CaseVerdict.LEGITIMATE, NOW))
    agreed = _done(agreed_by(released(), "bob", NOW))

    for case in (small, agreed):
        assert _done(contest(case, (), "cleo", "r", NOW)).assignee == "cleo"
        assert contest(case, (), "ann", "r", NOW) is Refusal.SAME_PERSON


def test_nobody_who_has_decided_on_a_case_is_its_second_person() -> None:
    case = with_decision(claimed("eve"), "eve", MUCH, NOW)
    case = _done(claim(_done(release(case, "eve", "r", NOW)), "bob", NOW))
    case = _done(close(with_decision(case, "bob", None, NOW), "bob", CaseVerdict.LEGITIMATE, NOW))

    for person in ("eve", "bob"):
        assert agreed_by(case, person, NOW) is Refusal.SAME_PERSON
        assert contest(case, (), person, "r", NOW) is Refusal.SAME_PERSON
    assert not _done(agreed_by(case, "cleo", NOW)).is_look_due


def test_what_is_released_after_somebody_has_agreed_is_looked_at_anew() -> None:
    agreed = _done(agreed_by(with_decision(claimed(), "ann", MUCH, NOW), "bob", NOW))
    more = Release(Tally(2, Decimal(10_001)), frozenset())

    again = with_decision(agreed, "ann", more, NOW + SECOND)

    assert again.second_look == SecondLook(NOW + SECOND, more.total, version=agreed.version)


@pytest.mark.parametrize("verdict", CaseVerdict)
def test_a_closed_case_with_a_release_can_be_contested_whatever_its_verdict(verdict: CaseVerdict) -> None:
    case = _done(close(claimed(), "ann", verdict, NOW))
    case = with_decision(case, "ann", None, NOW)
    case = msgspec.structs.replace(case, legitimate=Tally(1, Decimal(1)), fraud=Tally(1, Decimal(1)))

    assert is_contestable(case)


def test_a_look_stays_due_when_something_is_undone() -> None:
    other = make_decision(ruling=Ruling(verdict=LabelVerdict.LEGITIMATE))

    assert _done(undo(released(), make_decision(), [other], "ann", NOW)).is_look_due
    assert _done(contest(released(), [other], "bob", "r", NOW)).is_look_due
    assert _done(undo(released(), make_decision(), (), "ann", NOW)).is_look_due
    assert stay_closed(released(), None).second_look is None


@pytest.mark.parametrize("step", ["release", "skip", "close"])
def test_a_step_that_was_made_gives_the_case_as_it_is(step: str) -> None:
    case = claimed()

    def make(case: Case) -> Case | Refusal:
        match step:
            case "release":
                return release(case, "ann", "lunch", NOW)
            case "skip":
                return skip(case, "ann", NOW)
        return close(case, "ann", CaseVerdict.MIXED, NOW)

    once = _done(make(case))

    assert once.version == case.version + 1
    assert make(once) is once


STEPS = st.tuples(
    st.sampled_from(["claim", "release", "reassign", "skip", "close", "undo"]),
    st.sampled_from(["ann", "bob", "cleo"]),
    st.integers(0, 1_200),
)


@given(st.lists(STEPS, max_size=20))
def test_nobody_works_on_a_case_that_somebody_else_holds(steps: list[tuple[str, str, int]]) -> None:
    case, now = make_case(), NOW
    for name, analyst, seconds in steps:
        now += seconds * SECOND
        held_by = holder(case, now)
        match name:
            case "claim":
                result = claim(case, analyst, now)
            case "release":
                result = release(case, analyst, "r", now)
            case "reassign":
                result = reassign(case, "lead", analyst, "r", now)
            case "skip":
                result = skip(case, analyst, now)
            case "close":
                result = close(case, analyst, CaseVerdict.FRAUD, now)
            case _:
                result = undo(case, make_decision(analyst=analyst, decided_at=now), (), analyst, now)

        if isinstance(result, Case):
            assert name == "reassign" or held_by in {None, analyst} or result.assignee == held_by
            assert result.version in {case.version, case.version + 1}
            assert (result.assignee is None) == (result.lease_until is None) == (result.status != "claimed")
            assert (result.verdict is None) == (result.closed_by is None) == (not result.is_closed)
            kept = ("undecided", "payments", "entities", "reasons", "due_at", "case_owner", "case_number")
            before, after = msgspec.structs.asdict(case), msgspec.structs.asdict(result)
            assert [before[field] for field in kept] == [after[field] for field in kept]
            case = result
