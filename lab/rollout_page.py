"""What a candidate changes, as a page. Pure: its figures and sentences are those of the printed report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rollout.report import (
    JUDGED,
    LOST,
    MAX_RULES,
    NEW,
    first_sentences,
    overlap_sentence,
    times_sentence,
    users_text,
)
from lab.pages.drawing import bar_plot
from lab.pages.page import Fact, Listing, Page, Plot, Section, Text, figures, sections, table, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rollout.report import ChangedRule, RolloutReport
    from lab.pages.page import Block


def rollout_page(report: RolloutReport) -> Page:
    """Show what a candidate changes, by rule and with examples, and whether that may be chance.

    Parameters
    ----------
    report : RolloutReport
        The figures.
    """
    what, counted = first_sentences(report)
    has_candidate = report.candidate is not None
    return Page(
        title="What would the candidate change?" if has_candidate else "How often does each rule hold?",
        answer=f"{what} {counted}",
        facts=tuple(
            Fact(f"{row.what}, by the candidate", f"{row.candidate:,}")
            for row in report.rows
            if _is_count(row.what)
        ),
        sections=sections(
            _compared(report),
            *(
                (_changed(NEW, report.new, report), _changed(LOST, report.lost, report))
                if report.rows
                else ()
            ),
            None if has_candidate else _limited(report),
            Section(
                "Latest changes of the ruleset", (Listing("", report.changes),) if report.changes else ()
            ),
        ),
        made_by=f"Made by make rules-report of ruleset {report.version} ({report.digest}).",
    )


def _is_count(what: str) -> bool:
    return not what.startswith(" ")


def _compared(report: RolloutReport) -> Section:
    if not report.rows:
        return Section("Both sides", ())
    rows = []
    of = ""
    for row in report.rows:
        of = row.what if _is_count(row.what) else of
        name = row.what if _is_count(row.what) else f"{of}, {row.what.strip()}"
        rows.append((name, f"{row.champion:,}", f"{row.candidate:,}", f"{row.both:,}"))
    bars = [
        (f"{row.what}, {side}", float(count), f"{count:,}")
        for row in report.rows
        if _is_count(row.what)
        for side, count in (("champion", row.champion), ("candidate", row.candidate))
    ]
    blocks: list[Block] = [
        *(Text(f"{each.what}: {each.sentence} {overlap_sentence(each)}") for each in report.differences),
        Text(JUDGED),
        Plot(
            bar_plot(bars, "payments"),
            "Bars: payments that the champion and the candidate review or block; the table below has the figures.",
            "Payments that each side names.",
        ),
    ]
    blocks.append(
        table("Payments of both sides", (*words("what"), *figures("champion", "candidate", "both")), rows)
    )
    if report.times_us is not None:
        blocks.append(Text(times_sentence(*report.times_us)))
    return Section("Both sides", tuple(blocks))


def _changed(title: str, changes: Sequence[ChangedRule], report: RolloutReport) -> Section:
    name, what = title.split(": ")
    if not changes:
        return Section(name, (Text(f"{title}: none."),))
    shown = changes[:MAX_RULES]
    currency = report.base_currency
    rules = table(
        f"{what.capitalize()}, by rule",
        (*words("rule"), *figures("payments", f"value, {currency}")),
        [(each.rule_id, f"{each.payments:,}", f"{each.cents / 100:,.2f}") for each in shown],
        f"and {len(changes) - MAX_RULES} more rules" if len(changes) > MAX_RULES else "",
    )
    examples = [
        (
            example.user_id,
            example.event_key,
            f"{example.cents / 100:,.2f}",
            f"{example.champion} ({example.champion_score})",
            f"{example.candidate} ({example.candidate_score})",
            each.rule_id,
        )
        for each in shown
        for example in each.examples
    ]
    columns = (
        *words("user", "key of the row"),
        *figures(f"value, {currency}"),
        *words("champion", "candidate", "rule"),
    )
    named = (table(f"{name}: the latest payments of each rule", columns, examples),) if examples else ()
    return Section(name, (rules, *named))


def _limited(report: RolloutReport) -> Section:
    if not report.limited:
        return Section("Rules", (Text("No rule has a largest share, so nothing is counted."),))
    rows = [
        (
            each.rule_id,
            each.mode,
            f"{each.held:,}",
            f"{each.share:.2%}",
            users_text(each),
            f"{each.max_percent:g}%",
        )
        for each in report.limited
    ]
    columns = (
        *words("rule", "mode"),
        *figures("held for", "share of the payments", "share of the users with a past", "at most"),
    )
    return Section("Rules", (table("Rules with a largest share", columns, rows),))
