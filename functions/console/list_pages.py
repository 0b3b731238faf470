"""Lists: what is on them, and additions from pasted lines, from a case's card, device, address, merchant or payee, and from a search.

Each addition is a change that another person approves. A value is never in an address: it comes in a form, or is read from the case.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from common.ruleset_desk import DeskRefusal
from common.sanitizing import printable
from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.difference_views import shown_value
from console.entity_pages import numbered_entity
from console.entity_views import FIELD_OF_KIND
from console.link_graph import KINDS
from console.list_views import lists_for, lists_view, read_pasted, read_until
from console.pages import Notice
from contract.authoring import TakeOff
from contract.case_work import Refusal
from contract.ruleset_change import ChangeKind, ListEntry
from contract.ruleset_draft import Draft
from contract.text import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from common.ruleset_desk import RulesetDesk
    from console.app import Desk, Visit
    from console.case_reader import Changing
    from console.records import Records
    from console.rules_pages import ActiveDocument
    from console.ruleset_reader import RulesetReader
    from contract.active_ruleset import ActiveRuleset
    from contract.flagged import FlaggedTransaction

HISTORY: Final = 1_000
"""Changes that are read to say who has added what, the newest."""

WORDS: Final = {"user_id": "user", **{field: KINDS[kind] for kind, field in FIELD_OF_KIND.items()}}
"""The fields in the words of a page."""

FIELD_OF_SEARCH: Final = {
    "user": "user_id",
    **{field: field for field in FIELD_OF_KIND.values()},
}
"""What people search by, to the field."""


class ListPages:
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
    cases : Changing
        The table of cases.
    records : Records
        The tables of payments.
    """

    def __init__(
        self,
        desk: Desk,
        rulesets: RulesetDesk,
        active: ActiveDocument,
        reader: RulesetReader,
        cases: Changing,
        records: Records,
    ) -> None:
        self._desk = desk
        self._rulesets = rulesets
        self._active = active
        self._reader = reader
        self._cases = cases
        self._records = records

    def lists(self, visit: Visit) -> Response:
        """Show the lists of the active ruleset."""
        return self._lists(visit, ())

    def paste_entries(self, visit: Visit) -> Response:
        """Propose entries from pasted lines."""
        name = visit.form.get("subject", "")
        try:
            until = read_until(visit.form.get("until", ""), visit.now)
        except ValueError as error:
            return self._lists(visit, (f"The expiry {error}.",))
        pasted = read_pasted(name, visit.form.get("lines", ""), until, visit.reason, visit.now)
        if pasted.problems:
            return self._lists(visit, pasted.problems)
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        return self._propose(visit, found[0], pasted.entries)

    def take_off(self, visit: Visit) -> Response:
        """Propose that an entry is taken off its list. All else of the document stays, its candidate too."""
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        active, text, outline = found
        name, number = visit.form.get("subject", ""), visit.form.get("number", "")
        lists = {each.name: each.entries for each in outline.champion.lists}
        by_place = {str(place): entry for place, entry in enumerate(lists.get(name, ()))}
        if visit.form.get("base") != active.digest or number not in by_place:
            return self._desk.pages.notice(notices.MOVED_ENTRY, visit.who)
        answer = self._reader.ask(TakeOff(text, name, (by_place[number].value,)))
        if answer.refusal:
            return self._refused(visit, f"The document cannot be changed so: {answer.refusal}.")
        draft = Draft(kind=ChangeKind.TO_ALL, digest_before=active.digest, document=answer.document)
        return self._checked(visit, draft)

    def choose_list(self, visit: Visit) -> Response:
        """Ask on which list an entity of a case is put."""
        found = self._entity(visit)
        if found is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        field, value = found
        parts = {"case": visit.parts["case"], "number": visit.parts["number"]}
        action = self._desk.pages.path_of("list_entity", **parts)
        return self._choose(visit, field, value, action, ())

    def choose_list_of_found(self, visit: Visit) -> Response:
        """Ask on which list what was searched for is put."""
        by, query = visit.form.get("subject", ""), visit.asked_for
        field = FIELD_OF_SEARCH.get(by)
        if field is None or not query:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        action = self._desk.pages.path_of("list_found")
        return self._choose(visit, field, query, action, (("subject", by), ("query", query)))

    def list_entity(self, visit: Visit) -> Response:
        """Propose that an entity of a case is put on a list."""
        found = self._entity(visit)
        if found is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        return self._put(visit, *found)

    def list_found(self, visit: Visit) -> Response:
        """Propose that what was searched for is put on a list."""
        field = FIELD_OF_SEARCH.get(visit.form.get("subject", ""))
        if field is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        return self._put(visit, field, visit.asked_for or None)

    def _entity(self, visit: Visit) -> tuple[str, str | None] | None:
        """Field and value of the entity that a path names; None where there is no such entity, or no list may have it."""
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return None
        name = numbered_entity(case, visit.parts["number"])
        field = FIELD_OF_KIND.get("" if name is None else name[:1])
        if name is None or field is None:
            return None
        return field, value_in(self._records.case_payments(case, MAX_PAYMENTS), name, field)

    def _choose(
        self,
        visit: Visit,
        field: str,
        value: str | None,
        action: str,
        hidden: Sequence[tuple[str, str]],
    ) -> Response:
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        if value is None:
            return self._desk.pages.notice(notices.NO_LIST, visit.who)
        view: dict[str, Any] = {
            "what": WORDS[field],
            "value": shown_value(field, value),
            "lists": lists_for(found[2].champion.lists, field),
            "action": action,
            "hidden": hidden,
        }
        return self._desk.pages.page("put_on_list.html", visit.who, page_name="lists", **view)

    def _put(self, visit: Visit, field: str, value: str | None) -> Response:
        name = visit.form.get("list", "")
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        if value is None or len(value) > MAX_TEXT or name not in lists_for(found[2].champion.lists, field):
            return self._desk.pages.notice(notices.NO_LIST, visit.who)
        try:
            until = read_until(visit.form.get("until", ""), visit.now)
        except ValueError as error:
            return self._refused(visit, f"The expiry {error}.")
        note = printable(visit.reason, MAX_TEXT) or None
        entry = ListEntry(list_name=name, value=value, until=until, note=note)
        return self._propose(visit, found[0], (entry,))

    def _propose(self, visit: Visit, active: ActiveRuleset, entries: tuple[ListEntry, ...]) -> Response:
        draft = Draft(kind=ChangeKind.LISTS, digest_before=active.digest, list_entries=entries)
        return self._checked(visit, draft)

    def _checked(self, visit: Visit, draft: Draft) -> Response:
        checked = self._reader.check(draft)
        if checked.problems:
            # Messages of the checker name a list, and never a value.
            return self._refused(
                visit, " ".join(dict.fromkeys(f"{each.message}." for each in checked.problems))
            )
        change = self._rulesets.propose(draft, checked, visit.person, visit.reason, visit.now)
        if isinstance(change, DeskRefusal):
            return self._desk.pages.notice(notices.REFUSED_CHANGES[change], visit.who)
        return self._desk.pages.go(f"/changes/{change.change_id}")

    def _refused(self, visit: Visit, text: str) -> Response:
        notice = Notice(422, "This cannot be put on the list", f"Nothing was changed. {text}")
        return self._desk.pages.notice(notice, visit.who)

    def _lists(self, visit: Visit, problems: Sequence[str]) -> Response:
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        changes = islice(self._rulesets.history(visit.now), HISTORY)
        view = lists_view(found[2].champion.lists, changes, self._desk.names(), visit.now)
        return self._page(
            visit,
            422 if problems else 200,
            view=view,
            base=found[0].digest,
            problems=problems,
            chosen=visit.form.get("subject", ""),
            lines=visit.form.get("lines", ""),
            until=visit.form.get("until", ""),
            reason=visit.form.get("reason", ""),
        )

    def _page(self, visit: Visit, status: int, **view: Any) -> Response:
        return self._desk.pages.page("lists.html", visit.who, status, page_name="lists", **view)


def value_in(payments: Sequence[FlaggedTransaction], name: str, field: str) -> str | None:
    """The value of an entity, by its name, as a payment has it; None where no payment that is kept has it."""
    for flagged in payments:
        value: str | None = getattr(flagged, field)
        if name in flagged.entity_ids and value is not None:
            return value
    return None
