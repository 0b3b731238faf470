"""The pages and actions of whoever writes rules: a part of the table of routes."""

from __future__ import annotations

from typing import Final

from console.rights import Right
from console.route import Action, Route

MAX_DOCUMENT_FORM_BYTES: Final = 900_000
"""Of a form with a document of 256 KiB, of whose characters a browser writes some in nine bytes."""

AUTHOR_ROUTES: Final = (
    Route("rules", "GET", "/rules", Right.READ_RULES, Action.RULES_VIEWED, title="Rules"),
    Route("new_rule", "GET", "/rules/new", Right.PROPOSE_RULES, Action.RULE_OPENED),
    Route("rule", "GET", "/rules/rule/{rule}", Right.READ_RULES, Action.RULE_VIEWED),
    Route("edit_rule", "GET", "/rules/rule/{rule}/edit", Right.PROPOSE_RULES, Action.RULE_OPENED),
    Route(
        "open_document",
        "POST",
        "/rules/document",
        Right.PROPOSE_RULES,
        Action.DOCUMENT_OPENED,
        needs_reason=True,
    ),
    Route(
        "check_change",
        "POST",
        "/rules/check",
        Right.PROPOSE_RULES,
        Action.RULES_CHECKED,
        max_form_bytes=MAX_DOCUMENT_FORM_BYTES,
    ),
    Route(
        "try_draft",
        "POST",
        "/rules/try",
        Right.PROPOSE_RULES,
        Action.DRAFT_TRIED,
        max_form_bytes=MAX_DOCUMENT_FORM_BYTES,
    ),
    Route("trial", "GET", "/rules/trials/{trial}", Right.READ_RULES, Action.TRIAL_VIEWED),
    Route(
        "tried_payment",
        "GET",
        "/rules/trials/{trial}/payments/{payment}",
        Right.READ_CASES,
        Action.PAYMENT_VIEWED,
    ),
    Route(
        "propose_change",
        "POST",
        "/rules/propose",
        Right.PROPOSE_RULES,
        Action.RULES_PROPOSED,
        needs_reason=True,
        recorded=("reach", "share", "version"),
        max_form_bytes=MAX_DOCUMENT_FORM_BYTES,
    ),
    Route(
        "widen_candidate",
        "POST",
        "/rules/candidate",
        Right.PROPOSE_RULES,
        Action.RULES_PROPOSED,
        needs_reason=True,
        recorded=("reach", "share"),
    ),
    Route(
        "withdraw_candidate",
        "POST",
        "/rules/withdraw",
        Right.WITHDRAW,
        Action.WITHDRAWAL_PROPOSED,
        needs_reason=True,
    ),
    Route("lists", "GET", "/lists", Right.READ_RULES, Action.LISTS_VIEWED, title="Lists"),
    Route(
        "paste_entries",
        "POST",
        "/lists/entries",
        Right.PROPOSE_ENTRIES,
        Action.ENTRIES_PROPOSED,
        needs_reason=True,
    ),
    Route(
        "take_off",
        "POST",
        "/lists/off",
        Right.PROPOSE_RULES,
        Action.ENTRIES_PROPOSED,
        needs_reason=True,
        recorded=("number",),
    ),
    Route(
        "choose_list", "GET", "/cases/{case}/links/{number}/list", Right.PROPOSE_ENTRIES, Action.ENTRY_BEGUN
    ),
    Route(
        "choose_list_of_found",
        "POST",
        "/search/list/choose",
        Right.PROPOSE_ENTRIES,
        Action.ENTRY_BEGUN,
        asks=True,
    ),
    Route(
        "list_entity",
        "POST",
        "/cases/{case}/links/{number}/list",
        Right.PROPOSE_ENTRIES,
        Action.ENTRIES_PROPOSED,
        needs_reason=True,
        recorded=("list", "until"),
    ),
    Route(
        "list_found",
        "POST",
        "/search/list",
        Right.PROPOSE_ENTRIES,
        Action.ENTRIES_PROPOSED,
        needs_reason=True,
        recorded=("list", "until"),
        asks=True,
    ),
    Route("changes", "GET", "/changes", Right.READ_RULES, Action.CHANGES_VIEWED, title="Changes"),
    Route(
        "find_changes",
        "POST",
        "/changes",
        Right.READ_RULES,
        Action.CHANGES_VIEWED,
        recorded=("until", "person", "kind", "before"),
    ),
    Route("change", "GET", "/changes/{change}", Right.READ_RULES, Action.CHANGE_VIEWED),
    Route("try_change", "POST", "/changes/{change}/try", Right.READ_RULES, Action.CHANGE_TRIED),
    Route("trial_of_change", "GET", "/changes/{change}/trial", Right.READ_RULES, Action.TRIAL_VIEWED),
    Route(
        "reveal_change",
        "POST",
        "/changes/{change}/reveal",
        Right.DECIDE_CHANGES,
        Action.PERSONAL_DATA_SHOWN,
        needs_reason=True,
    ),
    Route(
        "approve_change",
        "POST",
        "/changes/{change}/approve",
        Right.DECIDE_CHANGES,
        Action.CHANGE_APPROVED,
        recorded=("note",),
    ),
    Route(
        "reject_change",
        "POST",
        "/changes/{change}/reject",
        Right.DECIDE_CHANGES,
        Action.CHANGE_REJECTED,
        recorded=("note",),
    ),
    Route(
        "retract_change", "POST", "/changes/{change}/retract", Right.PROPOSE_ENTRIES, Action.CHANGE_RETRACTED
    ),
    Route("model", "GET", "/model", Right.READ_RULES, Action.MODEL_VIEWED, title="Model"),
)
"""In the order of the menu."""
