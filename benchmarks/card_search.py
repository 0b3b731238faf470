"""Measures what the search for card numbers costs a record of the topic and a row of the Glue job: ``python -m benchmarks.card_search``.

With and without are timed in turns in one process, so that their ratio holds on any machine.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Final

from contract.card_tokens import CardTokens
from contract.transaction import decode_transaction, encode_transaction, without_card_numbers
from glue_scripts.row_cards import quarantined_text, replace_in_record
from glue_scripts.rows import Header, RowCleaner

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS: Final = 25
REPEATS: Final = 400
"""Calls in each round."""

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
_TOKENS: Final = CardTokens(b"a key for this benchmark")
_CLEANER: Final = RowCleaner(_TOKENS)

PAYMENT: Final[dict[str, object]] = {
    "transaction_id": "7d0f3c52-91a4-4f0e-9a53-0c2f9c1b7a10",
    "user_id": "user-004711",
    "amount": "1250.00",
    "currency": "EUR",
    "timestamp": "2026-02-27T11:59:00.123Z",
    "location": {"latitude": 48.8566, "longitude": 2.3522, "country": "FR", "city": "Paris"},
    "merchant_id": "merchant-1207",
    "merchant_category": "electronics",
    "channel": "online",
    "card_id": "tok_fppmgkmhoghpljmnilchbflc",
    "device_id": "device-81f2",
    "ip_address": "203.0.113.7",
}
"""A usual payment, as the ingestion job publishes it."""

CARDS: Final = {"token": "tok_fppmgkmhoghpljmnilchbflc", "number": "4111 1111 1111 1111"}


def main() -> None:
    """Print the cost of each, µs, and its share."""
    payment = json.dumps(PAYMENT).encode()
    transaction = decode_transaction(payment)
    report(
        "contract, a usual payment",
        lambda: decode_transaction(payment),
        lambda: without_card_numbers(transaction),
    )
    direct = decode_transaction(
        encode_transaction(transaction).replace(b"tok_fppmgkmhoghpljmnilchbflc", b"card-004711")
    )
    number = json.dumps(PAYMENT | {"card_id": CARDS["number"]}).encode()
    report(
        "contract, a card without a token",
        lambda: decode_transaction(payment),
        lambda: without_card_numbers(direct),
    )
    plain = {name: value for name, value in PAYMENT.items() if name != "location"}
    header = Header(",".join(plain).encode())
    for kind, card in CARDS.items():
        report_rows(kind, plain | {"card_id": card}, header)
    bad = json.dumps(PAYMENT | {"amount": "much"}).encode()
    report(
        "Glue job, refused row",
        lambda: _CLEANER.clean_json(bad),
        lambda: quarantined_text(bad, ["user-004711"], None, _TOKENS),
    )
    sys.stdout.write(f"a record with a number in clear: {_cost(lambda: decode_transaction(number)):.1f} µs\n")


def report_rows(kind: str, row: dict[str, object], header: Header) -> None:
    """Print the cost of one row, as JSON and as CSV."""
    line, cells = json.dumps(row).encode(), ",".join(map(str, row.values())).encode()

    def search() -> None:
        replace_in_record(dict(row), _TOKENS)

    report(f"Glue job, JSON row, card as a {kind}", lambda: _CLEANER.clean_json(line), search)
    report(f"Glue job, CSV row, card as a {kind}", lambda: _CLEANER.clean_csv(cells, header), search)


def report(name: str, whole: Callable[[], object], search: Callable[[], object]) -> None:
    """Print the cost of a record and of the search in it, and how much dearer it is by the search."""
    pairs = [(_cost(whole), _cost(search)) for _ in range(ROUNDS)]
    ratio = median(total / (total - part) for total, part in pairs)
    total, part = (median(costs) for costs in zip(*pairs, strict=True))
    sys.stdout.write(f"{name}: {total:.1f} µs, the search {part:.2f} µs, ratio to none {ratio:.2f}\n")


def _cost(work: Callable[[], object]) -> float:
    """CPU of one call, µs."""
    began = time.process_time()
    for _ in range(REPEATS):
        work()
    return (time.process_time() - began) * 1e6 / REPEATS


if __name__ == "__main__":
    main()
