"""What a trial found, by itself, and the payments that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console import notices
from console.payment_views import payment_view
from console.tried_views import trial_view
from console.verdicts import payment_id
from contract.flagged import FlaggedKey

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.records import Records
    from console.trials import Trials
    from contract.trial_row import TrialRow


class TrialPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    trials : Trials
        How far each is.
    records : Records
        Payments.
    """

    def __init__(self, desk: Desk, trials: Trials, records: Records) -> None:
        self._desk = desk
        self._trials = trials
        self._records = records

    def trial(self, visit: Visit) -> Response:
        """Show how far a trial is, or what it has found."""
        row = self._trials.row(visit.parts["trial"])
        if row is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        view = trial_view(row, row.request, visit.now)
        return self._desk.pages.page("trial.html", visit.who, page_name="rules", trial=view, change="")

    def tried_payment(self, visit: Visit) -> Response:
        """Show a payment that a trial names."""
        row = self._trials.row(visit.parts["trial"])
        wanted = visit.parts["payment"]
        key = next((each for each in _named(row) if payment_id(each) == wanted), None)
        stored = None if key is None else self._records.history_rows([key]).get(key)
        if key is None or stored is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        flagged = self._records.flagged_rows([key]).get(key)
        labels = [
            label for label in self._records.labels_of_user(key.user_id) if label.event_key == key.event_key
        ]
        return self._desk.pages.page(
            "payment.html",
            visit.who,
            page_name="rules",
            view=payment_view(stored, flagged, labels),
            case_id="" if flagged is None else flagged.case_id or "",
            payment="",
            can_reveal=False,
            replay=None,
            found=None,
        )


def _named(row: TrialRow | None) -> list[FlaggedKey]:
    found = None if row is None else row.found
    if found is None:
        return []
    return [
        FlaggedKey(example.user_id, example.event_key)
        for rule in (*found.new, *found.lost)
        for example in rule.examples
    ]
