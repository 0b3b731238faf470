"""What holds for released money: a second person looks at it, whoever closes the case and whenever its labels arrive."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contract.case import Case, CaseKey, CaseVerdict, Tally, owner_of
from contract.case_outcome import RELEASES_COUNT
from contract.case_work import Refusal, agree
from tests.support.case_store_contract import payment
from tests.support.case_verdict_contract import FORM, FRAUD, LEGITIMATE, SECOND, decide
from tests.support.case_verdict_world import KEY, VerdictTables, done
from tests.support.payments import NOW

OTHER_FORM = "form-fedcba987654"
HOUR = timedelta(hours=1)
NONE = timedelta(0)


def paid(number: int, amount: int, **changes: Any) -> Any:
    """A flagged payment of so much."""
    flagged = payment(f"tx-{number}", number, sent={"amount": Decimal(amount)})
    return msgspec.structs.replace(flagged, **changes)


def paid_by(user_id: str, amount: int) -> Any:
    """A flagged payment of another user."""
    return payment(f"tx-{user_id}", sent={"user_id": user_id, "amount": Decimal(amount)})


def agreed_by(case: Case, analyst: str) -> Case | Refusal:
    """Agree to what a case asks now."""
    assert case.second_look is not None
    return agree(case, analyst, case.second_look.version, NOW)


def asked(case: Case) -> tuple[Any, Tally] | None:
    """Since when a second person is asked, and about what."""
    return None if case.second_look is None else (case.second_look.since, case.second_look.released)


class SecondLookContract:
    """Tests of the second look; a subclass has the fixture ``tables``."""

    def test_much_money_is_looked_at_though_a_payment_is_left_undecided(self, tables: VerdictTables) -> None:
        large, _ = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim("eve")

        case = done(decide(tables, [large], LEGITIMATE, analyst="eve"))

        assert asked(case) == (NOW, Tally(1, Decimal(1_000_000)))
        assert not case.is_closed
        assert agreed_by(tables.case(), "eve") is Refusal.SAME_PERSON

    @pytest.mark.parametrize("closes_after", [SECOND, HOUR])
    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_who_has_released_much_is_not_the_second_person_of_a_case_that_another_closes(
        self, tables: VerdictTables, closes_after: timedelta, is_delivered: bool
    ) -> None:
        large, small = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim("eve")
        decide(tables, [large], LEGITIMATE, analyst="eve")
        if is_delivered:
            tables.deliver()
        tables.claim("bob", at=NOW + HOUR)
        decide(tables, [small], LEGITIMATE, OTHER_FORM, "bob", NOW + closes_after)
        tables.deliver()

        case = tables.case()

        assert case.is_closed
        assert case.is_look_due
        assert agreed_by(case, "eve") is agreed_by(case, "bob") is Refusal.SAME_PERSON
        assert not done(agreed_by(case, "cleo")).is_look_due

    @pytest.mark.parametrize("changes", [{"amount_base": None, "base_currency": None}])
    def test_a_payment_without_a_rate_is_released_with_a_second_person(
        self, tables: VerdictTables, changes: dict[str, Any]
    ) -> None:
        keys = tables.flag(paid(1, 5, **changes))
        tables.claim()

        assert asked(done(decide(tables, keys, LEGITIMATE))) == (NOW, Tally(1))

    def test_parts_of_a_sum_are_one_sum_however_long_their_labels_take(self, tables: VerdictTables) -> None:
        first, second, _ = tables.flag(paid(1, 6_000), paid(2, 6_000), paid(3, 1))
        tables.claim()

        early = done(decide(tables, [first], LEGITIMATE))
        late = done(decide(tables, [second], LEGITIMATE, OTHER_FORM, at=NOW + HOUR))

        assert early.second_look is None
        assert asked(late) == (NOW + HOUR, Tally(2, Decimal(12_000)))

    @pytest.mark.parametrize(
        ("after", "is_due"), [(HOUR, True), (RELEASES_COUNT, True), (RELEASES_COUNT + SECOND, False)]
    )
    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_what_was_released_in_the_users_case_before_counts_too(
        self, tables: VerdictTables, after: timedelta, is_due: bool, is_delivered: bool
    ) -> None:
        decide_all(tables, KEY, paid(1, 6_000), FORM)
        if is_delivered:
            tables.deliver()

        case = decide_all(tables, CaseKey(KEY.case_owner, 2), paid(2, 6_000), OTHER_FORM, after)

        assert case.is_look_due == is_due

    def test_a_case_of_fraud_before_is_no_release(self, tables: VerdictTables) -> None:
        decide_all(tables, KEY, paid(1, 60_000), FORM, ruling=FRAUD)

        case = decide_all(tables, CaseKey(KEY.case_owner, 2), paid(2, 6_000), OTHER_FORM)

        assert case.second_look is None

    def test_a_small_release_is_contested_by_somebody_else(self, tables: VerdictTables) -> None:
        decide_all(tables, KEY, paid(1, 9_999), FORM)
        contest = tables.verdicts().contest

        own = contest(KEY, "ann", "r", NOW + HOUR)
        case = done(contest(KEY, "bob", "r", NOW + HOUR))

        assert own is Refusal.SAME_PERSON
        assert (case.assignee, case.verdict) == ("bob", None)
        tables.deliver()
        assert tables.statuses() == ["open"]

    def test_undoing_leaves_the_look_since_what_is_undone_was_legitimate_for_seconds(
        self, tables: VerdictTables
    ) -> None:
        large, small = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim()
        decide(tables, [large], LEGITIMATE)
        decide(tables, [small], LEGITIMATE, OTHER_FORM)

        undone = done(tables.verdicts().undo(KEY, OTHER_FORM, "ann", NOW + SECOND))
        both = done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))
        anew = done(decide(tables, [large, small], FRAUD, "form-000000000003", at=NOW + 2 * SECOND))

        assert undone.is_look_due
        assert asked(both) == asked(anew) == (NOW, Tally(2, Decimal(1_000_001)))
        assert agreed_by(anew, "ann") is Refusal.SAME_PERSON
        assert not done(agreed_by(anew, "bob")).is_look_due

    def test_a_label_that_opens_a_case_again_leaves_its_look_due(self, tables: VerdictTables) -> None:
        large, small = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim()
        decide(tables, [large], LEGITIMATE)
        decide(tables, [small], LEGITIMATE, OTHER_FORM)
        tables.deliver()

        tables.set_status(small, "open")

        assert not tables.case().is_closed
        assert tables.case().is_look_due

    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_fraud_is_called_legitimate_with_a_second_person_at_any_amount(
        self, tables: VerdictTables, is_delivered: bool
    ) -> None:
        keys = tables.flag(*(paid(number, 5) for number in range(1, 4)))
        tables.claim("eve")
        decide(tables, keys[:2], FRAUD, analyst="eve")
        if is_delivered:
            tables.deliver()

        flipped = done(decide(tables, keys[:1], LEGITIMATE, OTHER_FORM, "eve", NOW + SECOND))
        ended = done(decide(tables, keys[2:], FRAUD, "form-000000000003", "eve", NOW + 2 * SECOND))

        assert asked(flipped) == (NOW + SECOND, Tally(1, Decimal(5)))
        assert (ended.verdict, ended.is_look_due) == (CaseVerdict.MIXED, True)

    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_what_was_fraud_is_one_sum_in_however_many_forms_it_is_released(
        self, tables: VerdictTables, is_delivered: bool
    ) -> None:
        keys = tables.flag(*(paid(number, 9_000) for number in range(1, 4)))
        tables.claim("eve")
        decide(tables, keys[:2], FRAUD, analyst="eve")
        tables.deliver()

        for number, key in enumerate(keys[:2]):
            decide(tables, [key], LEGITIMATE, f"form-{number:012d}", "eve", NOW + (number + 1) * SECOND)
            if is_delivered:
                tables.deliver()

        assert asked(tables.case()) == (NOW + SECOND, Tally(2, Decimal(18_000)))

    def test_an_agreement_covers_nothing_that_was_released_after_the_page_was_read(
        self, tables: VerdictTables
    ) -> None:
        first, second, _ = tables.flag(paid(1, 10_000), paid(2, 1), paid(3, 1))
        tables.claim("eve")
        seen = done(decide(tables, [first], LEGITIMATE, analyst="eve")).second_look
        assert seen is not None

        case = done(decide(tables, [second], LEGITIMATE, OTHER_FORM, "eve", NOW + SECOND))

        assert agree(case, "bob", seen.version, NOW + SECOND) is Refusal.CHANGED
        assert asked(case) == (NOW, Tally(2, Decimal(10_001)))

    def test_whoever_has_released_part_of_a_sum_in_another_case_is_not_its_second_person(
        self, tables: VerdictTables
    ) -> None:
        decide_all(tables, KEY, paid(1, 9_999), FORM, analyst="eve")
        tables.deliver()

        case = decide_all(tables, CaseKey(KEY.case_owner, 2), paid(2, 1), OTHER_FORM, HOUR, analyst="bob")

        assert agreed_by(case, "eve") is agreed_by(case, "bob") is Refusal.SAME_PERSON
        assert not done(agreed_by(case, "cleo")).is_look_due

    def test_a_contest_leaves_fraud_fraud_and_its_release_is_looked_at(self, tables: VerdictTables) -> None:
        large, small = tables.flag(paid(1, 9_000), paid(2, 1))
        tables.claim("bob")
        decide(tables, [large], FRAUD, analyst="bob")
        decide(tables, [small], LEGITIMATE, OTHER_FORM, "bob")
        tables.deliver()

        done(tables.verdicts().contest(KEY, "eve", "please look again", NOW + HOUR))
        tables.deliver()
        contested = tables.statuses()
        case = done(decide(tables, [large, small], LEGITIMATE, "form-000000000003", "eve", NOW + HOUR))

        assert contested == ["confirmed_fraud", "open"]
        assert asked(case) == (NOW + HOUR, Tally(2, Decimal(9_001)))
        assert agreed_by(case, "bob") is Refusal.SAME_PERSON

    def test_a_colleagues_fraud_in_an_open_case_is_released_with_a_second_person(
        self, tables: VerdictTables
    ) -> None:
        large, _ = tables.flag(paid(1, 9_000), paid(2, 1))
        tables.claim("bob")
        decide(tables, [large], FRAUD, analyst="bob")
        tables.deliver()
        tables.claim("eve", at=NOW + HOUR)

        case = done(decide(tables, [large], LEGITIMATE, OTHER_FORM, "eve", NOW + HOUR))

        assert asked(case) == (NOW + HOUR, Tally(1, Decimal(9_000)))

    def test_what_is_released_after_a_look_at_little_is_looked_at_too(self, tables: VerdictTables) -> None:
        small, large, _ = tables.flag(paid(1, 1), paid(2, 9_000), paid(3, 1))
        tables.claim("eve")
        decide(tables, [small], FRAUD, analyst="eve")
        flipped = done(decide(tables, [small], LEGITIMATE, OTHER_FORM, "eve", NOW + SECOND))
        tables.put(done(agreed_by(flipped, "bob")))

        case = done(decide(tables, [large], LEGITIMATE, "form-000000000003", "eve", NOW + HOUR))

        assert asked(case) == (NOW + HOUR, Tally(2, Decimal(9_001)))

    def test_what_one_person_releases_in_a_day_is_one_sum_whoever_the_users_are(
        self, tables: VerdictTables
    ) -> None:
        released = [
            decide_all(
                tables, CaseKey(owner_of(f"mule-{number}"), 1), paid_by(f"mule-{number}", amount), FORM, after
            )
            for number, (amount, after) in enumerate(
                [*[(9_000, NONE)] * 6, (5_000, NONE), (1, NONE), (9_000, timedelta(days=1))]
            )
        ]
        other = decide_all(
            tables, CaseKey(owner_of("mule-9"), 1), paid_by("mule-9", 9_000), FORM, analyst="bob"
        )

        due = [case.is_look_due for case in released]
        assert due == [False] * 5 + [True, False, True, False]
        assert not other.is_look_due

    def test_what_one_form_releases_in_several_cases_is_one_sum(self, tables: VerdictTables) -> None:
        (key,) = tables.flag(paid(1, 2))
        tables.claim()

        case = done(
            tables.verdicts().decide(
                KEY, FORM, [key], LEGITIMATE, "ann", NOW, released_elsewhere=Decimal(9_998)
            )
        )

        assert asked(case) == (NOW, Tally(1, Decimal(2)))

    def test_a_form_that_is_sent_twice_is_one_release_of_its_day(self, tables: VerdictTables) -> None:
        keys = tables.flag(paid(1, 9_000))
        tables.claim()
        for _ in range(9):
            done(decide(tables, keys, LEGITIMATE))

        case = decide_all(tables, CaseKey(owner_of("mule-1"), 1), paid_by("mule-1", 9_000), OTHER_FORM)

        assert not case.is_look_due


def decide_all(
    tables: VerdictTables,
    key: CaseKey,
    flagged: Any,
    form: str,
    after: timedelta = NONE,
    ruling: Any = LEGITIMATE,
    analyst: str = "ann",
) -> Case:
    """Open a case with a payment, and decide on it."""
    (event_key,) = tables.flag(flagged)
    tables.claim(analyst, key)
    return done(tables.verdicts().decide(key, form, [event_key], ruling, analyst, NOW + after))
