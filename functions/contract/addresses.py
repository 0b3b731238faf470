"""The canonical form of an IP address, in a payment or in a list: one text for one host.

Senders pass on what a server or a proxy gave them: with a port, in brackets, with the hops in between, an IPv4 address in an
IPv6 one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_ADDRESS_TEXT: Final = 512
"""The most characters of a payment's address: a list of hops may be long."""

_PLAIN: Final = re.compile(
    r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
)
_BRACKETS: Final = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?")
_V4_WITH_PORT: Final = re.compile(r"([0-9.]+):[0-9]{1,5}")
_FORWARDED: Final = re.compile(r'(?:^|;)\s*for\s*=\s*"?([^";]*)', re.IGNORECASE)
"""RFC 7239: ``for="[2001:db8::1]:4711";proto=https``."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""

_LAST_32_BITS: Final = (_NAT64, IPv6Network("::ffff:0:0:0/96"))
"""NAT64 and the translated addresses of RFC 7915: the last 32 bits are an IPv4 address."""

_TEREDO: Final = IPv6Network("2001::/32")
"""RFC 4380: the client's IPv4 address is in the last 32 bits, inverted."""

_COMPATIBLE: Final = IPv6Network("::/96")
"""RFC 4291: an IPv4 address behind zeros, all but those of ``::/104``: no host's."""

_IPV4_IN_IPV6: Final = (*_LAST_32_BITS, IPv6Network("::ffff:0:0/96"), IPv6Network("2002::/16"), _TEREDO)
"""With mapped (RFC 4291) and 6to4 ones (RFC 3056): no payment's canonical address is in one of them."""

_LOCAL: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::/127",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""Networks of hosts within an organisation: of a list of hops, no payer's address."""


def canonical_address(text: str) -> str | None:
    """Write an IP address in its canonical form.

    Of a list of hops (``X-Forwarded-For``, ``Forwarded``) the first counts that is not local to an organisation, else the first:
    each proxy adds the address of its own client at the end, so the payer is the first. A payer can write hops of their own
    before it; a sender that knows its proxies sends one address.

    Parameters
    ----------
    text : str
        Canonical text (:func:`contract.text.canonical_text`).

    Returns
    -------
    str | None
        As :mod:`ipaddress` writes it, an IPv4 address that is carried in IPv6 as IPv4; None for what is no address.

    Examples
    --------
    >>> canonical_address("203.0.113.9:443"), canonical_address("10.0.0.1, 203.0.113.9"), canonical_address("[2001:DB8:0::1]")
    ('203.0.113.9', '203.0.113.9', '2001:db8::1')
    >>> canonical_address("64:ff9b::cb00:7109"), canonical_address("203.0.113.300")
    ('203.0.113.9', None)
    """
    return text if _PLAIN.fullmatch(text) else _from_unusual(text)


@lru_cache(maxsize=4096)
def _from_unusual(text: str) -> str | None:
    hops = [hop for hop in map(_read, text.split(",")) if hop is not None]
    if not hops:
        return None
    return str(next((hop for hop in hops if not _is_local(hop)), hops[0]))


def read_network(text: str) -> Network | None:
    """Read an entry of a list of addresses: one address, in any form of a payment's, or a network in CIDR form.

    Parameters
    ----------
    text : str
        Canonical text.

    Returns
    -------
    Network | None
        A single address as a network of one; None for what is neither, and for several addresses.
    """
    if "/" not in text:
        address = _read(text)
        return None if address is None else ip_network(address)
    try:
        return ip_network(text)
    except ValueError:
        return None


def carries_ipv4(network: Network) -> bool:
    """Whether all addresses of a network have an IPv4 address as their canonical form: no payment's address is in it.

    >>> carries_ipv4(ip_network("::ffff:203.0.113.0/120")), carries_ipv4(ip_network("2001:db8::/32"))
    (True, False)
    """
    return isinstance(network, IPv6Network) and any(network.subnet_of(each) for each in _IPV4_IN_IPV6)


def _read(hop: str) -> Address | None:
    hop = hop.strip()
    if forwarded := _FORWARDED.search(hop):
        hop = forwarded[1].strip()
    if match := _BRACKETS.fullmatch(hop) or _V4_WITH_PORT.fullmatch(hop):
        hop = match[1]
    try:
        address = ip_address(hop.partition("%")[0])  # without the name of a network interface
    except ValueError:
        return None
    return _carried(address) if isinstance(address, IPv6Address) else address


def _carried(address: IPv6Address) -> Address:
    """The IPv4 address that an IPv6 address carries, else the same."""
    last = int(address) & 0xFFFFFFFF
    if any(address in network for network in _LAST_32_BITS) or (address in _COMPATIBLE and last >> 24):
        return IPv4Address(last)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def _is_local(address: Address) -> bool:
    return any(address.version == each.version and address in each for each in _LOCAL)
