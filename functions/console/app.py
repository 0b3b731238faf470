"""Serves the table of routes: session, right, form, audit event, page, in this order, for every request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from common.errors import StageError
from common.sanitizing import printable
from console import notices
from console.audit_trail import Deed
from console.pages import ASSETS, HEADERS, HSTS, Notice, Who
from console.rights import Right, rights_of
from console.routes import ROUTES
from console.sessions import SEEN_EVERY, Session, csrf_token, is_form_of, key_of
from contract.audit import MAX_TEXT_CHARACTERS
from contract.audit_values import ASKED, asked_text, value_hash
from contract.errors import ContractError, InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from console.audit_trail import AuditTrail
    from console.pages import Pages
    from console.route import Action, Route
    from console.session_store import SessionStore
    from console.settings import Settings

CHOSEN: Final = "chosen"
"""Field of a form that may come several times."""


class Visit(msgspec.Struct, frozen=True):
    """One request that may be answered."""

    now: datetime
    query: Mapping[str, str]
    form: Mapping[str, str]
    """Field to its last value."""
    chosen: tuple[str, ...]
    """All values of the form's field ``chosen``: what is ticked."""
    parts: Mapping[str, str]
    """Opaque ids in the path."""
    cookies: Mapping[str, str]
    session: Session | None
    who: Who | None
    """Of the same session."""

    @property
    def reason(self) -> str:
        """Why it is asked for, one line; empty where the form does not say."""
        return printable(self.form.get("reason", ""), MAX_TEXT_CHARACTERS)

    @property
    def person(self) -> str:
        """Id of who asks; empty where nobody is signed in."""
        return "" if self.session is None else self.session.person

    @property
    def asked_for(self) -> str:
        """The personal value that a form asks for; empty where it asks for none."""
        return asked_text(self.form.get("query", ""))

    @property
    def subject(self) -> str:
        """What it is about, for the audit event: the id in the path, or in the form."""
        return next(iter(self.parts.values()), self.form.get("subject", ""))


class Desk:
    """What requests need: where the console is, sessions, the audit trail, pages.

    Parameters
    ----------
    settings, sessions, trail, pages
        The parts.
    clock : Callable
        Gives the time, aware, UTC.
    """

    def __init__(
        self,
        settings: Settings,
        sessions: SessionStore,
        trail: AuditTrail,
        pages: Pages,
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.sessions = sessions
        self.trail = trail
        self.pages = pages
        self.clock = clock

    @property
    def session_cookie(self) -> str:
        """Name of the session's cookie. With the prefix a browser takes it over HTTPS from this very host only."""
        return "__Host-console_session" if self.settings.is_secure else "console_session"

    def names(self, right: Right = Right.ENTER) -> dict[str, str]:
        """Give who was signed in lately and has a right: person to name."""
        sessions = self.sessions.newest()
        return {each.person: each.name for each in sessions if right in rights_of(each.groups)}

    def answer(
        self, route: Route, endpoint: Callable[[Visit], Response], request: Request, body: bytes
    ) -> Response:
        """Answer a request for a route.

        An event is written before anything is done or shown; where it cannot be, nothing is. The errors that this raises become pages.
        """
        now = self.clock()
        token = request.cookies.get(self.session_cookie, "")
        session = self._alive(token, now)
        who = None if session is None else Who(session.name, rights_of(session.groups), csrf_token(token))
        fields = parse_qsl(body.decode("utf-8", "replace")) if route.method == "POST" else []
        form, chosen = dict(fields), tuple(value for name, value in fields if name == CHOSEN)
        parts = {name: str(value) for name, value in request.path_params.items()}
        visit = Visit(now, request.query_params, form, chosen, parts, request.cookies, session, who)
        if route.right is None:
            return endpoint(visit)
        if session is None or who is None:
            return self._to_sign_in(route, request)
        if route.right not in who.rights:
            self._record(route, visit, session, "no_right")
            return self.pages.notice(notices.NO_RIGHT, who)
        if route.method == "POST" and not self._is_own_form(request, form, token):
            self._record(route, visit, session, "foreign_form")
            return self.pages.notice(notices.FOREIGN_FORM, who)
        if route.needs_reason and not visit.reason:
            self._record(route, visit, session, "no_reason")
            return self.pages.notice(notices.NO_REASON, who)
        self._record(route, visit, session, "allowed")
        return endpoint(visit)

    def _alive(self, token: str, now: datetime) -> Session | None:
        try:
            session = self.sessions.session(key_of(token)) if token else None
        except InvalidRowError:
            return None  # of another version: whoever has it signs in again
        if session is None or not session.is_alive(now, self.settings.idle):
            return None
        if now - session.seen_at >= SEEN_EVERY:
            self.sessions.seen(session.session_key, now)
        return session

    def _to_sign_in(self, route: Route, request: Request) -> Response:
        if route.method == "POST":
            return self.pages.notice(notices.SIGNED_OUT_MEANWHILE, None)
        path = request.url.path
        return self.pages.go("/sign-in" if path == "/" else f"/sign-in?next={path}")

    def _is_own_form(self, request: Request, form: Mapping[str, str], token: str) -> bool:
        origin = request.headers.get("origin", self.settings.origin)
        site = request.headers.get("sec-fetch-site", "same-origin")
        return (
            origin == self.settings.origin
            and site == "same-origin"
            and is_form_of(token, form.get("form_token", ""))
        )

    def _record(self, route: Route, visit: Visit, session: Session, outcome: str) -> None:
        if route.action is None:
            raise TypeError(f"route {route.name} needs a right and leaves no event")
        names = (*route.recorded, *(("reason",) if route.needs_reason else ()))
        given = {name: printable(visit.form.get(name, ""), MAX_TEXT_CHARACTERS) for name in names}
        details = {name: value for name, value in given.items() if value}
        details |= {name: printable(id_, MAX_TEXT_CHARACTERS) for name, id_ in [*visit.parts.items()][1:]}
        details |= _chosen_texts(visit.chosen)
        if route.asks and visit.asked_for:
            details[ASKED] = value_hash(visit.form.get("subject", ""), visit.asked_for)
        self.record(route.action, session, outcome, visit.subject, details)

    def record(
        self,
        action: Action,
        session: Session,
        outcome: str,
        subject: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Write an event of a session."""
        deed = Deed(
            actor=session.person,
            action=action.value,
            outcome=outcome,
            subject=printable(subject, MAX_TEXT_CHARACTERS),
            session=session.short_id,
            details=dict(details or {}),
        )
        self.trail.write(deed)


def make_app(desk: Desk, pages: Sequence[object], log: Any) -> SafeHeaders:
    """Make the application.

    Parameters
    ----------
    desk : Desk
        What requests need.
    pages : Sequence
        Objects whose methods are named as routes; together they have one for each route.
    log
        Powertools' Logger.
    """
    routes = [
        WebRoute(route.path, _served(desk, route, _endpoint(pages, route)), methods=[route.method])
        for route in ROUTES
    ]
    routes += [WebRoute(path, _asset(file, kind), methods=["GET"]) for path, file, kind in ASSETS.values()]

    def problem(notice: Notice) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def page(_request: Request, error: Exception) -> Response:
            log.error("a page was not answered", extra={"error_type": type(error).__name__})
            return desk.pages.notice(notice, None)

        return page

    async def refused(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return desk.pages.notice(notices.OF_STATUS.get(status, notices.NO_PAGE), None)

    unavailable = (ClientError, BotoCoreError, StageError)
    handlers: dict[Any, Any] = {
        HTTPException: refused,
        **dict.fromkeys(unavailable, problem(notices.UNAVAILABLE)),
        ContractError: problem(notices.FAULT),
        Exception: problem(notices.FAULT),
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    return SafeHeaders(app, is_secure=desk.settings.is_secure)


class SafeHeaders:
    """Sets the headers of every answer, those of errors too."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        headers = HEADERS | ({"Strict-Transport-Security": HSTS} if is_secure else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await self._app(scope, receive, send_safely)


def _endpoint(pages: Sequence[object], route: Route) -> Callable[[Visit], Response]:
    (endpoint,) = (getattr(each, route.name) for each in pages if hasattr(each, route.name))
    found: Callable[[Visit], Response] = endpoint
    return found


def _served(desk: Desk, route: Route, endpoint: Callable[[Visit], Response]) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        # A function's process answers one request at a time, so the calls to AWS in here block nobody.
        body = await _body(request, route.max_form_bytes) if route.method == "POST" else b""
        return desk.answer(route, endpoint, request, body)

    return serve


def _chosen_texts(chosen: Sequence[str]) -> dict[str, str]:
    """How many were ticked, and all of them, in as many texts as that takes: they are opaque ids."""
    texts = [f"{len(chosen)}:"] if chosen else []
    for given in chosen:
        word = printable(given, MAX_TEXT_CHARACTERS // 2)
        if len(texts[-1]) + 1 + len(word) > MAX_TEXT_CHARACTERS:
            texts.append(word)
        else:
            texts[-1] += f" {word}"
    return {CHOSEN if number == 1 else f"{CHOSEN}_{number}": text for number, text in enumerate(texts, 1)}


async def _body(request: Request, most: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413)
    return body


def _asset(file: Path, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_request: Request) -> Response:
        return Response(
            file.read_bytes(), media_type=media_type, headers={"Cache-Control": "public, max-age=3600"}
        )

    return serve
