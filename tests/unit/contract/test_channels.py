"""Every sender's word means one channel of a closed set, or an unknown one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.channels import Channel, channel_of


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("pos", Channel.IN_PERSON), ("POS", Channel.IN_PERSON), ("card_present", Channel.IN_PERSON), ("Card Present", Channel.IN_PERSON),
        ("CP", Channel.IN_PERSON), ("Chip Transaction", Channel.IN_PERSON), ("contactless", Channel.IN_PERSON), ("in-store", Channel.IN_PERSON),
        ("Swipe Transaction", Channel.IN_PERSON), ("in_person", Channel.IN_PERSON),
        ("atm", Channel.ATM), ("Cash Machine", Channel.ATM), ("CASH_OUT", Channel.ATM),
        ("Online", Channel.ONLINE), ("ecommerce", Channel.ONLINE), ("e-commerce", Channel.ONLINE), ("ECOM", Channel.ONLINE), ("web", Channel.ONLINE),
        ("CNP", Channel.ONLINE), ("card-not-present", Channel.ONLINE), ("Online Transaction", Channel.ONLINE), ("MOTO", Channel.ONLINE),
        ("shopping_net", Channel.ONLINE),
        ("app", Channel.APP), ("mobile", Channel.APP), ("Mobile App", Channel.APP), ("in-app", Channel.APP), ("iOS", Channel.APP),
        ("transfer", Channel.TRANSFER), ("wire", Channel.TRANSFER), ("Wire Transfer", Channel.TRANSFER), ("P2P", Channel.TRANSFER), ("SEPA", Channel.TRANSFER),
        ("direct debit", Channel.OTHER), ("other", Channel.OTHER), ("fee", Channel.OTHER),
        ("carrier pigeon", Channel.UNKNOWN), ("", Channel.UNKNOWN), ("7", Channel.UNKNOWN), ("unknown", Channel.UNKNOWN), (None, Channel.UNKNOWN),
    ],
)  # fmt: skip
def test_a_word_means_a_channel(word: str | None, channel: Channel) -> None:
    assert channel_of(word) is channel


@pytest.mark.parametrize("channel", Channel)
def test_a_channels_own_name_means_it(channel: Channel) -> None:
    assert channel_of(channel.value) is channel


def test_the_set_is_closed() -> None:
    assert [each.value for each in Channel] == [
        "in_person",
        "atm",
        "online",
        "app",
        "transfer",
        "other",
        "unknown",
    ]


@given(st.text())
def test_any_word_means_some_channel(word: str) -> None:
    assert channel_of(word) in Channel
