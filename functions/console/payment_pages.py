"""A payment of a case by itself; what a case shares with others; and a card, device, address, merchant or payee by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.link_graph import Shared, kind_of, link_graph
from console.masking import masked
from console.payment_views import found_case, payment_view
from console.replay_views import replay_view
from console.verdicts import payment_id
from console.views import base_money, counted, shown_time
from contract.case_work import Refusal
from engine.features.stored import features_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from common.case_lookups import Link
    from console.app import Desk, Visit
    from console.case_reader import Changing
    from console.payment_views import FoundCase
    from console.records import Records
    from contract.case import Case
    from contract.flagged import FlaggedKey, FlaggedTransaction
    from contract.label_rows import EntityMarks
    from contract.replayed import ReplayAnswer

MAX_CASES: Final = 50
"""Cases of an entity that its page shows, the newest."""

_MASKED_KINDS: Final = frozenset("cdip")


class Linked(Protocol):
    """The call to what a case shares; see :class:`console.beside.CaseSurroundings`."""

    def links(self, case: Case) -> tuple[Link, ...]:
        """Entities that other cases have met too."""
        ...


class Replaying(Protocol):
    """The call that makes a decision again; see :class:`console.replays.Replays`."""

    def of(self, key: FlaggedKey) -> ReplayAnswer:
        """Make a payment's decision again."""
        ...


class PaymentPages:
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
    replays : Replaying
        Makes decisions again.
    """

    def __init__(
        self, desk: Desk, cases: Changing, records: Records, beside: Linked, replays: Replaying
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._beside = beside
        self._replays = replays

    def payment(self, visit: Visit) -> Response:
        """Show a payment of a case, with all features."""
        return self._payment(visit, is_revealed=False)

    def reveal_payment(self, visit: Visit) -> Response:
        """Show it with its personal data."""
        return self._payment(visit, is_revealed=True)

    def replay_payment(self, visit: Visit) -> Response:
        """Show it with its decision made again."""
        return self._payment(visit, is_revealed=False, is_replayed=True)

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
        words = {
            each.case_id: f"{each.severity.value}, {_state(each)}" for link in links for each in link.cases
        }
        values = values_of(self._records.case_payments(case, MAX_PAYMENTS), is_revealed=False)
        graph = link_graph(case.entities, shared, values, words)
        return self._page(visit, "links.html", graph=graph, case_id=case.case_id)

    def entity(self, visit: Visit) -> Response:
        """Show what is known of an entity of a case: its labels, and the cases that it is in."""
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        name = numbered_entity(case, visit.parts["number"])
        if name is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        ids = self._records.cases_of_entity(name, MAX_CASES)
        others = self._records.cases(ids)
        values = values_of(self._records.case_payments(case, MAX_PAYMENTS), is_revealed=False)
        return self._page(
            visit,
            "entity.html",
            kind=kind_of(name),
            value=values.get(name, ""),
            case_id=case.case_id,
            number=visit.parts["number"],
            can_list=name in values,
            labels=labels_text(self._records.marks(name)),
            summary=entity_summary(others),
            cases=found_cases(others),
        )

    def _payment(self, visit: Visit, *, is_revealed: bool, is_replayed: bool = False) -> Response:
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        wanted = visit.parts["payment"]
        payments = self._records.case_payments(case, MAX_PAYMENTS)
        flagged = next((each for each in payments if payment_id(each) == wanted), None)
        row = None if flagged is None else self._records.history_rows([flagged.key]).get(flagged.key)
        if flagged is None or row is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        labels = [
            label
            for label in self._records.labels_of_user(case.user_id)
            if label.event_key == flagged.event_key
        ]
        view = payment_view(row, flagged, labels, is_revealed=is_revealed)
        can_reveal = not is_revealed and visit.who is not None and visit.who.may_reveal
        replay = replay_view(row, features_of(row), self._replays.of(flagged.key)) if is_replayed else None
        return self._page(
            visit,
            "payment.html",
            view=view,
            case_id=case.case_id,
            payment=wanted,
            can_reveal=can_reveal,
            replay=replay,
            found=None,
        )

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        return self._desk.pages.notice(notices.REFUSED_STEPS[refusal], visit.who)

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="case", **view)


def values_of(payments: Sequence[FlaggedTransaction], *, is_revealed: bool) -> dict[str, str]:
    """Give the values of the entities that payments touch: entity name to value, personal ones masked."""
    values: dict[str, str] = {}
    for flagged in payments:
        given = {
            "c": flagged.card_id,
            "d": flagged.device_id,
            "i": flagged.ip_address,
            "m": flagged.merchant_id,
            "p": flagged.payee_id,
        }
        for name in flagged.entity_ids:
            value = given.get(name[:1])
            if value is not None:
                values.setdefault(
                    name, masked(value, is_revealed=is_revealed or name[:1] not in _MASKED_KINDS)
                )
    return values


def labels_text(marks: EntityMarks) -> str:
    """Say what labels say of an entity."""
    if not marks.frauds and marks.honest is None:
        return "No label names one of its payments."
    parts = []
    if marks.frauds:
        parts.append(
            f"{counted(len(marks.frauds), 'payment')} called fraud, the newest of {shown_time(marks.frauds[-1])}"
        )
    if marks.honest is not None:
        parts.append(f"the newest honest payment is of {shown_time(marks.honest)}")
    return f"{'; '.join(parts)}."


def entity_summary(cases: Sequence[Case]) -> str:
    """Say in how many cases an entity is, of how many users, and how they ended."""
    users = len({case.case_owner for case in cases})
    ended = [case.verdict.value for case in cases if case.verdict is not None]
    parts = [f"{ended.count(word)} {word}" for word in ("fraud", "mixed", "legitimate") if word in ended]
    text = f"In {counted(len(cases), 'case')} of {counted(users, 'user')}"
    return f"{text}; of the closed ones: {', '.join(parts)}." if parts else f"{text}; none is closed."


def found_cases(cases: Sequence[Case]) -> tuple[FoundCase, ...]:
    """Show cases, the newest first."""
    newest = sorted(cases, key=lambda case: case.opened_at, reverse=True)
    return tuple(found_case(case, base_money(case.at_risk_base, case.base_currency)) for case in newest)


def numbered_entity(case: Case, number: str) -> str | None:
    """Name of an entity of a case by its place; None where the case has none there."""
    if not number.isascii() or not number.isdigit() or len(number) > 2 or int(number) >= len(case.entities):
        return None
    return case.entities[int(number)]


def _state(case: Case) -> str:
    return "open" if case.verdict is None else case.verdict.value
