"""View model of a proposed ruleset on stored payments, beside the one from which it was made. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from console.views import counted
from contract.ruleset_change import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.ruleset_change import RulesetChange
    from contract.tried import Rate, RuleChange, TryAnswer


class TriedView(msgspec.Struct, frozen=True):
    """What was found."""

    summary: str
    rows: tuple[tuple[str, str, str, str], ...]
    """What, before, after, times as many."""
    rules: tuple[tuple[str, tuple[str, ...]], ...]
    note: str


def can_be_tried(change: RulesetChange) -> bool:
    """Whether a change has two documents that say something else about payments."""
    kinds = (ChangeKind.TO_ALL, ChangeKind.SHADOW, ChangeKind.CANDIDATE, ChangeKind.LISTS)
    return change.kind in kinds and change.sha256_after is not None and change.digest_before is not None


def tried_view(answer: TryAnswer, days: int) -> TriedView:
    """Show what was found on payments of so many days."""
    if answer.why_not or answer.alerts is None or answer.blocks is None:
        return TriedView(answer.why_not or f"No payment of the last {days} days was read.", (), (), "")
    payments, currency = answer.payments, answer.base_currency
    left_out = f" {counted(answer.unreadable, 'row')} could not be read." if answer.unreadable else ""
    return TriedView(
        summary=(
            f"{counted(payments, 'payment')} of the last {days} days, of {counted(answer.users, 'user')}: "
            f"about {answer.share_read:.0%} of the history, by chance.{left_out}"
        ),
        rows=(
            _row("Reviewed or blocked", answer.alerts, payments),
            _money("Their value", answer.alerts, currency),
            _row("Blocked", answer.blocks, payments),
            _money("Their value", answer.blocks, currency),
        ),
        rules=(
            ("Only the proposed one reviews or blocks, by rule", _rules(answer.new, currency)),
            ("Only the active one of then reviews or blocks, by rule", _rules(answer.lost, currency)),
        ),
        note=(
            "In brackets: where the figure lies in 95 cases of 100 for all users. Each payment is decided by the features that its row has. What "
            "other decisions would have taught about users and cards since is not in them."
        ),
    )


def _row(title: str, rate: Rate, payments: int) -> tuple[str, str, str, str]:
    before, after = (f"{count:,} ({count / payments:.2%})" for count in (rate.before, rate.after))
    if not rate.before and not rate.after:
        return title, before, after, ""
    return title, before, after, f"{rate.times:.2f} ({rate.least:.2f} to {rate.most:.2f})"


def _money(title: str, rate: Rate, currency: str) -> tuple[str, str, str, str]:
    before, after = (f"{cents / 100:,.2f} {currency}" for cents in (rate.before_cents, rate.after_cents))
    return title, before, after, ""


def _rules(changes: Sequence[RuleChange], currency: str) -> tuple[str, ...]:
    return tuple(
        f"{each.rule_id} {counted(each.payments, 'payment')}, {each.cents / 100:,.2f} {currency}"
        for each in changes
    )
