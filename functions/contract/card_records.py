"""Replaces card numbers in whole records: in the fields of a payment, and in the bytes of what is quarantined. Ids keep their value."""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import msgspec

from contract.byte_order import marked_encoding
from contract.card_issuers import SHORTEST
from contract.card_numbers import CARD_FIELD, IDS, replace_card_field, replace_card_numbers, replace_in_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

UNSEARCHED: Final = IDS | {"amount", "timestamp", "currency"}
"""Fields of a payment that are never searched for card numbers."""

_COORDINATE: Final = re.compile(r"(?<![\d.,])[-+]?\d{1,3}\.\d{3,}(?![\w.]|\s?[eExX*])")
"""``48.13743000000001``: as many digits as a card has, in a place that is given as text. Not the beginning of ``4.1…E15``."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PORT: Final = re.compile(r"\]?:\d{1,5}$")
_DECODER: Final = msgspec.json.Decoder(dict[str, object])


def replace_in_field(field: str, text: str, replacement: Callable[[str], str]) -> str:
    """Replace the card numbers in one text of a payment.

    Parameters
    ----------
    field : str
        Its name; ``location.city`` for a part of the location.
    text : str
        Its value.
    replacement : Callable[[str], str]
        Digits of a card number to what replaces it.

    Returns
    -------
    str
        ``text`` itself where there is nothing to replace: in ids, amounts and times, in addresses and coordinates.
    """
    if field in UNSEARCHED:
        return text
    if field == CARD_FIELD:
        if is_uuid(text):
            return text
        return replace_card_field(text, replacement)
    if field == "ip_address" and is_address(text):
        return text
    if field == "location" and text.isascii():
        parts = _COORDINATE.split(text)
        kept = [*_COORDINATE.findall(text), ""]
        replaced = (replace_card_numbers(part, replacement) for part in parts)
        return "".join(text for pair in zip(replaced, kept, strict=True) for text in pair)
    return replace_card_numbers(text, replacement)


def replace_in_bytes(data: bytes, ids: Iterable[str], replacement: Callable[[str], str]) -> bytes:
    """Replace the card numbers in a record that cannot be read as a payment, whatever its bytes are.

    Parameters
    ----------
    data : bytes
        The whole record. What is not UTF-8 in it parts digits, and stays as it is.
    ids : Iterable[str]
        Values of its ids, where they could be read: they stay.
    replacement : Callable[[str], str]
        Digits of a card number to what replaces it.

    Returns
    -------
    bytes
        ``data`` itself where there is nothing to replace.
    """
    marked = marked_encoding(data)
    codec, errors = "utf-8" if marked is None else marked.encoding, "surrogateescape"
    try:
        text = data.decode(codec, errors)
    except UnicodeDecodeError:
        # Half a character of UTF-16: its bytes are read as they are, and the NULs in it part digits.
        codec = "utf-8"
        text = data.decode(codec, errors)
    replaced = replace_in_text(text, ids, replacement)
    return data if replaced is text else replaced.encode(codec, errors)


def replace_in_text(
    text: str, ids: Iterable[str], replacement: Callable[[str], str], *, delimiter: str | None = None
) -> str:
    """Replace the card numbers in the text of a record.

    Parameters
    ----------
    text : str
        The whole record.
    ids : Iterable[str]
        Values of its ids, where they could be read: they stay.
    replacement : Callable[[str], str]
        Digits of a card number to what replaces it.
    delimiter : str, optional
        Between the cells of a line of CSV that could be read; without one, anything may part the digits of a number.

    Returns
    -------
    str
        ``text`` itself where there is nothing to replace.
    """

    def replaced(part: str) -> str:
        if delimiter is None:
            return replace_card_numbers(part, replacement)
        return replace_in_cells(part, delimiter, replacement)

    kept = [value for value, count in Counter(ids).items() if _is_worth_keeping(value, count, text)]
    if not kept:
        parts = [replaced(text)]
    else:
        values = "|".join(map(re.escape, sorted(kept, key=len, reverse=True)))
        # Odd parts are ids, as the group of the pattern gives them.
        parts = re.split(rf"(?<![^\W_])({values})(?![^\W_])", text)
        parts[::2] = map(replaced, parts[::2])
    joined = "".join(parts)
    return text if joined == text else joined


def ids_of_json(data: bytes) -> list[str]:
    """List the values of a JSON object's ids, in the contract's names; none where the record is no JSON object."""
    try:
        return ids_of(_DECODER.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def ids_of(record: Mapping[str, object]) -> list[str]:
    """List the values of a record's ids, as text."""
    return [str(value) for field, value in record.items() if field in IDS and isinstance(value, str | int)]


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID: one in some thousands holds the digits of a card by chance.

    >>> is_uuid("3f2504e0-4f89-11d3-9a0c-0305e82c3301"), is_uuid("41111111-1111-1111-4111-111111111111")
    (True, False)
    """
    return _UUID.fullmatch(text) is not None and not text.replace("-", "").isdecimal()


def is_address(text: str) -> bool:
    """Whether a text is an IP address, with a port or without, or a list of such hops; its digits are then no card number.

    >>> is_address("203.0.113.129:44321"), is_address("203.0.113.9, 10.0.0.1"), is_address("4111.1111.1111.1111")
    (True, True, False)
    """
    return all(map(_is_one_address, text.split(",")))


def _is_one_address(text: str) -> bool:
    hop = text.strip()
    for form in (hop, _PORT.sub("", hop)):
        try:
            ip_address(form.strip("[]"))
        except ValueError:
            continue
        return True
    return False


def _is_worth_keeping(value: str, count: int, text: str) -> bool:
    # An id that is the value of another field too, such as the card's, is not kept in either: it would show the card.
    return len(value) >= SHORTEST and text.count(value) == count
