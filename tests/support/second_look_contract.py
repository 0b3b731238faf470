"""What holds for released money: a second person looks at it, whoever closes the case and whenever its labels arrive."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contract.case import Case, CaseKey, SecondLook, Tally
from contract.case_outcome import RELEASES_COUNT
from contract.case_work import Refusal, agree
from tests.support.case_store_contract import payment
from tests.support.case_verdict_contract import FORM, FRAUD, LEGITIMATE, SECOND, decide
from tests.support.case_verdict_world import KEY, VerdictTables
from tests.support.payments import NOW

OTHER_FORM = "form-fedcba987654"
HOUR = timedelta(hours=1)


def paid(number: int, amount: int, **changes: Any) -> Any:
    """A flagged payment of so much."""
    flagged = payment(f"tx-{number}", number, sent={"amount": Decimal(amount)})
    return msgspec.structs.replace(flagged, **changes)


def _done(found: Case | Refusal) -> Case:
    assert isinstance(found, Case), found
    return found


class SecondLookContract:
    """Tests of the second look; a subclass has the fixture ``tables``."""

    def test_much_money_is_looked_at_though_a_payment_is_left_undecided(self, tables: VerdictTables) -> None:
        large, _ = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim("eve")

        case = _done(decide(tables, [large], LEGITIMATE, analyst="eve"))

        assert case.second_look == SecondLook(NOW, Tally(1, Decimal(1_000_000)))
        assert not case.is_closed
        assert agree(tables.case(), "eve", NOW) is Refusal.SAME_PERSON

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
        assert agree(case, "eve", NOW) is agree(case, "bob", NOW) is Refusal.SAME_PERSON
        assert not _done(agree(case, "cleo", NOW)).is_look_due

    @pytest.mark.parametrize("changes", [{"amount_base": None, "base_currency": None}])
    def test_a_payment_without_a_rate_is_released_with_a_second_person(
        self, tables: VerdictTables, changes: dict[str, Any]
    ) -> None:
        keys = tables.flag(paid(1, 5, **changes))
        tables.claim()

        assert _done(decide(tables, keys, LEGITIMATE)).second_look == SecondLook(NOW, Tally(1))

    def test_parts_of_a_sum_are_one_sum_however_long_their_labels_take(self, tables: VerdictTables) -> None:
        first, second, _ = tables.flag(paid(1, 6_000), paid(2, 6_000), paid(3, 1))
        tables.claim()

        early = _done(decide(tables, [first], LEGITIMATE))
        late = _done(decide(tables, [second], LEGITIMATE, OTHER_FORM, at=NOW + HOUR))

        assert early.second_look is None
        assert late.second_look == SecondLook(NOW + HOUR, Tally(2, Decimal(12_000)))

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
        case = _done(contest(KEY, "bob", "r", NOW + HOUR))

        assert own is Refusal.SAME_PERSON
        assert (case.assignee, case.verdict) == ("bob", None)
        tables.deliver()
        assert tables.statuses() == ["open"]

    def test_undoing_one_decision_leaves_the_look_at_another(self, tables: VerdictTables) -> None:
        large, small = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim()
        decide(tables, [large], LEGITIMATE)
        decide(tables, [small], LEGITIMATE, OTHER_FORM)

        undone = _done(tables.verdicts().undo(KEY, OTHER_FORM, "ann", NOW + SECOND))
        both = _done(tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND))

        assert undone.is_look_due
        assert both.second_look is None

    def test_a_label_that_opens_a_case_again_leaves_its_look_due(self, tables: VerdictTables) -> None:
        large, small = tables.flag(paid(1, 1_000_000), paid(2, 1))
        tables.claim()
        decide(tables, [large], LEGITIMATE)
        decide(tables, [small], LEGITIMATE, OTHER_FORM)
        tables.deliver()

        tables.set_status(small, "open")

        assert not tables.case().is_closed
        assert tables.case().is_look_due


def decide_all(
    tables: VerdictTables,
    key: CaseKey,
    flagged: Any,
    form: str,
    after: timedelta = timedelta(0),
    ruling: Any = LEGITIMATE,
) -> Case:
    """Open a case with a payment, and decide on it."""
    (event_key,) = tables.flag(flagged)
    tables.claim("ann", key)
    return _done(tables.verdicts().decide(key, form, [event_key], ruling, "ann", NOW + after))
