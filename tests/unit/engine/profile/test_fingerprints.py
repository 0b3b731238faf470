"""Hashes and numbers that profiles store: fixed, because a stored profile is read by later versions."""

from __future__ import annotations

from datetime import UTC, datetime
from zlib import crc32

from contract.currency import MINOR_UNIT_EXPONENT, WITHDRAWN_AT
from engine.profile.fingerprints import (
    CURRENCY_CODES,
    CURRENCY_NUMBERS,
    OLD_CURRENCIES,
    key_hash,
    text_hash,
    value_hash,
)
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


def test_the_numbers_of_currencies_never_change() -> None:
    assert crc32(" ".join(CURRENCY_CODES[:242]).encode()) == 543552682
    assert [CURRENCY_NUMBERS[code] for code in ("AED", "CHF", "EUR", "USD", "ZWG")] == [0, 29, 47, 146, 165]
    assert [CURRENCY_NUMBERS[code] for code in ("XAD", "DEM", "HRK", "ZWR")] == [167, 184, 198, 241]


def test_a_currency_has_a_number_of_its_own_in_a_byte_unless_it_was_withdrawn_before_1995() -> None:
    shared = [code for code, number in CURRENCY_NUMBERS.items() if CURRENCY_CODES[number] != code]

    assert max(CURRENCY_NUMBERS.values()) < 256
    assert CURRENCY_NUMBERS.keys() == MINOR_UNIT_EXPONENT.keys()
    assert {CURRENCY_CODES[CURRENCY_NUMBERS[code]] for code in shared} == {OLD_CURRENCIES}
    assert all(WITHDRAWN_AT[code] < datetime(1995, 1, 1, tzinfo=UTC) for code in shared)
