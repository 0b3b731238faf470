"""The two sides of a ruleset with a candidate, and which one decides for a user.

A user is drawn by a hash of the user's id, keyed by the candidate's version. So a user stays on one side while the candidate lasts, also
when its share grows or a rule is suspended, and another candidate draws other users.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import Final

from contract.side import Side

MAX_SHARE_PERCENT: Final = 50
"""The largest share of users for whom a candidate decides: what it is compared with must decide, too."""

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
    """

    def __init__(self, version: str, share_percent: float) -> None:
        self._share_percent = share_percent
        # A key of BLAKE2 has at most 64 bytes; a version has up to 64 characters.
        self._key = sha256(version.encode()).digest()
        self._limit = round(share_percent / 100 * _HASHES)

    @property
    def share_percent(self) -> float:
        """Share of the users for whom the candidate decides, in percent."""
        return self._share_percent

    def side_of(self, user_id: str) -> Side:
        """Which side decides for a user: a function of the user's id, the candidate's version and its share.

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
