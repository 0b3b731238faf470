"""Reads and writes messages of the labels queue. Each error names the field at fault, never its value."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import msgspec

from contract.clock import parse_event_key
from contract.errors import InvalidLabelError, InvalidTransactionError
from contract.json_object import JsonNumber, read_object
from contract.label import FraudType, IdentifiedLabel, LabelMessage, LabelSource, LabelVerdict
from contract.text import canonical_text, is_acceptable_id

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""The largest message that is read, in bytes of UTF-8."""

CONFIDENCE_DIGITS: Final = 4
"""Decimals of a confidence; further ones are rounded off."""

_WORDS: Final = {
    field: tuple(word.value for word in words)
    for field, words in (("verdict", LabelVerdict), ("source", LabelSource), ("fraud_type", FraudType))
}
"""Field to the words that it may hold."""
_IDS: Final = ("transaction_id", "user_id")
_ENCODER: Final = msgspec.json.Encoder()


def decode_label_message(data: bytes) -> LabelMessage:
    """Read and check one message.

    Parameters
    ----------
    data : bytes
        The body: a JSON object in UTF-8. Fields that the contract does not know are dropped; null is no value. Words may be written in
        any case, with spaces or hyphens.

    Returns
    -------
    LabelMessage
        Valid, its times in UTC.

    Raises
    ------
    InvalidLabelError
        Naming the field that is missing or cannot be used.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise InvalidLabelError("$", f"message of {len(data)} bytes; at most {MAX_MESSAGE_BYTES}")
    try:
        record = read_object(data)
    except InvalidTransactionError as error:
        raise InvalidLabelError(error.field, error.problem) from error
    values = {
        field: _value(field, record[field])
        for field in LabelMessage.__struct_fields__
        if record.get(field) is not None
    }
    try:
        message = msgspec.convert(values, LabelMessage)
    except msgspec.ValidationError as error:
        raise _from_msgspec(error) from error
    _check(message)
    return msgspec.structs.replace(
        message,
        known_at=_in_utc("known_at", message.known_at),
        timestamp=_in_utc("timestamp", message.timestamp),
    )


def encode_label_message(message: LabelMessage) -> bytes:
    """Write a message as it is on the queue: JSON in UTF-8, without what is not given."""
    return _ENCODER.encode(message)


def identified(message: LabelMessage, sent_at: datetime) -> IdentifiedLabel:
    """Give a message what it lacks: the time at which it became known, and an id from its content.

    Parameters
    ----------
    message : LabelMessage
        As it was decoded.
    sent_at : datetime
        When it was sent, UTC; the same at each delivery.
    """
    known_at = message.known_at or sent_at
    label_id = message.label_id or content_hash(msgspec.structs.replace(message, known_at=known_at))
    return IdentifiedLabel(**{**msgspec.structs.asdict(message), "known_at": known_at, "label_id": label_id})


def content_hash(message: LabelMessage) -> str:
    """32 characters that represent a message: two messages that say the same of one payment have the same."""
    return blake2b(_ENCODER.encode(message), digest_size=16).hexdigest()


def _value(field: str, value: object) -> object:
    if isinstance(value, JsonNumber):
        if field == "confidence":
            # DynamoDB has no numbers between 0 and 1e-130.
            return round(float(value), CONFIDENCE_DIGITS)
        # An id as its digits, where all of them are there.
        return str(value) if field in _IDS and value.isdigit() else 0
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidLabelError(field, "half of a surrogate pair") from error
        if field in _WORDS:
            word = canonical_text(value).lower().replace(" ", "_").replace("-", "_")
            if word not in _WORDS[field]:
                raise InvalidLabelError(field, f"not one of {', '.join(_WORDS[field])}")
            return word
    return value


def _check(message: LabelMessage) -> None:
    """What types cannot express."""
    for field in _IDS:
        value = getattr(message, field)
        if value is not None and not is_acceptable_id(value):
            raise InvalidLabelError(field, "blank, or with control or unprintable characters")
    for field in ("label_id", "withdraws"):
        # In Python a pattern's end also matches before a last line feed.
        if (getattr(message, field) or "").endswith("\n"):
            raise InvalidLabelError(field, "ends in a line feed")
    is_withdrawal = message.verdict is LabelVerdict.WITHDRAWN
    if is_withdrawal and message.withdraws is None:
        raise InvalidLabelError(
            "withdraws", "missing; withdrawn needs the id of the label that does not count any more"
        )
    if not is_withdrawal and message.withdraws is not None:
        raise InvalidLabelError("withdraws", "only of the verdict withdrawn")
    if message.fraud_type is not None and message.verdict is not LabelVerdict.FRAUD:
        raise InvalidLabelError("fraud_type", "only of the verdict fraud")
    if is_withdrawal and message.withdraws == message.label_id:
        raise InvalidLabelError("withdraws", "the label's own id")
    if message.event_key is not None:
        _check_key(message.event_key, message.transaction_id)


def _check_key(event_key: str, transaction_id: str) -> None:
    try:
        _, named = parse_event_key(event_key)
    except ValueError as error:
        raise InvalidLabelError("event_key", "not the key of a row of transaction_history") from error
    if named != transaction_id:
        raise InvalidLabelError("event_key", "of another transaction_id than the message's")


def _in_utc(field: str, at: datetime | None) -> datetime | None:
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError as error:
        raise InvalidLabelError(field, "outside the years 1 to 9999 in UTC") from error


def _from_msgspec(error: msgspec.ValidationError) -> InvalidLabelError:
    problem, _, path = str(error).partition(" - at `$.")
    if problem.startswith("Object missing required field"):
        return InvalidLabelError(problem.split("`")[1], "missing")
    return InvalidLabelError(path.rstrip("`") or "$", problem[:1].lower() + problem[1:])
