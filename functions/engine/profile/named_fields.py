"""Which fields a payment names, in one byte: so that a profile knows which fields the user's payments usually name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.channels import Channel
from contract.transaction import Location

if TYPE_CHECKING:
    from contract.transaction import Transaction

DEVICE: Final = 1
COUNTERPARTY: Final = 2
"""A merchant or a payee: somebody who is paid."""
COUNTRY: Final = 4
PLACE: Final = 8
"""A country, coordinates or both."""
FIELDS: Final = DEVICE | COUNTERPARTY | COUNTRY | PLACE
"""All bits of fields. The bits above them are the number of the channel."""

CHANNEL_SHIFT: Final = 4
CHANNELS: Final = (
    Channel.UNKNOWN,
    Channel.OTHER,
    Channel.IN_PERSON,
    Channel.ATM,
    Channel.ONLINE,
    Channel.APP,
    Channel.TRANSFER,
)
"""Channel by its number. Profiles store the numbers, so none may ever change."""

_CHANNEL_BITS: Final = {channel: number << CHANNEL_SHIFT for number, channel in enumerate(CHANNELS)}


def named_fields(transaction: Transaction) -> int:
    """The bits of the fields that a payment names, and those of its channel; at most 127."""
    named = _CHANNEL_BITS[transaction.channel_kind]
    if transaction.device_id is not None:
        named |= DEVICE
    if transaction.merchant_id is not None or transaction.payee_id is not None:
        named |= COUNTERPARTY
    location = transaction.location
    if transaction.country is not None:
        named |= COUNTRY | PLACE
    elif isinstance(location, Location) and location.latitude is not None and location.longitude is not None:
        named |= PLACE
    return named
