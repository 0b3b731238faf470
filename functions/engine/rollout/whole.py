"""The whole document that a change makes of the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from contract.ruleset_change import ChangeKind
from engine.errors import RulesetEditError
from engine.rollout.edits import with_entries, with_share, without_candidate
from engine.rollout.start import candidate_alone, with_candidate
from engine.rules.sides import DRAW_KEY_DIGITS, MAX_SHARE_PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.ruleset_change import ListEntry
    from contract.ruleset_draft import Draft


def whole_document(active: str | None, draft: Draft, draw_key: str | None = None) -> str:
    """Make the document that would be active.

    Parameters
    ----------
    active : str | None
        The document from which the change is made; None where there is none.
    draft : Draft
        What its author wants. Without a document it is about the candidate that the active one has: ``to_all`` makes it decide for all users,
        ``candidate`` and ``shadow`` give it another share.
    draw_key : str | None
        Random, for a candidate that has none yet.

    Returns
    -------
    str
        To be checked like any document.

    Raises
    ------
    RulesetEditError
        Where that cannot be done, with a sentence for the author.
    """
    document = draft.document.removeprefix("\ufeff")
    if draft.kind is ChangeKind.TO_ALL and document:
        return document
    if active is None:
        raise RulesetEditError("no ruleset is active yet; the first one decides for all users")
    match draft.kind:
        case ChangeKind.TO_ALL:
            return candidate_alone(active)
        case ChangeKind.SHADOW | ChangeKind.CANDIDATE:
            share = 0.0 if draft.kind is ChangeKind.SHADOW else _share(draft)
            if document:
                return with_candidate(active, document, share, draw_key)
            return with_share(active, share, draw_key)
        case ChangeKind.LISTS:
            return with_entries(active, draft.list_entries)
        case ChangeKind.WITHDRAWN:
            return without_candidate(active)
    raise RulesetEditError(f"nobody proposes that something is {draft.kind.value}")


def _share(draft: Draft) -> float:
    if not draft.share:
        raise RulesetEditError(
            f"a candidate decides for more than 0% of the users, and for at most {MAX_SHARE_PERCENT}%; in shadow it decides for nobody"
        )
    return draft.share


def keep_to(kind: ChangeKind, active: str, document: str, entries: Iterable[ListEntry]) -> None:
    """Check that a document changes what its kind says, and nothing else: whoever approves a few entries of a list looks at these.

    Of any kind, a candidate that is changed has another version than the active one, and one that decides has a key; see :func:`keep_draw`.

    Parameters
    ----------
    kind : ChangeKind
        What the change says that it is.
    active, document : str
        Checked documents, before and after.
    entries : Iterable[ListEntry]
        Of a change of lists.

    Raises
    ------
    RulesetEditError
        Where it does not.
    """
    before, after = _content(active), _content(document)
    _keep_version(before, after)
    keep_draw(active, document)
    match kind:
        case ChangeKind.LISTS:
            is_kept = document == with_entries(active, entries)
        case ChangeKind.WITHDRAWN:
            is_kept = document == without_candidate(active)
        case ChangeKind.SHADOW | ChangeKind.CANDIDATE:
            share = (after.pop("candidate", None) or {}).get("share")
            before.pop("candidate", None)
            is_kept = before == after and share is not None and (share == 0) == (kind is ChangeKind.SHADOW)
        case _:
            is_kept = True
    if not is_kept:
        raise RulesetEditError(
            f"the document changes something else than a change of the kind '{kind.value}' does"
        )


def keep_draw(active: str | None, document: str) -> None:
    """Check that no sender can choose the side of a candidate: who its users are is drawn by a random key, not by its version alone.

    Parameters
    ----------
    active : str | None
        The document from which a change is made; None where there is none. A candidate of it that decides without a key, from before there were keys, may stay.
    document : str
        What would be active.

    Raises
    ------
    RulesetEditError
        Where the document has a candidate without a key that decides for somebody.
    """
    before, after = (
        {} if each is None else _content(each).get("candidate") or {} for each in (active, document)
    )
    if not after.get("share") or "draw_key" in after:
        return
    names = ("version", "share", "draw_key")
    if any(str(before.get(name)) != str(after.get(name)) for name in names):
        raise RulesetEditError(
            f"a candidate that decides for users needs a draw_key: {DRAW_KEY_DIGITS} random hexadecimal digits, as "
            "`make rules-deploy SHARE=` and the console write them"
        )


def _keep_version(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A version names one candidate: what was counted of it, and who its users are, go by the version. Its share and its lists may change."""
    one, other = ({**(each.get("candidate") or {})} for each in (before, after))
    if not one or not other or str(one.get("version")) != str(other.get("version")):
        return
    key, new_key = one.pop("draw_key", None), other.pop("draw_key", None)
    if key is not None and key != new_key:
        raise RulesetEditError(
            f"candidate {one['version']} has another draw_key, so its users would change sides"
        )
    for side in (one, other):
        side.pop("share", None)
        side.pop("lists", None)
    if one != other:
        raise RulesetEditError(
            f"candidate {one['version']} would say something else than the active one of this version; give it another version"
        )


def _content(text: str) -> dict[str, Any]:
    """A document as JSON has it."""
    content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(yaml.safe_load(text)))
    return content
