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
    Route("home", "GET", "/"),
    Route("sign_in", "GET", "/sign-in"),
    Route("begin_sign_in", "GET", "/sign-in/begin"),
    Route("finish_sign_in", "GET", "/sign-in/finish"),
    Route("sign_out", "POST", "/sign-out", Right.ENTER, Action.SIGNED_OUT),
    Route("queue", "GET", "/queue", Right.READ_CASES, Action.QUEUE_VIEWED, title="Queue"),
    Route("use_filter", "GET", "/queue/filters/{filter}", Right.READ_CASES, Action.FILTER_USED),
    Route(
        "save_filter",
        "POST",
        "/queue/filters",
        Right.WORK_CASES,
        Action.FILTER_SAVED,
        recorded=("view", "severity", "least"),
    ),
    Route("rename_filter", "POST", "/queue/filters/rename", Right.WORK_CASES, Action.FILTER_RENAMED),
    Route("delete_filter", "POST", "/queue/filters/delete", Right.WORK_CASES, Action.FILTER_DELETED),
    Route("alert", "GET", "/alerts/{alert}", Right.READ_CASES, Action.ALERT_OPENED),
    Route("next_case", "POST", "/cases/next", Right.WORK_CASES, Action.NEXT_CASE_CLAIMED),
    Route("case", "GET", "/cases/{case}", Right.READ_CASES, Action.CASE_VIEWED),
    Route("claim", "POST", "/cases/{case}/claim", Right.WORK_CASES, Action.CASE_CLAIMED),
    Route(
        "release", "POST", "/cases/{case}/release", Right.WORK_CASES, Action.CASE_RELEASED, needs_reason=True
    ),
    Route("skip", "POST", "/cases/{case}/skip", Right.WORK_CASES, Action.CASE_SKIPPED),
    Route(
        "reassign",
        "POST",
        "/cases/{case}/reassign",
        Right.REASSIGN,
        Action.CASE_REASSIGNED,
        needs_reason=True,
        recorded=("to",),
    ),
    Route("preview_bulk", "POST", "/queue/judge", Right.BULK, Action.BULK_PREVIEWED),
    Route(
        "judge_bulk",
        "POST",
        "/queue/judge/confirmed",
        Right.BULK,
        Action.CASES_JUDGED,
        recorded=("verdict", "fraud_type", "reason", "summary", "decision"),
    ),
    Route(
        "judge",
        "POST",
        "/cases/{case}/judge",
        Right.WORK_CASES,
        Action.PAYMENTS_JUDGED,
        recorded=("verdict", "fraud_type", "reason", "decision"),
    ),
    Route(
        "undo", "POST", "/cases/{case}/undo", Right.WORK_CASES, Action.VERDICT_UNDONE, recorded=("decision",)
    ),
    Route(
        "agree", "POST", "/cases/{case}/agree", Right.WORK_CASES, Action.VERDICT_AGREED, recorded=("look",)
    ),
    Route(
        "contest",
        "POST",
        "/cases/{case}/contest",
        Right.WORK_CASES,
        Action.VERDICT_CONTESTED,
        needs_reason=True,
    ),
    Route(
        "reveal", "POST", "/cases/{case}/reveal", Right.REVEAL, Action.PERSONAL_DATA_SHOWN, needs_reason=True
    ),
    Route("links", "GET", "/cases/{case}/links", Right.READ_CASES, Action.LINKS_VIEWED),
    Route("entity", "GET", "/cases/{case}/links/{number}", Right.READ_CASES, Action.ENTITY_VIEWED),
    Route("payment", "GET", "/cases/{case}/payments/{payment}", Right.READ_CASES, Action.PAYMENT_VIEWED),
    Route(
        "reveal_payment",
        "POST",
        "/cases/{case}/payments/{payment}/reveal",
        Right.REVEAL,
        Action.PERSONAL_DATA_SHOWN,
        needs_reason=True,
    ),
    Route(
        "replay_payment",
        "GET",
        "/cases/{case}/payments/{payment}/replay",
        Right.READ_CASES,
        Action.DECISION_REPLAYED,
    ),
    Route("search", "GET", "/search", Right.SEARCH, Action.SEARCH_OPENED, title="Search"),
    Route("watch", "GET", "/watch", Right.READ_CASES, Action.WATCH_VIEWED, title="Watch"),
    Route("find", "POST", "/search", Right.SEARCH, Action.SEARCHED, asks=True),
    Route(
        "show_found",
        "POST",
        "/search/payment",
        Right.SEARCH,
        Action.PAYMENT_VIEWED,
        asks=True,
        recorded=("payment",),
    ),
    Route(
        "replay_found",
        "POST",
        "/search/payment/replay",
        Right.SEARCH,
        Action.DECISION_REPLAYED,
        asks=True,
        recorded=("payment",),
    ),
    *AUTHOR_ROUTES,
    Route("audit", "GET", "/audit", Right.READ_AUDIT, Action.AUDIT_VIEWED, title="Audit"),
    Route("audit_of_day", "GET", "/audit/{day}", Right.READ_AUDIT, Action.AUDIT_VIEWED),
    Route(
        "find_events",
        "POST",
        "/audit",
        Right.READ_AUDIT,
        Action.AUDIT_VIEWED,
        asks=True,
        recorded=("day", "since", "person", "action", "before"),
    ),
    Route("sessions", "GET", "/sessions", Right.READ_SESSIONS, Action.SESSIONS_VIEWED, title="Sessions"),
    Route("revoke_session", "POST", "/sessions/revoke", Right.REVOKE_SESSIONS, Action.SESSION_REVOKED),
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
