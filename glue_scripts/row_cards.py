"""Replaces the card numbers of a row by tokens: in the fields that go to the topic, and in the text that goes to quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.card_records import UNSEARCHED, replace_in_field, replace_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.card_tokens import CardTokens


def replace_in_record(record: dict[str, object], tokens: CardTokens) -> None:
    """Replace the card numbers in a mapped row, in place: in every field but ids, amount and time.

    Parameters
    ----------
    record : dict[str, object]
        Field to value, as the contract's JSON has them.
    tokens : CardTokens
        What replaces them.
    """
    place = record.get("location")
    if isinstance(place, dict):
        for part, value in place.items():
            if isinstance(value, str):
                place[part] = replace_in_field(f"location.{part}", value, tokens.token)
    for field, value in record.items():
        if isinstance(value, str) and field not in UNSEARCHED:
            record[field] = replace_in_field(field, value, tokens.token)


def quarantined_text(line: bytes, ids: Iterable[str], delimiter: str | None, tokens: CardTokens) -> str:
    r"""Write a refused row as text without card numbers; ids that could be read keep their value.

    Parameters
    ----------
    line : bytes
        The row, whatever its bytes are. Those that are not UTF-8 are written as ``\xff``.
    ids : Iterable[str]
        Values of its ids.
    delimiter : str | None
        Between its cells, where they could be read.
    tokens : CardTokens
        What replaces card numbers.
    """
    # Bytes that are not UTF-8 are separators while the text is searched. Written out before, they would be letters and digits.
    text = line.decode("utf-8", "surrogateescape")
    text = replace_in_text(text, ids, tokens.token, delimiter=delimiter)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
