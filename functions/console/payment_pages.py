"""A payment of a case by itself: its row, its features, and its decision made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.payment_views import payment_view
from console.replay_views import replay_view
from console.verdicts import payment_id
from contract.case_work import Refusal
from engine.features.stored import features_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_reader import Changing
    from console.records import Records
    from contract.flagged import FlaggedKey
    from contract.replayed import ReplayAnswer


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
    replays : Replaying
        Makes decisions again.
    """

    def __init__(self, desk: Desk, cases: Changing, records: Records, replays: Replaying) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
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

    def _payment(self, visit: Visit, *, is_revealed: bool, is_replayed: bool = False) -> Response:
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        wanted = visit.parts["payment"]
        payments = self._records.payments_to_judge(case, MAX_PAYMENTS)
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
