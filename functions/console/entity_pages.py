"""What a case shares with others; and a card, device, address, network, merchant or payee by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.entity_views import EntityRecords, entity_view, values_of
from console.link_graph import Shared, link_graph
from console.views import shown_time
from contract.case_work import Refusal
from engine.features.stored import features_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from common.case_lookups import Link
    from console.app import Desk, Visit
    from console.case_reader import Changing
    from console.records import Records
    from contract.case import Case
    from contract.flagged import FlaggedTransaction
    from contract.scored import FeatureValue

MAX_CASES: Final = 50
"""Cases of an entity that its page counts, the newest."""

MAX_CASES_READ: Final = 16
"""Of these, cases whose payments are read: each is a query."""

_WORKERS: Final = 8


class Linked(Protocol):
    """The call to what a case shares; see :class:`console.beside.CaseSurroundings`."""

    def links(self, case: Case) -> tuple[Link, ...]:
        """Entities that other cases have met too."""
        ...


class EntityPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Changing
        The table of cases.
    records : Records
        The tables of payments.
    beside : Linked
        What a case shares.
    """

    def __init__(self, desk: Desk, cases: Changing, records: Records, beside: Linked) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._beside = beside

    def links(self, visit: Visit) -> Response:
        """Show what a case shares with other cases."""
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        links = self._beside.links(case)
        shared = {
            link.entity_id: Shared(tuple(each.case_id for each in link.cases), link.case_count, link.has_more)
            for link in links
        }
        words = {each.case_id: _words(each, case) for link in links for each in link.cases}
        values = values_of(self._records.case_payments(case, MAX_PAYMENTS))
        graph = link_graph(case.entities, shared, values, words)
        return self._page(visit, "links.html", graph=graph, case_id=case.case_id)

    def entity(self, visit: Visit) -> Response:
        """Show what is known of an entity of a case: what it did across users, its risk, its labels, its cases."""
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        name = numbered_entity(case, visit.parts["number"])
        if name is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        view = entity_view(self._read(name))
        return self._page(visit, "entity.html", view=view, case_id=case.case_id, number=visit.parts["number"])

    def _read(self, name: str) -> EntityRecords:
        ids = self._records.cases_of_entity(name, MAX_CASES + 1)
        cases = self._records.cases(ids[:MAX_CASES])
        newest = sorted(cases, key=lambda case: case.opened_at, reverse=True)[:MAX_CASES_READ]
        with ThreadPoolExecutor(_WORKERS) as pool:
            marks = pool.submit(self._records.marks, name)
            parts = pool.map(lambda case: self._records.case_payments(case, MAX_PAYMENTS), newest)
            payments = [each for part in parts for each in part if name in each.entity_ids]
        return EntityRecords(
            name=name,
            cases=cases,
            payments=payments,
            features=self._features(payments),
            marks=marks.result(),
            has_more=len(ids) > MAX_CASES,
            cases_read=len(newest),
        )

    def _features(self, payments: list[FlaggedTransaction]) -> dict[str, FeatureValue]:
        if not payments:
            return {}
        key = max(payments, key=lambda each: each.occurred_at).key
        row = self._records.history_rows([key]).get(key)
        return {} if row is None else features_of(row)

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        return self._desk.pages.notice(notices.REFUSED_STEPS[refusal], visit.who)

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="case", **view)


def numbered_entity(case: Case, number: str) -> str | None:
    """Name of an entity of a case by its place; None where the case has none there."""
    if not number.isascii() or not number.isdigit() or len(number) > 2 or int(number) >= len(case.entities):
        return None
    return case.entities[int(number)]


def _words(other: Case, case: Case) -> str:
    """Say of another case how grave it is, how it ended, since when it is there, and whose it is."""
    state = "open" if other.verdict is None else f"closed: {other.verdict.value}"
    whose = "the same user" if other.case_owner == case.case_owner else "another user"
    return f"{other.severity.value}, {state}, of {whose}, opened {shown_time(other.opened_at)}"
