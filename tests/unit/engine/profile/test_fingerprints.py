"""Hashes and numbers that profiles store: fixed, because a stored profile is read by later versions."""

from __future__ import annotations

from datetime import UTC, datetime
from zlib import crc32

import pytest

from contract.channels import Channel
from contract.countries import COUNTRY_CODES
from contract.currency import MINOR_UNIT_EXPONENT, WITHDRAWN_AT
from engine.profile.fingerprints import (
    CURRENCY_CODES,
    CURRENCY_NUMBERS,
    OLD_CURRENCIES,
    key_hash,
    text_hash,
    value_hash,
)
from engine.profile.seen_values import NAME_KINDS, SeenKind
from tests.support.forged_names import FORGED_NAME, KNOWN_NAME


def test_hash_of_a_text_is_its_crc_32() -> None:
    assert text_hash("123456789") == 0xCBF43926
    assert text_hash("Zürich") == 0xD30BA93E


def test_hash_of_no_text_is_0_and_of_a_text_never() -> None:
    assert text_hash(None) == 0
    assert text_hash("") == 1  # its CRC is 0


def test_hash_of_a_value_of_a_closed_set_is_29_bits_of_its_crc_and_its_kind() -> None:
    assert value_hash(SeenKind.COUNTRY, "123456789") == 0xCBF43920
    assert value_hash(SeenKind.CURRENCY, "123456789") == 0xCBF43925
    assert [kind.value for kind in SeenKind] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", sorted(NAME_KINDS))
def test_hash_of_a_name_is_60_bits_of_blake2b_its_kind_and_the_top_bit(kind: SeenKind) -> None:
    hashed = value_hash(kind, "123456789")

    assert hashed == 1 << 63 | key_hash("123456789") & 0x7FFFFFFFFFFFFFF8 | kind
    assert value_hash(kind, None) is None


def test_closed_sets_have_no_two_values_of_one_hash() -> None:
    for kind, values in (
        (SeenKind.COUNTRY, COUNTRY_CODES),
        (SeenKind.CURRENCY, CURRENCY_NUMBERS),
        (SeenKind.CHANNEL, Channel),
    ):
        assert len({value_hash(kind, value) for value in values}) == len(values)


@pytest.mark.parametrize("kind", sorted(NAME_KINDS))
def test_name_that_is_made_up_to_have_the_crc_of_a_known_one_has_another_hash(kind: SeenKind) -> None:
    assert crc32(FORGED_NAME.encode()) == crc32(KNOWN_NAME.encode())

    assert value_hash(kind, FORGED_NAME) != value_hash(kind, KNOWN_NAME)


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
