"""A user's verdicts of people, as the cache keeps them beside the profile: the newest, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.verdict import Verdict
from engine.profile.seen_values import UNFAMILIAR_BY_FRAUD, SeenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LISTED: Final = 16
"""How many verdicts are kept for a user: those that became known last. More than a profile applies in one go, so that a payment
that waits to teach does not miss its verdict because others were judged with it (:meth:`~engine.profile.profile.Profile.lessons`)."""

TEACHES_AFTER_S: Final = 60
"""How long a verdict that a payment was legitimate waits until it teaches, seconds. A profile does not forget what it has learned, and whoever
judges can undo it for ten seconds: by then its withdrawal has arrived. A fraud teaches at once; it makes nothing familiar."""

FORMAT: Final = b"\x02"

_64_BITS: Final = 2**64 - 1
_MAX_TIME_S: Final = 2**32 - 1

_ENCODER: Final = msgspec.msgpack.Encoder()


class ListedVerdict(msgspec.Struct, frozen=True, array_like=True):
    """A verdict, and since when it is known."""

    verdict: Verdict
    recorded_s: int
    """When the label that counts was stored, s since the epoch."""

    def teaches(self, now_s: float) -> bool:
        """Whether a profile may apply it by now."""
        return self.verdict.is_fraud or self.recorded_s + TEACHES_AFTER_S <= now_s


_DECODER: Final = msgspec.msgpack.Decoder(tuple[ListedVerdict, ...])


class VerdictListFormatError(Exception):
    """Bytes that are no list of verdicts of this format; says why."""


def to_bytes(verdicts: Sequence[ListedVerdict]) -> bytes:
    """Write a user's verdicts, oldest first by when they became known; the newest :data:`MAX_LISTED` are kept."""
    return FORMAT + _ENCODER.encode(verdicts[-MAX_LISTED:])


def from_bytes(data: bytes) -> tuple[ListedVerdict, ...]:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    VerdictListFormatError
        For bytes of another format, or values that no verdict has.
    """
    if data[:1] != FORMAT:
        raise VerdictListFormatError(f"list of verdicts begins with {data[:1]!r}")
    try:
        verdicts = _DECODER.decode(data[1:])
    except msgspec.MsgspecError as error:
        raise VerdictListFormatError(str(error)) from error
    if len(verdicts) > MAX_LISTED or not all(map(_is_possible, verdicts)):
        raise VerdictListFormatError("a verdict that a profile cannot apply, or too many")
    return verdicts


def taught(listed: Sequence[ListedVerdict], now_s: float) -> list[Verdict]:
    """Give the verdicts that a profile may apply by now.

    One of legitimate waits, so a profile may have applied a fraud that became known after it: it must not make familiar again
    what that fraud has made unfamiliar. So it is given without these values.

    Parameters
    ----------
    listed : Sequence[ListedVerdict]
        A user's, oldest first by when they became known.
    now_s : float
        The clock, s since the epoch.

    Returns
    -------
    list[Verdict]
        In their order.
    """
    found: list[Verdict] = []
    unfamiliar: set[int] = set()
    for each in reversed(listed):
        verdict = each.verdict
        if verdict.is_fraud:
            unfamiliar.update(verdict.seen[kind] for kind in UNFAMILIAR_BY_FRAUD)
        elif not unfamiliar.isdisjoint(verdict.seen):
            seen = tuple(0 if value in unfamiliar else value for value in verdict.seen)
            verdict = msgspec.structs.replace(verdict, seen=seen)
        if each.teaches(now_s):
            found.append(verdict)
    return found[::-1]


def _is_possible(listed: ListedVerdict) -> bool:
    verdict = listed.verdict
    hashes = (verdict.verdict_hash, verdict.key_hash, *verdict.seen)
    return (
        len(verdict.seen) == len(SeenKind)
        and 0 <= verdict.at_s <= _MAX_TIME_S
        and all(0 <= value <= _64_BITS for value in hashes)
    )
