"""Whether a candidate is withdrawn and which rules are suspended. Pure: counts in, a verdict with its sentences out.

It is asked every minute, so a band counts as left only where chance does not explain it in months of asking.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from contract.side import Side
from engine.rollout.counts import RolloutCounts, end_of_step, total
from engine.rollout.difference import Ratio, above_share, beyond, ratio, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.rules.guardrails import Guardrails
    from engine.rules.ruleset import Ruleset

WINDOWS_MINUTES: Final = (5, 60, 1_440)
"""Minutes up to now that are looked at, besides all: what is wrong since five minutes must not vanish in a week that was good."""

MIN_EXCESS: Final = 6.0
"""Standard errors at which a band is left. Chance gives so many once in 20 million times (Student's t of 63 degrees of freedom); with four
windows, five bands and a question a minute that is once in two years."""

_MINUTES_A_DAY: Final = 1_440
_SLOW: Final = 0.01
"""Share of the evaluations that may be slower than the limit."""
_CLUSTERED: Final = 4.0
"""Slow evaluations come together, as when a process is stopped; their variance is taken to be so many times that of independent ones."""


class Action(StrEnum):
    """What is to be done."""

    KEEP = "keep"
    SUSPEND = "suspend"
    """Some rules are to be suspended."""
    WITHDRAW = "withdraw"
    """The candidate is to be withdrawn, and the champion's rules that are named are to be suspended."""


class Suspension(msgspec.Struct, frozen=True):
    """A rule that is to be suspended."""

    side: Side
    rule_id: str
    sentence: str


class Finding(msgspec.Struct, frozen=True):
    """What is to be done, and why."""

    action: Action
    sentence: str
    """For people: what left its band, in how many minutes, and by how much."""
    suspensions: tuple[Suspension, ...]
    """Of the champion, and of a candidate that may stay."""
    alerts: Ratio
    blocks: Ratio
    """Over all minutes."""


def is_judged(ruleset: Ruleset) -> bool:
    """Whether anything of a ruleset may be withdrawn or suspended; else nothing needs to be counted."""
    return ruleset.candidate is not None or any(
        rule.max_share is not None and rule.mode == "live" for rule in ruleset.rules
    )


def evaluate(windows: Mapping[int, RolloutCounts], ruleset: Ruleset) -> Finding:
    """Judge a ruleset by what was counted while it was active.

    Parameters
    ----------
    windows : Mapping[int, RolloutCounts]
        Minutes to what was counted in so many of the last ones, such as :func:`windows_of` gives it. The longest is all of the time.
    ruleset : Ruleset
        The document's.

    Returns
    -------
    Finding
        To keep it where nothing was counted.
    """
    reasons = [] if ruleset.candidate is None else _left_bands(windows, ruleset.guardrails)
    sides = {Side.CHAMPION: ruleset}
    if ruleset.candidate is not None and not reasons:
        sides[Side.CANDIDATE] = ruleset.candidate.ruleset
    suspensions = [found for side, rules in sides.items() for found in _too_frequent(windows, side, rules)]
    longest = max(windows)
    whole, days = windows[longest], max(longest, 1) / _MINUTES_A_DAY
    sentences = reasons[:1] + [each.sentence for each in suspensions]
    action = Action.WITHDRAW if reasons else Action.SUSPEND if suspensions else Action.KEEP
    return Finding(
        action,
        " ".join(sentences) or "Nothing has left its band.",
        tuple(suspensions),
        ratio(whole.alerts, days),
        ratio(whole.blocks, days),
    )


def windows_of(minutes: Sequence[RolloutCounts]) -> dict[int, RolloutCounts]:
    """Add up minutes.

    Parameters
    ----------
    minutes : Sequence[RolloutCounts]
        One for each minute since the ruleset became active, the oldest first; those without payments are empty.

    Returns
    -------
    dict[int, RolloutCounts]
        Minutes to what was counted in so many of the last ones; the shortest first, all of them last.
    """
    lengths = [*(each for each in WINDOWS_MINUTES if each < len(minutes)), len(minutes)]
    windows: dict[int, RolloutCounts] = {}
    known, so_far = 0, RolloutCounts()
    for length in lengths:
        newer = islice(reversed(minutes), known, length)
        so_far = total([so_far, *newer])
        windows[length] = so_far
        known = length
    return windows


def _left_bands(windows: Mapping[int, RolloutCounts], guardrails: Guardrails) -> list[str]:
    """One sentence for each band that the candidate has left; the shortest window in which it shows."""
    reasons = []
    for minutes, counts in windows.items():
        for what, by_group, band in (
            ("reviewed or blocked", counts.alerts, guardrails.alert_rate),
            ("blocked", counts.blocks, guardrails.block_rate),
        ):
            if beyond(by_group, counts.payments, band.most) > MIN_EXCESS:
                reasons.append(_rate_sentence(what, counts, by_group, minutes, f"at most {band.most:g}"))
            elif short_of(by_group, band.least) > MIN_EXCESS:
                reasons.append(_rate_sentence(what, counts, by_group, minutes, f"at least {band.least:g}"))
        if beyond(counts.errors, counts.payments, 1.0, guardrails.errors / 100) > MIN_EXCESS:
            found = ratio(counts.errors, 1.0)
            reasons.append(
                f"Rules of the candidate failed for {_share(found.candidate, counts)} of the payments of {_span(minutes)}, the "
                f"champion's for {_share(found.champion, counts)}; allowed are {guardrails.errors:g}% more."
            )
        if slow := _slowness(counts, guardrails.latency_us, minutes):
            reasons.append(slow)
    return reasons


def _rate_sentence(
    what: str, counts: RolloutCounts, by_group: Mapping[int, list[int]], minutes: int, allowed: str
) -> str:
    found = ratio(dict(by_group), 1.0)
    return (
        f"The candidate would have {what} {_share(found.candidate, counts)} of the payments of {_span(minutes)}, the champion "
        f"{_share(found.champion, counts)}: {found.times:.3g} times as many ({found.least:.3g} to {found.most:.3g}); "
        f"allowed is {allowed}."
    )


def _slowness(counts: RolloutCounts, limit_us: float, minutes: int) -> str | None:
    ours, theirs = counts.champion_times, counts.candidate_times
    if not ours or not theirs:
        return None
    limit = percentile_us(ours, 1 - _SLOW) + limit_us
    evaluations = sum(theirs.values())
    slow = sum(count for step, count in theirs.items() if end_of_step(step - 1) >= limit)
    expected = _SLOW * evaluations
    if slow - expected <= MIN_EXCESS * (_CLUSTERED * expected) ** 0.5:
        return None
    return (
        f"99% of the candidate's evaluations of {_span(minutes)} took up to {percentile_us(theirs, 1 - _SLOW):,.0f} µs, the "
        f"champion's {percentile_us(ours, 1 - _SLOW):,.0f} µs; allowed are {limit_us:,.0f} µs more."
    )


def percentile_us(times: Mapping[int, int], share: float) -> float:
    """Microseconds that a share of the evaluations keep, 0 to 1; to 9%, from above."""
    left = share * sum(times.values())
    for step, count in sorted(times.items()):
        left -= count
        if left <= 0:
            return end_of_step(step)
    raise ValueError("times is empty; it must have an evaluation")


def _too_frequent(windows: Mapping[int, RolloutCounts], side: Side, ruleset: Ruleset) -> list[Suspension]:
    found = []
    for rule in ruleset.rules:
        if rule.max_share is None or rule.mode != "live":
            continue
        for minutes, counts in windows.items():
            all_hits = counts.champion_hits if side is Side.CHAMPION else counts.candidate_hits
            hits = all_hits.get(rule.id, {})
            if above_share(hits, counts.payments, rule.max_share / 100) > MIN_EXCESS:
                sentence = (
                    f"Rule {rule.id} of the {side.value} held for {_share(sum(hits.values()), counts)} of the payments of "
                    f"{_span(minutes)}; its largest share is {rule.max_share:g}%."
                )
                found.append(Suspension(side, rule.id, sentence))
                break
    return found


def _share(payments: int, counts: RolloutCounts) -> str:
    return f"{payments / max(sum(counts.payments.values()), 1):.2%}"


def _span(minutes: int) -> str:
    return "the last minute" if minutes == 1 else f"the last {minutes:,} minutes"
