"""Whether a candidate is withdrawn and which rules are suspended. Pure: counts in, a verdict with its sentences out.

Users with a past decide (:mod:`engine.rollout.settled`): what accounts show that anybody can make is no reason to switch something off.
It is asked every minute, so a band counts as left only where chance does not explain it in months of asking.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.side import Side
from engine.rollout.counts import RolloutCounts, end_of_step, total
from engine.rollout.difference import above_share, beyond, ratio, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.rules.guardrails import Guardrails
    from engine.rules.ruleset import Ruleset

WINDOWS_MINUTES: Final = (5, 60, 1_440)
"""Minutes up to now that are looked at, besides all: what is wrong since five minutes must not vanish in a week that was good."""

MIN_EXCESS: Final = 6.0
"""Standard errors at which a band is left. Chance gives so many once in 20 million times (Student's t of 63 degrees of freedom); with four
windows, five bands and a question a minute that is once in two years."""

MIN_SETTLED_USERS: Final = 100
"""Users with a past, below which a window says nothing: a few old accounts that somebody has bought must not be a large share."""

WATCHED_MINUTES: Final = 60
"""Windows up to this length are also judged by all payments. What left its band only there is for people, while it lasts."""

_SETTLED: Final = "users with a past"
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
    watched: tuple[str, ...] = ()
    """What left its band by all payments, and not by users with a past: a thief's accounts, or a system in its first days. People look at it."""


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
        Minutes to what was counted in so many of the last ones, such as :func:`windows_of` gives it.
    ruleset : Ruleset
        The document's.

    Returns
    -------
    Finding
        To keep it where nothing was counted.
    """
    settled = {minutes: _settled(counts) for minutes, counts in windows.items()}
    has_candidate = ruleset.candidate is not None
    reasons = (
        [*_left_bands(settled, ruleset.guardrails), *_too_slow(windows, ruleset.guardrails)]
        if has_candidate
        else []
    )
    sides = {Side.CHAMPION: ruleset}
    if ruleset.candidate is not None and not reasons:
        sides[Side.CANDIDATE] = ruleset.candidate.ruleset
    suspensions = [found for side, rules in sides.items() for found in _too_frequent(settled, side, rules)]
    watched = []
    if not reasons:
        lately = {
            minutes: _all_payments(counts)
            for minutes, counts in windows.items()
            if minutes <= WATCHED_MINUTES
        }
        watched = _left_bands(lately, ruleset.guardrails) if has_candidate else []
        found_before = {(each.side, each.rule_id) for each in suspensions}
        watched += [
            each.sentence
            for side, rules in sides.items()
            for each in _too_frequent(lately, side, rules)
            if (each.side, each.rule_id) not in found_before
        ]
    sentences = reasons[:1] + [each.sentence for each in suspensions]
    action = Action.WITHDRAW if reasons else Action.SUSPEND if suspensions else Action.KEEP
    return Finding(
        action,
        " ".join(sentences) or "Nothing has left its band.",
        tuple(suspensions),
        tuple(watched),
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


class _Judged(NamedTuple):
    """Of whom or what one window's shares are."""

    whole: Mapping[int, int]
    alerts: Mapping[int, list[int]]
    blocks: Mapping[int, list[int]]
    errors: Mapping[int, list[int]]
    champion_hits: Mapping[str, Mapping[int, int]]
    candidate_hits: Mapping[str, Mapping[int, int]]
    what: str
    """In sentences."""

    @property
    def is_enough(self) -> bool:
        """Whether there are enough to say something about all."""
        return self.what != _SETTLED or sum(self.whole.values()) >= MIN_SETTLED_USERS

    def share(self, count: int) -> str:
        """Write a count as a share of the whole."""
        return f"{count / max(sum(self.whole.values()), 1):.2%}"


def _settled(counts: RolloutCounts) -> _Judged:
    of = counts.settled
    return _Judged(of.users, of.alerts, of.blocks, of.errors, of.champion_hits, of.candidate_hits, _SETTLED)


def _all_payments(counts: RolloutCounts) -> _Judged:
    return _Judged(
        counts.payments,
        counts.alerts,
        counts.blocks,
        counts.errors,
        counts.champion_hits,
        counts.candidate_hits,
        "payments",
    )


def _left_bands(windows: Mapping[int, _Judged], guardrails: Guardrails) -> list[str]:
    """One sentence for each band that the candidate has left; the shortest window in which it shows."""
    reasons = []
    for minutes, judged in windows.items():
        if not judged.is_enough:
            continue
        for what, by_group, band in (
            ("reviewed or blocked", judged.alerts, guardrails.alert_rate),
            ("blocked", judged.blocks, guardrails.block_rate),
        ):
            if beyond(by_group, judged.whole, band.most) > MIN_EXCESS:
                reasons.append(_rate_sentence(what, judged, by_group, minutes, f"at most {band.most:g}"))
            elif short_of(by_group, band.least) > MIN_EXCESS:
                reasons.append(_rate_sentence(what, judged, by_group, minutes, f"at least {band.least:g}"))
        if beyond(judged.errors, judged.whole, 1.0, guardrails.errors / 100) > MIN_EXCESS:
            found = ratio(judged.errors, 1.0)
            reasons.append(
                f"Rules of the candidate failed for {judged.share(found.candidate)} of the {judged.what} of {_span(minutes)}, the "
                f"champion's for {judged.share(found.champion)}; allowed are {guardrails.errors:g}% more."
            )
    return reasons


def _too_slow(windows: Mapping[int, RolloutCounts], guardrails: Guardrails) -> list[str]:
    found = (_slowness(counts, guardrails.latency_us, minutes) for minutes, counts in windows.items())
    return [each for each in found if each is not None]


def _rate_sentence(
    what: str, judged: _Judged, by_group: Mapping[int, list[int]], minutes: int, allowed: str
) -> str:
    found = ratio(by_group, 1.0)
    return (
        f"The candidate would have {what} {judged.share(found.candidate)} of the {judged.what} of {_span(minutes)}, the champion "
        f"{judged.share(found.champion)}: {found.times:.3g} times as many ({found.least:.3g} to {found.most:.3g}); "
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


def _too_frequent(windows: Mapping[int, _Judged], side: Side, ruleset: Ruleset) -> list[Suspension]:
    found = []
    for rule in ruleset.rules:
        if rule.max_share is None or rule.mode != "live":
            continue
        for minutes, judged in windows.items():
            all_hits = judged.champion_hits if side is Side.CHAMPION else judged.candidate_hits
            hits = all_hits.get(rule.id, {})
            if judged.is_enough and above_share(hits, judged.whole, rule.max_share / 100) > MIN_EXCESS:
                sentence = (
                    f"Rule {rule.id} of the {side.value} held for {judged.share(sum(hits.values()))} of the {judged.what} of "
                    f"{_span(minutes)}; its largest share is {rule.max_share:g}%."
                )
                found.append(Suspension(side, rule.id, sentence))
                break
    return found


def _span(minutes: int) -> str:
    return "the last minute" if minutes == 1 else f"the last {minutes:,} minutes"
