"""What holds where a decision is withdrawn beside the label of somebody else: the case can be judged, and it ends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contract.case import CaseKey, CaseVerdict, Tally
from contract.case_work import LEASE, Refusal, release, skip
from contract.label import LabelSource, LabelVerdict
from tests.support.case_verdict_contract import FORM, FRAUD, LEGITIMATE, SECOND, decide
from tests.support.case_verdict_world import KEY, VerdictTables, done, dying_after_one_withdrawal
from tests.support.payments import NOW
from tests.support.second_look_contract import HOUR, OTHER_FORM, agreed_by, asked, paid

LATER = NOW + HOUR
RELEASED = Tally(1, Decimal(1_000_000))
OTHERS = [LabelSource.CUSTOMER, LabelSource.CHARGEBACK]


def contested(tables: VerdictTables, source: LabelSource = LabelSource.CUSTOMER) -> str:
    """Eve has released a payment, as a label of somebody else says too, and Bob contests it; give its key."""
    (key,) = tables.flag(paid(1, 1_000_000))
    tables.claim("eve")
    decide(tables, [key], LEGITIMATE, analyst="eve")
    tables.deliver()
    tables.say(key, LabelVerdict.LEGITIMATE, source, NOW + SECOND)
    done(tables.verdicts().contest(KEY, "bob", "The device is new.", LATER))
    tables.deliver()
    tables.follow()
    return key


class ContestContract:
    """Tests of withdrawn decisions; a subclass has the fixture ``tables``."""

    @pytest.mark.parametrize("source", OTHERS)
    def test_a_second_person_decides_anew_on_what_somebody_elses_label_releases(
        self, tables: VerdictTables, source: LabelSource
    ) -> None:
        key = contested(tables, source)

        case = done(decide(tables, [key], FRAUD, OTHER_FORM, "bob", LATER + SECOND))

        assert (case.verdict, case.closed_by, case.second_look) == (CaseVerdict.FRAUD, "bob", None)
        tables.deliver()
        assert tables.statuses() == ["confirmed_fraud"]

    def test_nobody_else_looks_at_a_case_while_its_second_person_can_decide(
        self, tables: VerdictTables
    ) -> None:
        contested(tables)

        case = tables.case()

        assert (case.assignee, case.undecided.payments, case.is_look_due) == ("bob", 0, False)
        assert agreed_by(case, "cleo") is Refusal.NOT_DUE
        assert tables.verdicts().contest(KEY, "cleo", "r", LATER) is Refusal.NOT_DUE

    @pytest.mark.parametrize("is_skipped", [True, False])
    def test_a_case_that_is_given_back_with_nothing_undecided_is_closed_and_its_look_due(
        self, tables: VerdictTables, is_skipped: bool
    ) -> None:
        contested(tables)
        case = tables.case()

        back = done(skip(case, "bob", LATER) if is_skipped else release(case, "bob", "r", LATER))

        assert (back.is_closed, back.verdict, back.closed_by) == (True, CaseVerdict.LEGITIMATE, None)
        assert back.is_look_due
        assert agreed_by(back, "eve") is Refusal.SAME_PERSON
        assert not done(agreed_by(back, "bob")).is_look_due
        assert done(skip(back, "bob", LATER) if is_skipped else release(back, "bob", "r", LATER)) is back

    def test_somebody_else_ends_a_contest_after_its_lease(self, tables: VerdictTables) -> None:
        key = contested(tables)
        late = LATER + 2 * LEASE
        tables.claim("cleo", at=late)

        case = done(decide(tables, [key], LEGITIMATE, OTHER_FORM, "cleo", late))

        assert case.is_closed
        assert case.is_look_due

    def test_a_contested_look_ends_with_the_last_payment_that_is_decided_anew(
        self, tables: VerdictTables
    ) -> None:
        keys = tables.flag(paid(1, 1_000_000), paid(2, 1), paid(3, 1))
        tables.claim("eve")
        decide(tables, keys, LEGITIMATE, analyst="eve")
        tables.deliver()
        for key in keys[:2]:
            tables.say(key, LabelVerdict.LEGITIMATE, LabelSource.CUSTOMER, NOW + SECOND)
        tables.verdicts().contest(KEY, "bob", "r", LATER)
        tables.deliver()

        first = done(decide(tables, keys[:1], FRAUD, OTHER_FORM, "bob", LATER))
        second = done(decide(tables, keys[1:], FRAUD, "form-000000000002", "bob", LATER + SECOND))

        assert asked(first) == (NOW, Tally(3, Decimal(1_000_002)))
        assert (first.is_closed, second.is_closed) == (False, True)
        assert second.second_look is None

    def test_what_a_second_person_does_not_decide_anew_is_looked_at_when_the_case_is_closed(
        self, tables: VerdictTables
    ) -> None:
        keys = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim("eve")
        decide(tables, keys, LEGITIMATE, analyst="eve")
        tables.deliver()
        for key in keys:
            tables.say(key, LabelVerdict.LEGITIMATE, LabelSource.CUSTOMER, NOW + SECOND)
        tables.verdicts().contest(KEY, "bob", "r", LATER)
        tables.deliver()

        case = done(decide(tables, keys[1:], FRAUD, OTHER_FORM, "bob", LATER))

        assert (case.verdict, case.is_look_due) == (CaseVerdict.MIXED, True)

    def test_undoing_the_new_decision_brings_the_contested_look_back(self, tables: VerdictTables) -> None:
        key = contested(tables)
        decide(tables, [key], FRAUD, OTHER_FORM, "bob", LATER)

        done(tables.verdicts().undo(KEY, OTHER_FORM, "bob", LATER + SECOND))
        tables.deliver()

        case = tables.case()
        assert asked(case) == (NOW, RELEASED)
        assert not case.is_look_due
        assert done(release(case, "bob", "r", LATER)).is_look_due

    @pytest.mark.parametrize("source", OTHERS)
    def test_what_is_undone_beside_a_label_that_says_the_same_can_be_ended(
        self, tables: VerdictTables, source: LabelSource
    ) -> None:
        (key,) = tables.flag(paid(1, 5))
        tables.claim()
        decide(tables, [key], FRAUD)
        tables.deliver()
        tables.say(key, LabelVerdict.FRAUD, source, NOW + SECOND)
        done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND * 2))
        tables.deliver()
        tables.follow()
        case = tables.case()

        back = done(release(case, "ann", "r", LATER))
        anew = done(decide(tables, [key], LEGITIMATE, OTHER_FORM, "ann", LATER))

        assert (case.is_closed, case.undecided.payments) == (False, 0)
        assert (back.verdict, back.closed_by, back.closed_at) == (CaseVerdict.FRAUD, None, LATER)
        assert (anew.verdict, anew.closed_by) == (CaseVerdict.LEGITIMATE, "ann")

    @pytest.mark.parametrize("is_labelled", [True, False])
    def test_contesting_a_case_that_has_a_newer_one_leaves_the_look_at_what_stays_in_it(
        self, tables: VerdictTables, is_labelled: bool
    ) -> None:
        (key,) = tables.flag(paid(1, 1_000_000))
        tables.claim("eve")
        decide(tables, [key], LEGITIMATE, analyst="eve")
        tables.deliver()
        tables.flag(paid(2, 1))
        if is_labelled:
            tables.say(key, LabelVerdict.LEGITIMATE, LabelSource.CUSTOMER, NOW + SECOND)
        done(tables.verdicts().contest(KEY, "bob", "r", LATER))

        tables.deliver()

        assert tables.problems() == []
        assert tables.case().is_look_due == is_labelled
        assert tables.case(CaseKey(KEY.case_owner, 2)).undecided.payments == (1 if is_labelled else 2)

    def test_who_contests_what_nobody_has_decided_is_refused(self, tables: VerdictTables) -> None:
        (key,) = tables.flag(paid(1, 5))
        tables.claim()
        decide(tables, [key], LEGITIMATE)
        tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)
        tables.deliver()
        tables.say(key, LabelVerdict.LEGITIMATE, LabelSource.CUSTOMER, NOW + SECOND)
        before = tables.case()

        found = tables.verdicts().contest(KEY, "bob", "r", LATER)

        assert before.is_closed
        assert (found, tables.case()) == (Refusal.NOT_DUE, before)

    def test_who_has_decided_does_not_go_on_with_a_contest_whose_first_step_withdrew_that(
        self, tables: VerdictTables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = tables.flag(paid(1, 1_000_000), paid(2, 1_000_000))
        tables.claim()
        decide(tables, keys[:1], LEGITIMATE)
        tables.claim("dave", at=LATER)
        decide(tables, keys[1:], LEGITIMATE, OTHER_FORM, "dave", LATER)
        tables.deliver()
        with dying_after_one_withdrawal(monkeypatch):
            tables.verdicts().contest(KEY, "bob", "r", LATER + SECOND)
        contest = tables.verdicts().contest

        refused = [contest(KEY, person, "r", LATER + 2 * LEASE) for person in ("ann", "dave")]
        case = done(contest(KEY, "cleo", "r", LATER + 2 * LEASE))

        assert refused == [Refusal.SAME_PERSON] * 2
        assert case.assignee == "cleo"
