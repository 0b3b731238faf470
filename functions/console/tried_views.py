"""View models of a trial: how far the job is, and what it found on stored payments, beside the ruleset from which the proposed one was made. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from console.masking import masked
from console.verdicts import payment_id
from console.views import counted, shown_time
from contract.clock import TIME_CHARACTERS
from contract.flagged import FlaggedKey
from contract.ruleset_change import ChangeKind
from contract.trial_row import AGAIN_AFTER, TrialState, may_begin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.ruleset_change import RulesetChange
    from contract.trial_row import TrialRow
    from contract.tried import KnownVerdicts, Rate, RuleChange, TriedExample, TryAnswer, TryRequest

AS_CANDIDATE: Final = (ChangeKind.SHADOW, ChangeKind.CANDIDATE)
"""Changes of which the candidate is compared with the active ruleset."""

SECONDS: Final = 3
"""After which a page asks again while the job works."""


class ExampleRow(msgspec.Struct, frozen=True):
    """A payment on which both do not agree."""

    payment_id: str
    at: str
    user: str
    """Masked."""
    amount: str
    before: str
    after: str
    verdict: str


class RuleTried(msgspec.Struct, frozen=True):
    """A rule by which only one of both reviews or blocks."""

    rule_id: str
    payments: str
    amount: str
    examples: tuple[ExampleRow, ...]


class TriedView(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    summary: str
    rows: tuple[tuple[str, str, str, str], ...] = ()
    """What, before, after, times as many."""
    known: str = ""
    """What is known of the payments; empty where nothing is."""
    rules: tuple[tuple[str, tuple[RuleTried, ...]], ...] = ()
    """By which of both alone, and its rules."""
    note: str = ""


class TrialView(msgspec.Struct, frozen=True, kw_only=True):
    """A trial on a page."""

    trial_id: str
    days: int
    state: str
    """A sentence: how far it is; empty where nobody has asked for it."""
    is_running: bool = False
    """Whether the page asks again by itself."""
    can_begin: bool = False
    tried: TriedView | None = None
    seconds: int = SECONDS


def can_be_tried(change: RulesetChange) -> bool:
    """Whether a change has two documents that say something else about payments."""
    kinds = (ChangeKind.TO_ALL, ChangeKind.LISTS, *AS_CANDIDATE)
    return change.kind in kinds and change.sha256_after is not None and change.digest_before is not None


def trial_view(row: TrialRow | None, request: TryRequest, now: datetime) -> TrialView:
    """Show how far a trial is, or what it found.

    Parameters
    ----------
    row : TrialRow | None
        None where nobody has asked for it lately.
    request : TryRequest
        What is compared.
    now : datetime
        The clock, UTC.
    """
    view = TrialView(trial_id=request.trial_id, days=request.days, state="", can_begin=may_begin(row, now))
    if row is None:
        return view
    tried = None
    if row.state is TrialState.DONE and row.found is not None:
        tried = tried_view(row.found, request.days)
    is_running = not row.has_ended(now)
    return msgspec.structs.replace(view, state=_state(row, now), is_running=is_running, tried=tried)


def _state(row: TrialRow, now: datetime) -> str:
    if row.state is TrialState.DONE:
        again = row.changed_at + AGAIN_AFTER
        later = "" if may_begin(row, now) else f" It can be tried again from {_clock(again)} on."
        if row.found is None:
            return f"What was found cannot be read by this version.{later}"
        return f"Found {shown_time(row.changed_at)} UTC.{later}"
    if row.state is TrialState.FAILED:
        return f"It has ended without a result. {row.problem}"
    if row.has_ended(now):
        return f"It has ended without a result: since {_clock(row.changed_at)} nothing was heard of it. Try it again.{_so_far(row)}"
    if row.state is TrialState.ASKED:
        return "It is being started."
    end = "" if row.ends_by is None else f" It ends by {_clock(row.ends_by)} at the latest."
    return f"It is working, as of {_clock(row.changed_at)}.{_so_far(row)}{end}"


def _so_far(row: TrialRow) -> str:
    found = row.found
    if found is None or not found.payments:
        return ""
    payments, users = counted(found.payments, "payment"), counted(found.users, "user")
    return f" So far {payments} of {users}, {found.share_read:.0%} of the history."


def tried_view(answer: TryAnswer, days: int) -> TriedView:
    """Show what was found on payments of so many days."""
    if answer.why_not or answer.alerts is None or answer.blocks is None:
        return TriedView(summary=answer.why_not or f"No payment of the last {days} days was read.")
    payments, currency = answer.payments, answer.base_currency
    is_sample = answer.share_read < 1
    left_out = f" {counted(answer.unreadable, 'row')} could not be read." if answer.unreadable else ""
    share = f"about {answer.share_read:.0%} of the history, by chance" if is_sample else "all of the history"
    interval = "In brackets: where the figure lies in 95 cases of 100 for all users. " if is_sample else ""
    return TriedView(
        summary=f"{counted(payments, 'payment')} of the last {days} days, of {counted(answer.users, 'user')}: {share}.{left_out}",
        rows=(
            _row("Reviewed or blocked", answer.alerts, payments),
            _money("Their value", answer.alerts, currency),
            _row("Blocked", answer.blocks, payments),
            _money("Their value", answer.blocks, currency),
            *_known_rows(answer.known, currency),
        ),
        known="" if answer.known is None else _known(answer.known, currency),
        rules=(
            ("Only the proposed one reviews or blocks", _rules(answer.new, currency)),
            ("Only the active one of then reviews or blocks", _rules(answer.lost, currency)),
        ),
        note=(
            f"{interval}Each payment is decided by the features that its row has. What "
            "other decisions would have taught about users and cards since is not in them. A payment that several rules flag counts for each."
        ),
    )


def _row(title: str, rate: Rate, payments: int) -> tuple[str, str, str, str]:
    before, after = (
        f"{count:,} ({count / payments:.2%})" if payments else f"{count:,}"
        for count in (rate.before, rate.after)
    )
    return title, before, after, _times(rate)


def _times(rate: Rate) -> str:
    if not rate.before and not rate.after:
        return ""
    if rate.interval is None:
        return f"{rate.times:.2f}"
    return f"{rate.times:.2f} ({rate.interval[0]:.2f} to {rate.interval[1]:.2f})"


def _money(title: str, rate: Rate, currency: str) -> tuple[str, str, str, str]:
    return title, _sum(rate.before_cents, currency), _sum(rate.after_cents, currency), ""


def _sum(cents: int, currency: str) -> str:
    return f"{cents / 100:,.2f} {currency}"


def _known_rows(known: KnownVerdicts | None, currency: str) -> Iterator[tuple[str, str, str, str]]:
    if known is None:
        return
    if known.frauds:
        yield _row("Known fraud that is found", known.found, known.frauds)
        yield _money("Its value", known.found, currency)
    if known.false_alarms.before or known.false_alarms.after:
        yield _row("Known false alarms", known.false_alarms, 0)
        yield _money("Their value", known.false_alarms, currency)


def _known(known: KnownVerdicts, currency: str) -> str:
    if not known.frauds:
        return "None of these payments is known as fraud, so nothing says yet what is found."
    one, other = (counted(each, "payment") for each in (known.found_only_after, known.found_only_before))
    frauds = counted(known.frauds, "payment")
    whole = "" if known.is_whole else " There are more flagged payments than were looked up for false alarms."
    return (
        f"{frauds} of {_sum(known.fraud_cents, currency)} {'is' if known.frauds == 1 else 'are'} known as fraud by labels: {one} only the proposed one finds, "
        f"{other} only the active one of then. False alarms are known of payments that were reviewed or blocked when they came.{whole}"
    )


def _rules(changes: Sequence[RuleChange], currency: str) -> tuple[RuleTried, ...]:
    return tuple(
        RuleTried(
            rule_id=each.rule_id,
            payments=counted(each.payments, "payment"),
            amount=_sum(each.cents, currency),
            examples=tuple(_example(example, currency) for example in reversed(each.examples)),
        )
        for each in changes
    )


def _example(example: TriedExample, currency: str) -> ExampleRow:
    return ExampleRow(
        payment_id=payment_id(FlaggedKey(example.user_id, example.event_key)),
        at=shown_time(datetime.fromisoformat(example.event_key[:TIME_CHARACTERS])),
        user=masked(example.user_id, is_revealed=False),
        amount=_sum(example.cents, currency),
        before=f"{example.before}, {example.before_score} points",
        after=f"{example.after}, {example.after_score} points",
        verdict=example.verdict or "undecided",
    )


def _clock(at: datetime) -> str:
    """A time in UTC, to the second.

    >>> _clock(datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC))
    '09:05:07 UTC'
    """
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"
