"""Sessions as rows, and sign-ins that are not finished as cookies: what they hold, and when they end. Pure.

The browser has a random token of 256 bits, the row's key has only its hash: whoever reads the table has nobody's session. A sign-in has
no row: everybody may begin one.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from console.rights import Group

SESSIONS_TABLE: Final = "console_sessions"

SESSION: Final = "session#"
"""How the key of a session begins."""

TOKEN_BYTES: Final = 32

SIGN_IN_LASTS: Final = timedelta(minutes=15)
"""How long somebody may take at the identity provider."""

MAX_COOKIE_CHARACTERS: Final = 2_000
"""Of a sign-in's cookie; the longest path of a page takes a fifth of it."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How often a session's row says that it is used: not with each page."""

KEPT_AFTER_END: Final = timedelta(days=1)
"""How long a row is kept after its end, so that a page can list what ended."""

Instant = Annotated[datetime, Meta(tz=True)]


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``console_sessions``: somebody who is signed in."""

    session_key: str
    person: str
    """The id that the identity provider gives the person."""
    name: str
    """For people to read."""
    groups: tuple[Group, ...]
    began_at: Instant
    seen_at: Instant
    """When it was used last, to :data:`SEEN_EVERY`."""
    ends_at: Instant
    """However much it is used."""
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch."""
    revoked_at: Instant | None = None

    def is_alive(self, now: datetime, idle: timedelta) -> bool:
        """Whether it still counts, at a time and with the time that a session may be unused."""
        return self.revoked_at is None and now < self.ends_at and now - self.seen_at < idle

    @property
    def short_id(self) -> str:
        """Names it in audit events: the beginning of its hash."""
        return self.session_key.removeprefix(SESSION)[:16]


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is at the identity provider, as the browser's cookie says. What the provider gets follows from all of it by HMAC."""

    token: str
    """Random."""
    ends_at: int
    """From when its answer is refused, seconds since the epoch. With another time in the cookie, the answer is to another sign-in."""
    next_path: str
    """Where to go afterwards."""

    @property
    def state(self) -> str:
        """Comes back with the browser: the answer is to this very request."""
        return self._secret(b"state")

    @property
    def nonce(self) -> str:
        """Comes back inside the identity token."""
        return self._secret(b"nonce")

    @property
    def code_verifier(self) -> str:
        """Of PKCE: whoever has stolen the code cannot use it."""
        return self._secret(b"code verifier")

    @property
    def cookie(self) -> str:
        """The cookie's value."""
        return f"{self.token}.{self.ends_at}.{self.next_path.encode().hex()}"

    def _secret(self, name: bytes) -> str:
        return hmac.new(self.cookie.encode(), b"console sign-in " + name, hashlib.sha256).hexdigest()


def sign_in_of(cookie: str) -> SignIn | None:
    """Read a sign-in's cookie; None for text of another form.

    >>> sign_in_of(SignIn(token="t", ends_at=1_900_000_000, next_path="/queue").cookie).next_path
    '/queue'
    """
    token, _, rest = cookie.partition(".")
    ends_at, _, path = rest.partition(".")
    if not token or not (ends_at.isascii() and ends_at.isdigit()) or len(cookie) > MAX_COOKIE_CHARACTERS:
        return None
    try:
        return SignIn(token=token, ends_at=int(ends_at), next_path=bytes.fromhex(path).decode())
    except ValueError:
        return None


def key_of(token: str) -> str:
    """Key of the session of a browser's token."""
    return SESSION + hashlib.sha256(token.encode()).hexdigest()


def begin_session(
    token: str, person: str, name: str, groups: tuple[Group, ...], now: datetime, lasts: timedelta
) -> Session:
    """Make the session of a new token."""
    ends_at = now + lasts
    return Session(
        session_key=key_of(token),
        person=person,
        name=name,
        groups=groups,
        began_at=now,
        seen_at=now,
        ends_at=ends_at,
        expires_at=int((ends_at + KEPT_AFTER_END).timestamp()),
    )


def csrf_token(token: str) -> str:
    """What the forms of a session bear: another site can make the browser send its cookie, and cannot know this.

    It follows from the session's token and leads not back to it, so there is nothing to store.
    """
    return hmac.new(token.encode(), b"console form", hashlib.sha256).hexdigest()


def is_form_of(token: str, given: str) -> bool:
    """Whether a form bears its session's token."""
    return hmac.compare_digest(csrf_token(token).encode(), given.encode())
