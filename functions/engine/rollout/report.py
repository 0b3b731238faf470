"""What a candidate would change, as figures and as text for people: `make rules-report` prints it, and shows it as a page."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec

from engine.rollout.changed import Example
from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY
from engine.rollout.difference import ratio
from engine.rollout.guard import percentile_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.rollout.changed import Changed
    from engine.rollout.counts import ByGroup, RolloutCounts
    from engine.rules.ruleset import Ruleset

MAX_RULES: Final = 20
"""Rules that are shown as new, and as lost; those with the most payments."""

NEW: Final = "New: only the candidate reviews or blocks them"
LOST: Final = "Lost: only the champion reviews or blocks them"
JUDGED: Final = "These are all payments. The guardrails judge by those of users with a past alone."

_MINUTES_A_DAY: Final = 1_440


class Row(msgspec.Struct, frozen=True):
    """One figure of both sides."""

    what: str
    champion: int
    candidate: int
    both: int
    """What both sides name."""


class Difference(msgspec.Struct, frozen=True):
    """How far the sides differ, and whether that may be chance."""

    what: str
    sentence: str
    overlap: float
    """Of all that either side names, the share that both name; 1 where neither names anything."""


class ChangedRule(msgspec.Struct, frozen=True):
    """Payments that one side flags by a rule, and the other side does not flag."""

    rule_id: str
    payments: int
    cents: int
    """Their value, in hundredths of the base currency."""
    examples: tuple[Example, ...]
    """The latest payment first."""


class Limited(msgspec.Struct, frozen=True):
    """A rule with a largest share."""

    rule_id: str
    mode: str
    held: int
    """Payments."""
    share: float
    """Of all payments, 0 to 1."""
    max_percent: float
    """Of the users with a past."""
    share_of_users: float | None = None
    """Of the users with a past, 0 to 1; None of a rule that is not live, which nobody can suspend, and before one of them has paid."""


class RolloutReport(msgspec.Struct, frozen=True, kw_only=True):
    """All figures."""

    version: str
    digest: str
    """Of the document."""
    base_currency: str
    payments: int
    minutes: int
    """All payments are of so many minutes."""
    candidate: str | None = None
    """Its version; None without one."""
    share_percent: float = 0.0
    """Of the users for whom the candidate decides."""
    rows: tuple[Row, ...] = ()
    differences: tuple[Difference, ...] = ()
    times_us: tuple[float, float] | None = None
    """99% of the evaluations of the champion and of the candidate take up to so long, in µs."""
    new: tuple[ChangedRule, ...] = ()
    """Only the candidate flags them. Most payments first."""
    lost: tuple[ChangedRule, ...] = ()
    """Only the champion flags them."""
    limited: tuple[Limited, ...] = ()
    """Rules with a largest share, where there is no candidate."""
    changes: tuple[str, ...] = ()
    """The latest changes of the ruleset, oldest first."""


def report_of(
    counts: RolloutCounts, minutes: int, ruleset: Ruleset, changes: Sequence[str] = ()
) -> RolloutReport:
    """Make the figures.

    Parameters
    ----------
    counts : RolloutCounts
        Of all the time,
    minutes : int
        which is so many minutes; >= 0.
    ruleset : Ruleset
        The document's.
    changes : Sequence[str]
        Its latest changes, a sentence each.
    """
    payments = sum(counts.payments.values())
    report = RolloutReport(
        version=ruleset.version,
        digest=ruleset.digest,
        base_currency=ruleset.base_currency,
        payments=payments,
        minutes=minutes,
        changes=tuple(changes),
    )
    candidate = ruleset.candidate
    if candidate is None:
        return msgspec.structs.replace(report, limited=tuple(_limited(counts, payments, ruleset)))
    report = msgspec.structs.replace(
        report, candidate=candidate.ruleset.version, share_percent=candidate.draw.share_percent
    )
    if not payments:
        return report
    return msgspec.structs.replace(
        report,
        rows=tuple(_rows(counts, ruleset.base_currency)),
        differences=(
            _difference("Reviewed or blocked", counts.alerts, minutes),
            _difference("Blocked", counts.blocks, minutes),
        ),
        times_us=_times_us(counts),
        new=_changed(counts.new),
        lost=_changed(counts.lost),
    )


def as_text(report: RolloutReport) -> str:
    """Write a report as several lines."""
    return "\n".join([*_lines(report), *(f"\n{change}" for change in report.changes)])


def first_sentences(report: RolloutReport) -> tuple[str, str]:
    """Say what is compared, and over how many payments."""
    name = f"{report.version} ({report.digest})"
    if report.candidate is None:
        return f"Version {name} has no candidate.", f"{report.payments:,} payments were counted."
    return (
        f"Candidate {report.candidate} beside {name}; it decides for {report.share_percent:g}% of the users.",
        f"{report.payments:,} payments of the last {_span(report.minutes)} were evaluated by both.",
    )


def overlap_sentence(difference: Difference) -> str:
    """Say how much of what either side names both name."""
    return f"Of all that either side names, both name {difference.overlap:.0%}."


def users_text(limited: Limited) -> str:
    """Say for what share of the users with a past a rule held; a dash where that is not counted."""
    return "-" if limited.share_of_users is None else f"{limited.share_of_users:.2%}"


def times_sentence(champion_us: float, candidate_us: float) -> str:
    """Say how long evaluations take."""
    return f"99% of the evaluations take up to {champion_us:,.0f} µs by the champion and {candidate_us:,.0f} µs by the candidate."


def _lines(report: RolloutReport) -> Iterator[str]:
    what, counted = first_sentences(report)
    yield what
    if report.candidate is None:
        yield from _limited_lines(report, counted)
        return
    yield counted
    if not report.payments:
        return
    yield ""
    yield f"{'':<26}{'champion':>14}{'candidate':>14}{'both':>14}"
    yield from (
        f"{row.what:<26}{row.champion:>14,}{row.candidate:>14,}{row.both:>14,}" for row in report.rows
    )
    for difference in report.differences:
        yield ""
        yield f"{difference.what}: {difference.sentence}"
        yield overlap_sentence(difference)
    yield ""
    yield JUDGED
    if report.times_us is not None:
        yield ""
        yield times_sentence(*report.times_us)
    yield from _change_lines(NEW, report.new, report.base_currency)
    yield from _change_lines(LOST, report.lost, report.base_currency)


def _limited_lines(report: RolloutReport, counted: str) -> Iterator[str]:
    if not report.limited:
        yield "No rule has a largest share, so nothing is counted."
        return
    yield f"{counted} Rules with a largest share:"
    for each in report.limited:
        yield (
            f"  {each.rule_id} ({each.mode}): held for {each.held:,}, {each.share:.2%}; of the users with a past "
            f"{users_text(each)}, at most {each.max_percent:g}%"
        )


def _change_lines(title: str, changes: Sequence[ChangedRule], currency: str) -> Iterator[str]:
    yield ""
    yield f"{title}, by rule." if changes else f"{title}: none."
    for changed in changes[:MAX_RULES]:
        plural = "" if changed.payments == 1 else "s"
        yield f"  {changed.rule_id}: {changed.payments:,} payment{plural}, {changed.cents / 100:,.2f} {currency}"
        yield from (f"    {_example(example, currency)}" for example in changed.examples)
    if len(changes) > MAX_RULES:
        yield f"  and {len(changes) - MAX_RULES} more rules"


def _example(example: Example, currency: str) -> str:
    return (
        f"{example.user_id} {example.event_key}: {example.cents / 100:,.2f} {currency}, champion {example.champion} "
        f"({example.champion_score}), candidate {example.candidate} ({example.candidate_score})"
    )


def _rows(counts: RolloutCounts, currency: str) -> Iterator[Row]:
    for title, by_group, cents in (
        ("reviewed or blocked", counts.alerts, counts.alert_cents),
        ("blocked", counts.blocks, counts.block_cents),
        ("a rule failed", counts.errors, None),
    ):
        yield _row(title, [sum(three[place] for three in by_group.values()) for place in range(3)])
        if cents is not None:
            yield _row(f"  worth, {currency}", [round(each / 100) for each in cents])


def _row(title: str, places: Sequence[int]) -> Row:
    both = places[BOTH]
    return Row(title, both + places[CHAMPION_ONLY], both + places[CANDIDATE_ONLY], both)


def _difference(title: str, by_group: ByGroup, minutes: int) -> Difference:
    both, either = sum(three[BOTH] for three in by_group.values()), sum(map(sum, by_group.values()))
    days = max(minutes, 1) / _MINUTES_A_DAY
    return Difference(title, ratio(by_group, days).sentence, both / either if either else 1.0)


def _times_us(counts: RolloutCounts) -> tuple[float, float] | None:
    if not (counts.champion_times and counts.candidate_times):
        return None
    return percentile_us(counts.champion_times, 0.99), percentile_us(counts.candidate_times, 0.99)


def _changed(changes: Mapping[str, Changed]) -> tuple[ChangedRule, ...]:
    by_payments = sorted(changes.items(), key=lambda item: (-item[1].payments, item[0]))
    return tuple(
        ChangedRule(rule_id, changed.payments, changed.cents, tuple(reversed(changed.examples)))
        for rule_id, changed in by_payments
    )


def _limited(counts: RolloutCounts, payments: int, ruleset: Ruleset) -> Iterator[Limited]:
    users, hits = sum(counts.settled.users.values()), counts.settled.champion_hits
    for rule in ruleset.rules:
        if rule.max_share is None:
            continue
        held = sum(counts.champion_hits.get(rule.id, {}).values())
        share = held / payments if payments else 0.0
        of_users = sum(hits.get(rule.id, {}).values()) / users if users and rule.mode == "live" else None
        yield Limited(rule.id, rule.mode, held, share, rule.max_share, of_users)


def _span(minutes: int) -> str:
    if minutes < 2 * 60:
        return f"{minutes:,} minutes"
    hours = ceil(minutes / 60)
    return f"{hours:,} hours" if hours < 48 else f"{hours / 24:,.1f} days"
