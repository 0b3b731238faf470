from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.transaction import Location
from engine.errors import InvalidRulesetError
from engine.rules.lists import LIST_FIELDS, NamedList
from engine.rules.ruleset import parse_ruleset
from tests.support.rule_samples import document, payment


def _list(field: str, *entries: str) -> NamedList:
    items = "".join(f"\n      - {entry}" for entry in entries)
    text = document(f"rules: []\nlists:\n  some:\n    field: {field}\n    entries:{items or ' []'}")
    (read,) = parse_ruleset(text).lists
    return read


def _problems(field: str, *entries: str) -> list[str]:
    with pytest.raises(InvalidRulesetError) as caught:
        _list(field, *entries)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize("field", LIST_FIELDS)
def test_a_payment_is_on_a_list_that_holds_its_value(field: str) -> None:
    value = "198.51.100.7" if field == "ip_address" else "XY"
    fields: dict[str, Any] = {"location": Location(country=value)} if field == "country" else {field: value}

    assert _list(field, f"{{value: {value}}}").holds(payment(**fields))
    assert not _list(field, "{value: 192.0.2.1}").holds(payment(**fields))


@pytest.mark.parametrize("field", [field for field in LIST_FIELDS if field != "user_id"])
def test_a_payment_without_the_field_is_on_no_list(field: str) -> None:
    assert not _list(field, "{value: 192.0.2.1}").holds(payment())


@pytest.mark.parametrize(
    ("until", "first_moment_off"),
    [
        ("2025-06-01", "2025-06-02T00:00:00Z"),
        ('"2025-06-01"', "2025-06-02T00:00:00Z"),
        ("2025-06-01T10:00:00Z", "2025-06-01T10:00:00Z"),
        ("2025-06-01T12:00:00+02:00", "2025-06-01T10:00:00Z"),
        ("2025-06-01 10:00:00.5z", "2025-06-01T10:00:00.5Z"),
    ],
)
def test_an_entry_ends_at_its_own_moment_of_event_time(until: str, first_moment_off: str) -> None:
    off = datetime.fromisoformat(first_moment_off).astimezone(UTC)
    denied = _list("device_id", f"{{value: d, until: {until}}}")

    assert denied.holds(payment(device_id="d", timestamp=off.replace(year=2024)))
    assert not denied.holds(payment(device_id="d", timestamp=off))


@pytest.mark.parametrize(
    ("address", "is_on"),
    [
        ("203.0.113.255", True),
        ("203.0.114.0", False),
        ("2001:db8::1", True),
        ("2001:0db8:0::0001", True),
        ("::ffff:203.0.113.9", True),
        ("::ffff:203.0.114.9", False),
        ("::ffff:198.51.100.7", True),
        ("192.0.2.7", True),
        ("phone", False),
    ],
)
def test_an_address_is_on_a_list_of_networks(address: str, is_on: bool) -> None:
    entries = ["203.0.113.0/24", "2001:db8::1", "198.51.100.7", "::ffff:192.0.2.7"]
    denied = _list("ip_address", *(f"{{value: '{entry}'}}" for entry in entries))

    assert denied.holds(payment(ip_address=address)) is is_on


def test_a_network_within_another_has_an_end_of_its_own() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-05-31}", "{value: 203.0.113.128/25}")

    assert not denied.holds(payment(ip_address="203.0.113.1"))
    assert denied.holds(payment(ip_address="203.0.113.129"))


def test_a_network_expires_like_any_entry() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-05-31}")

    assert not denied.holds(payment(ip_address="203.0.113.1"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{value: NO}", "value in list 'some' is a truth value; it must be text; write it in quotes: 'NO'"),
        ("{value: 0123}", "value in list 'some' is a whole number; it must be text; write it in quotes"),
        ("{value: a, 2025-01-01: until}", "a key of an entry of list 'some' is a date; it must be text; write it in quotes"),
        ("{value: a, note: 1}", "note in list 'some' is a whole number; it must be text; write it in quotes"),
        ("{value: ''}", "value in list 'some' is empty"),
        ("{value: a, untill: 2025-01-01}", "an entry of list 'some' has no field 'untill'; did you mean 'until'?"),
        ("{value: a, 198.51.100.7: b}", "an entry of list 'some' has no such field; it may have value, until, note"),
        ("{note: a}", "an entry of list 'some' has no 'value', which is required"),
        ("{value: a, until: 2025-02-30}", "until in list 'some' is not a real date (day is out of range for month)"),
        ("{value: a, until: 9999-12-31}", "until in list 'some' is not a real date (date value out of range)"),
        ("{value: a, until: 2025-02-01 10:00}", "until in list 'some' must be a date (2026-01-31) or a time with its zone (2026-01-31T18:00:00Z)"),
        ("{value: a, until: 2025}", "until in list 'some' is a whole number; it must be a date or an RFC 3339 time"),
        ("a", "an entry of list 'some' is text; it must be a mapping with value"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused(entry: str, message: str) -> None:
    assert _problems("device_id", entry) == [message]


@pytest.mark.parametrize("secret", ["4111111111111111", "4111.1111", "2025-06-01", "198.51.100.7", "tok_5e4"])
@pytest.mark.parametrize(
    "entry",
    ["{value: %s}", "{value: !!binary %s}", "{value: !!bool %s}", "{value: a, note: %s}", "{value: a, note: !!int %s}", "{%s: a}",
     "{value: a, %s: 2025-01-01}", "{value: a, until: %s}", "{value: [%s]}", "{value: {%s: a}}", "%s", "[%s]"],
)  # fmt: skip
def test_no_message_repeats_an_entry_of_a_list(entry: str, secret: str) -> None:
    messages = _problems("ip_address", "{value: '1.1.1.1', untill: x}", entry % secret)

    assert messages[0].endswith("did you mean 'until'?")
    assert [message for message in messages if secret in message] == []


def test_value_of_a_list_has_at_most_128_characters() -> None:
    assert "v" * 128 in _list("device_id", f"{{value: {'v' * 128}}}").until_by_value
    assert _problems("device_id", f"{{value: {'v' * 129}}}") == [
        "value in list 'some' has 129 characters; at most 128"
    ]


def test_list_has_at_most_5000_entries() -> None:
    entries = [f"{{value: v{number}}}" for number in range(5_000)]
    assert len(_list("device_id", *entries).until_by_value) == 5_000

    assert _problems("device_id", *entries, "{value: more}") == [
        "entries of list 'some' has 5001 items; at most 5000"
    ]


def test_ruleset_has_at_most_40_lists() -> None:
    def lists(count: int) -> str:
        return "".join(f"\n  list_{number}: {{field: user_id, entries: []}}" for number in range(count))

    assert len(parse_ruleset(document(f"rules: []\nlists:{lists(40)}")).lists) == 40
    with pytest.raises(InvalidRulesetError) as caught:
        parse_ruleset(document(f"rules: []\nlists:{lists(41)}"))
    assert [problem.message for problem in caught.value.problems] == ["lists has 41 lists; at most 40"]


def test_entry_holds_until_just_before_its_end() -> None:
    denied = _list("device_id", "{value: d, until: 2025-06-01T10:00:00Z}")
    end = datetime(2025, 6, 1, 10, tzinfo=UTC)

    assert denied.holds(payment(device_id="d", timestamp=end - timedelta(microseconds=1)))
    assert not denied.holds(payment(device_id="d", timestamp=end))


def test_network_holds_until_just_before_its_end() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-06-01T10:00:00Z}")
    end = datetime(2025, 6, 1, 10, tzinfo=UTC)

    assert denied.holds(payment(ip_address="203.0.113.1", timestamp=end - timedelta(microseconds=1)))
    assert not denied.holds(payment(ip_address="203.0.113.1", timestamp=end))


def test_expired_address_is_on_the_list_by_a_network_that_has_not_expired() -> None:
    denied = _list("ip_address", "{value: 203.0.113.7, until: 2025-05-01}", "{value: 203.0.113.0/24}")

    assert denied.holds(payment(ip_address="203.0.113.7"))


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("203.0.113.7/32", ["203.0.113.7"], ["203.0.113.6", "203.0.113.8"]),
        ("203.0.113.8/31", ["203.0.113.8", "203.0.113.9"], ["203.0.113.7", "203.0.113.10"]),
        ("0.0.0.0/0", ["1.2.3.4", "255.255.255.255"], ["2001:db8::1"]),
        (
            "2001:db8::/32",
            ["2001:db8::", "2001:db8:ffff::1"],
            ["2001:db7:ffff::1", "2001:db9::", "32.1.13.184"],
        ),
        ("2001:db8::1/128", ["2001:db8::1", "2001:db8:0:0::1"], ["2001:db8::2"]),
    ],
)
def test_network_holds_its_own_addresses_alone(entry: str, inside: list[str], outside: list[str]) -> None:
    denied = _list("ip_address", f"{{value: '{entry}'}}")

    assert [denied.holds(payment(ip_address=address)) for address in inside] == [True] * len(inside)
    assert [denied.holds(payment(ip_address=address)) for address in outside] == [False] * len(outside)


def test_other_fields_are_not_read_as_addresses() -> None:
    mapped = "::ffff:192.0.2.7"

    assert _list("device_id", f"{{value: '{mapped}'}}").holds(payment(device_id=mapped))
    assert not _list("device_id", f"{{value: '{mapped}'}}").holds(payment(device_id="192.0.2.7"))
    assert not _list("device_id", "{value: 192.0.2.7}").holds(payment(device_id=mapped))


def test_a_value_may_appear_only_once_in_a_list() -> None:
    assert _problems("device_id", "{value: a}", "{value: a, until: 2025-01-01}") == [
        "value appears twice in list 'some'"
    ]


@pytest.mark.parametrize("value", ["4111111111111111", "4111 1111-1111/1111", "4.111111111111111E15"])
def test_a_card_number_on_a_list_of_cards_is_refused_and_a_token_or_an_id_is_not(value: str) -> None:
    assert _problems("card_id", f"{{value: '{value}'}}") == [
        "value in list 'some' is a card number; a list holds its token"
    ]
    assert _list("card_id", "{value: tok_fppmgkmhoghpljmnilchbflc}")
    assert _list("user_id", f"{{value: '{value}'}}")


@pytest.mark.parametrize("value", ["203.0.113.5/24", "203.0.113", "phone"])
def test_a_list_of_addresses_holds_addresses_and_networks(value: str) -> None:
    assert _problems("ip_address", f"{{value: {value}}}") == [
        "value in list 'some' must be an IP address or a network in CIDR form"
    ]


def test_a_list_of_something_else_is_refused() -> None:
    (message,) = _problems("merchant", "{value: a}")

    assert message.startswith("field of list 'some' 'merchant' is none of merchant_id, ")
