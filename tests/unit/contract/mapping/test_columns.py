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


NAMES_IN_USE = {
    "transaction_id": "txn_id trans_id trans_num payment_id tx_id id",
    "user_id": "customer_id client_id cardholder_id account_id user customer",
    "amount": "amt transaction_amount txn_amount amount_value value",
    "currency": "currency_code ccy curr",
    "timestamp": "ts event_time event_timestamp transaction_time transaction_timestamp transaction_date created_at date_time datetime time",
    "location": "place",
    "latitude": "lat location_lat location_latitude",
    "longitude": "lon long lng location_lon location_long location_longitude",
    "country": "country_code location_country",
    "city": "town location_city",
    "merchant_id": "merchant merchant_name store_id",
    "merchant_category": "category mcc merchant_category_code merchant_type",
    "channel": "transaction_channel entry_mode",
    "card_id": "card_number card pan cc_num credit_card_number card_no card_token",
    "device_id": "device device_fingerprint",
    "ip_address": "ip ip_addr client_ip",
    "payee_id": "payee beneficiary beneficiary_id recipient recipient_id",
}
"""Names that files of senders have, by field, the most specific first. One that is renamed here is a file that is no longer read."""


@pytest.mark.parametrize(
    ("name", "field", "rank"),
    [
        (name, field, rank)
        for field, names in NAMES_IN_USE.items()
        for rank, name in enumerate([field, *names.split()])
    ],
)
def test_every_name_in_use_is_known_with_its_rank(name: str, field: str, rank: int) -> None:
    assert known_column(name) == columns.Column(field, rank)


@pytest.mark.parametrize("name", ["", "comment", "fraud_label", "used_chip"])
def test_an_unknown_name_has_no_field(name: str) -> None:
    assert known_column(name) is None


def test_a_long_name_has_no_field_and_is_not_cached() -> None:
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
    assert set(SYNONYMS) - set(LOCATION_PARTS) == set(Transaction.__struct_fields__) - {"invalid_fields"}


def test_no_synonym_has_two_fields() -> None:
    names = [name for field, synonyms in SYNONYMS.items() for name in (field, *synonyms)]

    assert len(names) == len(set(names))
