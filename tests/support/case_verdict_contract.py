"""What holds for people who decide on cases: on DynamoDB's own server, on MiniStack, and on moto."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from common.cases import CaseContentionError
from contract.case import Case, CaseKey, CaseStatus, CaseVerdict, SecondLook, Tally
from contract.case_decision import MAX_DECIDED, Ruling
from contract.case_work import LEASE, UNDO, Refusal
from contract.label import LabelVerdict
from contract.label_message import decode_label_message
from tests.support.case_store_contract import payment
from tests.support.case_verdict_world import KEY, VerdictTables, done, dying_after_one_withdrawal
from tests.support.payments import NOW

if TYPE_CHECKING:
    from collections.abc import Collection

SECOND = timedelta(seconds=1)
FORM = "form-0123456789ab"
FRAUD = Ruling(verdict=LabelVerdict.FRAUD)
LEGITIMATE = Ruling(verdict=LabelVerdict.LEGITIMATE, note="The user was called.")


def decide(
    tables: VerdictTables,
    keys: Collection[str],
    ruling: Ruling = FRAUD,
    form: str = FORM,
    analyst: str = "ann",
    at: Any = NOW,
) -> Case | Refusal:
    """Decide as somebody does."""
    return tables.verdicts().decide(KEY, form, keys, ruling, analyst, at)


class CaseVerdictContract:
    """Tests of the verdicts; a subclass has the fixture ``tables``."""

    def test_a_decision_on_a_whole_case_closes_it_and_gives_each_payment_one_label(
        self, tables: VerdictTables
    ) -> None:
        keys = tables.flag(payment("tx-1"), payment("tx-2", 1))
        tables.claim()

        case = done(decide(tables, keys, LEGITIMATE))

        assert (case.verdict, case.closed_by) == (CaseVerdict.LEGITIMATE, "ann")
        labels = tables.waiting()
        assert sorted(label.event_key or "" for label in labels) == keys
        assert {(label.verdict, label.source, label.known_at) for label in labels} == {
            ("legitimate", "analyst", NOW)
        }
        assert sorted(
            map(decode_label_message, tables.sent), key=lambda label: label.label_id or ""
        ) == sorted(labels, key=lambda label: label.label_id or "")
        (decision,) = tables.decisions()
        assert (decision.ruling.note, decision.amount_base) == ("The user was called.", Decimal(2_500))
        tables.deliver()
        assert tables.statuses() == ["false_positive"] * 2
        assert (tables.case().undecided.payments, tables.case().legitimate.payments) == (0, 2)

    def test_a_decision_on_some_payments_leaves_the_case_with_whoever_has_it(
        self, tables: VerdictTables
    ) -> None:
        seen = tables.flag(payment("tx-1"), payment("tx-2", 1))
        tables.claim()
        tables.flag(payment("tx-3", 2))

        case = done(decide(tables, seen))

        assert (case.status, case.assignee, case.verdict) == (CaseStatus.CLAIMED, "ann", None)
        tables.deliver()
        assert tables.statuses() == ["confirmed_fraud", "confirmed_fraud", "open"]
        assert tables.case().undecided.payments == 1

    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_the_decision_on_the_last_payment_closes_the_case_whether_or_not_labels_have_arrived(
        self, tables: VerdictTables, is_delivered: bool
    ) -> None:
        first, second = tables.flag(payment("tx-1"), payment("tx-2", 1))
        tables.claim()
        decide(tables, [first])
        if is_delivered:
            tables.deliver()

        case = done(decide(tables, [second], LEGITIMATE, "form-fedcba987654", at=NOW + SECOND))

        assert (case.verdict, case.closed_by) == (CaseVerdict.MIXED, "ann")

    def test_a_payment_whose_row_was_deleted_keeps_no_case_open(self, tables: VerdictTables) -> None:
        first, second = tables.flag(payment("tx-1"), payment("tx-2", 1))
        tables.claim()
        tables.delete(first)

        assert decide(tables, [first, second]) is Refusal.MOVED
        assert done(decide(tables, [second])).verdict is CaseVerdict.FRAUD

    def test_a_form_that_is_sent_twice_is_one_decision(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)

        again = decide(tables, keys, at=NOW + SECOND)
        other = decide(tables, keys, LEGITIMATE)

        assert done(again) == tables.case()
        assert other is Refusal.OTHER_DECISION
        assert len(tables.sent) == 2
        assert len({*tables.sent}) == len(tables.waiting()) == len(tables.decisions()) == 1

    def test_a_form_that_was_undone_is_refused_when_it_is_sent_again(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)
        done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))

        again = decide(tables, keys, at=NOW + SECOND)

        assert again is Refusal.UNDONE
        tables.deliver()
        assert tables.statuses() == ["open"]

    def test_a_case_whose_number_began_again_has_no_decision_of_the_one_before(
        self, tables: VerdictTables
    ) -> None:
        old = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, old, at=NOW - SECOND)
        tables.deliver()
        tables.expire_cases()
        tables.delete(old[0])
        new = tables.flag(payment("tx-2", 1))
        tables.claim("bob")
        done(decide(tables, new, LEGITIMATE, "form-fedcba987654", "bob"))

        done(tables.verdicts().contest(KEY, "cleo", "r", NOW + SECOND))
        early = tables.verdicts().undo(KEY, FORM, "ann", NOW)

        withdrawn = [each for each in tables.waiting() if each.verdict is LabelVerdict.WITHDRAWN]
        assert [each.event_key for each in withdrawn] == new
        assert early is Refusal.GONE

    def test_whoever_does_not_have_the_case_decides_nothing(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        unclaimed = decide(tables, keys)
        tables.claim("bob")
        taken = decide(tables, keys)
        moved = decide(tables, ["2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#tx-9"], analyst="bob")

        assert (unclaimed, taken, moved) == (Refusal.NOT_CLAIMED, Refusal.TAKEN, Refusal.MOVED)
        assert (tables.waiting(), tables.sent, tables.decisions()) == ([], [], [])

    def test_a_large_case_is_decided_on_in_parts(self, tables: VerdictTables) -> None:
        keys = tables.flag(*(payment(f"tx-{number}", number) for number in range(MAX_DECIDED + 5)))
        tables.claim()

        case = done(decide(tables, keys))

        assert case.verdict is CaseVerdict.FRAUD
        assert sorted(label.event_key or "" for label in tables.waiting()) == keys
        assert [decision.has_closed for decision in tables.decisions()] == [False, True]
        done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))
        withdrawn = [each for each in tables.waiting() if each.verdict is LabelVerdict.WITHDRAWN]
        assert sorted(label.event_key or "" for label in withdrawn) == keys

    def test_undoing_withdraws_what_was_decided_and_nothing_else(self, tables: VerdictTables) -> None:
        first, second = tables.flag(payment("tx-1"), payment("tx-2", 1))
        tables.claim()
        decide(tables, [first], LEGITIMATE, "form-fedcba987654")
        decide(tables, [first, second], at=NOW + SECOND)
        tables.deliver()
        assert tables.statuses() == ["confirmed_fraud"] * 2

        case = done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND + UNDO))

        assert (case.status, case.assignee, case.closed_by) == (CaseStatus.CLAIMED, "ann", None)
        tables.deliver()
        assert tables.statuses() == ["false_positive", "open"]
        assert tables.case().undecided.payments == tables.case().legitimate.payments == 1

    def test_whoever_undoes_has_the_case_however_late_the_labels_come(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)
        done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))

        tables.deliver()

        case = tables.case()
        assert (case.status, case.assignee, case.undecided.payments) == (CaseStatus.CLAIMED, "ann", 1)

    def test_undoing_twice_withdraws_once(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)

        for seconds in (1, 2):
            done(tables.verdicts().undo(KEY, FORM, "ann", NOW + seconds * SECOND))

        assert len({*tables.sent}) == len(tables.waiting()) == 2

    def test_only_who_has_decided_undoes_it_and_only_at_once(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)
        undo = tables.verdicts().undo

        assert undo(KEY, FORM, "bob", NOW) is Refusal.TOO_LATE
        assert undo(KEY, FORM, "ann", NOW + UNDO + SECOND) is Refusal.TOO_LATE
        assert undo(KEY, "form-fedcba987654", "ann", NOW) is Refusal.GONE
        assert len(tables.waiting()) == 1

    def test_undoing_after_a_newer_case_has_opened_moves_the_payments_there(
        self, tables: VerdictTables
    ) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)
        tables.deliver()
        tables.flag(payment("tx-2", 1))

        case = done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))

        assert case.is_closed
        tables.deliver()
        assert tables.statuses() == ["open", "open"]
        assert tables.case(CaseKey(KEY.case_owner, 2)).undecided.payments == 2

    def test_undoing_moves_payments_also_where_no_row_has_ever_said_what_was_decided(
        self, tables: VerdictTables
    ) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()
        decide(tables, keys)
        tables.flag(payment("tx-2", 1))
        done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))
        label, withdrawal = sorted(tables.waiting(), key=lambda each: each.verdict)

        tables.deliver(withdrawal, label)
        tables.follow()

        assert tables.problems() == []
        assert tables.case(CaseKey(KEY.case_owner, 2)).undecided.payments == 2

    @pytest.mark.parametrize("ruling", [FRAUD, LEGITIMATE])
    def test_a_second_person_is_to_look_where_much_money_is_released(
        self, tables: VerdictTables, ruling: Ruling
    ) -> None:
        large = payment("tx-1", sent={"amount": Decimal(10_000)})
        keys = tables.flag(large)
        tables.claim()

        case = done(decide(tables, keys, ruling))

        due = SecondLook(NOW, Tally(1, Decimal(10_000)), version=case.version)
        assert case.second_look == (due if ruling is LEGITIMATE else None)

    def test_a_contested_case_is_the_second_persons_and_undecided(self, tables: VerdictTables) -> None:
        keys = tables.flag(
            payment("tx-1", sent={"amount": Decimal(9_000)}),
            payment("tx-2", 1, sent={"amount": Decimal(2_000)}),
        )
        tables.claim()
        decide(tables, keys[:1], LEGITIMATE, "form-fedcba987654")
        decide(tables, keys[1:], LEGITIMATE)
        tables.deliver()
        contest = tables.verdicts().contest

        same = contest(KEY, "ann", "r", NOW)
        case = done(contest(KEY, "bob", "The device is new.", NOW + UNDO * 9))
        again = done(contest(KEY, "bob", "The device is new.", NOW + UNDO * 10))

        assert same is Refusal.SAME_PERSON
        assert (case.assignee, case.verdict, case.is_look_due) == ("bob", None, False)
        assert again.assignee == "bob"
        tables.deliver()
        assert tables.statuses() == ["open", "open"]
        assert (tables.case().status, tables.case().undecided.payments) == (CaseStatus.CLAIMED, 2)

    def test_a_contest_that_was_interrupted_goes_on_in_other_words_and_after_the_lease(
        self, tables: VerdictTables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = tables.flag(
            *(payment(f"tx-{number}", number, sent={"amount": Decimal(9_000)}) for number in range(3))
        )
        tables.claim()
        for number, event_key in enumerate(keys):
            decide(tables, [event_key], LEGITIMATE, f"form-{number:012d}", at=NOW + number * SECOND)
        tables.deliver()
        with dying_after_one_withdrawal(monkeypatch):
            tables.verdicts().contest(KEY, "bob", "The device is new.", NOW + UNDO)
        tables.deliver()
        contest = tables.verdicts().contest

        decider = contest(KEY, "ann", "r", NOW + LEASE * 2)
        other = contest(KEY, "cleo", "r", NOW + UNDO * 2)
        case = done(contest(KEY, "bob", "Not sure.", NOW + LEASE * 2))

        assert (decider, other) == (Refusal.SAME_PERSON, Refusal.TAKEN)
        assert case.assignee == "bob"
        assert all(decision.undone_by == "bob" for decision in tables.decisions())
        tables.deliver()
        assert tables.statuses() == ["open"] * 3
        assert tables.case().undecided.payments == 3
        assert contest(KEY, "cleo", "r", NOW + LEASE * 4) is Refusal.NOT_DUE

    def test_a_decision_whose_labels_are_not_sent_is_kept(self, tables: VerdictTables) -> None:
        keys = tables.flag(payment("tx-1"))
        tables.claim()

        def unavailable(_: object) -> None:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")

        case = done(tables.verdicts(unavailable).decide(KEY, FORM, keys, FRAUD, "ann", NOW))

        assert case.is_closed
        assert len(tables.waiting()) == len(tables.log.lines) == 1

    def test_people_who_decide_at_once_lose_no_verdict(self, tables: VerdictTables) -> None:
        keys = tables.flag(*(payment(f"tx-{number}", number) for number in range(8)))
        tables.claim()

        def judge(number: int) -> None:
            ruling = FRAUD if number % 2 else LEGITIMATE
            while True:
                try:
                    done(decide(tables, [keys[number]], ruling, f"form-0123456789-{number}"))
                except CaseContentionError:
                    continue
                return

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(judge, [*range(8), *range(8)]))

        case = tables.case()
        assert (case.verdict, case.closed_by) == (CaseVerdict.MIXED, "ann")
        assert len(tables.waiting()) == len({*tables.sent}) == 8
        tables.deliver()
        assert tables.statuses() == ["false_positive", "confirmed_fraud"] * 4
        assert tables.case().undecided.payments == 0
