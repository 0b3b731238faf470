"""View models of the ruleset's page and of a rule's: what is active, what each rule did this week, how the candidate is doing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from console.views import counted, shown_time
from console.watch_views import Row, flagged_row, rows_by_rule
from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY
from engine.rollout.difference import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from console.week_records import Week
    from contract.active_ruleset import ActiveRuleset
    from contract.authoring import Bands, RuleOutline, RulesetOutline, SideOutline
    from contract.ruleset_change import RulesetChange
    from engine.rollout.counts import ByGroup, RolloutCounts

_MINUTES_A_DAY: Final = 1_440
_MODES: Final = {
    "live": "live",
    "shadow": "shadow: gives no points",
    "suspended": "suspended: it held too often",
}


class RuleRow(msgspec.Struct, frozen=True):
    """A rule in the list."""

    id: str
    points: str
    mode: str
    is_quiet: bool
    """Whether it gives no points now."""
    week: Row
    """Flagged payments of the week for which it gave points."""
    held: str
    """For how many of all payments it held since the document became active; empty where that is not counted."""


class BandRow(msgspec.Struct, frozen=True):
    """What both sides said of the same payments, in one window."""

    window: str
    payments: str
    alerts: str
    """Reviewed or blocked: champion, candidate."""
    alerts_times: str
    blocks: str
    blocks_times: str
    is_outside: bool
    """Whether a figure is outside of its band; chance may be the reason, and the guardrails say whether it is."""


class CandidateView(msgspec.Struct, frozen=True):
    """The candidate."""

    version: str
    share: str
    rows: tuple[BandRow, ...]
    bands: str
    new_rules: tuple[tuple[str, str], ...]
    """Rules that only the candidate has, or has otherwise: id, and what is different."""


class RulesView(msgspec.Struct, frozen=True):
    """The page."""

    version: str
    digest: str
    since: str
    thresholds: str
    rules: tuple[RuleRow, ...]
    rules_of: str
    is_whole: bool
    candidate: CandidateView | None
    model: str
    """First digits of the model's name; empty without one."""


class RuleView(msgspec.Struct, frozen=True):
    """A rule's page."""

    id: str
    mode: str
    is_quiet: bool
    points: str
    when: str
    reason: str
    description: str
    largest_share: str
    week: Row
    held: str
    features: tuple[tuple[str, str], ...]
    """Names in its condition, with what each is."""


def rules_view(
    active: ActiveRuleset,
    outline: RulesetOutline,
    week: Week,
    windows: Mapping[int, RolloutCounts],
) -> RulesView:
    """Show the active ruleset.

    Parameters
    ----------
    active : ActiveRuleset
        Which one it is.
    outline : RulesetOutline
        What its document says.
    week : Week
        Flagged payments of the last days.
    windows : Mapping[int, RolloutCounts]
        Minutes to what was counted in so many of the last ones, the longest last; empty where nothing is counted.
    """
    by_rule = rows_by_rule(week)
    champion, longest = outline.champion, _longest(windows)
    return RulesView(
        version=champion.version,
        digest=outline.digest,
        since=shown_time(active.since),
        thresholds=f"review from {champion.review} points, block from {champion.block}",
        rules=tuple(_rule_row(rule, by_rule, longest) for rule in champion.rules),
        rules_of=counted(len(week.rows), "payment"),
        is_whole=week.is_whole,
        candidate=_candidate(outline, windows),
        model="" if champion.model_sha256 is None else champion.model_sha256[:12],
    )


def rule_view(
    outline: RulesetOutline,
    rule: RuleOutline,
    week: Week,
    windows: Mapping[int, RolloutCounts],
    sentences: Mapping[str, str],
) -> RuleView:
    """Show a rule of the champion; ``sentences`` says what each feature is."""
    row = _rule_row(rule, rows_by_rule(week), _longest(windows))
    lists = {f"on_{each.name}": f"on list {each.name} ({each.field})" for each in outline.champion.lists}
    names = {**sentences, **lists}
    used = tuple((name, names[name]) for name in dict.fromkeys(words_of(rule.when)) if name in names)
    return RuleView(
        id=rule.id,
        mode=row.mode,
        is_quiet=row.is_quiet,
        points=row.points,
        when=rule.when.strip(),
        reason=rule.reason,
        description=rule.description,
        largest_share="" if rule.max_share is None else f"{rule.max_share:g}% of users with a past",
        week=row.week,
        held=row.held,
        features=used,
    )


def words_of(condition: str) -> list[str]:
    """The words of a condition, in their order.

    Examples
    --------
    >>> words_of("amount_base > 100.0 && !on_x")
    ['amount_base', 'on_x']
    """
    text = "".join(each if each.isalnum() or each == "_" else " " for each in condition)
    return [word for word in text.split() if not word[0].isdigit()]


def latest_changes(changes: Sequence[RulesetChange], open_changes: Sequence[RulesetChange]) -> str:
    """Say what waits, and what was done last."""
    waiting = counted(len(open_changes), "change")
    last = next(iter(changes), None)
    done = "" if last is None else f" The newest is of {shown_time(last.changed_at)}: {last.reason}"
    return f"{waiting} waiting.{done}"


def _rule_row(rule: RuleOutline, by_rule: Mapping[str, Row], counts: RolloutCounts | None) -> RuleRow:
    return RuleRow(
        id=rule.id,
        points=f"{rule.points:+d}",
        mode=_MODES[rule.mode],
        is_quiet=rule.mode != "live",
        week=by_rule.get(rule.id, flagged_row(rule.id, ())),
        held=_held(rule.id, counts),
    )


def _held(rule_id: str, counts: RolloutCounts | None) -> str:
    payments = 0 if counts is None else sum(counts.payments.values())
    if counts is None or not payments:
        return ""
    held = sum(counts.champion_hits.get(rule_id, {}).values())
    return f"{held:,} ({held / payments:.2%})"


def _longest(windows: Mapping[int, RolloutCounts]) -> RolloutCounts | None:
    return windows[max(windows)] if windows else None


def _candidate(outline: RulesetOutline, windows: Mapping[int, RolloutCounts]) -> CandidateView | None:
    candidate = outline.candidate
    if candidate is None:
        return None
    bands = outline.bands
    return CandidateView(
        version=candidate.version,
        share="nobody: it is evaluated beside the active one"
        if not outline.share
        else f"{outline.share:g}% of the users",
        rows=tuple(
            _band_row(minutes, counts, bands) for minutes, counts in windows.items() if counts.payments
        ),
        bands=(
            f"It is withdrawn where it reviews or blocks less than {bands.alert_rate[0]:g} or more than {bands.alert_rate[1]:g} times as "
            f"many payments as the active ruleset, blocks less than {bands.block_rate[0]:g} or more than {bands.block_rate[1]:g} times as "
            f"many, where its rules fail for {bands.errors:g}% more of them, or its evaluations take {bands.latency_us:g} µs longer, and "
            "chance does not explain it."
        ),
        new_rules=tuple(_different(outline.champion, candidate)),
    )


def _band_row(minutes: int, counts: RolloutCounts, bands: Bands) -> BandRow:
    payments, days = sum(counts.payments.values()), max(minutes, 1) / _MINUTES_A_DAY
    alerts, blocks = ratio(counts.alerts, days), ratio(counts.blocks, days)
    shown = [(alerts, bands.alert_rate), (blocks, bands.block_rate)]
    return BandRow(
        window=_window(minutes),
        payments=f"{payments:,}",
        alerts=_both(counts.alerts, payments),
        alerts_times=f"{alerts.times:.2f} ({alerts.least:.2f} to {alerts.most:.2f})",
        blocks=_both(counts.blocks, payments),
        blocks_times=f"{blocks.times:.2f} ({blocks.least:.2f} to {blocks.most:.2f})",
        is_outside=any(found.least > band[1] or found.most < band[0] for found, band in shown),
    )


def _both(by_group: ByGroup, payments: int) -> str:
    both, ours, theirs = (
        sum(three[place] for three in by_group.values()) for place in (BOTH, CHAMPION_ONLY, CANDIDATE_ONLY)
    )
    return f"{(both + ours) / payments:.2%} and {(both + theirs) / payments:.2%}"


def _window(minutes: int) -> str:
    if minutes < 2:
        return "last minute"
    if minutes < 120:
        return f"last {minutes} minutes"
    hours = minutes // 60
    return f"last {hours} hours" if hours < 48 else f"last {hours // 24} days"


def _different(champion: SideOutline, candidate: SideOutline) -> list[tuple[str, str]]:
    ours = {rule.id: rule for rule in champion.rules}
    found = []
    for rule in candidate.rules:
        mine = ours.pop(rule.id, None)
        if mine is None:
            found.append((rule.id, "new"))
        elif (mine.when.split(), mine.points, mine.mode) != (rule.when.split(), rule.points, rule.mode):
            found.append((rule.id, "changed"))
    return found + [(rule_id, "taken out") for rule_id in ours]
