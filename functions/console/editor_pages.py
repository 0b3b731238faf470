"""Where authors write rules: a rule or the whole document, checked, compared with what is active, and proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from common.proposals import changes_nothing, proposed_whole
from common.ruleset_desk import DeskRefusal
from common.sanitizing import printable
from console import notices
from console.difference_views import compared
from console.editor_views import (
    DEFAULT_SHARE,
    NEW_RULE,
    Checked,
    ProblemRow,
    Written,
    editor_view,
    next_version,
    problem_rows,
    share_of,
    written_of,
)
from console.tried_views import AS_CANDIDATE
from contract.authoring import ChangeRule, ReadSide
from contract.ruleset_change import ChangeKind
from contract.ruleset_draft import CheckedDraft, Draft
from contract.side import Side
from contract.tried import TryRequest
from engine.features.catalogue import CATALOGUE

if TYPE_CHECKING:
    from starlette.responses import Response

    from common.ruleset_desk import RulesetDesk
    from console.app import Desk, Visit
    from console.pages import Notice
    from console.rules_pages import ActiveDocument
    from console.ruleset_reader import RulesetReader
    from console.trials import Trials
    from contract.active_ruleset import ActiveRuleset
    from contract.authoring import RulesetOutline

MAX_REASON_CHARACTERS: Final = 500

_SOMEBODY_ELSE: Final = (
    "Another ruleset has become active since you opened this page. Your text is compared with the new one below: what it undoes of that "
    "is shown as your change."
)


class _Edit(msgspec.Struct, frozen=True):
    """What was written, made a whole ruleset, and what the checker says."""

    checked: Checked
    draft: Draft | None
    """None where it cannot be proposed."""
    answer: CheckedDraft | None


class EditorPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    rulesets : RulesetDesk
        Where changes are proposed.
    active : ActiveDocument
        What is active.
    reader : RulesetReader
        The validator.
    trials : Trials
        What tries rulesets on stored payments.
    """

    def __init__(
        self,
        desk: Desk,
        rulesets: RulesetDesk,
        active: ActiveDocument,
        reader: RulesetReader,
        trials: Trials,
    ) -> None:
        self._desk = desk
        self._rulesets = rulesets
        self._active = active
        self._reader = reader
        self._trials = trials

    def new_rule(self, visit: Visit) -> Response:
        """Show the form of a new rule."""
        found = self._active.get()
        if found is None:
            return self._notice(visit, notices.NO_RULESET)
        return self._form(visit, found[0], found[2], "", NEW_RULE)

    def edit_rule(self, visit: Visit) -> Response:
        """Show a rule's text in the form."""
        found = self._active.get()
        rules = () if found is None else found[2].champion.rules
        rule = next((each for each in rules if each.id == visit.parts["rule"]), None)
        if found is None or rule is None:
            return self._notice(visit, notices.NO_PAGE)
        return self._form(visit, found[0], found[2], rule.id, rule.text)

    def open_document(self, visit: Visit) -> Response:
        """Show the whole document of one side in the form. It has the entries of lists, so it is asked for with a reason."""
        found = self._active.get()
        if found is None:
            return self._notice(visit, notices.NO_RULESET)
        active, text, outline = found
        side = Side.CANDIDATE if visit.form.get("subject") == Side.CANDIDATE else Side.CHAMPION
        answer = self._reader.ask(ReadSide(text, side))
        if answer.refusal:
            return self._notice(visit, notices.NO_PAGE)
        return self._form(visit, active, outline, None, answer.document)

    def check_change(self, visit: Visit) -> Response:
        """Say what the checker finds in what was written, and what would differ."""
        found = self._active.get()
        if found is None:
            return self._notice(visit, notices.NO_RULESET)
        active, text, outline = found
        written = written_of(visit.form, _version(visit, outline))
        return self._shown(visit, active, outline, written, self._edit(active, text, outline, written))

    def try_draft(self, visit: Visit) -> Response:
        """Have what was written tried on stored payments, before anybody proposes it. What the checker refuses is shown in the form instead."""
        found = self._active.get()
        if found is None:
            return self._notice(visit, notices.NO_RULESET)
        active, text, outline = found
        written = written_of(visit.form, _version(visit, outline))
        edit = self._edit(active, text, outline, written)
        if edit.draft is None or edit.answer is None:
            return self._shown(visit, active, outline, written, edit)
        request = TryRequest(
            proposal=self._trials.keep(proposed_whole(edit.draft, edit.answer)),
            digest_before=active.digest,
            is_candidate=edit.draft.kind in AS_CANDIDATE,
        )
        self._trials.begin(request, visit.now)
        return self._desk.pages.go(f"/rules/trials/{request.trial_id}")

    def propose_change(self, visit: Visit) -> Response:
        """Propose what was written. What the checker refuses, or was written from another ruleset, is shown in the form instead."""
        found = self._active.get()
        if found is None:
            return self._notice(visit, notices.NO_RULESET)
        active, text, outline = found
        written = written_of(visit.form, _version(visit, outline))
        edit = self._edit(active, text, outline, written)
        if edit.draft is None or edit.answer is None or written.base != active.digest:
            return self._shown(visit, active, outline, written, edit)
        reason = printable(written.reason, MAX_REASON_CHARACTERS)
        change = self._rulesets.propose(edit.draft, edit.answer, visit.person, reason, visit.now)
        if isinstance(change, DeskRefusal):
            return self._notice(visit, notices.REFUSED_CHANGES[change])
        return self._desk.pages.go(f"/changes/{change.change_id}")

    def _edit(self, active: ActiveRuleset, text: str, outline: RulesetOutline, written: Written) -> _Edit:
        share = share_of(written.share) if written.kind is ChangeKind.CANDIDATE else None
        if written.kind is ChangeKind.CANDIDATE and share is None:
            return _refused("A share is above 0 and at most 50 percent, such as 2.5.")
        document, first_line, last_line = written.text, 1, None
        if written.rule is not None:
            # For all users a rule is changed in the whole document, so that a candidate stays.
            is_alone = written.kind is not ChangeKind.TO_ALL
            base = self._reader.ask(ReadSide(text, Side.CHAMPION)).document if is_alone else text
            answer = self._reader.ask(ChangeRule(base, written.rule, written.text, written.version))
            if answer.refusal:
                return _refused(f"The rule cannot be put into the document: {answer.refusal}.")
            document, first_line = answer.document, answer.first_line
            last_line = first_line + written.text.strip().count("\n")
        draft = Draft(kind=written.kind, digest_before=active.digest, document=document, share=share)
        checked = self._reader.check(draft)
        if checked.problems:
            rows = problem_rows(checked.problems, document, first_line, last_line)
            return _Edit(Checked(problems=rows), None, None)
        if changes_nothing(draft, checked):
            return _refused("It changes nothing: the active ruleset is the same text.")
        after = self._reader.read(checked.document).outline
        if after is None:
            return _refused("What comes of it cannot be read.")
        found = compared(outline, after)
        note = _SOMEBODY_ELSE if written.base != active.digest else ""
        return _Edit(Checked(warnings=checked.warnings, difference=found, note=note), draft, checked)

    def _form(
        self,
        visit: Visit,
        active: ActiveRuleset,
        outline: RulesetOutline,
        rule: str | None,
        text: str,
    ) -> Response:
        written = Written(
            rule=rule,
            text=text,
            version=_version(visit, outline),
            kind=ChangeKind.SHADOW,
            share=DEFAULT_SHARE,
            base=active.digest,
        )
        return self._page(visit, outline, written, None)

    def _shown(
        self,
        visit: Visit,
        active: ActiveRuleset,
        outline: RulesetOutline,
        written: Written,
        edit: _Edit,
    ) -> Response:
        again = msgspec.structs.replace(written, base=active.digest)
        return self._page(visit, outline, again, edit.checked)

    def _page(
        self, visit: Visit, outline: RulesetOutline, written: Written, checked: Checked | None
    ) -> Response:
        view = editor_view(written, outline, CATALOGUE, checked)
        has_problem = checked is not None and bool(checked.problems)
        return self._desk.pages.page(
            "editor.html", visit.who, 422 if has_problem else 200, page_name="rules", view=view
        )

    def _notice(self, visit: Visit, notice: Notice) -> Response:
        return self._desk.pages.notice(notice, visit.who)


def _refused(message: str) -> _Edit:
    return _Edit(Checked(problems=(ProblemRow("", message, ""),)), None, None)


def _version(visit: Visit, outline: RulesetOutline) -> str:
    return next_version({each.version for each in outline.sides}, f"{visit.now:%Y-%m-%d}")
