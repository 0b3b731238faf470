"""The senders of landing files, each with its own file format. The Glue job accepts all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from contract.truth import Record
from simulator.records import to_us


class Sender(msgspec.Struct, frozen=True):
    """One sender of landing files, and how it writes rows."""

    name: str
    form: Literal["jsonl", "csv"]
    row: Callable[[Record], Record]
    """Converts a record of the wire to this sender's names and formats. A missing field stays missing."""
    columns: tuple[str, ...] = ()
    """The columns of a CSV file, in order."""
    is_compressed: bool = False

    @property
    def suffix(self) -> str:
        """File extension."""
        return f".{self.form}.gz" if self.is_compressed else f".{self.form}"

    def header(self) -> str:
        """Write the first line; empty for JSON lines."""
        return csv_line(list(self.columns)) if self.form == "csv" else ""

    def line(self, record: Record) -> str:
        """Write one record as a line, including its line feed."""
        row = self.row(record)
        if self.form == "csv":
            return csv_line([str(row.get(column, "")) for column in self.columns])
        return msgspec.json.encode(row).decode() + "\n"


def csv_line(values: list[str]) -> str:
    """Write one line of CSV, quoted according to RFC 4180."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def card_number(card_id: str) -> str:
    """Make the full card number of a card id: 16 digits with a valid check digit (ISO/IEC 7812-1).

    The numbers begin with 4000 00, which card schemes reserve for tests; no real card has one.
    """
    digits = "400000" + f"{int.from_bytes(blake2b(card_id.encode(), digest_size=8).digest()) % 10**9:09d}"
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::2])
    return digits + str(-(doubled + sum(map(int, digits[1::2]))) % 10)


def _plain(record: Record) -> Record:
    return record


def _camel_case(record: Record) -> Record:
    """Field names in camel case, amounts as numbers, times with an offset, and one unknown field."""
    row: Record = {}
    for field, value in record.items():
        first, *others = field.split("_")
        row[first + "".join(word.title() for word in others)] = value
    if "cardId" in row:
        row["cardNumber"] = card_number(str(row.pop("cardId")))
    if "amount" in row:
        row["amount"] = _number(row["amount"])
    if at := _time(record):
        row["timestamp"] = at.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="microseconds")
    row["batchRef"] = "B-2041"
    return row


def _flat(record: Record) -> Record:
    """The location in columns of its own, times as databases write them: in UTC, without a zone."""
    row = {field: value for field, value in record.items() if field not in {"location", "card_id"}}
    location = record.get("location")
    row |= location if isinstance(location, dict) else {"location": location} if location else {}
    if "card_id" in record:
        row["card_number"] = card_number(str(record["card_id"]))
    if at := _time(record):
        row["timestamp"] = at.strftime("%Y-%m-%d %H:%M:%S.%f")
    row["terminal_batch"] = "000417"
    return row


_OLD_NAMES: Final = {
    "transaction_id": "txn_id", "user_id": "customer_id", "amount": "amt", "currency": "ccy", "timestamp": "ts",
    "location": "place", "latitude": "lat", "longitude": "lon", "country": "country_code", "city": "town",
    "merchant_id": "merchant", "merchant_category": "category", "channel": "entry_mode", "card_number": "pan",
    "device_id": "device", "ip_address": "ip", "payee_id": "beneficiary",
}  # fmt: skip


def _old_names(record: Record) -> Record:
    """As an old system exports: short names, commas between thousands, times in ms since the epoch."""
    row = {_OLD_NAMES[field]: value for field, value in _flat(record).items() if field in _OLD_NAMES}
    if isinstance(row.get("amt"), str):
        whole, point, rest = str(row["amt"]).partition(".")
        row["amt"] = f"{int(whole):,}{point}{rest}" if whole.isdigit() else row["amt"]
    if at := _time(record):
        row["ts"] = to_us(at) // 1000
    return row


def _event_time(record: Record) -> Record:
    """``event_time`` instead of ``timestamp``, and card numbers in groups of four digits, as printed on the card."""
    row = {field: value for field, value in record.items() if field not in {"timestamp", "card_id"}}
    if "timestamp" in record:
        row["event_time"] = record["timestamp"]
    if "card_id" in record:
        number = card_number(str(record["card_id"]))
        row["card_number"] = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    return row


def _number(value: object) -> object:
    # Written as a JSON number with the same digits; a float would not keep all of them.
    try:
        msgspec.json.decode(str(value), type=float)
    except msgspec.MsgspecError:
        return value
    return msgspec.Raw(str(value).encode())


def _time(record: Record) -> datetime | None:
    """Read the event time; None for a bad row: its time cannot be read or has no zone, and is left as it is."""
    try:
        at = datetime.fromisoformat(str(record.get("timestamp")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


PLAIN: Final = Sender("plain", "jsonl", _plain)
"""Writes records as they are on the wire. The demo uses it for a data set of your own."""

SENDERS: Final[tuple[Sender, ...]] = (
    Sender("northbank", "jsonl", _plain),
    Sender("acmepay", "jsonl", _camel_case),
    Sender(
        "euroterm",
        "csv",
        _flat,
        (
            "transaction_id", "user_id", "amount", "currency", "timestamp", "latitude", "longitude", "country",
            "city", "location", "merchant_id", "merchant_category", "channel", "card_number", "device_id",
            "ip_address", "payee_id", "terminal_batch",
        ),
    ),
    Sender("oldcore", "csv", _old_names, tuple(_OLD_NAMES.values())),
    Sender("cloudpos", "jsonl", _event_time, is_compressed=True),
)  # fmt: skip
"""All senders. Each user's payments come from one of them, as from one bank."""
