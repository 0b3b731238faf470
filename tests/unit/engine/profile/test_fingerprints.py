"""Hashes and numbers that profiles store: fixed, because a stored profile is read by later versions."""

from __future__ import annotations

from engine.profile.fingerprints import CURRENCY_CODES, CURRENCY_NUMBERS, key_hash, text_hash, value_hash
from engine.profile.seen_values import SeenKind


def test_hash_of_a_text_is_its_crc_32() -> None:
    assert text_hash("123456789") == 0xCBF43926
    assert text_hash("Zürich") == 0xD30BA93E


def test_hash_of_no_text_is_0_and_of_a_text_never() -> None:
    assert text_hash(None) == 0
    assert text_hash("") == 1  # its CRC is 0


def test_hash_of_a_value_ends_in_its_kind() -> None:
    assert value_hash(SeenKind.COUNTRY, "123456789") == 0xCBF43920
    assert value_hash(SeenKind.CURRENCY, "123456789") == 0xCBF43925
    assert value_hash(SeenKind.DEVICE, None) is None
    assert [kind.value for kind in SeenKind] == [0, 1, 2, 3, 4, 5]


def test_hash_of_an_event_key_has_64_bits_of_blake2b() -> None:
    assert key_hash("2026-03-01T12:00:00.000000Z#t-1") == 0x9DDE615362E46384
    assert key_hash("other") != key_hash("2026-03-01T12:00:00.000000Z#t-1")


def test_currencies_are_numbered_in_the_order_of_their_codes() -> None:
    assert list(CURRENCY_CODES) == sorted(CURRENCY_CODES)
    assert all(CURRENCY_CODES[number] == code for code, number in CURRENCY_NUMBERS.items())
