"""Every page and action of the console: its path, the right that it needs, and the audit event that it leaves.

:mod:`console.app` serves this table and nothing else, so that a right or an event cannot be forgotten in a page's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.author_routes import AUTHOR_ROUTES
from console.rights import Right
from console.route import Action, Route

if TYPE_CHECKING:
    from collections.abc import Collection

ROUTES: Final = (
    Route(name="home", method="GET", path="/"),
    Route(name="sign_in", method="GET", path="/sign-in"),
    Route(name="begin_sign_in", method="GET", path="/sign-in/begin"),
    Route(name="finish_sign_in", method="GET", path="/sign-in/finish"),
    Route(name="sign_out", method="POST", path="/sign-out", right=Right.ENTER, action=Action.SIGNED_OUT),
    Route(
        name="queue",
        method="GET",
        path="/queue",
        right=Right.READ_CASES,
        action=Action.QUEUE_VIEWED,
        title="Queue",
    ),
    Route(
        name="use_filter",
        method="GET",
        path="/queue/filters/{filter}",
        right=Right.READ_CASES,
        action=Action.FILTER_USED,
    ),
    Route(
        name="save_filter",
        method="POST",
        path="/queue/filters",
        right=Right.WORK_CASES,
        action=Action.FILTER_SAVED,
        recorded=("view", "severity", "least"),
    ),
    Route(
        name="rename_filter",
        method="POST",
        path="/queue/filters/rename",
        right=Right.WORK_CASES,
        action=Action.FILTER_RENAMED,
    ),
    Route(
        name="delete_filter",
        method="POST",
        path="/queue/filters/delete",
        right=Right.WORK_CASES,
        action=Action.FILTER_DELETED,
    ),
    Route(
        name="alert",
        method="GET",
        path="/alerts/{alert}",
        right=Right.READ_CASES,
        action=Action.ALERT_OPENED,
    ),
    Route(
        name="next_case",
        method="POST",
        path="/cases/next",
        right=Right.WORK_CASES,
        action=Action.NEXT_CASE_CLAIMED,
    ),
    Route(name="case", method="GET", path="/cases/{case}", right=Right.READ_CASES, action=Action.CASE_VIEWED),
    Route(
        name="claim",
        method="POST",
        path="/cases/{case}/claim",
        right=Right.WORK_CASES,
        action=Action.CASE_CLAIMED,
    ),
    Route(
        name="release",
        method="POST",
        path="/cases/{case}/release",
        right=Right.WORK_CASES,
        action=Action.CASE_RELEASED,
        needs_reason=True,
    ),
    Route(
        name="skip",
        method="POST",
        path="/cases/{case}/skip",
        right=Right.WORK_CASES,
        action=Action.CASE_SKIPPED,
    ),
    Route(
        name="reassign",
        method="POST",
        path="/cases/{case}/reassign",
        right=Right.REASSIGN,
        action=Action.CASE_REASSIGNED,
        needs_reason=True,
        recorded=("to",),
    ),
    Route(
        name="preview_bulk",
        method="POST",
        path="/queue/judge",
        right=Right.BULK,
        action=Action.BULK_PREVIEWED,
    ),
    Route(
        name="judge_bulk",
        method="POST",
        path="/queue/judge/confirmed",
        right=Right.BULK,
        action=Action.CASES_JUDGED,
        recorded=("verdict", "fraud_type", "reason", "summary", "decision"),
    ),
    Route(
        name="judge",
        method="POST",
        path="/cases/{case}/judge",
        right=Right.WORK_CASES,
        action=Action.PAYMENTS_JUDGED,
        recorded=("verdict", "fraud_type", "reason", "decision"),
    ),
    Route(
        name="undo",
        method="POST",
        path="/cases/{case}/undo",
        right=Right.WORK_CASES,
        action=Action.VERDICT_UNDONE,
        recorded=("decision",),
    ),
    Route(
        name="agree",
        method="POST",
        path="/cases/{case}/agree",
        right=Right.WORK_CASES,
        action=Action.VERDICT_AGREED,
    ),
    Route(
        name="contest",
        method="POST",
        path="/cases/{case}/contest",
        right=Right.WORK_CASES,
        action=Action.VERDICT_CONTESTED,
        needs_reason=True,
    ),
    Route(
        name="reveal",
        method="POST",
        path="/cases/{case}/reveal",
        right=Right.REVEAL,
        action=Action.PERSONAL_DATA_SHOWN,
        needs_reason=True,
    ),
    Route(
        name="links",
        method="GET",
        path="/cases/{case}/links",
        right=Right.READ_CASES,
        action=Action.LINKS_VIEWED,
    ),
    Route(
        name="entity",
        method="GET",
        path="/cases/{case}/links/{number}",
        right=Right.READ_CASES,
        action=Action.ENTITY_VIEWED,
    ),
    Route(
        name="payment",
        method="GET",
        path="/cases/{case}/payments/{payment}",
        right=Right.READ_CASES,
        action=Action.PAYMENT_VIEWED,
    ),
    Route(
        name="reveal_payment",
        method="POST",
        path="/cases/{case}/payments/{payment}/reveal",
        right=Right.REVEAL,
        action=Action.PERSONAL_DATA_SHOWN,
        needs_reason=True,
    ),
    Route(
        name="replay_payment",
        method="GET",
        path="/cases/{case}/payments/{payment}/replay",
        right=Right.READ_CASES,
        action=Action.DECISION_REPLAYED,
    ),
    Route(
        name="search",
        method="GET",
        path="/search",
        right=Right.SEARCH,
        action=Action.SEARCH_OPENED,
        title="Search",
    ),
    Route(
        name="watch",
        method="GET",
        path="/watch",
        right=Right.READ_CASES,
        action=Action.WATCH_VIEWED,
        title="Watch",
    ),
    Route(name="find", method="POST", path="/search", right=Right.SEARCH, action=Action.SEARCHED, asks=True),
    Route(
        name="show_found",
        method="POST",
        path="/search/payment",
        right=Right.SEARCH,
        action=Action.PAYMENT_VIEWED,
        asks=True,
        recorded=("payment",),
    ),
    *AUTHOR_ROUTES,
    Route(
        name="replay_found",
        method="POST",
        path="/search/payment/replay",
        right=Right.SEARCH,
        action=Action.DECISION_REPLAYED,
        asks=True,
        recorded=("payment",),
    ),
    Route(
        name="audit",
        method="GET",
        path="/audit",
        right=Right.READ_AUDIT,
        action=Action.AUDIT_VIEWED,
        title="Audit",
    ),
    Route(
        name="sessions",
        method="GET",
        path="/sessions",
        right=Right.READ_SESSIONS,
        action=Action.SESSIONS_VIEWED,
        title="Sessions",
    ),
    Route(
        name="revoke_session",
        method="POST",
        path="/sessions/revoke",
        right=Right.REVOKE_SESSIONS,
        action=Action.SESSION_REVOKED,
    ),
)
"""In the order of the menu."""

BY_NAME: Final = {route.name: route for route in ROUTES}


def menu_of(rights: Collection[Right]) -> tuple[Route, ...]:
    """Pages of the menu that somebody with these rights may see."""
    return tuple(route for route in ROUTES if route.title and route.right in rights)


def safe_next(path: str) -> str:
    """Where to go after the sign-in: the path of one of our pages, else the first page.

    A link to the console may name any path. Only what matches the table is followed, so that no link leads elsewhere.

    >>> safe_next("/queue"), safe_next("https://example.com/queue"), safe_next("//example.com")
    ('/queue', '/', '/')
    """
    return path if any(_matches(route, path) for route in ROUTES) else "/"


def _matches(route: Route, path: str) -> bool:
    if route.method != "GET" or route.right is None:
        return False
    wanted, given = route.path.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        part == other or (part.startswith("{") and _is_opaque_id(other))
        for part, other in zip(wanted, given, strict=True)
    )


def _is_opaque_id(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
