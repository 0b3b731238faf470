"""View models of what a change makes different: of the ruleset for all users, of the candidate, and of for whom that decides. Pure.

Whatever kind a change has, both documents are compared as wholes: a page that looked only at what the kind names would hide the rest from whoever approves it.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Final

import msgspec

from console.masking import masked
from contract.authoring import pages_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contract.authoring import Bands, Entry, ListOutline, RuleOutline, RulesetOutline, SideOutline

_CONTEXT: Final = 20
"""Lines around a changed one: a rule has fewer."""
_OF_CHAMPION: Final = frozenset({"base_currency", "exchange_rates", "guardrails"})
"""Settings that a candidate has from the ruleset for all users."""
_DRAW_KEY: Final = "draw_key"
_OF_CANDIDATE: Final = frozenset({"share", _DRAW_KEY, "guardrails"})
"""Settings that are shown with the candidate's place."""

_NOTHING: Final = "Nothing differs but comments and how the text is written."
_UNSHOWN: Final = "The documents say different things, and this page cannot show what: reject the change, or have both documents compared by hand."


class DiffLine(msgspec.Struct, frozen=True):
    """A line of a difference."""

    kind: str
    """``added``, ``removed`` or ``same``."""
    text: str


class RuleDiff(msgspec.Struct, frozen=True):
    """What differs in one rule."""

    id: str
    what: str
    """New, changed, or taken out."""
    lines: tuple[DiffLine, ...]


class Difference(msgspec.Struct, frozen=True):
    """What differs between two sides of rulesets."""

    title: str
    """What is compared with what."""
    summary: str
    settings: tuple[tuple[str, str, str], ...]
    """Path, value before, value after; empty where there is none."""
    rules: tuple[RuleDiff, ...]
    entries: tuple[tuple[str, str, str, str, str], ...]
    """What, list, value, until, note."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.settings or self.rules or self.entries)


class Comparison(msgspec.Struct, frozen=True):
    """What a change makes different in the whole document."""

    summary: str
    parts: tuple[Difference, ...]


def compared(before: RulesetOutline, after: RulesetOutline, *, is_revealed: bool = False) -> Comparison:
    """Compare two whole documents: the ruleset for all users, the candidate, its share and its bands. Comments are no difference.

    Parameters
    ----------
    before : RulesetOutline
        The document from which a change is made.
    after : RulesetOutline
        What it makes of it.
    is_revealed : bool
        Whether values of lists are shown whole.

    Returns
    -------
    Comparison
        The parts in which something differs. It says that nothing does only where both documents say the same; see
        :attr:`contract.authoring.RulesetOutline.content_sha256`.
    """
    candidate = after.candidate
    concerning = [_part("For whom the candidate decides, and its guardrails", _place(before, after))]
    if candidate is not None and before.candidate is not None:
        title = f"Candidate {candidate.version}, compared with candidate {before.candidate.version} before"
        concerning.append(
            difference(before.candidate, candidate, title, _OF_CANDIDATE, is_revealed=is_revealed)
        )
    concerning = [each for each in concerning if not each.is_empty]
    if candidate is not None and concerning:
        title = f"Candidate {candidate.version}, compared with the ruleset for all users"
        leaving = _OF_CHAMPION | _OF_CANDIDATE
        concerning.append(difference(after.champion, candidate, title, leaving, is_revealed=is_revealed))
    champion = difference(
        before.champion, after.champion, "The ruleset for all users", is_revealed=is_revealed
    )
    parts = (*(() if champion.is_empty else (champion,)), *concerning)
    if parts:
        return Comparison("", parts)
    is_same = before.content_sha256 == after.content_sha256
    return Comparison(_NOTHING if is_same else _UNSHOWN, ())


def difference(
    before: SideOutline,
    after: SideOutline,
    title: str,
    leaving: frozenset[str] = frozenset(),
    *,
    is_revealed: bool = False,
) -> Difference:
    """Compare two sides by what they say.

    Parameters
    ----------
    before, after : SideOutline
        Champions or candidates.
    title : str
        What is compared with what.
    leaving : frozenset[str]
        Settings that are not compared, by the first part of their path.
    is_revealed : bool
        Whether values of lists are shown whole.
    """
    settings = (*_settings(before, after, leaving), *_orders(before, after))
    rules = tuple(_rules(before.rules, after.rules))
    return _part(title, settings, rules, tuple(_entries(before.lists, after.lists, is_revealed=is_revealed)))


def _part(
    title: str,
    settings: Iterable[tuple[str, str, str]],
    rules: tuple[RuleDiff, ...] = (),
    entries: tuple[tuple[str, str, str, str, str], ...] = (),
) -> Difference:
    settings = tuple(settings)
    numbers = (
        (sum(each.what == "new" for each in rules), "new rule", "new rules"),
        (sum(each.what == "changed" for each in rules), "changed rule", "changed rules"),
        (sum(each.what == "taken out" for each in rules), "rule taken out", "rules taken out"),
        (len(entries), "entry of lists", "entries of lists"),
        (len(settings), "setting", "settings"),
    )
    text = ", ".join(f"{number} {one if number == 1 else more}" for number, one, more in numbers if number)
    return Difference(title, f"{text}." if text else "Nothing differs.", settings, rules, entries)


def rule_lines(rule: RuleOutline) -> list[str]:
    """Write a rule in one form, however its document writes it."""
    lines = [f"when: {part}" for part in _condition(rule.when)]
    lines += [f"points: {rule.points}", f"reason: {rule.reason}", f"mode: {rule.mode}"]
    if rule.max_share is not None:
        lines.append(f"max_share: {rule.max_share!r}")
    if rule.description:
        lines += [f"description: {line}" for line in rule.description.split("\n")]
    return lines


def shown_value(field: str, value: str, *, is_revealed: bool = False) -> str:
    """An entry's value as a page shows it: masked where it is personal and nobody has asked for it."""
    return masked(value, is_revealed=is_revealed or not pages_mask(field, value))


def _place(before: RulesetOutline, after: RulesetOutline) -> Iterator[tuple[str, str, str]]:
    """What the document says of the candidate beside its rules."""
    ours, theirs = dict(_of_place(before)), dict(_of_place(after))
    for name in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(name, ""), theirs.get(name, "")
        if one != other:
            yield name, one, other


def _of_place(outline: RulesetOutline) -> Iterator[tuple[str, str]]:
    if outline.candidate is not None:
        yield "candidate", outline.candidate.version
        yield "share", f"{outline.share!r}% of the users"
        yield _DRAW_KEY, dict(outline.candidate.settings).get(_DRAW_KEY, "")
    yield from _of_bands(outline.bands)


def _of_bands(bands: Bands) -> Iterator[tuple[str, str]]:
    yield "guardrails.alert_rate", f"{bands.alert_rate[0]!r} to {bands.alert_rate[1]!r}"
    yield "guardrails.block_rate", f"{bands.block_rate[0]!r} to {bands.block_rate[1]!r}"
    yield "guardrails.errors", f"{bands.errors!r}%"
    yield "guardrails.latency_us", f"{bands.latency_us!r}"


def _settings(
    before: SideOutline, after: SideOutline, leaving: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    ours, theirs = dict(before.settings), dict(after.settings)
    for path in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(path), theirs.get(path)
        if path.partition(".")[0] not in leaving and one != other:
            yield path, one or "", other or ""


def _orders(before: SideOutline, after: SideOutline) -> Iterator[tuple[str, str, str]]:
    """What both have, and in another order."""
    yield from _order(
        "order of the rules", [each.id for each in before.rules], [each.id for each in after.rules]
    )
    ours = {each.name: each for each in before.lists}
    for one in after.lists:
        old = [entry.value for entry in ours[one.name].entries] if one.name in ours else []
        # Without their values, which may be personal.
        for path, _, _ in _order(f"order of {one.name}", old, [entry.value for entry in one.entries]):
            yield path, "", "another"


def _order(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    common = {*before} & {*after}
    one, other = ([each for each in side if each in common] for side in (before, after))
    if one != other:
        yield path, ", ".join(one), ", ".join(other)


def _rules(before: Sequence[RuleOutline], after: Sequence[RuleOutline]) -> Iterator[RuleDiff]:
    ours = {rule.id: rule for rule in before}
    for rule in after:
        mine = ours.pop(rule.id, None)
        if mine is None:
            yield RuleDiff(rule.id, "new", tuple(_lines([], rule_lines(rule))))
        elif _said(mine) != _said(rule):
            old, new = rule_lines(mine), rule_lines(rule)
            for name in ("when", "reason", "description"):
                if getattr(mine, name) != getattr(rule, name) and _of(name, old) == _of(name, new):
                    # Line ends or spaces alone: written so that they are seen, whatever else differs.
                    old, new = (
                        [*lines, f"{name} as it is written: {getattr(each, name)!r}"]
                        for lines, each in ((old, mine), (new, rule))
                    )
            yield RuleDiff(rule.id, "changed", tuple(_lines(old, new)))
    for rule in ours.values():
        yield RuleDiff(rule.id, "taken out", tuple(_lines(rule_lines(rule), [])))


def _said(rule: RuleOutline) -> tuple[object, ...]:
    return rule.when, rule.points, rule.reason, rule.mode, rule.max_share, rule.description


def _of(name: str, lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.startswith(f"{name}: ")]


def _lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    kinds = {"+": "added", "-": "removed", " ": "same"}
    for number, line in enumerate(unified_diff(old, new, lineterm="", n=_CONTEXT)):
        if number > 1 and line[:1] in kinds:  # behind the two lines that name the sides
            yield DiffLine(kinds[line[:1]], line[1:])


def _condition(when: str) -> list[str]:
    """A condition by its lines, each as it is written; each part of a conjunction is shown on a line of its own."""
    lines = []
    for line in when.strip("\n").split("\n"):
        parts = line.split(" && ")
        lines += [f"{part} &&" for part in parts[:-1]] + parts[-1:]
    return lines


def _turned(before: ListOutline, after: ListOutline) -> tuple[str, ...]:
    """What rules make of each entry that stays, and did not before."""
    allowed = ("allowed by the rules",) if after.allows and not before.allows else ()
    return (*allowed, *(("denied no more by the rules",) if before.denies and not after.denies else ()))


def _entries(
    before: Sequence[ListOutline], after: Sequence[ListOutline], *, is_revealed: bool
) -> Iterator[tuple[str, str, str, str, str]]:
    ours, left = {each.name: each for each in before}, {each.name for each in after}

    def row(what: str, of: ListOutline, entry: Entry) -> tuple[str, str, str, str, str]:
        value = shown_value(of.field, entry.value, is_revealed=is_revealed)
        return what, of.name, value, entry.until, entry.note

    for one in after:
        mine = ours.get(one.name)
        if mine is None:
            yield "new list", one.name, "", "", f"of {one.field}. {one.description}".strip()
            yield from (row("added", one, entry) for entry in one.entries)
            continue
        if mine.field != one.field:
            yield "list of another field", one.name, "", "", f"{mine.field} before, {one.field} after"
        if mine.description != one.description:
            yield "list described", one.name, "", "", one.description
        # With another field each entry is another one, whatever its value.
        old = {(mine.field, entry.value): entry for entry in mine.entries}
        turned = _turned(mine, one)
        for entry in one.entries:
            known = old.pop((one.field, entry.value), None)
            # Where the rules alone differ, they let it through from now on.
            whats = turned if known == entry else ("added" if known is None else "changed",)
            yield from (row(what, one, entry) for what in whats)
        yield from (row("taken off", mine, entry) for entry in old.values())
    for gone in before:
        if gone.name not in left:
            yield "list taken out", gone.name, "", "", gone.description
            yield from (row("taken off", gone, entry) for entry in gone.entries)
