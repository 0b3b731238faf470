from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.transaction import Location, decode_transaction
from engine.errors import InvalidRulesetError
from engine.rules.lists import LIST_FIELDS, NamedList
from engine.rules.ruleset import parse_ruleset
from tests.support.payments import arrived_facts, trusted_facts
from tests.support.rule_samples import document, payment
from tests.unit.contract.records import record

VALUES = {"ip_address": ("198.51.100.7", "192.0.2.1"), "country": ("FR", "DE"), "channel": ("online", "atm")}
"""Field to a value that it can have, and another one."""

if TYPE_CHECKING:
    from contract.transaction import Transaction


def _list(field: str, *entries: str) -> NamedList:
    items = "".join(f"\n      - {entry}" for entry in entries)
    text = document(f"rules: []\nlists:\n  some:\n    field: {field}\n    entries:{items or ' []'}")
    (read,) = parse_ruleset(text).lists
    return read


def holds(listed: NamedList, transaction: Transaction) -> bool:
    """Whether the list holds a payment of a trusted feed, whose clock is its event time."""
    return listed.holds(transaction, trusted_facts(transaction).clock_ms)


def _problems(field: str, *entries: str) -> list[str]:
    with pytest.raises(InvalidRulesetError) as caught:
        _list(field, *entries)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize("field", LIST_FIELDS)
def test_a_payment_is_on_a_list_that_holds_its_value(field: str) -> None:
    value, other = VALUES.get(field, ("XY", "192.0.2.1"))
    fields: dict[str, Any] = {"location": Location(country=value)} if field == "country" else {field: value}

    assert holds(_list(field, f"{{value: {value}}}"), payment(**fields))
    assert not holds(_list(field, f"{{value: {other}}}"), payment(**fields))


@pytest.mark.parametrize("field", [field for field in LIST_FIELDS if field != "user_id"])
def test_a_payment_without_the_field_is_on_no_list(field: str) -> None:
    assert not holds(_list(field, f"{{value: {VALUES.get(field, ('', '192.0.2.1'))[1]}}}"), payment())


@pytest.mark.parametrize(
    ("field", "entry", "changes"),
    [
        ("country", "ir", {"location": {"country": "IRN"}}),
        ("country", "IRN", {"location": {"country": "Iran, Islamic Republic of"}}),
        ("country", "Iran", {"location": "Tehran, ir"}),
        ("country", "UK", {"location": {"country": "GB"}}),
        ("country", "GBR", {"location": "London, United Kingdom"}),
        ("country", "Côte d'Ivoire", {"location": {"country": "Ivory Coast"}}),
        ("channel", "ecommerce", {"channel": "Online"}),
        ("channel", "in_person", {"channel": "card-present"}),
        ("channel", "unknown", {"channel": "carrier pigeon"}),
        ("merchant_id", "Café de Flore", {"merchant_id": "Café\u00a0de  Flore"}),
        ("merchant_id", "'\u2003Café de\u00a0Flore '", {"merchant_id": "Café de Flore"}),
        ("card_id", "\uff54\uff4f\uff4b_1", {"card_id": "tok_\uff11"}),
        ("card_id", "tok_1", {"card_id": "tok\u200b_1"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "203.0.113.9:443"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "203.0.113.9, 10.0.0.1"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "10.1.2.3, 203.0.113.9"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "64:ff9b::cb00:7109"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "[::ffff:203.0.113.9]:8443"}),
        ("ip_address", "203.0.113.0/24", {"ip_address": "2002:cb00:7109::1"}),
        ("ip_address", "203.0.113.9", {"ip_address": "::ffff:cb00:7109"}),
        ("ip_address", "'::ffff:203.0.113.9'", {"ip_address": "203.0.113.9"}),
        ("ip_address", "2001:db8::/32", {"ip_address": "[2001:DB8:0::1]"}),
        ("ip_address", "2001:db8::1", {"ip_address": 'for="[2001:db8::1]:4711";proto=https'}),
        ("ip_address", "'fe80::1'", {"ip_address": "fe80::1%eth0"}),
    ],
)
def test_a_payment_and_an_entry_meet_however_they_are_written(
    field: str, entry: str, changes: dict[str, object]
) -> None:
    assert holds(_list(field, f"{{value: {entry}}}"), decode_transaction(record(**changes)))


@pytest.mark.parametrize(
    ("field", "entry", "changes"),
    [
        ("country", "CO", {"location": "Denver, CO"}),
        ("country", "CA", {"location": "San Francisco, CA"}),
        ("country", "DE", {"location": "Wilmington, DE"}),
        ("country", "GE", {"location": "Atlanta, Georgia"}),
        ("country", "CO", {"location": "Nowhere, CO"}),
        ("user_id", "user-1", {"user_id": "user-1 "}),
        ("user_id", "user-1", {"user_id": "user\uff0d1"}),
        ("payee_id", "IX", {"payee_id": "Ⅸ"}),
        ("device_id", "device-1", {"device_id": "device\u00ad-1"}),
    ],
)
def test_a_state_is_no_country_and_ids_that_look_alike_are_not_one(
    field: str, entry: str, changes: dict[str, object]
) -> None:
    assert not holds(_list(field, f"{{value: {entry}}}"), decode_transaction(record(**changes)))


@pytest.mark.parametrize(
    ("field", "entry", "message"),
    [
        ("ip_address", "'::ffff:203.0.113.0/120'", "is a network of IPv4 addresses within IPv6; payments have the IPv4 address, so name the IPv4 network"),
        ("ip_address", "'64:ff9b::/96'", "is a network of IPv4 addresses within IPv6; payments have the IPv4 address, so name the IPv4 network"),
        ("ip_address", "'2002:cb00:7100::/40'", "is a network of IPv4 addresses within IPv6; payments have the IPv4 address, so name the IPv4 network"),
        ("ip_address", "'203.0.113.9, 10.0.0.1'", "must be an IP address or a network in CIDR form"),
        ("country", "XX", "must be a country, by its ISO 3166 code or English name"),
        ("country", "Narnia", "must be a country, by its ISO 3166 code or English name"),
        ("country", "Texas", "must be a country, by its ISO 3166 code or English name"),
        ("channel", "pigeon", "must be a channel: in_person, atm, online, app, transfer, other, unknown"),
        ("merchant_id", '"\\u200b"', "has nothing that can be seen, or control characters"),
        ("card_id", '"\\ufeff"', "has nothing that can be seen, or control characters"),
        ("card_id", '"a\\u0007"', "has nothing that can be seen, or control characters"),
        ("payee_id", '"acme\\u200b"', "has nothing that can be seen, or control characters"),
        ("user_id", '"user\\u200b1"', "must be printable, and not blank"),
    ],
)  # fmt: skip
def test_an_entry_that_no_payment_can_match_is_refused_with_its_line(
    field: str, entry: str, message: str
) -> None:
    with pytest.raises(InvalidRulesetError) as caught:
        _list(field, f"{{value: {entry}}}")

    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (10, f"value in list 'some' {message}")


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("country", "UK", "GBR"),
        ("channel", "pos", "in_person"),
        ("ip_address", "203.0.113.9", "'::ffff:203.0.113.9'"),
        ("ip_address", "203.0.113.9", "203.0.113.9/32"),
        ("merchant_id", "a b", '"a\\u00a0b"'),
    ],
)
def test_two_spellings_of_one_value_are_the_same_entry(field: str, one: str, other: str) -> None:
    assert _problems(field, f"{{value: {one}}}", f"{{value: {other}}}") == [
        "value appears twice in list 'some'"
    ]


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
def test_an_entry_ends_at_its_own_moment_of_the_payments_clock(until: str, first_moment_off: str) -> None:
    off = datetime.fromisoformat(first_moment_off).astimezone(UTC)
    denied = _list("device_id", f"{{value: d, until: {until}}}")

    assert holds(denied, payment(device_id="d", timestamp=off.replace(year=2024)))
    assert not holds(denied, payment(device_id="d", timestamp=off))


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

    assert holds(denied, payment(ip_address=address)) is is_on


def test_a_network_within_another_has_an_end_of_its_own() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-05-31}", "{value: 203.0.113.128/25}")

    assert not holds(denied, payment(ip_address="203.0.113.1"))
    assert holds(denied, payment(ip_address="203.0.113.129"))


def test_a_network_expires_like_any_entry() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-05-31}")

    assert not holds(denied, payment(ip_address="203.0.113.1"))


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

    assert holds(denied, payment(device_id="d", timestamp=end - timedelta(milliseconds=1)))
    assert not holds(denied, payment(device_id="d", timestamp=end))


@pytest.mark.parametrize("field", ["device_id", "ip_address"])
def test_a_time_that_the_sender_claims_neither_revives_an_entry_nor_ends_it(field: str) -> None:
    value = "203.0.113.0/24" if field == "ip_address" else "203.0.113.1"
    denied = _list(field, f"{{value: {value}, until: 2025-06-01T10:00:00Z}}")
    end = datetime(2025, 6, 1, 10, tzinfo=UTC)
    before, after = end - timedelta(minutes=5), end + timedelta(minutes=5)

    dated_ahead = arrived_facts(payment(**{field: "203.0.113.1"}, timestamp=after), before)
    dated_back = arrived_facts(payment(**{field: "203.0.113.1"}, timestamp=before), after)

    assert denied.holds(dated_ahead.transaction, dated_ahead.clock_ms)
    assert not denied.holds(dated_back.transaction, dated_back.clock_ms)


def test_network_holds_until_just_before_its_end() -> None:
    denied = _list("ip_address", "{value: 203.0.113.0/24, until: 2025-06-01T10:00:00Z}")
    end = datetime(2025, 6, 1, 10, tzinfo=UTC)

    assert holds(denied, payment(ip_address="203.0.113.1", timestamp=end - timedelta(milliseconds=1)))
    assert not holds(denied, payment(ip_address="203.0.113.1", timestamp=end))


def test_expired_address_is_on_the_list_by_a_network_that_has_not_expired() -> None:
    denied = _list("ip_address", "{value: 203.0.113.7, until: 2025-05-01}", "{value: 203.0.113.0/24}")

    assert holds(denied, payment(ip_address="203.0.113.7"))


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("203.0.113.7/32", ["203.0.113.7"], ["203.0.113.6", "203.0.113.8"]),
        ("203.0.113.8/31", ["203.0.113.8", "203.0.113.9"], ["203.0.113.7", "203.0.113.10"]),
        ("198.51.0.0/16", ["198.51.0.0", "198.51.255.255"], ["198.52.0.0", "2001:db8::1"]),
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

    assert [holds(denied, payment(ip_address=address)) for address in inside] == [True] * len(inside)
    assert [holds(denied, payment(ip_address=address)) for address in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("value", "bits", "least"),
    [
        ("0.0.0.0/0", 0, 16),
        ("128.0.0.0/1", 1, 16),
        ("198.50.0.0/15", 15, 16),
        ("::/0", 0, 32),
        ("2a00::/12", 12, 32),
    ],
)
def test_a_network_of_everybody_is_on_no_list(value: str, bits: int, least: int) -> None:
    with pytest.raises(InvalidRulesetError) as refused:
        _list("ip_address", f"{{value: '{value}'}}")

    (problem,) = refused.value.problems
    assert problem.message == (
        f"value in list 'some' is a network of too many payers: its prefix has {bits} bits; at least {least}"
    )


def test_other_fields_are_not_read_as_addresses() -> None:
    mapped = "::ffff:192.0.2.7"

    assert holds(_list("device_id", f"{{value: '{mapped}'}}"), payment(device_id=mapped))
    assert not holds(_list("device_id", f"{{value: '{mapped}'}}"), payment(device_id="192.0.2.7"))
    assert not holds(_list("device_id", "{value: 192.0.2.7}"), payment(device_id=mapped))


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


def test_a_masked_card_number_on_a_list_of_cards_is_refused() -> None:
    assert _problems("card_id", "{value: 'card_****1111'}") == [
        "value in list 'some' is a masked card number: thousands of cards share its four digits, so a list holds tokens"
    ]
    assert _list("device_id", "{value: 'card_****1111'}")


@pytest.mark.parametrize("value", ["203.0.113.5/24", "203.0.113", "phone"])
def test_a_list_of_addresses_holds_addresses_and_networks(value: str) -> None:
    assert _problems("ip_address", f"{{value: {value}}}") == [
        "value in list 'some' must be an IP address or a network in CIDR form"
    ]


def test_a_list_of_something_else_is_refused() -> None:
    (message,) = _problems("merchant", "{value: a}")

    assert message.startswith("field of list 'some' 'merchant' is none of merchant_id, ")
