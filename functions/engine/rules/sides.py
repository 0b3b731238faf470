"""The two sides of a ruleset with a candidate, and which one decides for a user.

A user is drawn by a hash of the user's id, keyed by the candidate's version and a random key that whoever made the candidate has drawn. So a user stays on
one side while the candidate lasts, also when its share grows or a rule is suspended, another candidate draws other users, and no sender can choose ids
that lie on one side: the version is known to many, the key is in the document alone.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import Final

from contract.side import Side

MAX_SHARE_PERCENT: Final = 50
"""The largest share of users for whom a candidate decides: what it is compared with must decide, too."""

DRAW_KEY_DIGITS: Final = 32
"""Hexadecimal digits of a candidate's key: 128 random bits."""

_HASH_BYTES: Final = 8
_HASHES: Final = 1 << (8 * _HASH_BYTES)


class UserDraw:
    """Draws the users of a candidate. Immutable.

    Parameters
    ----------
    version : str
        The candidate's.
    share_percent : float
        Of the users for whom it decides; 0 to :data:`MAX_SHARE_PERCENT`. For all others it is only evaluated.
    draw_key : str | None
        :data:`DRAW_KEY_DIGITS` hexadecimal digits; None of a document from before there were keys, whose users are drawn by the version alone, so that
        its stored rows can be recomputed. Nobody can propose one like that for a share of the users any more.
    """

    def __init__(self, version: str, share_percent: float, draw_key: str | None = None) -> None:
        self._share_percent = share_percent
        self._is_keyed = draw_key is not None
        # A key of BLAKE2 has at most 64 bytes; a version has up to 64 characters. The version is last: the key's length is fixed.
        self._key = sha256(f"{draw_key or ''}{version}".encode()).digest()
        self._limit = round(share_percent / 100 * _HASHES)

    @property
    def share_percent(self) -> float:
        """Share of the users for whom the candidate decides, in percent."""
        return self._share_percent

    @property
    def can_be_chosen(self) -> bool:
        """Whether senders can find out whom the candidate decides for: it decides for somebody, and has no key."""
        return self._limit > 0 and not self._is_keyed

    def side_of(self, user_id: str) -> Side:
        """Which side decides for a user: a function of the user's id, the candidate's version, key and share.

        Examples
        --------
        >>> draw = UserDraw("2026-12-01", 10.0)
        >>> [number for number in range(40) if draw.side_of(f"user-{number}") is Side.CANDIDATE]
        [18, 23, 25, 37]
        """
        if not self._limit:
            return Side.CHAMPION
        drawn = blake2b(
            user_id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES, key=self._key
        ).digest()
        return Side.CANDIDATE if int.from_bytes(drawn, "big") < self._limit else Side.CHAMPION
