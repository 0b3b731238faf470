"""Changes of the ruleset: what waits and what was done; a change by itself, where another person approves or rejects it; the candidate's withdrawal."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from common.proposals import changes_nothing
from common.ruleset_bucket import ChangedDocumentError, MissingDocumentError
from common.ruleset_desk import DeskRefusal
from common.sanitizing import printable
from console import notices
from console.change_search import WantedChanges, page_of
from console.change_views import KINDS, change_view, changes_view
from console.difference_views import compared
from console.editor_views import REACHES, share_of
from console.rights import Right
from console.tried_views import AS_CANDIDATE, can_be_tried, trial_view
from contract.ruleset_change import ChangeKind
from contract.ruleset_draft import Draft
from contract.tried import TryRequest

if TYPE_CHECKING:
    from starlette.responses import Response

    from common.ruleset_desk import RulesetDesk
    from console.app import Desk, Visit
    from console.difference_views import Comparison
    from console.pages import Notice
    from console.rules_pages import ActiveDocument
    from console.ruleset_reader import RulesetReader
    from console.trials import Trials
    from console.tried_views import TrialView
    from contract.authoring import RulesetOutline
    from contract.ruleset_change import RulesetChange

MAX_NOTE_CHARACTERS: Final = 500
MAX_PERSON_CHARACTERS: Final = 256


class ChangePages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    rulesets : RulesetDesk
        The table of changes, and the documents.
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
        self._trials = trials
        self._desk = desk
        self._rulesets = rulesets
        self._active = active
        self._reader = reader

    def changes(self, visit: Visit) -> Response:
        """Show what waits, and what was done last."""
        return self._found(visit, WantedChanges())

    def find_changes(self, visit: Visit) -> Response:
        """Show the changes that a form asks for, from its place on."""
        form = visit.form
        wanted = WantedChanges(
            until=_day(form.get("until", "")),
            person=printable(form.get("person", "").strip(), MAX_PERSON_CHARACTERS),
            kind=form["kind"] if form.get("kind") in set(ChangeKind) else "",
            before=form.get("before", ""),
        )
        return self._found(visit, wanted)

    def _found(self, visit: Visit, wanted: WantedChanges) -> Response:
        page = page_of(self._rulesets.before(*wanted.place(visit.now)), wanted)
        waiting = self._rulesets.open_changes() if wanted.is_all else []
        view = changes_view(waiting, page, wanted, self._desk.names(), visit.person)
        return self._page(
            visit, "changes.html", view=view, kinds=[(each.value, KINDS[each]) for each in KINDS]
        )

    def change(self, visit: Visit) -> Response:
        """Show a change, what differs, and what is known of its trial."""
        change = self._rulesets.change(visit.parts["change"])
        if change is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        return self._change(visit, change)

    def reveal_change(self, visit: Visit) -> Response:
        """Show a change with the values that it changes on lists, and note who has seen them."""
        change = self._rulesets.reveal(visit.parts["change"], visit.person)
        if isinstance(change, DeskRefusal):
            return self._desk.pages.notice(notices.REFUSED_CHANGES[change], visit.who)
        return self._change(visit, change, is_revealed=True)

    def try_change(self, visit: Visit) -> Response:
        """Have a change tried on stored payments, and go where one sees how far it is."""
        change = self._rulesets.change(visit.parts["change"])
        if change is None or not can_be_tried(change):
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        self._trials.begin(_request(change), visit.now)
        return self._desk.pages.go(f"/changes/{change.change_id}#trial")

    def trial_of_change(self, visit: Visit) -> Response:
        """Show how far a change's trial is, or what it has found, by itself."""
        change = self._rulesets.change(visit.parts["change"])
        if change is None or not can_be_tried(change):
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        return self._page(visit, "trial.html", trial=self._trial(change, visit), change=change.change_id)

    def _trial(self, change: RulesetChange, visit: Visit) -> TrialView | None:
        """How far a change's trial is; None where it cannot be tried."""
        if not can_be_tried(change):
            return None
        request = _request(change)
        return trial_view(self._trials.row(request.trial_id), request, visit.now)

    def _change(self, visit: Visit, change: RulesetChange, *, is_revealed: bool = False) -> Response:
        rights = frozenset() if visit.who is None else visit.who.rights
        view = change_view(
            change,
            self._desk.names(),
            visit.person,
            may_decide=Right.DECIDE_CHANGES in rights,
            may_propose=Right.PROPOSE_ENTRIES in rights,
        )
        found, missing = self._difference(change, is_revealed=is_revealed)
        return self._page(
            visit,
            "change.html",
            view=view,
            difference=found,
            missing=missing,
            trial=self._trial(change, visit),
            can_reveal=not is_revealed and Right.DECIDE_CHANGES in rights,
        )

    def approve_change(self, visit: Visit) -> Response:
        """Approve somebody else's change."""
        return self._decided(
            visit,
            self._rulesets.approve(visit.parts["change"], visit.person, _note(visit), visit.now),
        )

    def reject_change(self, visit: Visit) -> Response:
        """Reject somebody else's change."""
        return self._decided(
            visit, self._rulesets.reject(visit.parts["change"], visit.person, _note(visit), visit.now)
        )

    def retract_change(self, visit: Visit) -> Response:
        """Retract one's own change."""
        return self._decided(
            visit, self._rulesets.retract(visit.parts["change"], visit.person, None, visit.now)
        )

    def widen_candidate(self, visit: Visit) -> Response:
        """Propose that the candidate, as it is, decides for others than now: for all users, for another share of them, or for nobody."""
        found = self._active.get()
        if found is None or found[2].candidate is None:
            return self._desk.pages.notice(notices.NO_CANDIDATE, visit.who)
        kind = {each.value: each for each in REACHES}.get(visit.form.get("reach", ""))
        share = share_of(visit.form.get("share", "")) if kind is ChangeKind.CANDIDATE else None
        if kind is None or (kind is ChangeKind.CANDIDATE and share is None):
            return self._desk.pages.notice(notices.NO_SHARE, visit.who)
        return self._proposed(
            visit, Draft(kind=kind, digest_before=found[0].digest, share=share), notices.NO_CANDIDATE
        )

    def withdraw_candidate(self, visit: Visit) -> Response:
        """Propose that the candidate is taken out."""
        found = self._active.get()
        if found is None or found[2].candidate is None:
            return self._desk.pages.notice(notices.NO_CANDIDATE, visit.who)
        draft = Draft(kind=ChangeKind.WITHDRAWN, digest_before=found[0].digest)
        return self._proposed(visit, draft, notices.NO_CANDIDATE)

    def _proposed(self, visit: Visit, draft: Draft, otherwise: Notice) -> Response:
        checked = self._reader.check(draft)
        if not checked.is_good:
            return self._desk.pages.notice(otherwise, visit.who)
        if changes_nothing(draft, checked):
            return self._desk.pages.notice(notices.NO_SHARE, visit.who)
        change = self._rulesets.propose(draft, checked, visit.person, visit.reason, visit.now)
        return self._decided(visit, change)

    def _decided(self, visit: Visit, change: RulesetChange | DeskRefusal) -> Response:
        if isinstance(change, DeskRefusal):
            return self._desk.pages.notice(notices.REFUSED_CHANGES[change], visit.who)
        return self._desk.pages.go(f"/changes/{change.change_id}")

    def _difference(self, change: RulesetChange, *, is_revealed: bool) -> tuple[Comparison | None, str]:
        """What a change would make different; or why that cannot be shown."""
        try:
            before, after = self._rulesets.document_before(change), self._rulesets.document_after(change)
        except (MissingDocumentError, ChangedDocumentError):
            return None, "Its documents are not kept, so what differs cannot be shown."
        one, other = self._outline(before), self._outline(after)
        if one is None or other is None:
            return (
                None,
                "Its documents cannot be compared: one of them is of a version that cannot be read now.",
            )
        return compared(one, other, is_revealed=is_revealed), ""

    def _outline(self, document: str | None) -> RulesetOutline | None:
        return None if document is None else self._reader.read(document).outline

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="changes", **view)


def _request(change: RulesetChange) -> TryRequest:
    return TryRequest(
        proposal=change.sha256_after or "",
        digest_before=change.digest_before or "",
        is_candidate=change.kind in AS_CANDIDATE,
    )


def _note(visit: Visit) -> str | None:
    return printable(visit.form.get("note", "").strip(), MAX_NOTE_CHARACTERS) or None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
