"""What a payment that is alerted on writes to ``flagged_transactions``, from the history rows that a run inserted. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from benchmarks.item_size import inserted_items, item_bytes, write_units
from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments
from contract.case import CaseKey, Judgement, owner_of
from contract.flagged import flag, to_flagged_item
from contract.scored import Decision, from_history_item

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID = "00000000-0000-5000-8000-000000000000"


def alerted_units(bodies: Sequence[str]) -> list[int]:
    """Write units of the table, its indexes left out, for each flagged payment if it is alerted on.

    Parameters
    ----------
    bodies : Sequence[str]
        Of insert requests of history rows.

    Returns
    -------
    list[int]
        One entry for each row that was not approved: its insert; its claim and the marks of its case, which count twice because
        they are part of transactions; and its mark as sent. An update takes the units of the whole row.
    """
    units = []
    for body in bodies:
        for item in inserted_items(body):
            if item["decision"]["S"] == Decision.APPROVE.value:
                continue
            scored = from_history_item(item)
            row = flag(scored, scored.scored_at, timedelta(days=1))
            claim = AlertClaim(
                Severity.of(row.decision, row.risk_score), row.occurred_at, SuppressedPayments()
            )
            claimed = msgspec.structs.replace(
                row, alert_state=AlertState.CLAIMED, alert_id=_ID, alert_claim=claim
            )
            sent = msgspec.structs.replace(claimed, alert_state=AlertState.SENT, alerted_at=scored.scored_at)
            cased = msgspec.structs.replace(
                sent,
                case_id=CaseKey(owner_of(row.user_id), 1).case_id,
                case_judgement=Judgement.UNDECIDED.value,
                case_alert_id=_ID,
            )
            inserted, marked, done, in_case = (
                write_units(item_bytes(to_flagged_item(one))) for one in (row, claimed, sent, cased)
            )
            units.append(inserted + 2 * marked + done + 2 * in_case)
    return units
