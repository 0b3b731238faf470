"""The pages and actions of whoever writes rules: a part of the table of routes."""

from __future__ import annotations

from typing import Final

from console.rights import Right
from console.route import Action, Route

MAX_DOCUMENT_FORM_BYTES: Final = 900_000
"""Of a form with a document of 256 KiB, of whose characters a browser writes some in nine bytes."""

AUTHOR_ROUTES: Final = (
    Route(
        name="rules",
        method="GET",
        path="/rules",
        right=Right.READ_RULES,
        action=Action.RULES_VIEWED,
        title="Rules",
    ),
    Route(
        name="new_rule",
        method="GET",
        path="/rules/new",
        right=Right.PROPOSE_RULES,
        action=Action.RULE_OPENED,
    ),
    Route(
        name="rule",
        method="GET",
        path="/rules/rule/{rule}",
        right=Right.READ_RULES,
        action=Action.RULE_VIEWED,
    ),
    Route(
        name="edit_rule",
        method="GET",
        path="/rules/rule/{rule}/edit",
        right=Right.PROPOSE_RULES,
        action=Action.RULE_OPENED,
    ),
    Route(
        name="open_document",
        method="POST",
        path="/rules/document",
        right=Right.PROPOSE_RULES,
        action=Action.DOCUMENT_OPENED,
        needs_reason=True,
    ),
    Route(
        name="check_change",
        method="POST",
        path="/rules/check",
        right=Right.PROPOSE_RULES,
        action=Action.RULES_CHECKED,
        max_form_bytes=MAX_DOCUMENT_FORM_BYTES,
    ),
    Route(
        name="propose_change",
        method="POST",
        path="/rules/propose",
        right=Right.PROPOSE_RULES,
        action=Action.RULES_PROPOSED,
        needs_reason=True,
        recorded=("reach", "share", "version"),
        max_form_bytes=MAX_DOCUMENT_FORM_BYTES,
    ),
    Route(
        name="withdraw_candidate",
        method="POST",
        path="/rules/withdraw",
        right=Right.WITHDRAW,
        action=Action.WITHDRAWAL_PROPOSED,
        needs_reason=True,
    ),
    Route(
        name="lists",
        method="GET",
        path="/lists",
        right=Right.READ_RULES,
        action=Action.LISTS_VIEWED,
        title="Lists",
    ),
    Route(
        name="paste_entries",
        method="POST",
        path="/lists/entries",
        right=Right.PROPOSE_ENTRIES,
        action=Action.ENTRIES_PROPOSED,
        needs_reason=True,
    ),
    Route(
        name="choose_list",
        method="GET",
        path="/cases/{case}/links/{number}/list",
        right=Right.PROPOSE_ENTRIES,
        action=Action.ENTRY_BEGUN,
    ),
    Route(
        name="choose_list_of_found",
        method="POST",
        path="/search/list/choose",
        right=Right.PROPOSE_ENTRIES,
        action=Action.ENTRY_BEGUN,
    ),
    Route(
        name="list_entity",
        method="POST",
        path="/cases/{case}/links/{number}/list",
        right=Right.PROPOSE_ENTRIES,
        action=Action.ENTRIES_PROPOSED,
        needs_reason=True,
        recorded=("list", "until"),
    ),
    Route(
        name="list_found",
        method="POST",
        path="/search/list",
        right=Right.PROPOSE_ENTRIES,
        action=Action.ENTRIES_PROPOSED,
        needs_reason=True,
        recorded=("list", "until"),
    ),
    Route(
        name="changes",
        method="GET",
        path="/changes",
        right=Right.READ_RULES,
        action=Action.CHANGES_VIEWED,
        title="Changes",
    ),
    Route(
        name="change",
        method="GET",
        path="/changes/{change}",
        right=Right.READ_RULES,
        action=Action.CHANGE_VIEWED,
    ),
    Route(
        name="approve_change",
        method="POST",
        path="/changes/{change}/approve",
        right=Right.DECIDE_CHANGES,
        action=Action.CHANGE_APPROVED,
        recorded=("note",),
    ),
    Route(
        name="reject_change",
        method="POST",
        path="/changes/{change}/reject",
        right=Right.DECIDE_CHANGES,
        action=Action.CHANGE_REJECTED,
        recorded=("note",),
    ),
    Route(
        name="retract_change",
        method="POST",
        path="/changes/{change}/retract",
        right=Right.PROPOSE_ENTRIES,
        action=Action.CHANGE_RETRACTED,
    ),
    Route(
        name="model",
        method="GET",
        path="/model",
        right=Right.READ_RULES,
        action=Action.MODEL_VIEWED,
        title="Model",
    ),
)
"""In the order of the menu."""
