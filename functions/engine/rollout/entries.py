"""What a change does to the entries of lists: whom it lets through from now on, whom it denies no more, and what else pages mask.

Whoever is on an allow list pays with fewer questions, and so does who leaves a deny list. Whether a list allows or denies is read from the checked conditions
(:mod:`engine.rules.cel.influence`), since a condition can ask for a list in many ways.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import yaml

from contract.authoring import pages_mask
from engine.errors import RulesetEditError
from engine.rules.cel.conditions import Vocabulary
from engine.rules.cel.influence import Influence
from engine.rules.lists import expiry

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ALLOWED_DAYS: Final = 90
"""The longest that an entry of an allow list counts from the day on which it is proposed, where it does not come with a whole document."""


class Effect(StrEnum):
    """What a change of an entry does to payments that match it."""

    ALLOWED = "let through"
    """Such a payment may get fewer points than before: the entry is new on a list that allows, or counts until another time there."""
    RELEASED = "denied no more"
    """The same, since the entry has left a list that denies, or ends sooner there."""
    LISTED = "listed"
    """None of that: it is new on its list, or counts until another time."""
    TAKEN_OFF = "taken off"
    """None of that: it has left its list."""


class ChangedEntry(NamedTuple):
    """An entry of a list that a change concerns."""

    effect: Effect
    list_name: str
    field: str
    value: str
    until: str
    """As the document after the change has it; empty for ever, and where the entry is gone."""

    @property
    def is_masked(self) -> bool:
        """Whether pages mask its value until somebody asks for it."""
        return pages_mask(self.field, self.value)

    @property
    def words(self) -> str:
        """What happens to it, for people."""
        if self.effect is Effect.TAKEN_OFF or (self.effect is Effect.RELEASED and not self.until):
            return self.effect.value
        until = f"until {self.until}" if self.until else "for ever"
        return f"denied {until}" if self.effect is Effect.RELEASED else f"{self.effect.value} {until}"


class _Entry(NamedTuple):
    """An entry in one document."""

    list_name: str
    field: str
    value: str
    until: str


class _Side(NamedTuple):
    """The entries of the champion or of the candidate, and what rules make of them. Dicts for their order."""

    entries: dict[_Entry, None]
    allowing: dict[_Entry, None]
    """Of lists that may take points off a payment."""
    denying: dict[_Entry, None]
    """Of lists that may add some; a rule in shadow adds none."""


def changed_entries(before: str | None, after: str) -> tuple[ChangedEntry, ...]:
    """Find the entries that a change concerns, of the champion and of the candidate: whom it lets through, and what else is new or gone.

    A list allows where being on it may keep a rule with points from holding, or make one hold that takes points off; it denies where it is the other way round. It
    may do both.

    Parameters
    ----------
    before : str | None
        The active document, checked, perhaps by an earlier version of the system; None where there is none.
    after : str
        The document after the change, checked.
    """
    old = [] if before is None else _sides(_content(before))
    found: list[ChangedEntry] = []
    for number, side in enumerate(_sides(_content(after))):
        # A candidate's users had the champion's rules before, where there was no other candidate.
        known = old[min(number, len(old) - 1)] if old else _Side({}, {}, {})
        # A list that denied before and allows now has only new entries.
        found += [ChangedEntry(Effect.ALLOWED, *each) for each in side.allowing if each not in known.allowing]
        found += _released(known, side)
        found += _others(known, side, {each[1:4] for each in found})
    return tuple(dict.fromkeys(found))


def check_expiry(entries: tuple[ChangedEntry, ...], today: date) -> None:
    """Check that entries that are let through end soon enough.

    Raises
    ------
    RulesetEditError
        Naming the list, and never a value.
    """
    last = today + timedelta(days=MAX_ALLOWED_DAYS)
    for entry in entries:
        if entry.effect is not Effect.ALLOWED:
            continue
        if not entry.until or date.fromisoformat(entry.until[:10]) > last:
            raise RulesetEditError(
                f"an entry of '{entry.list_name}', which lets payments through, counts for {MAX_ALLOWED_DAYS} days at most: "
                f"give it an expiry, {last} or earlier"
            )


def _released(before: _Side, after: _Side) -> Iterator[ChangedEntry]:
    still = {each[:3]: each.until for each in after.denying}
    for each in before.denying:
        until = still.get(each[:3])
        if until is None:
            yield ChangedEntry(Effect.RELEASED, *each[:3], "")
        elif until and until != each.until and _is_sooner(until, each.until):
            yield ChangedEntry(Effect.RELEASED, *each[:3], until)


def _others(before: _Side, after: _Side, found: set[tuple[str, ...]]) -> Iterator[ChangedEntry]:
    there = {each[:3] for each in after.entries}
    for each in after.entries:
        if each not in before.entries and each[:3] not in found:
            yield ChangedEntry(Effect.LISTED, *each)
    for each in before.entries:
        if each[:3] not in there and each[:3] not in found:
            yield ChangedEntry(Effect.TAKEN_OFF, *each[:3], "")


def _is_sooner(until: str, before: str) -> bool:
    end, end_before = expiry(until), expiry(before)
    return end_before is None or end is None or end < end_before


def _sides(content: dict[str, Any]) -> list[_Side]:
    candidate = content.get("candidate")
    of_champion = content.get("lists") or {}
    sides = [_side(content, of_champion)]
    if candidate:
        sides.append(_side(candidate, candidate.get("lists") or {} if "lists" in candidate else of_champion))
    return sides


def _side(content: dict[str, Any], lists: dict[str, Any]) -> _Side:
    vocabulary = Vocabulary(list(lists))
    allowing, denying = set[str](), set[str]()
    for rule in content.get("rules") or ():
        adds = rule["points"] > 0
        for name, does in vocabulary.lists_of(rule["when"]).items():
            if (Influence.KEEPS_FROM_HOLDING if adds else Influence.MAKES_HOLD) in does:
                allowing.add(name)
            is_live = rule.get("mode", "live") == "live"
            if is_live and (Influence.MAKES_HOLD if adds else Influence.KEEPS_FROM_HOLDING) in does:
                denying.add(name)
    return _Side(*(dict.fromkeys(_entries(lists, names)) for names in ({*lists}, allowing, denying)))


def _entries(lists: dict[str, Any], names: set[str]) -> Iterator[_Entry]:
    for name, one in lists.items():
        for entry in one["entries"] if name in names else ():
            yield _Entry(name, one["field"], str(entry["value"]), str(entry.get("until") or ""))


def _content(text: str) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(yaml.safe_load(text)))
    return content
