"""Allow and deny lists: named sets of merchants, devices, countries ... whose entries may expire.

Entries have the canonical form of a payment's fields (:mod:`contract.text`): an entry matches however a sender or an analyst writes
it. An entry that no payment could match is refused.

Whether an entry has expired is decided by the payment's own clock (:mod:`contract.clock`), not by the time of the computation. So
a decision can be recomputed from its row later, with the same result.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from contract.addresses import canonical_address, carries_ipv4, read_network
from contract.card_masks import is_masked
from contract.card_numbers import card_field_digits
from contract.channels import Channel, channel_of
from contract.clock import EPOCH, MILLISECOND
from contract.countries import country_code
from contract.text import MAX_TEXT, canonical_id, canonical_text, is_acceptable_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import yaml

    from contract.addresses import Network
    from contract.transaction import Transaction
    from engine.rules.document import Reader

MAX_LISTS: Final = 40
"""The most lists of a ruleset."""

MAX_ENTRIES: Final = 5_000
"""The most entries of a list."""

NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Names of lists and rules: snake_case."""

MIN_PREFIX: Final[Mapping[int, int]] = {4: 16, 6: 32}
"""IP version to the shortest prefix of a network on a list, in bits: 65,536 addresses of IPv4, or what an operator gets of IPv6. A shorter one is the network of
everybody, and deny lists are deployed at once."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIELDS: Final[Mapping[str, Callable[[Transaction], str | None]]] = {
    "merchant_id": lambda transaction: transaction.merchant_id,
    "device_id": lambda transaction: transaction.device_id,
    "payee_id": lambda transaction: transaction.payee_id,
    "card_id": lambda transaction: transaction.card_id,
    "ip_address": lambda transaction: transaction.ip_address and canonical_address(transaction.ip_address),
    "country": lambda transaction: transaction.country,
    "channel": lambda transaction: transaction.channel_kind.value,
    "user_id": lambda transaction: transaction.user_id,
}
LIST_FIELDS: Final[tuple[str, ...]] = tuple(_FIELDS)
"""The fields of a payment that a list may be of."""


class NamedList(msgspec.Struct, frozen=True):
    """One list of a ruleset."""

    name: str
    field: str
    """One of `LIST_FIELDS`."""
    until_by_value: dict[str, datetime | None]
    """Value to the moment at which it expires; None for never."""
    networks: dict[tuple[int, int], dict[int, datetime | None]] = {}
    """The entries of a list of ``ip_address`` that are networks (``203.0.113.0/24``): (IP version, length of the prefix) to prefix to
    expiry. So a list of thousands costs one lookup for each length."""

    def holds(self, transaction: Transaction, clock_ms: int) -> bool:
        """Whether the payment's value is on the list and has not expired.

        Parameters
        ----------
        transaction : Transaction
            The payment.
        clock_ms : int
            Its clock, ms since the epoch: an event time that a sender claims revives no entry and ends none.

        Returns
        -------
        bool
        """
        value = _FIELDS[self.field](transaction)
        if value is None:
            return False
        if value in self.until_by_value:
            until = self.until_by_value[value]
            if until is None or clock_ms < _to_ms(until):
                return True
        return bool(self.networks) and self._holds_address(value, clock_ms)

    def _holds_address(self, value: str, clock_ms: int) -> bool:
        of_address, number, bits = _address(value)
        for (version, length), until_by_prefix in self.networks.items():
            if version == of_address:
                prefix = number >> (bits - length)
                if prefix in until_by_prefix:
                    until = until_by_prefix[prefix]
                    if until is None or clock_ms < _to_ms(until):
                        return True
        return False


@lru_cache(maxsize=4096)
def _address(text: str) -> tuple[int, int, int]:
    """Version, number and bits of an address: several lists may ask, and a user pays from the same one again."""
    address = ipaddress.ip_address(text)
    return address.version, int(address), address.max_prefixlen


def _to_ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def read_lists(reader: Reader, node: yaml.Node) -> tuple[NamedList, ...]:
    """Read the ``lists`` section of a ruleset.

    Parameters
    ----------
    reader : Reader
        Collects the problems.
    node : yaml.Node
        The section.

    Returns
    -------
    tuple[NamedList, ...]
        Every list with a valid name, even if something else in it is wrong: rules that use it are not reported for that.
    """
    entries = reader.entries(node, "lists")
    if len(entries) > MAX_LISTS:
        reader.report(node, f"lists has {len(entries)} lists; at most {MAX_LISTS}")
        return ()
    return tuple(
        _read_list(reader, name, value)
        for name, (key, value) in entries.items()
        if reader.name(key, "list", NAME, "snake_case (a-z, 0-9, _)")
    )


def _read_list(reader: Reader, name: str, node: yaml.Node) -> NamedList:
    what = f"list '{name}'"
    fields = reader.fields(node, what, ("field", "entries"), ("description",))
    if "description" in fields:
        reader.text(fields["description"], f"description of {what}")
    field = reader.choice(fields["field"], f"field of {what}", _FIELDS) if "field" in fields else None
    until_by_value: dict[str, datetime | None] = {}
    networks: dict[tuple[int, int], dict[int, datetime | None]] = {}
    for item in (
        reader.items(fields["entries"], f"entries of {what}", MAX_ENTRIES) if "entries" in fields else ()
    ):
        entry = reader.fields(item, f"an entry of {what}", ("value",), ("until", "note"))
        value = _read_value(reader, entry["value"], what) if "value" in entry else None
        until = _read_until(reader, entry["until"], what) if "until" in entry else None
        if "note" in entry:
            reader.text(entry["note"], f"note in {what}")
        if value is None:
            continue
        if field == "card_id" and card_field_digits(value) is not None:
            # No payment has it, and a ruleset is read by many.
            reader.report(entry["value"], f"value in {what} is a card number; a list holds its token")
        canonical = _canonical(field, value)
        if isinstance(canonical, _Refusal):
            reader.report(entry["value"], f"value in {what} {canonical.problem}")
            continue
        text, network = canonical
        if text in until_by_value:
            reader.report(entry["value"], f"value appears twice in {what}")
        until_by_value[text] = until
        if network is not None:
            prefix = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            networks.setdefault((network.version, network.prefixlen), {})[prefix] = until
    return NamedList(name, field or LIST_FIELDS[0], until_by_value, networks)


def _read_value(reader: Reader, node: yaml.Node, what: str) -> str | None:
    return reader.text(node, f"value in {what}", MAX_TEXT, is_checked_later=True)


class _Refusal(msgspec.Struct, frozen=True):
    """What an entry must be, and is not: no payment could ever match it."""

    problem: str


def _canonical(field: str | None, value: str) -> tuple[str, Network | None] | _Refusal:
    """An entry's value in the form that the contract gives a payment's; and the network, where it is one."""
    match field:
        case "ip_address":
            return _canonical_network(canonical_text(value))
        case "country":
            code = country_code(canonical_text(value))
            return (
                _Refusal("must be a country, by its ISO 3166 code or English name")
                if code is None
                else (code, None)
            )
        case "channel":
            channel = channel_of(value)
            if channel is Channel.UNKNOWN and value != Channel.UNKNOWN.value:
                return _Refusal(f"must be a channel: {', '.join(Channel)}")
            return channel.value, None
        case "user_id":
            return (value, None) if is_acceptable_id(value) else _Refusal("must be printable, and not blank")
        case "card_id":
            text: str | None = canonical_text(value)
            if is_masked(text):
                return _Refusal(
                    "is a masked card number: thousands of cards share its four digits, so a list holds tokens"
                )
        case _:
            text = canonical_id(value)
    if not text or not (text.isprintable() or field != "card_id"):
        return _Refusal("has nothing that can be seen, or control characters")
    return text, None


def _canonical_network(value: str) -> tuple[str, Network | None] | _Refusal:
    network = read_network(value)
    if network is None:
        return _Refusal("must be an IP address or a network in CIDR form")
    if carries_ipv4(network):
        return _Refusal(
            "is a network of IPv4 addresses within IPv6; payments have the IPv4 address, so name the IPv4 network"
        )
    if network.prefixlen < MIN_PREFIX[network.version]:
        return _Refusal(
            f"is a network of too many payers: its prefix has {network.prefixlen} bits; at least {MIN_PREFIX[network.version]}"
        )
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address), None
    return str(network), network


def _read_until(reader: Reader, node: yaml.Node, what: str) -> datetime | None:
    text = reader.moment(node, f"until in {what}")
    if text is None:
        return None
    try:
        until = expiry(text)
    except (ValueError, OverflowError) as error:
        reader.report(node, f"until in {what} is not a real date ({error})")
        return None
    if until is None:
        reader.report(
            node,
            f"until in {what} must be a date (2026-01-31) or a time with its zone (2026-01-31T18:00:00Z)",
        )
    return until


def expiry(text: str) -> datetime | None:
    """Give the moment at which an entry expires, UTC; None where the text is neither a date nor a time with its zone.

    Raises
    ------
    ValueError, OverflowError
        Where there is no such day or time.

    Examples
    --------
    >>> f"{expiry('2026-01-31')}, {expiry('2026-01-31T18:00:00+02:00')}, {expiry('')}"
    '2026-02-01 00:00:00+00:00, 2026-01-31 16:00:00+00:00, None'
    """
    if _DATE.fullmatch(text):
        # The day is included: the entry expires when the next one begins.
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    if _TIME.fullmatch(text):
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    return None
