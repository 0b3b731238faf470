"""What a candidate would change, as text for people: `make rules-report` prints it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY
from engine.rollout.difference import ratio
from engine.rollout.guard import percentile_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.rollout.changed import Changed, Example
    from engine.rollout.counts import ByGroup, RolloutCounts
    from engine.rules.ruleset import Ruleset

MAX_RULES: Final = 20
"""Rules that are shown as new, and as lost; those with the most payments."""

_MINUTES_A_DAY: Final = 1_440


def report(counts: RolloutCounts, minutes: int, ruleset: Ruleset) -> str:
    """Write the report.

    Parameters
    ----------
    counts : RolloutCounts
        Of all the time,
    minutes : int
        which is so many minutes; >= 0.
    ruleset : Ruleset
        The document's.

    Returns
    -------
    str
        Several lines.
    """
    return "\n".join(_lines(counts, minutes, ruleset))


def _lines(counts: RolloutCounts, minutes: int, ruleset: Ruleset) -> Iterator[str]:
    payments, days = sum(counts.payments.values()), max(minutes, 1) / _MINUTES_A_DAY
    candidate = ruleset.candidate
    if candidate is None:
        yield f"Version {ruleset.version} ({ruleset.digest}) has no candidate."
        yield from _breakers(counts, payments, ruleset)
        return
    share = candidate.draw.share_percent
    yield f"Candidate {candidate.ruleset.version} beside {ruleset.version} ({ruleset.digest}); it decides for {share:g}% of the users."
    yield f"{payments:,} payments of the last {_span(minutes)} were evaluated by both."
    if not payments:
        return
    yield ""
    yield f"{'':<26}{'champion':>14}{'candidate':>14}{'both':>14}"
    for title, by_group, cents in (
        ("reviewed or blocked", counts.alerts, counts.alert_cents),
        ("blocked", counts.blocks, counts.block_cents),
        ("a rule failed", counts.errors, None),
    ):
        yield _row(title, [sum(three[place] for three in by_group.values()) for place in range(3)])
        if cents is not None:
            yield _row(f"  worth, {ruleset.base_currency}", [round(each / 100) for each in cents])
    for title, by_group in (("Reviewed or blocked", counts.alerts), ("Blocked", counts.blocks)):
        yield ""
        yield f"{title}: {ratio(by_group, days).sentence}"
        yield f"Of all that either side names, both name {_overlap(by_group):.0%}."
    if counts.champion_times and counts.candidate_times:
        ours, theirs = percentile_us(counts.champion_times, 0.99), percentile_us(counts.candidate_times, 0.99)
        yield ""
        yield f"99% of the evaluations take up to {ours:,.0f} µs by the champion and {theirs:,.0f} µs by the candidate."
    yield from _changes("New: only the candidate reviews or blocks them", counts.new, ruleset.base_currency)
    yield from _changes("Lost: only the champion reviews or blocks them", counts.lost, ruleset.base_currency)


def _row(title: str, places: Sequence[int]) -> str:
    both = places[BOTH]
    champion, candidate = both + places[CHAMPION_ONLY], both + places[CANDIDATE_ONLY]
    return f"{title:<26}{champion:>14,}{candidate:>14,}{both:>14,}"


def _overlap(by_group: ByGroup) -> float:
    both, either = sum(three[BOTH] for three in by_group.values()), sum(map(sum, by_group.values()))
    return both / either if either else 1.0


def _changes(title: str, changes: Mapping[str, Changed], currency: str) -> Iterator[str]:
    yield ""
    yield f"{title}, by rule." if changes else f"{title}: none."
    by_payments = sorted(changes.items(), key=lambda item: (-item[1].payments, item[0]))
    for rule_id, changed in by_payments[:MAX_RULES]:
        plural = "" if changed.payments == 1 else "s"
        yield f"  {rule_id}: {changed.payments:,} payment{plural}, {changed.cents / 100:,.2f} {currency}"
        for example in reversed(changed.examples):
            yield f"    {_example(example, currency)}"
    if len(by_payments) > MAX_RULES:
        yield f"  and {len(by_payments) - MAX_RULES} more rules"


def _example(example: Example, currency: str) -> str:
    return (
        f"{example.user_id} {example.event_key}: {example.cents / 100:,.2f} {currency}, champion {example.champion} "
        f"({example.champion_score}), candidate {example.candidate} ({example.candidate_score})"
    )


def _breakers(counts: RolloutCounts, payments: int, ruleset: Ruleset) -> Iterator[str]:
    limited = [rule for rule in ruleset.rules if rule.max_share is not None]
    if not limited:
        yield "No rule has a largest share, so nothing is counted."
        return
    yield f"{payments:,} payments were counted. Rules with a largest share:"
    for rule in limited:
        held = sum(counts.champion_hits.get(rule.id, {}).values())
        share = held / payments if payments else 0.0
        yield f"  {rule.id} ({rule.mode}): held for {held:,}, {share:.2%}; at most {rule.max_share:g}%"


def _span(minutes: int) -> str:
    if minutes < 2 * 60:
        return f"{minutes:,} minutes"
    hours = ceil(minutes / 60)
    return f"{hours:,} hours" if hours < 48 else f"{hours / 24:,.1f} days"
