"""Checks what an author wants, and makes the whole document of it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from contract.ruleset_change import ChangeKind
from contract.ruleset_draft import CheckedDraft, DraftProblem
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rollout.entries import changed_entries, check_expiry
from engine.rollout.whole import keep_draw, keep_to, whole_document
from engine.rules.check import check_ruleset, summary, warnings
from engine.rules.sides import DRAW_KEY_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from contract.ruleset_draft import Draft
    from engine.errors import RulesetProblem
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset

_WHOLE: Final = "the whole document"


class DraftChecker:
    """Checks drafts.

    Parameters
    ----------
    rulesets : Callable[[str], bytes]
        Gives a document that was active, by its digest.
    models : Models
        Gives the documents of models.
    clock : Callable[[], datetime]
        The time, aware, UTC: entries of allow lists end.
    new_draw_key : Callable[[], str]
        Gives a random key for a new candidate.
    """

    def __init__(
        self,
        rulesets: Callable[[str], bytes],
        models: Models,
        clock: Callable[[], datetime],
        new_draw_key: Callable[[], str] = lambda: secrets.token_hex(DRAW_KEY_DIGITS // 2),
    ) -> None:
        self._new_draw_key = new_draw_key
        self._rulesets = rulesets
        self._models = models
        self._clock = clock

    def check(self, draft: Draft) -> CheckedDraft:
        """Check a draft.

        Returns
        -------
        CheckedDraft
            With every problem, or with the whole document. The author's own document is checked alone first, so that its problems have
            their lines.

        Raises
        ------
        StageError, ClientError, BotoCoreError
            Where a document or a model could not be read.
        """
        active = None
        if draft.digest_before is not None:
            active = self._rulesets(draft.digest_before).decode("utf-8-sig")
        try:
            if draft.document:
                check_ruleset(draft.document.encode(), "ruleset", self._models)
        except InvalidRulesetError as error:
            return CheckedDraft(problems=tuple(map(_at_its_line, error.problems)))
        try:
            document = whole_document(active, draft, self._new_draw_key())
            ruleset = check_ruleset(document.encode(), _WHOLE, self._models)
            if active is None:
                keep_draw(None, document)
            else:
                # What deploys it asks the same: what it would refuse is not proposed.
                keep_to(draft.kind, active, document, draft.list_entries)
            entries = changed_entries(active, document)
            if draft.kind is ChangeKind.LISTS:
                check_expiry(entries, self._clock().date())
        except RulesetEditError as error:
            return CheckedDraft(problems=(DraftProblem(message=f"{error}."),))
        except InvalidRulesetError as error:
            return CheckedDraft(
                problems=tuple(
                    DraftProblem(message=each.message, rule_id=each.rule_id) for each in error.problems
                )
            )
        before = None if active is None else check_before(active, self._models)
        candidate = ruleset.candidate
        return CheckedDraft(
            warnings=tuple(warnings(ruleset, "ruleset")),
            document=document,
            summary=summary(ruleset, "ruleset"),
            version_after=ruleset.version,
            candidate_version=None if candidate is None else candidate.ruleset.version,
            candidate_share=None if candidate is None else candidate.draw.share_percent,
            withdrawn_version=_withdrawn(before, ruleset),
            changes_masked=any(each.is_masked for each in entries),
        )


def check_before(active: str, models: Models) -> Ruleset | None:
    """Read the active document; None where this version of the system cannot read it any more, which must not keep a better one out."""
    try:
        return check_ruleset(active.encode(), "the active ruleset", models)
    except InvalidRulesetError:
        return None


def _withdrawn(before: Ruleset | None, after: Ruleset) -> str | None:
    """The version of a candidate that is in neither side any more."""
    if before is None or before.candidate is None:
        return None
    version = before.candidate.ruleset.version
    return None if version in {side.version for side in after.sides} else version


def _at_its_line(problem: RulesetProblem) -> DraftProblem:
    return msgspec.convert(
        {name: getattr(problem, name) for name in ("message", "line", "column", "rule_id", "excerpt")},
        DraftProblem,
    )
