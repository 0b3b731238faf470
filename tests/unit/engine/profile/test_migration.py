"""A profile that the version before stored is read, says the same, and is stored in the form of today."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal

import pytest

from contract.clock import time_text
from contract.scored import Position
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import Profile, ProfileFormatError, from_bytes, to_bytes
from engine.profile.fingerprints import key_hash
from engine.profile.named_fields import COUNTERPARTY, COUNTRY, PLACE
from engine.profile.seen_values import FAMILIAR_COUNT, NAME_KINDS, SeenKind
from engine.profile.stored import FORMAT
from tests.support.histories import DAY_S, approved, facts_at, folded
from tests.support.kafka_events import TOPIC
from tests.support.past_samples import FEATURES_OF_SET_861800, PROFILE_OF_FORMAT_1, PROFILE_PAYMENTS
from tests.support.payments import APPROVED, BLOCKED

STORED = b64decode(PROFILE_OF_FORMAT_1)
RATES = ExchangeRates({"EUR": 1.0, "USD": 0.5, "GBP": 1.1742})
OLD_KEYS = [
    f"{time_text(facts.transaction.timestamp)}#{facts.transaction.transaction_id}"
    for facts in PROFILE_PAYMENTS
]
"""Of their rows: without a mark of the content."""
NOW = facts_at(5 * DAY_S + 1800, "now", amount=Decimal("99.99"), payee_id="p-2")


def test_features_after_a_migrated_profile_are_those_that_the_version_before_computed() -> None:
    features = compute_features(NOW, from_bytes(STORED), RATES)

    # The channel is one of a closed set now: a word that was seen before is new once.
    changed = {"channel": "in_person", "is_new_channel": True}
    expected = FEATURES_OF_SET_861800 | changed
    assert {name: features[name] for name in FEATURES_OF_SET_861800} == expected


def test_all_payments_of_a_migrated_profile_count_as_usual() -> None:
    profile = from_bytes(STORED)

    assert profile.tx_count == profile.habit_count == 5
    assert (profile.first_clock_ms, profile.recent.clock_ms[-1]) == (
        PROFILE_PAYMENTS[0].clock_ms,
        PROFILE_PAYMENTS[4].clock_ms,
    )
    assert profile.taught_at_ms == profile.newest_at_ms == PROFILE_PAYMENTS[4].at_ms
    assert list(profile.habits.amount_minor) == [2500, 2500, 8000, 2500, 250]
    assert compute_features(NOW, profile, RATES)["usual_tx_count"] == 5


def test_value_that_was_seen_over_three_days_is_familiar_after_the_migration_and_another_is_not() -> None:
    profile = from_bytes(STORED)

    merchant, device_2 = profile.sightings(NOW)[2], profile.sightings(PROFILE_PAYMENTS[2])[1]
    assert [merchant, device_2] == [
        (PROFILE_PAYMENTS[0].at_ms // 1000, FAMILIAR_COUNT),
        (PROFILE_PAYMENTS[2].at_ms // 1000, 1),
    ]
    features = compute_features(NOW, profile, RATES)
    assert features["is_unfamiliar_merchant"] is False
    assert features["is_unfamiliar_device"] is False


def test_payments_of_a_migrated_profile_are_known_to_name_somebody_paid_and_a_country_and_not_a_device() -> (
    None
):
    assert list(from_bytes(STORED).habits.named) == [COUNTERPARTY | COUNTRY | PLACE] * 5


def test_names_of_a_migrated_profile_get_hashes_of_today_when_they_are_taught_and_keep_their_past() -> None:
    profile = from_bytes(STORED)
    (first_s, count) = profile.sightings(NOW)[SeenKind.DEVICE] or (0, 0)
    profile.fold(NOW, BLOCKED, Position(TOPIC, 0, 5))
    assert profile.seen.find(NOW.seen)[SeenKind.DEVICE] is None  # a payment that was stopped renames nothing

    profile.fold(NOW, APPROVED, Position(TOPIC, 0, 6))

    assert profile.seen.find(NOW.seen)[SeenKind.DEVICE] == (first_s, count + 1)
    assert profile.seen.find(NOW.old_seen)[SeenKind.DEVICE] is None
    assert from_bytes(to_bytes(profile)).has_old_values  # device-2 and p-1 were not named yet


def test_when_all_names_of_a_migrated_profile_are_hashed_as_today_old_hashes_are_not_looked_for() -> None:
    profile = from_bytes(STORED)

    for facts in PROFILE_PAYMENTS:
        profile.fold(facts, APPROVED, Position(TOPIC, 0, 6))

    assert not profile.has_old_values
    assert not any(value < 2**32 and value & 7 in NAME_KINDS for value in profile.seen.value)
    assert not from_bytes(to_bytes(Profile())).has_old_values


def test_migrated_profile_knows_what_it_has_folded() -> None:
    profile = from_bytes(STORED)

    assert all(profile.holds(key_hash(key)) for key in OLD_KEYS)
    assert profile.folded_offset(TOPIC, 0) == 4
    assert not profile.knows_id(PROFILE_PAYMENTS[0])  # format 1 kept no hashes of transaction ids
    assert profile.repeated(PROFILE_PAYMENTS[0]) is None


def test_migrated_profile_is_stored_in_the_form_of_today_and_goes_on() -> None:
    migrated = from_bytes(STORED)
    again = from_bytes(to_bytes(migrated))
    assert to_bytes(migrated)[0] == FORMAT

    for profile in (migrated, again):
        profile.fold(NOW, APPROVED, Position(TOPIC, 0, 5))

    assert to_bytes(migrated) == to_bytes(again)
    assert migrated.tx_count == 6
    assert migrated.hours.count[-1] == 2


def test_velocity_of_a_migrated_profile_is_that_of_one_folded_today() -> None:
    migrated, today = from_bytes(STORED), folded(approved(*PROFILE_PAYMENTS))

    for name in ("hours", "days", "habit_days"):
        assert [list(column) for column in getattr(migrated, name).columns()] == [
            list(column) for column in getattr(today, name).columns()
        ]
    assert [list(column) for column in migrated.habits.columns()[:3]] == [
        list(column) for column in today.habits.columns()[:3]
    ]
    assert list(migrated.recent.clock_ms) == list(today.recent.clock_ms)
    assert sorted(migrated.recent.key_hash) == sorted(map(key_hash, OLD_KEYS))
    assert migrated.hour_of_week == today.hour_of_week


def test_empty_profile_of_format_1_is_an_empty_one() -> None:
    empty = b"\x01" + bytes(71 + 168)

    assert to_bytes(from_bytes(empty)) == to_bytes(Profile())


@pytest.mark.parametrize("size", [1, 71, 72, 239, 240, len(STORED) - 1])
def test_cut_bytes_of_format_1_are_refused(size: int) -> None:
    with pytest.raises(ProfileFormatError, match=rf"{size} bytes"):
        from_bytes(STORED[:size])
