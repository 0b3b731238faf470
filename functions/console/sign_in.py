"""The pages about signing in and out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from console import notices
from console.oidc import Begun, IdentityProvider, SignInError
from console.rights import groups_of
from console.route import Action
from console.routes import menu_of, safe_next
from console.sessions import (
    SIGN_IN,
    SIGN_IN_LASTS,
    TOKEN_BYTES,
    SignIn,
    begin_session,
    key_of,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit

_SECONDS_KEPT: Final = 3600


class SignInPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    provider : IdentityProvider
        Where people sign in.
    """

    def __init__(self, desk: Desk, provider: IdentityProvider) -> None:
        self._desk = desk
        self._provider = provider

    @property
    def _cookie(self) -> str:
        return "__Host-console_sign_in" if self._desk.settings.is_secure else "console_sign_in"

    def home(self, visit: Visit) -> Response:
        """Go to the first page of somebody's menu."""
        if visit.who is None:
            return self._desk.pages.go("/sign-in")
        return self._desk.pages.go(menu_of(visit.who.rights)[0].path)

    def sign_in(self, visit: Visit) -> Response:
        """Show how to sign in."""
        if visit.who is not None:
            return self._desk.pages.go("/")
        next_path = safe_next(visit.query.get("next", "/"))
        return self._desk.pages.page("sign_in.html", None, next_path=next_path)

    def begin_sign_in(self, visit: Visit) -> Response:
        """Send the browser to the identity provider."""
        begun = self._provider.begin()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        ends_at = visit.now + SIGN_IN_LASTS
        row = SignIn(
            session_key=key_of(SIGN_IN, token),
            state=begun.state,
            nonce=begun.nonce,
            code_verifier=begun.code_verifier,
            next_path=safe_next(visit.query.get("next", "/")),
            ends_at=ends_at,
            expires_at=int(ends_at.timestamp()) + _SECONDS_KEPT,
        )
        self._desk.sessions.insert(row)
        response = self._desk.pages.go("/")
        response.headers["Location"] = begun.url
        self._set_cookie(response, self._cookie, token, int(SIGN_IN_LASTS.total_seconds()))
        return response

    def finish_sign_in(self, visit: Visit) -> Response:
        """Begin the session of who comes back from the identity provider."""
        pages = self._desk.pages
        token = visit.cookies.get(self._cookie, "")
        row = self._desk.sessions.take_sign_in(key_of(SIGN_IN, token)) if token else None
        if row is None or visit.now >= row.ends_at:
            return pages.notice(notices.SIGN_IN_REFUSED, None)
        try:
            begun = Begun("", row.state, row.nonce, row.code_verifier)
            person = self._provider.finish(visit.query, begun, visit.now)
        except SignInError:
            return pages.notice(notices.SIGN_IN_REFUSED, None)
        session_token = secrets.token_urlsafe(TOKEN_BYTES)
        groups = groups_of(person.groups)
        session = begin_session(
            session_token, person.person, person.name, groups, visit.now, self._desk.settings.lasts
        )
        self._desk.record(Action.SIGNED_IN, session, "allowed" if groups else "no_group")
        if not groups:
            return pages.notice(notices.NO_GROUP, None)
        self._desk.sessions.insert(session)
        response = pages.go(row.next_path)
        self._delete_cookie(response, self._cookie)
        lasts = int(self._desk.settings.lasts.total_seconds())
        self._set_cookie(response, self._desk.session_cookie, session_token, lasts)
        return response

    def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        if visit.session is not None:
            self._desk.sessions.revoke(visit.session.session_key, visit.now)
        response = self._desk.pages.go("/sign-in")
        self._delete_cookie(response, self._desk.session_cookie)
        return response

    def _delete_cookie(self, response: Response, name: str) -> None:
        # With the attributes that it was set with: a browser ignores an answer about a "__Host-" cookie without them.
        self._set_cookie(response, name, "", 0)

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._desk.settings.is_secure,
            httponly=True,
            samesite="lax",
        )
