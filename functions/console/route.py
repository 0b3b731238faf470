"""What a page or an action of the console is: its path, the right that it needs, and the audit event that it leaves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec

from console.rights import Right

MAX_FORM_BYTES: Final = 100_000
"""Of most forms."""


class Action(StrEnum):
    """What an audit event says was asked for."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    QUEUE_VIEWED = "queue_viewed"
    ALERT_OPENED = "alert_opened"
    CASE_VIEWED = "case_viewed"
    NEXT_CASE_CLAIMED = "next_case_claimed"
    CASE_CLAIMED = "case_claimed"
    CASE_RELEASED = "case_released"
    CASE_SKIPPED = "case_skipped"
    PAYMENTS_JUDGED = "payments_judged"
    VERDICT_UNDONE = "verdict_undone"
    VERDICT_AGREED = "verdict_agreed"
    VERDICT_CONTESTED = "verdict_contested"
    FILTER_USED = "filter_used"
    FILTER_SAVED = "filter_saved"
    FILTER_RENAMED = "filter_renamed"
    FILTER_DELETED = "filter_deleted"
    CASE_REASSIGNED = "case_reassigned"
    BULK_PREVIEWED = "bulk_previewed"
    CASES_JUDGED = "cases_judged"
    PAYMENT_VIEWED = "payment_viewed"
    DECISION_REPLAYED = "decision_replayed"
    LINKS_VIEWED = "links_viewed"
    ENTITY_VIEWED = "entity_viewed"
    WATCH_VIEWED = "watch_viewed"
    SEARCH_OPENED = "search_opened"
    SEARCHED = "searched"
    PERSONAL_DATA_SHOWN = "personal_data_shown"
    AUDIT_VIEWED = "audit_viewed"
    SESSIONS_VIEWED = "sessions_viewed"
    SESSION_REVOKED = "session_revoked"
    RULES_VIEWED = "rules_viewed"
    RULE_VIEWED = "rule_viewed"
    RULE_OPENED = "rule_opened"
    DOCUMENT_OPENED = "document_opened"
    RULES_CHECKED = "rules_checked"
    RULES_PROPOSED = "rules_proposed"
    WITHDRAWAL_PROPOSED = "withdrawal_proposed"
    LISTS_VIEWED = "lists_viewed"
    ENTRY_BEGUN = "entry_begun"
    ENTRIES_PROPOSED = "entries_proposed"
    CHANGES_VIEWED = "changes_viewed"
    CHANGE_VIEWED = "change_viewed"
    CHANGE_TRIED = "change_tried"
    DRAFT_TRIED = "draft_tried"
    TRIAL_VIEWED = "trial_viewed"
    CHANGE_APPROVED = "change_approved"
    CHANGE_REJECTED = "change_rejected"
    CHANGE_RETRACTED = "change_retracted"
    MODEL_VIEWED = "model_viewed"


class Route(msgspec.Struct, frozen=True):
    """One page or action. The tables give the first five fields by their order, and the others by name."""

    name: str
    method: Literal["GET", "POST"]
    """GET shows, POST changes."""
    path: str
    """Begins with a slash; a part in braces is an opaque id."""
    right: Right | None = None
    """None for what is open to everybody who reaches the console."""
    action: Action | None = None
    """None for what is not recorded: what is open to everybody."""
    needs_reason: bool = False
    """Whether it is done only for a reason, in the form's field ``reason``; the audit event has it."""
    recorded: tuple[str, ...] = ()
    """Fields of the form that the audit event has too; never one with a value that a sender sent."""
    asks: bool = False
    """Whether the form asks for a personal value: its kind in the field ``subject``, itself in ``query``. The audit event has its hash."""
    title: str = ""
    """In the menu; empty for what is not in it."""
    max_form_bytes: int = MAX_FORM_BYTES
    """Of the form, as a browser sends it."""
