"""What an audit event has in place of a personal value that somebody asked for: its hash.

Who knows the value finds who asked for it: that is what the hash is for, so it has no key. Auditors compute it where they have no secret, from copies of the trail
that are years old. Who reads the trail could try a list of user ids, and would learn which of them somebody had looked for; nobody but auditors reads it.
Card numbers cannot be tried: what people look for are tokens, which have a key.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from contract.addresses import canonical_address
from contract.case import owner_of
from contract.text import canonical_id

if TYPE_CHECKING:
    from contract.audit import AuditEvent

ASKED: Final = "asked"
"""Name of the detail of an event."""

MAX_ASKED_CHARACTERS: Final = 256
"""Of what somebody asks for; more is neither searched for nor hashed. No id of a payment is as long."""

OPAQUE_ID: Final = "id"
"""Kind of an id that events have as it is: of a case, a payment, an alert, a change."""

_BYTES: Final = 16
_BY_THEMSELVES: Final = frozenset({"user", "transaction", OPAQUE_ID})
"""Kinds whose values are compared as they are; the others as payments have them."""


def asked_text(value: str) -> str:
    """Take from a form what is searched for. The search and the hash both take it from here, so that the hash is that of what was searched for.

    >>> asked_text(" u-1 "), len(asked_text("x" * 300))
    ('u-1', 256)
    """
    return value.strip()[:MAX_ASKED_CHARACTERS].rstrip()


def value_hash(kind: str, value: str) -> str:
    """Hash of a value, 32 hexadecimal digits.

    Parameters
    ----------
    kind : str
        What it is, as the form of the search says: ``user``, ``transaction``, ``card_id``, ``ip_address``.
    value : str
        As somebody typed it.

    >>> value_hash("ip_address", " 203.0.113.7:443 ") == value_hash("ip_address", "203.0.113.7")
    True
    """
    text = asked_text(value)
    if kind == "ip_address":
        text = canonical_address(text) or text
    elif kind not in _BY_THEMSELVES:
        text = canonical_id(text) or text
    return blake2b(msgspec.json.encode([kind, text]), digest_size=_BYTES, person=b"audit value").hexdigest()


def is_about(event: AuditEvent, kind: str, value: str) -> bool:
    """Whether an event is about a value: somebody asked for it, or the event names it.

    Parameters
    ----------
    event : AuditEvent
        Any.
    kind : str
        As for :func:`value_hash`, or :data:`OPAQUE_ID`. Of a user, the events of the user's cases count too: a case is named by a hash of its user.
    value : str
        As somebody typed it; nothing is about an empty one.
    """
    text = asked_text(value)
    if not text:
        return False
    if kind == "user" and event.subject.startswith(f"{owner_of(text)}-"):
        return True
    if kind == OPAQUE_ID and (
        event.subject == text or any(text in each.split() for each in event.details.values())
    ):
        return True
    return event.details.get(ASKED) == value_hash(kind, text)
