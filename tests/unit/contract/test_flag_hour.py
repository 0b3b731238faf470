"""Every payment that is to be flagged is found under the hours that the reconciler looks through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from contract.flag_hour import SHARDS, flag_hour, flag_hours

AT = datetime(2026, 1, 5, 12, 59, 59, 999999, tzinfo=UTC)


def test_a_payment_is_in_one_of_its_hour_s_parts_whatever_the_zone_of_its_time() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert flag_hour(elsewhere, "key") == flag_hour(AT, "key")
    assert flag_hour(AT, "key") in list(flag_hours(AT, AT))


def test_the_hours_of_both_times_and_all_between_are_given_once_the_oldest_first() -> None:
    keys = list(flag_hours(AT, AT + timedelta(hours=2)))

    hours = [key.partition("#")[0] for key in keys]
    assert hours == sorted(hours)
    assert sorted(set(hours)) == ["2026-01-05T12", "2026-01-05T13", "2026-01-05T14"]
    assert len(keys) == len(set(keys)) == 3 * SHARDS


def test_payments_of_an_hour_are_spread_over_its_parts() -> None:
    parts = {flag_hour(AT, f"2026-01-05T12:59:59.999999Z#t-{number}") for number in range(200)}

    assert len(parts) == SHARDS
