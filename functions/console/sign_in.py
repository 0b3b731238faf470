"""The pages about signing in and out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from console import notices
from console.oidc import Begun, IdentityProvider, ProviderUnavailableError, SignInError, StaleSignInError
from console.rights import groups_of
from console.route import Action
from console.routes import menu_of, safe_next
from console.sessions import SIGN_IN_LASTS, TOKEN_BYTES, SignIn, begin_session, sign_in_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.pages import Notice


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
        # Nothing is stored: everybody may ask for this, as often as they like.
        sign_in = SignIn(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            ends_at=int((visit.now + SIGN_IN_LASTS).timestamp()),
            next_path=safe_next(visit.query.get("next", "/")),
        )
        response = self._desk.pages.go("/")
        response.headers["Location"] = self._provider.begin(_begun(sign_in))
        self._set_cookie(response, self._cookie, sign_in.cookie, int(SIGN_IN_LASTS.total_seconds()))
        return response

    def finish_sign_in(self, visit: Visit) -> Response:
        """Begin the session of who comes back from the identity provider."""
        pages = self._desk.pages
        sign_in = sign_in_of(visit.cookies.get(self._cookie, ""))
        if sign_in is None or visit.now.timestamp() >= sign_in.ends_at:
            return pages.notice(notices.SIGN_IN_REFUSED, None)
        try:
            person = self._provider.finish(visit.query, _begun(sign_in), visit.now)
        except StaleSignInError:
            return self._ended(notices.STILL_SIGNED_IN, notices.SIGN_IN_REFUSED)
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
        response = pages.go(safe_next(sign_in.next_path))
        self._delete_cookie(response, self._cookie)
        lasts = int(self._desk.settings.lasts.total_seconds())
        self._set_cookie(response, self._desk.session_cookie, session_token, lasts)
        return response

    def sign_out(self, visit: Visit) -> Response:
        """End the session here, then the one at the identity provider: else whoever has the browser next is signed in by one press."""
        if visit.session is not None:
            self._desk.sessions.revoke(visit.session.session_key, visit.now)
        response = self._ended(notices.SIGNED_OUT, None)
        self._delete_cookie(response, self._desk.session_cookie)
        return response

    def _ended(self, notice: Notice, otherwise: Notice | None) -> Response:
        """Lead to where the provider signs the browser out; where that is not known, say something else, or show how to sign in.

        The browser goes there by a page, not by an answer: this answers a form, and forms lead nowhere but to the console.
        """
        try:
            address = self._provider.end()
        except ProviderUnavailableError:
            address = None
        pages = self._desk.pages
        if address is not None:
            return pages.page("signed_out.html", None, notice.status, notice=notice, address=address)
        return pages.go("/sign-in") if otherwise is None else pages.notice(otherwise, None)

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


def _begun(sign_in: SignIn) -> Begun:
    begun_at_s = sign_in.ends_at - int(SIGN_IN_LASTS.total_seconds())
    return Begun(sign_in.state, sign_in.nonce, sign_in.code_verifier, begun_at_s)
