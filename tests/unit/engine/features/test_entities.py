"""What other users did at a payment's entities, as features: the payment itself counts, and usual is the entity's past or its kind's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.entity_ids import EntityIds, EntityKind
from engine.entities.book import NO_ENTITIES, EntityBook
from engine.entities.levels import HOUR_S, WEEK_S
from engine.entities.state import Sighting
from engine.features import entities
from engine.features.catalogue import CATALOGUE, FEATURE_NAMES, features_and_sighting
from engine.profile import Profile
from tests.support.feature_samples import RATES, TYPES, now
from tests.support.payments import trusted_facts
from tests.support.sightings import user

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.scored import FeatureValue

NOW_S = 2_950 * WEEK_S + 60 * HOUR_S
DAY_S = 24 * HOUR_S
OWN = Sighting(NOW_S, user(1), is_micro=True, is_young=True, first_kinds=63, cents=500)
ALL: EntityIds = tuple(letter + bytes(8) for letter in (b"c", b"d", b"i", b"n", b"m", b"p"))


def other(
    ago_s: int,
    number: int,
    *,
    micro: bool = False,
    young: bool = False,
    first: int = 0,
    cents: int = 100,
    approved: bool = True,
) -> Sighting:
    return Sighting(NOW_S - ago_s, user(number), micro, young, first, cents, approved)


def features(
    sightings: Iterable[Sighting], ids: EntityIds = ALL, own: Sighting = OWN
) -> dict[str, FeatureValue]:
    book = EntityBook()
    for sighting in sightings:
        book.fold(ids, sighting)
    book.settle()
    return entities.compute(book.read(ids, own.clock_s), own)


def named(kind: EntityKind) -> EntityIds:
    return tuple(each if place == kind else None for place, each in enumerate(ALL))


def test_features_are_those_that_are_defined_with_their_types_and_at_most_twelve_of_a_kind() -> None:
    values = features([other(60, 2)])

    assert list(values) == [each.name for each in entities.FEATURES]
    assert [type(value) for value in values.values()] == [TYPES[each.type] for each in entities.FEATURES]
    for kind in EntityKind:
        assert sum(name.startswith(f"{kind.name.lower()}_") for name in values) <= 12


def test_the_first_payment_of_all_sees_itself_and_nothing_usual() -> None:
    values = features([])

    assert {name for name, value in values.items() if value == 1} == {
        "card_users_24h", "card_users_30d", "card_payments_1h",
        "device_users_1h", "device_users_24h", "device_users_30d", "device_payments_1h",
        "device_micro_payments_1h", "device_young_payments_24h",
        "ip_users_1h", "ip_users_24h", "ip_payments_1h", "ip_micro_payments_1h",
        "network_users_1h", "network_payments_1h", "network_micro_payments_1h",
        "merchant_users_1h", "merchant_payments_1h", "merchant_micro_payments_1h",
        "merchant_micro_payments_24h", "merchant_young_payments_24h", "merchant_payments_24h",
        "payee_users_24h", "payee_first_payments_24h",
    }  # fmt: skip
    assert (values["merchant_mean_24h_base"], values["payee_amount_24h_base"]) == (5.0, 5.0)
    assert not any(value for name, value in values.items() if "usual" in name or name.endswith("known_days"))


def test_a_payment_that_names_no_entity_has_the_features_of_none() -> None:
    values = features([], (None,) * len(EntityKind))

    assert values == {**entities.ABSENT, "entities_warming_up": "card device ip network merchant payee"}


def test_a_payment_whose_entities_are_not_at_hand_says_so_and_nothing_else() -> None:
    values = entities.compute(NO_ENTITIES, OWN)

    assert values == {
        **entities.ABSENT,
        "entities_partial": "none",
        "entities_warming_up": "card device ip network merchant payee",
    }


@pytest.mark.parametrize(
    ("ago_s", "hour", "day", "month"),
    [(60, 2, 2, 2), (HOUR_S, 1, 2, 2), (DAY_S, 1, 1, 2), (30 * DAY_S, 1, 1, 1)],
)
def test_users_count_in_windows_that_end_with_the_payment(
    ago_s: int, hour: int, day: int, month: int
) -> None:
    values = features([other(ago_s, 2)])

    found = [values[name] for name in ("device_users_1h", "device_users_24h", "device_users_30d")]
    assert found == [hour, day, month]


def test_a_user_who_paid_before_is_one_user() -> None:
    values = features([other(60, 1), other(50, 1), other(40, 2)])

    assert values["merchant_users_1h"] == 2
    assert values["merchant_payments_1h"] == 4


def test_micro_and_young_payments_are_counted_with_the_own_one() -> None:
    values = features([other(60, 2, micro=True), other(3 * HOUR_S, 3, young=True), other(30, 4)])

    assert values["ip_micro_payments_1h"] == values["network_micro_payments_1h"] == 2
    assert values["merchant_young_payments_24h"] == values["device_young_payments_24h"] == 2


def test_first_payments_to_a_payee_are_counted_and_what_was_paid_in_a_day() -> None:
    to_payee = 1 << EntityKind.PAYEE
    values = features([other(60, 2, first=to_payee), other(50, 3), other(2 * DAY_S, 4, first=to_payee)])

    assert values["payee_first_payments_24h"] == 2
    assert values["payee_amount_24h_base"] == 7.0
    assert values["payee_known_days"] == 2.0


def test_usual_is_the_own_rate_of_the_past_mixed_with_a_week_of_that_of_all_merchants() -> None:
    """Ten days before, 96 payments; the day itself and what is today are no past. Another merchant has none of its own."""
    past = [other(10 * DAY_S, 2 + number % 5) for number in range(96)]
    book = EntityBook()
    for sighting in [*past, other(600, 9)]:
        book.fold(named(EntityKind.MERCHANT), sighting)
    book.settle()
    own = entities.compute(book.read(named(EntityKind.MERCHANT), NOW_S), OWN)
    new = (*(None,) * 4, b"m" + b"newcomer", None)
    another = entities.compute(book.read(new, NOW_S), OWN)

    rate = another["merchant_usual_payments_1h"]
    assert isinstance(rate, float)
    assert rate > 0
    assert own["merchant_usual_payments_1h"] == pytest.approx((96 + rate * 168) / (9 * 24 + 168), abs=0.01)


def test_a_rate_grows_with_what_an_entity_always_did_and_not_with_what_it_does_today() -> None:
    always = [other(day * DAY_S + 3_600, day % 7, micro=True) for day in range(2, 28) for _ in range(20)]
    today = [other(60 * number, number) for number in range(20)]

    steady, sudden = features([*always, *today]), features([other(27 * DAY_S, 3), *today])

    assert steady["merchant_payments_1h"] == sudden["merchant_payments_1h"]
    for name in ("merchant_usual_payments_1h", "device_usual_payments_1h", "ip_usual_payments_1h"):
        assert float(steady[name]) > 5 * float(sudden[name])


def test_micro_amounts_of_a_day_are_counted_by_merchant() -> None:
    values = features(
        [other(60, 2, micro=True), other(20 * HOUR_S, 3, micro=True), other(30 * HOUR_S, 4, micro=True)]
    )

    assert values["merchant_micro_payments_24h"] == 3
    assert values["merchant_micro_payments_1h"] == 2


def test_stopped_payments_count_in_windows_and_make_nothing_usual() -> None:
    """A burst that was blocked last week must not make the next one look usual."""
    honest = [other(day * DAY_S, day, micro=True, cents=2_000) for day in range(3, 20)]
    burst = [
        other(ago_s + number, 50 + number % 9, micro=True, young=True, cents=90_000, approved=False)
        for ago_s in (60, 9 * DAY_S, 25 * DAY_S)
        for number in range(200)
    ]

    alone, attacked = features(honest), features([*honest, *burst])

    for name in entities.FEATURES:
        if "usual" in name.name:
            expected = alone[name.name]
            if name.name in {
                "merchant_usual_young_payments_24h"
            }:  # the usual share of the day's payments, which count
                expected = float(alone[name.name]) * float(attacked["merchant_payments_24h"])
            assert attacked[name.name] == pytest.approx(expected, abs=0.01), name.name
    assert attacked["merchant_payments_1h"] == 201
    assert attacked["payee_users_24h"] == 10


def test_means_compare_the_day_with_the_past() -> None:
    past = [other(9 * DAY_S, number, cents=2_000) for number in range(400)]
    values = features([*past, other(60, 2, cents=50_000)], own=OWN._replace(cents=70_000))

    assert values["merchant_mean_24h_base"] == 600.0
    assert values["merchant_usual_mean_base"] == pytest.approx(20, rel=0.1)


def test_a_merchant_of_young_accounts_has_many_as_usual() -> None:
    past = [other(9 * DAY_S, number, young=True) for number in range(100)]
    today = [other(60, number, young=True) for number in range(9)]

    assert float(features([*past, *today])["merchant_usual_young_payments_24h"]) > 9
    assert float(features(today)["merchant_usual_young_payments_24h"]) <= 10


def test_kinds_with_32_users_in_a_window_are_named_as_saturated() -> None:
    crowd = [other(10 * DAY_S, number + 2) for number in range(31)]

    assert features(crowd)["saturated_entities"] == "card device"
    assert features(crowd[:30])["saturated_entities"] == ""
    assert features([each._replace(clock_s=NOW_S - 60) for each in crowd])["saturated_entities"] == (
        "card device ip network merchant payee"
    )
    assert features([each._replace(clock_s=NOW_S - 60) for each in crowd * 3])["card_users_24h"] == 32


@pytest.mark.parametrize(("hours", "partial"), [(0, "none"), (2, "1h"), (25, "24h"), (31 * 24, "")])
def test_partial_says_what_the_book_says(hours: int, partial: str) -> None:
    book = EntityBook({}, NOW_S - hours * HOUR_S)

    assert entities.compute(book.read(ALL, NOW_S), OWN)["entities_partial"] == partial


def test_stored_features_take_the_place_of_what_is_known_now() -> None:
    facts, profile = trusted_facts(now(device_id="device-1")), Profile()
    first, sighting = features_and_sighting(facts, profile, RATES, EntityBook().read(ALL, NOW_S))
    stored = dict(first) | {"device_users_1h": 17, "amount": 1.0}

    again, again_sighting = features_and_sighting(facts, profile, RATES, stored)

    assert again == dict(first) | {"device_users_1h": 17}
    assert list(again) == list(FEATURE_NAMES)
    assert again_sighting == sighting


@pytest.mark.parametrize("stored", [{}, {"amount": 1.0, "device_users_1h": 2}])
def test_a_row_of_an_earlier_set_has_absent_entities_where_it_says_nothing(
    stored: dict[str, FeatureValue],
) -> None:
    values, _ = features_and_sighting(trusted_facts(now()), Profile(), RATES, stored)

    of_entities = {name: values[name] for name in entities.ABSENT}
    assert of_entities == {
        **entities.ABSENT,
        **{name: value for name, value in stored.items() if name in entities.ABSENT},
    }
    assert len(values) == len(CATALOGUE)
