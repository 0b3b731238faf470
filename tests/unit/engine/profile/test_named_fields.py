"""Which fields a payment names, as profiles store it."""

from __future__ import annotations

from typing import Any

import pytest

from contract.channels import Channel
from contract.transaction import Location
from engine.profile.named_fields import CHANNELS, COUNTERPARTY, COUNTRY, DEVICE, FIELDS, PLACE, named_fields
from tests.support.payments import BERLIN, make_minimal_payment


@pytest.mark.parametrize(
    ("fields", "bits"),
    [
        ({}, 0),
        ({"device_id": "d"}, DEVICE),
        ({"merchant_id": "m"}, COUNTERPARTY),
        ({"payee_id": "p"}, COUNTERPARTY),
        ({"location": BERLIN}, COUNTRY | PLACE),
        ({"location": "Berlin, DE"}, COUNTRY | PLACE),
        ({"location": Location(latitude=52.5, longitude=13.4)}, PLACE),
        ({"location": "somewhere"}, 0),
        ({"location": Location(city="Berlin")}, 0),
        ({"device_id": "d", "merchant_id": "m", "payee_id": "p", "location": BERLIN}, FIELDS),
        ({"channel": "pos"}, 2 << 4),
        ({"channel": "transfer", "device_id": "d"}, 6 << 4 | DEVICE),
    ],
)
def test_each_field_has_a_bit_and_the_channel_those_above(fields: dict[str, Any], bits: int) -> None:
    assert named_fields(make_minimal_payment(**fields)) == bits


def test_the_numbers_of_channels_never_change() -> None:
    assert [channel.value for channel in CHANNELS] == [
        *("unknown", "other", "in_person", "atm", "online", "app", "transfer")
    ]
    assert set(CHANNELS) == set(Channel)
