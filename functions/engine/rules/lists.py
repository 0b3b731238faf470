"""Allow and deny lists: named sets of merchants, devices, countries ... whose entries may expire.

Whether an entry has expired is decided at the payment's event time, not by the clock. So a decision can be recomputed from its
row later, with the same result.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from contract.card_numbers import card_field_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import yaml

    from contract.transaction import Transaction
    from engine.rules.document import Reader

MAX_LISTS: Final = 40
"""The most lists of a ruleset."""

MAX_ENTRIES: Final = 5_000
"""The most entries of a list."""

NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Names of lists and rules: snake_case."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIELDS: Final[Mapping[str, Callable[[Transaction], str | None]]] = {
    "merchant_id": lambda transaction: transaction.merchant_id,
    "device_id": lambda transaction: transaction.device_id,
    "payee_id": lambda transaction: transaction.payee_id,
    "card_id": lambda transaction: transaction.card_id,
    "ip_address": lambda transaction: transaction.ip_address,
    "country": lambda transaction: transaction.country,
    "user_id": lambda transaction: transaction.user_id,
}
LIST_FIELDS: Final[tuple[str, ...]] = tuple(_FIELDS)
"""The fields of a payment that a list may be of."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NamedList(msgspec.Struct, frozen=True):
    """One list of a ruleset."""

    name: str
    field: str
    """One of `LIST_FIELDS`."""
    until_by_value: dict[str, datetime | None]
    """Value to the moment at which it expires; None for never."""
    networks: dict[tuple[int, int], dict[int, datetime | None]] = {}
    """The entries of a list of ``ip_address`` that are networks (``203.0.113.0/24``) or IPv6 addresses: (IP version, length of the
    prefix) to prefix to expiry. So a list of thousands costs one lookup for each length."""

    def holds(self, transaction: Transaction) -> bool:
        """Whether the payment's value is on the list and had not expired when it was made.

        Parameters
        ----------
        transaction : Transaction
            The payment, with its event time in UTC.

        Returns
        -------
        bool
        """
        value = _FIELDS[self.field](transaction)
        if value is None:
            return False
        if (
            self.field == "ip_address" and ":" in value
        ):  # only IPv6 has several forms; IPv4 need not be parsed
            value = _without_mapping(value)
        if value in self.until_by_value:
            until = self.until_by_value[value]
            if until is None or transaction.timestamp < until:
                return True
        return bool(self.networks) and self._holds_address(value, transaction.timestamp)

    def _holds_address(self, value: str, at: datetime) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:  # the contract does not say that the field is an address
            return False
        number = int(address)
        for (version, length), until_by_prefix in self.networks.items():
            if version == address.version:
                prefix = number >> (address.max_prefixlen - length)
                if prefix in until_by_prefix:
                    until = until_by_prefix[prefix]
                    if until is None or at < until:
                        return True
        return False


def _without_mapping(value: str) -> str:
    """The IPv4 address of ``::ffff:203.0.113.9``, the form of servers that listen to both versions; any other text as it is."""
    try:
        mapped = ipaddress.IPv6Address(value).ipv4_mapped
    except ValueError:
        return value
    return value if mapped is None else str(mapped)


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
        value = reader.text(entry["value"], f"value in {what}", 128) if "value" in entry else None
        until = _read_until(reader, entry["until"], what) if "until" in entry else None
        if "note" in entry:
            reader.text(entry["note"], f"note in {what}")
        if value is None:
            continue
        if field == "card_id" and card_field_digits(value) is not None:
            # No payment has it, and a ruleset is read by many.
            reader.report(entry["value"], f"value in {what} is a card number; a list holds its token")
        if field == "ip_address" and ":" in value:
            value = _without_mapping(value)
        if value in until_by_value:
            reader.report(entry["value"], f"value appears twice in {what}")
        until_by_value[value] = until
        if field == "ip_address":
            network = _network(value)
            if network is None:
                reader.report(
                    entry["value"], f"value in {what} must be an IP address or a network in CIDR form"
                )
            elif "/" in value or network.version == 6:  # IPv6 addresses have several forms
                prefix = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
                networks.setdefault((network.version, network.prefixlen), {})[prefix] = until
    return NamedList(name, field or LIST_FIELDS[0], until_by_value, networks)


def _network(value: str) -> _Network | None:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        return None


def _read_until(reader: Reader, node: yaml.Node, what: str) -> datetime | None:
    text = reader.moment(node, f"until in {what}")
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            # The day is included: the entry expires when the next one begins.
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        reader.report(
            node,
            f"until in {what} must be a date (2026-01-31) or a time with its zone (2026-01-31T18:00:00Z)",
        )
    except (ValueError, OverflowError) as error:
        reader.report(node, f"until in {what} is not a real date ({error})")
    return None
