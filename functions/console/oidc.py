"""Signing in at an identity provider: OpenID Connect with PKCE, as a public client without a secret.

Authlib and joserfc (with `cryptography`) are imported only by who signs in: they take longer to import than all the rest of the console.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

import msgspec

from common.sanitizing import printable
from console.errors import ConsoleError
from contract.audit import MAX_TEXT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be from ours."""

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures that are accepted; never "none", and none with a shared secret."""


class SignInError(ConsoleError):
    """A sign-in that cannot be finished. The sentence says why, and nothing of the person."""


class StaleSignInError(SignInError):
    """A sign-in for which the provider has not asked for the password: somebody was still signed in there, perhaps another person."""


class ProviderUnavailableError(ConsoleError):
    """The identity provider did not answer, or with something else than its documents."""


class Web(Protocol):
    """The two requests that are made; see :class:`console.web.Urllib3Web`. They raise ProviderUnavailableError."""

    def get(self, url: str) -> bytes:
        """Fetch a document."""
        ...

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form; status and body of the answer."""
        ...


class Endpoints(msgspec.Struct, frozen=True):
    """What is used of the provider's document of endpoints (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    """Where a browser is signed out (OpenID Connect RP-Initiated Logout 1.0, 2.1); None where the provider has none."""


class Begun(msgspec.Struct, frozen=True):
    """Secrets of a sign-in that the provider gets, the last one as its hash."""

    state: str
    nonce: str
    code_verifier: str
    """43 to 128 characters (RFC 7636, 4.1)."""
    at_s: int
    """When, seconds since the epoch. The password must have been given since."""


class Person(msgspec.Struct, frozen=True):
    """Who has signed in."""

    person: str
    """The provider's id, ``sub``."""
    name: str
    """For people to read."""
    groups: tuple[str, ...]
    """Names of all groups, ours or not."""


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class IdentityProvider:
    """Sends people to the provider, and finds out who came back.

    Parameters
    ----------
    web : Web
        Makes requests.
    issuer, discovery_url, client_id, groups_claim : str
        As in the settings.
    redirect_uri : str
        The console's address to which the provider sends people back; it knows this one and no other.
    signed_out_uri : str
        The console's address to which the provider sends whoever has signed out; the only one, too.
    """

    def __init__(
        self,
        web: Web,
        issuer: str,
        discovery_url: str,
        client_id: str,
        groups_claim: str,
        redirect_uri: str,
        signed_out_uri: str,
    ) -> None:
        self._web = web
        self._issuer = issuer
        self._discovery_url = discovery_url
        self._client_id = client_id
        self._groups_claim = groups_claim
        self._redirect_uri = redirect_uri
        self._signed_out_uri = signed_out_uri
        self._endpoints: Endpoints | None = None
        self._keys: Any = None

    def begin(self, begun: Begun) -> str:
        """Make the address to which a browser is sent; ProviderUnavailableError.

        The provider is asked to ask for the password though somebody is signed in there still: it may be who used the browser before.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        address: str = prepare_grant_uri(
            self._discover().authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid profile",
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.code_verifier),
            code_challenge_method="S256",
            prompt="login",
        )
        return address

    def end(self) -> str | None:
        """Make the address that signs a browser out at the provider and sends it back; None where the provider has none. ProviderUnavailableError.

        Cognito takes ``logout_uri`` and ignores the rest, other providers take the standard's ``post_logout_redirect_uri``.
        """
        endpoint = self._discover().end_session_endpoint
        if endpoint is None:
            return None
        back = dict.fromkeys(("logout_uri", "post_logout_redirect_uri"), self._signed_out_uri)
        return (
            f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({'client_id': self._client_id} | back)}"
        )

    def finish(self, answer: Mapping[str, str], begun: Begun, now: datetime) -> Person:
        """Find out who came back.

        Parameters
        ----------
        answer : Mapping[str, str]
            What the provider put into the address.
        begun : Begun
            The sign-in as it was begun.
        now : datetime
            The clock, UTC.

        Raises
        ------
        StaleSignInError
            When the provider says that the password was given before the sign-in began.
        SignInError
            Saying what does not fit.
        ProviderUnavailableError
            When the provider did not answer.
        """
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise SignInError("the answer belongs to another sign-in")
        if "error" in answer or not answer.get("code"):
            raise SignInError("the identity provider refused")
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "code": answer["code"],
            "redirect_uri": self._redirect_uri,
            "code_verifier": begun.code_verifier,
        }
        status, body = self._web.post(self._discover().token_endpoint, form)
        if status != 200:
            raise SignInError("the identity provider did not accept the code")
        return self._person(_decoded(body, _Tokens).id_token, begun, now)

    def _person(self, id_token: str, begun: Begun, now: datetime) -> Person:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            token = self._verified(jwt, id_token)
            options = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
                "nonce": {"essential": True, "value": begun.nonce},
            }
            params = {"nonce": begun.nonce, "client_id": self._client_id}
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            raise SignInError(f"the identity token is not valid: {type(error).__name__}") from error
        given_at = claims.get("auth_time")
        if isinstance(given_at, int | float) and given_at < begun.at_s - LEEWAY_SECONDS:
            raise StaleSignInError("the identity provider did not ask for the password")
        person = str(claims["sub"])
        if len(person) > MAX_TEXT_CHARACTERS:
            # Each event and each step of a case names the person: no part of the id may be left out.
            raise SignInError(f"sub: {len(person)} characters; at most {MAX_TEXT_CHARACTERS}")
        name = claims.get("name") or claims.get("cognito:username") or person
        name = printable(str(name), MAX_TEXT_CHARACTERS)
        return Person(person, name, _texts(claims.get(self._groups_claim)))

    def _verified(self, jwt: Any, id_token: str) -> Any:
        """Check the signature; keys that are not known are fetched again, since providers change theirs."""
        from joserfc.errors import InvalidKeyIdError
        from joserfc.jwk import KeySet

        for _ in range(2):
            fetched = self._keys is None
            if fetched:
                self._keys = KeySet.import_key_set(_document(self._web.get(self._discover().jwks_uri)))
            try:
                return jwt.decode(id_token, self._keys, algorithms=list(ALGORITHMS))
            except InvalidKeyIdError:
                self._keys = None
                if fetched:
                    raise
        raise SignInError("the identity token is signed with a key that is not known")

    def _discover(self) -> Endpoints:
        if self._endpoints is None:
            endpoints = _decoded(self._web.get(self._discovery_url), Endpoints)
            if endpoints.issuer != self._issuer:
                raise ProviderUnavailableError("the document of endpoints is another issuer's")
            self._endpoints = endpoints
        return self._endpoints


def own_uri(console_url: str, path: str) -> str:
    """An address of the console to which the provider sends people back."""
    return console_url.rstrip("/") + path


def form_body(form: Mapping[str, str]) -> bytes:
    """Encode a form."""
    return urlencode(form).encode()


def _texts(value: object) -> tuple[str, ...]:
    values: Iterable[object] = value if isinstance(value, list) else ()
    return tuple(each for each in values if isinstance(each, str))


def _decoded(body: bytes, model: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=model)
    except msgspec.MsgspecError as error:
        raise ProviderUnavailableError(
            f"the identity provider's {model.__name__.strip('_')} cannot be read"
        ) from error


def _document(body: bytes) -> Any:
    return _decoded(body, dict)
