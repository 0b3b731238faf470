"""Names of columns: every way to write one is the same field."""

from __future__ import annotations

import pytest

from contract.mapping import columns
from contract.mapping.columns import LOCATION_PARTS, SYNONYMS, known_column
from contract.transaction import Transaction


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("transactionId", "transaction_id"),
        ("TransactionID", "transaction_id"),
        ("TRANSACTION_ID", "transaction_id"),
        ("txn_id", "transaction_id"),
        (" User Id ", "user_id"),
        ("customer-id", "user_id"),
        ("amt", "amount"),
        ("ts", "timestamp"),
        ("eventTime", "timestamp"),
        ("long", "longitude"),
        ("PAN", "card_id"),
        ("cc_num", "card_id"),
        ("IPAddress", "ip_address"),
    ],
)
def test_a_name_is_known_however_it_is_written(name: str, field: str) -> None:
    column = known_column(name)

    assert column is not None
    assert column.field == field


@pytest.mark.parametrize("name", ["", "comment", "fraud_label", "used_chip"])
def test_an_unknown_name_is_nobodys(name: str) -> None:
    assert known_column(name) is None


def test_a_long_name_is_nobodys_and_is_not_kept() -> None:
    known_column("amount")
    kept = columns._known_column.cache_info().currsize

    answers = {known_column(f"amount{' ' * 60}{number}") for number in range(100)}

    assert answers == {None}
    assert columns._known_column.cache_info().currsize == kept


def test_every_known_name_fits_with_room_for_its_spelling() -> None:
    longest = max(len(name) for field, names in SYNONYMS.items() for name in (field, *names))

    assert known_column("  Location - Longitude  ".ljust(64)) == columns.Column("longitude", 6)
    assert longest <= 32


def test_every_field_of_the_contract_has_a_column() -> None:
    assert set(SYNONYMS) - set(LOCATION_PARTS) == set(Transaction.__struct_fields__)


def test_no_synonym_stands_for_two_fields() -> None:
    names = [name for field, synonyms in SYNONYMS.items() for name in (field, *synonyms)]

    assert len(names) == len(set(names))
