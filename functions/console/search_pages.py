"""Search by what people know of a payment. It is sent as a form: no id, card, device or address is ever in an address or a log."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from console import notices
from console.entity_views import found_cases
from console.payment_views import found_payments, payment_view
from console.replay_views import replay_view
from console.verdicts import payment_id
from contract.addresses import canonical_address
from contract.case import Case, owner_of
from contract.entity_ids import entity_names
from contract.flagged import FlaggedKey, FlaggedTransaction
from contract.scored import ScoredTransaction
from contract.text import canonical_id
from contract.transaction import Transaction
from engine.features.stored import features_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.payment_pages import Replaying
    from console.records import Records

FIELDS: Final = (
    ("transaction", "Transaction id"),
    ("user", "User id"),
    ("card_id", "Card token"),
    ("device_id", "Device"),
    ("ip_address", "IP address"),
    ("merchant_id", "Merchant"),
    ("payee_id", "Payee"),
)
"""What people search by: the form's word, and theirs. By the first two over all payments, by the others over cases of flagged ones."""

MAX_FOUND: Final = 50

_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


class Found(msgspec.Struct, frozen=True):
    """What a search finds."""

    rows: dict[FlaggedKey, ScoredTransaction]
    flagged: dict[FlaggedKey, FlaggedTransaction]
    cases: list[Case]


class SearchPages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk, records: Records, replays: Replaying) -> None:
        self._desk = desk
        self._records = records
        self._replays = replays

    def search(self, visit: Visit) -> Response:
        """Show the form."""
        return self._page(visit, "search.html", by="", found=None, fields=FIELDS)

    def find(self, visit: Visit) -> Response:
        """Show what is found."""
        by, query = _asked(visit)
        if by not in dict(FIELDS) or not query:
            return self._desk.pages.notice(notices.NOTHING_TO_FIND, visit.who)
        found = self._find(by, query)
        return self._page(
            visit,
            "search.html",
            by=by,
            query=query,
            words=dict(FIELDS)[by],
            found=found,
            payments=found_payments(found.rows, found.flagged),
            cases=found_cases(found.cases),
            fields=FIELDS,
            can_list=by != "transaction",
            most=MAX_FOUND,
        )

    def show_found(self, visit: Visit) -> Response:
        """Show one of the payments that a search found."""
        return self._shown(visit, is_replayed=False)

    def replay_found(self, visit: Visit) -> Response:
        """Show it with its decision made again."""
        return self._shown(visit, is_replayed=True)

    def _shown(self, visit: Visit, *, is_replayed: bool) -> Response:
        by, query = _asked(visit)
        found = self._find(by, query) if by in dict(FIELDS) and query else None
        # By its id, not by its place: a payment that came in meanwhile would move all places.
        payment = visit.form.get("payment", "")
        key = next((each for each in (found.rows if found else ()) if payment_id(each) == payment), None)
        if found is None or key is None:
            return self._desk.pages.notice(notices.NOTHING_TO_FIND, visit.who)
        labels = [
            label for label in self._records.labels_of_user(key.user_id) if label.event_key == key.event_key
        ]
        flagged = found.flagged.get(key)
        row = found.rows[key]
        view = payment_view(row, flagged, labels)
        case_id = "" if flagged is None else flagged.case_id or ""
        return self._page(
            visit,
            "payment.html",
            view=view,
            case_id=case_id,
            payment="",
            can_reveal=False,
            replay=replay_view(row, features_of(row), self._replays.of(key)) if is_replayed else None,
            found={"subject": by, "query": query, "payment": payment},
        )

    def _find(self, by: str, query: str) -> Found:
        if by == "user":
            rows = self._records.history_of_user(query, MAX_FOUND)
            cases = self._records.cases_of_owner(owner_of(query), MAX_FOUND)
        elif by == "transaction":
            keys = self._records.keys_of_transaction(query, MAX_FOUND)
            rows, cases = self._records.history_rows(keys), []
        else:
            name = entity_of(by, query)
            ids = [] if name is None else self._records.cases_of_entity(name, MAX_FOUND)
            return Found({}, {}, self._records.cases(ids))
        flagged = self._records.flagged_rows([key for key, row in rows.items() if row.is_to_be_flagged])
        return Found(rows, flagged, cases)

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="search", **view)


def entity_of(field: str, value: str) -> str | None:
    """Name of the entity that a value of a payment's field is, made canonical as the contract does it; None for an address that is none."""
    text = canonical_address(value) if field == "ip_address" else canonical_id(value)
    if not text:
        return None
    nobody: Any = {"transaction_id": "-", "user_id": "-", "amount": Decimal(0), "timestamp": _NO_TIME}
    payment = Transaction(**nobody | {field: text})
    return next(iter(entity_names(payment)), None)


def _asked(visit: Visit) -> tuple[str, str]:
    return visit.form.get("subject", ""), visit.asked_for
