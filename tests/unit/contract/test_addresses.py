"""One text for one host, whatever a server or a proxy made of its address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.addresses import canonical_address, carries_ipv4, read_network


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:443", "203.0.113.9"),
        ("[203.0.113.9]:443", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("unknown, 203.0.113.9:1234,10.0.0.1", "203.0.113.9"),
        ("203.0.113.9, 198.51.100.1", "203.0.113.9"),
        ("192.168.1.7, 10.0.0.1", "192.168.1.7"),
        ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8:0:0::0001]:8080", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:cb00:7109", "203.0.113.9"),
        ("64:ff9b::cb00:7109", "203.0.113.9"),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("::203.0.113.9", "203.0.113.9"),
        ("::ffff:0:203.0.113.9", "203.0.113.9"),
        ("2001:0:4136:e378:8000:63bf:34ff:8ef6", "203.0.113.9"),
        ("2001:db8::cb00:7109", "2001:db8::cb00:7109"),
        ("2002:cb00:7109::1", "203.0.113.9"),
        ("::1", "::1"),
        ("203.0.113.300", None),
        ("203.0.113", None),
        ("203.0.113.09", None),
        ("phone", None),
        ("", None),
        (",", None),
        ("203.0.113.9:port", None),
        ("203.0.113.0/24", None),
        ("1.2.3.4.5", None),
    ],
)
def test_an_address_has_one_form(sent: str, canonical: str | None) -> None:
    assert canonical_address(sent) == canonical


@given(st.ip_addresses())
def test_the_canonical_form_is_stable_and_carries_no_ipv4(address: object) -> None:
    canonical = canonical_address(str(address))

    assert canonical is not None
    assert canonical_address(canonical) == canonical
    assert not carries_ipv4(ip_network(ip_address(canonical)))


@given(st.text(st.sampled_from('0123456789abcdef.:[],% /;for="'), max_size=40) | st.text(max_size=20))
def test_any_text_is_an_address_or_none(text: str) -> None:
    canonical = canonical_address(text)
    network = read_network(text)

    assert canonical is None or canonical == str(ip_address(canonical))
    assert network is None or network.num_addresses >= 1


@pytest.mark.parametrize(
    ("network", "is_unmatchable"),
    [
        ("::ffff:203.0.113.0/120", True),
        ("::ffff:0:0/96", True),
        ("64:ff9b::/96", True),
        ("::ffff:0:203.0.113.0/120", True),
        ("2001::/40", True),
        ("2002::/16", True),
        ("2002:cb00::/32", True),
        ("::/0", False),
        ("2001:db8::/32", False),
        ("203.0.113.0/24", False),
    ],
)
def test_a_network_of_carried_addresses_matches_no_payment(network: str, is_unmatchable: bool) -> None:
    assert carries_ipv4(ip_network(network)) is is_unmatchable
