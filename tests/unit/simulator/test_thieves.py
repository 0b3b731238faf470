from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTransactionError
from contract.transaction import decode_transaction
from simulator.people import person
from simulator.records import to_us
from simulator.thieves import KINDS, Answer, Thief, Try, Victim, sent, thief
from simulator.thieves.adaptive import AdaptiveThief
from simulator.thieves.cases import PLANS
from simulator.thieves.levers import LEVERS
from tests.support.backtest_samples import ENDS_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.truth import SentPayment

ARRIVES_US = to_us(ENDS_AT)


@cache
def victims(count: int = 3, first: int = 0) -> tuple[Victim, ...]:
    people = [person(5, index) for index in range(first, first + count)]
    return tuple(Victim(one, one.phone) for one in people)


def tries(one: Thief, answers: Iterable[Answer], limit: int = 80) -> list[Try]:
    found = []
    for answer in itertools.islice(answers, limit):
        following = one.next_try
        if following is None:
            break
        found.append(following)
        one = one.answered(answer)
    return found


def learner(kind: str, number: int = 0, **method: object) -> AdaptiveThief:
    made = thief(kind, ("test", number), victims())
    assert isinstance(made, AdaptiveThief)
    return msgspec.structs.replace(made, method=msgspec.structs.replace(made.method, **method))


def written(one: Try) -> SentPayment:
    return sent(one, ARRIVES_US, "t-1", "kind", "theft-1")


STOPPED = itertools.repeat(Answer.STOPPED)
APPROVED = itertools.repeat(Answer.APPROVED)


@pytest.mark.parametrize("kind", KINDS)
@given(answers=st.lists(st.sampled_from(Answer), max_size=25), number=st.integers(0, 9))
def test_same_thief_and_answers_give_the_same_tries(kind: str, answers: list[Answer], number: int) -> None:
    one, other = thief(kind, ("k", number), victims()), thief(kind, ("k", number), victims())

    made = tries(one, answers)

    assert made == tries(other, answers)
    assert one == other, "what a thief learns changes another object"


@pytest.mark.parametrize("kind", KINDS)
@given(answers=st.lists(st.sampled_from(Answer), max_size=40), number=st.integers(0, 99))
def test_every_record_is_valid_unless_the_thief_means_it_not_to_be(
    kind: str, answers: list[Answer], number: int
) -> None:
    for one in tries(thief(kind, ("v", number), victims()), answers):
        payment = written(one)

        if one.shadowed_usd is None:
            transaction = decode_transaction(msgspec.json.encode(payment.record))
            assert bool(transaction.invalid_fields) == bool(one.invalid)
        else:
            with pytest.raises(InvalidTransactionError, match="same key twice"):
                decode_transaction(payment.raw or b"")


@pytest.mark.parametrize("kind", LEVERS)
def test_whoever_is_stopped_changes_something(kind: str) -> None:
    for number in range(20):
        one = learner(kind, number)

        stopped = one.answered(Answer.STOPPED)

        assert stopped.method != one.method


@pytest.mark.parametrize("kind", [kind for kind in LEVERS if kind != "patient"])
def test_whoever_is_not_stopped_goes_on_the_same_way_and_takes_no_less(kind: str) -> None:
    one = learner(kind)

    after = one.answered(Answer.APPROVED)

    assert after.method.usd >= one.method.usd
    assert msgspec.structs.replace(after.method, usd=0, pause_s=0) == msgspec.structs.replace(
        one.method, usd=0, pause_s=0
    )


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("adapts_amount", "usd"),
        ("adapts_pace", "pause_s"),
        ("adapts_device", "device"),
        ("adapts_place", "address"),
        ("adapts_account", "account"),
        ("adapts_time_stamps", "delay_s"),
        ("adapts_fields", "omitted"),
    ],
)
def test_a_thief_of_one_lever_changes_this_one_first(kind: str, field: str) -> None:
    one = learner(kind)

    changed = one.answered(Answer.STOPPED).method

    assert getattr(changed, field) != getattr(one.method, field)


def test_an_account_gives_no_more_than_it_holds() -> None:
    for kind, number in itertools.product(LEVERS, range(10)):
        one = learner(kind, number)
        taken = [written(each).truth.amount_base or 0.0 for each in tries(one, APPROVED, 10_000)]

        assert sum(taken) <= sum(victim.funds_usd for victim in victims()) + 0.01 * len(taken)


def test_a_thief_gives_up_when_the_amount_is_not_worth_a_try() -> None:
    assert len(tries(learner("adapts_amount"), STOPPED, 1_000)) < 20


def test_a_patient_thief_pays_small_amounts_on_several_days_first() -> None:
    one = learner("patient")
    small = one.method.warm_ups
    assert small >= 2

    made = tries(one, APPROVED, small + 1)

    amounts = [each.draft.usd for each in made]
    assert max(amounts[:small]) < 20 < amounts[small]
    assert sum(each.after_s for each in made[:small]) > (small - 1) * 86_400 * 0.8


def test_time_stamps_and_left_out_fields_are_those_of_the_try() -> None:
    one = tries(thief("adapts_fields", ("f",), victims()), STOPPED, 2)[1]
    dated = tries(thief("adapts_time_stamps", ("f",), victims()), STOPPED, 2)[1]

    assert not set(one.omitted) & written(one).record.keys()
    assert dated.delay_s == 23 * 3_600
    assert str(written(dated).record["timestamp"]).startswith("2026-03-30T19:30:00")
    assert written(dated).appended_at == ENDS_AT


def test_stolen_numbers_are_of_many_users_on_one_device_at_one_merchant() -> None:
    made = tries(thief("numbers_from_one_device", ("n",), victims()), APPROVED)

    assert len({each.user_id for each in made}) == len(made) == 60
    assert len({(each.draft.device_id, each.draft.ip_address, each.draft.merchant_id) for each in made}) == 1
    assert max(each.draft.usd for each in made) < 2


def test_stolen_accounts_pay_one_payee_from_one_device() -> None:
    made = tries(thief("many_pay_one", ("n",), victims(25)), APPROVED)

    assert len({each.user_id for each in made}) == 25
    assert len({(each.draft.device_id, each.draft.payee_id) for each in made}) == 1


def test_a_plan_does_not_depend_on_answers() -> None:
    for kind in PLANS:
        assert tries(thief(kind, ("p",), victims()), STOPPED) == tries(
            thief(kind, ("p",), victims()), APPROVED
        )


def test_later_payments_of_one_id_have_that_id() -> None:
    first, *later = tries(thief("same_id_again", ("p",), victims()), STOPPED)

    assert not first.repeats_id
    assert len(later) == 4
    assert all(each.repeats_id for each in later)


def test_of_two_amounts_the_larger_one_is_at_stake() -> None:
    for one in tries(thief("two_amounts", ("p",), victims()), STOPPED):
        payment = written(one)

        assert (payment.raw or b"").count(b'"amount":') == 2
        assert payment.truth.amount_base == pytest.approx(one.shadowed_usd, rel=1e-3)
