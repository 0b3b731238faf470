"""Masks card numbers of payments that did not come through the ingestion job, which has the key of the tokens.

The mask keeps the last four digits and nothing else. It distinguishes the few cards of one user. Across users it is no identity:
thousands of cards share four digits. So:

- What looks at one card across users leaves masked ones out (:func:`is_masked`).
- What would be wrong for two cards does not rest on a mask: a payment with a masked card repeats no other one under another time.
- A number of different cards is a lower bound.
- Of two payments under one id, time and content whose cards have the same last four digits, the second is taken for the first.
"""

from __future__ import annotations

from typing import Final

from contract.card_numbers import CARD_FIELD, may_hold_card_number
from contract.card_records import ids_of_json, is_uuid, replace_in_bytes, replace_in_field
from contract.escapes import may_hold_escapes

PREFIX: Final = "card_****"
"""Begins every mask; the last four digits follow."""

_MASK_CHARACTERS: Final = len(PREFIX) + 4


def mask(digits: str) -> str:
    """Write a card number so that it may be stored.

    >>> mask("4111111111111111")
    'card_****1111'
    """
    return PREFIX + digits[-4:]


def is_masked(card_id: str | None) -> bool:
    """Whether a card field holds a mask: a card of which only the last four digits are known.

    >>> is_masked("card_****1111"), is_masked("tok_abc"), is_masked(None)
    (True, False, False)
    """
    return card_id is not None and card_id.startswith(PREFIX) and len(card_id) == _MASK_CHARACTERS


def masked_text(field: str, text: str) -> str:
    """Mask the card numbers in one text of a payment.

    Parameters
    ----------
    field : str
        Its name; ``location.city`` for a part of the location.
    text : str
        Its value.

    Returns
    -------
    str
        ``text`` itself for nearly every payment; never longer than it, but for a mask that is all there is.
    """
    # Usual values are words, a token or a UUID: one search settles them.
    if field == CARD_FIELD and is_uuid(text):
        return text
    if not may_hold_card_number(text) and not may_hold_escapes(text):
        return text
    replaced = replace_in_field(field, text, mask)
    return text if replaced == text else replaced[: max(len(text), _MASK_CHARACTERS)]


def masked_record(data: bytes) -> bytes:
    """Mask the card numbers in the bytes of a record that is no payment; ids that can be read keep their value."""
    return replace_in_bytes(data, ids_of_json(data), mask)
